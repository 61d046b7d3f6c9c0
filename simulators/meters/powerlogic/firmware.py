"""The decisions of the firmware that a bug would change, each a small function; a defect puts another in its place.

A healthy meter shares one :data:`HEALTHY`. A switched-on defect gives its meter a copy with one decision replaced, so a
defect is one function elsewhere and no `if defect` stands in device code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from protocols.modbus.pdu import ADDRESSES
from protocols.powerlogic import energy
from protocols.powerlogic.words import encode_date, encode_power_factor
from simulators.metering.energy import WH
from simulators.meters.powerlogic.setup import TIMEOUT, SetupSession

#: Result of a command that the family does not have (seed document 003, step 4).
INVALID_COMMAND = 81
#: A hook: given the meter and the instant (ns). Any, because meters are made of this module.
Hook = Callable[[Any, int], None]
#: Time between two words of a block that is not read in one piece (profile value `atomic_block_read`; assumed).
_WORD_TIME = 500_000
_MODULUS = energy.LIMIT + 1


def every_word_in_range(words: Sequence[int]) -> bool:
    """Whether each word is -9999..9999; one outside aborts the whole preset (seed document 003, step 2)."""
    return all(-energy.WORD_LIMIT <= word <= energy.WORD_LIMIT for word in words)


def energies_of(words: Sequence[int], _before: Sequence[int]) -> list[int]:
    """The energies (picojoule) that 28 buffer words stand for; the fraction of a Wh counted before is gone."""
    return [energy.decode(words[i : i + energy.WORDS]) * WH for i in range(0, len(words), energy.WORDS)]


def words_of(_name: str, value_wh: int) -> Sequence[int]:
    """The four words that show an energy of whole Wh under its register name."""
    return energy.encode(value_wh)


def beyond_limit(wh: int, rollover: str) -> int:
    """What is shown of an energy that no longer fits sixteen digits, by profile: the limit, or again from zero."""
    if rollover == "saturate":
        return energy.LIMIT if wh > 0 else -energy.LIMIT
    return wh % _MODULUS if wh > 0 else -(-wh % _MODULUS)


def total_rates(signed: bool, real: int, reactive: int) -> tuple[int, int]:  # noqa: FBT001  # the mode register's bit
    """The rates of the two totals: in plus out in absolute mode, in minus out in signed mode (register 3232)."""
    return (real, reactive) if signed else (abs(real), abs(reactive))


def safe_after_delay(now: int, save_delay: int) -> int:
    """The instant at which what was changed `now` will survive a power cut."""
    return now + save_delay


def two_minutes_without_a_write(session: SetupSession, now: int) -> bool:
    """Whether a setup session has ended by itself; a write exactly at the end of the two minutes still counts."""
    return session.idle(now) > TIMEOUT


def _nothing(_meter: Any, _now: int) -> None:
    """What a healthy firmware does beside its business."""


def one_word_after_the_other(register: int, first: int, now: int) -> int:
    """The instant that a word of a block shows where the block is not read in one piece."""
    return now + max(0, register - first) * _WORD_TIME


def power_factor_word(thousandths: int, lagging: bool) -> int:  # noqa: FBT001  # the two parts of one value
    """The sign-magnitude word of a power factor."""
    return encode_power_factor(thousandths, lagging=lagging)


@dataclass(frozen=True, slots=True)
class Firmware:
    """The replaceable decisions of one meter."""

    # -- the preset --
    preset_in_range: Callable[[Sequence[int]], bool] = every_word_in_range
    #: What a refused preset leaves behind: the 28 words and the energies (picojoule) before; returns those after.
    after_refusal: Callable[[Sequence[int], Sequence[int]], list[int]] = lambda _words, before: list(before)
    energies_of: Callable[[Sequence[int], Sequence[int]], list[int]] = energies_of
    #: Whether a preset that is in order is carried out before it is answered with 0; given the meter and the words.
    carries_out: Callable[[Any, Sequence[int]], bool] = lambda _meter, _words: True
    #: The instant at which a preset is safe, or one for each of the seven energies.
    preset_save_time: Callable[[int, int], int | Sequence[int]] = safe_after_delay
    after_preset: Hook = _nothing

    # -- commands and writes --
    #: Commands that do something else than `commands.py` says: name to (meter, now) -> result.
    commands: Mapping[str, Callable[[Any, int], int]] = field(default_factory=dict)
    unknown_command: Callable[[Any, int], int] = lambda _meter, _now: INVALID_COMMAND
    #: Whether the result word of a command is written at all; given the code and the result.
    writes_result: Callable[[int, int], bool] = lambda _code, _result: True
    #: Which registers take status and result; given what pointers #1 and #2 hold.
    result_registers: Callable[[int, int], tuple[int, int]] = lambda status, result: (status, result)
    #: The words that are stored of those that came; given the function code and the first register.
    stored: Callable[[int, int, list[int]], list[int]] = lambda _function, _first, values: values
    #: Done besides, when registers have been written.
    after_write: Hook = _nothing
    #: Whether a direct write to the live energy registers is obeyed.
    energies_writable: bool = False
    #: Whether a write of several registers must have the byte count that its quantity implies.
    checks_byte_count: bool = True

    # -- set-up --
    session_ended: Callable[[SetupSession, int], bool] = two_minutes_without_a_write
    setup_save_time: Callable[[int, int], int] = safe_after_delay
    #: The same for the demand of a set-up, which has a memory of its own.
    demand_save_time: Callable[[int, int], int] = safe_after_delay

    # -- counting, supply --
    total_rates: Callable[[bool, int, int], tuple[int, int]] = total_rates
    #: The rates at which the seven energies are counted; given the meter and the rates of what it measures.
    counted: Callable[[Any, tuple[int, ...]], tuple[int, ...]] = lambda _meter, rates: rates
    before_power_loss: Hook = _nothing
    after_boot: Hook = _nothing

    # -- what is shown --
    #: The first register of a read; given the function code and the PDU address.
    first_register: Callable[[int, int], int] = lambda _function, address: address + 1
    word_instant: Callable[[int, int, int], int] = one_word_after_the_other
    #: The most registers of a read that the firmware has room for; what Modbus allows is seen to before.
    most_registers: int = ADDRESSES
    words_of: Callable[[str, int], Sequence[int]] = words_of
    beyond_limit: Callable[[int, str], int] = beyond_limit
    power_factor_word: Callable[[int, bool], int] = power_factor_word
    date_words: Callable[[datetime, int], tuple[int, ...]] = encode_date
    #: The time under which a reset or a preset is remembered; given what the clock shows.
    stamped: Callable[[datetime], datetime] = lambda shown: shown
    #: The instant at which the time of a reset or a preset is safe; given its register's name, now and the save delay.
    stamp_save_time: Callable[[str, int, int], int] = lambda _name, now, delay: safe_after_delay(now, delay)


HEALTHY = Firmware()
