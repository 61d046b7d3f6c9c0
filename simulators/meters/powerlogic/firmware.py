"""The decisions of the firmware that a bug would change, each a small function; a defect puts another in its place.

A healthy meter shares one :data:`HEALTHY`. A switched-on defect gives its meter a copy with one decision replaced, so a
defect is one function elsewhere and no `if defect` stands in device code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocols.powerlogic import energy
from simulators.metering.energy import WH


def every_word_in_range(words: Sequence[int]) -> bool:
    """Whether each word is -9999..9999; one outside aborts the whole preset (seed document 003, step 2)."""
    return all(-energy.WORD_LIMIT <= word <= energy.WORD_LIMIT for word in words)


def energies_of(words: Sequence[int], _before: Sequence[int]) -> list[int]:
    """The energies (picojoule) that 28 buffer words stand for; the fraction of a Wh counted before is gone."""
    return [energy.decode(words[i : i + energy.WORDS]) * WH for i in range(0, len(words), energy.WORDS)]


def words_of(value_wh: int) -> Sequence[int]:
    """The four words that show an energy of whole Wh."""
    return energy.encode(value_wh)


def total_rates(signed: bool, real: int, reactive: int) -> tuple[int, int]:  # noqa: FBT001  # the mode register's bit
    """The rates of the two totals: in plus out in absolute mode, in minus out in signed mode (register 3232)."""
    return (real, reactive) if signed else (abs(real), abs(reactive))


def save_time(now: int, save_delay: int) -> int:
    """The instant at which a preset made `now` will survive a power cut."""
    return now + save_delay


@dataclass(frozen=True, slots=True)
class Firmware:
    """The replaceable decisions of one meter."""

    preset_in_range: Callable[[Sequence[int]], bool] = every_word_in_range
    #: What a refused preset leaves behind: the 28 words and the energies (picojoule) before; returns those after.
    after_refusal: Callable[[Sequence[int], Sequence[int]], list[int]] = lambda _words, before: list(before)
    energies_of: Callable[[Sequence[int], Sequence[int]], list[int]] = energies_of
    words_of: Callable[[int], Sequence[int]] = words_of
    total_rates: Callable[[bool, int, int], tuple[int, int]] = total_rates
    save_time: Callable[[int, int], int] = save_time
    #: Whether the result word of a command is written at all; given the code and the result.
    writes_result: Callable[[int, int], bool] = lambda _code, _result: True
    #: Whether a direct write to the live energy registers is obeyed.
    energies_writable: bool = False
    #: Whether a preset also clears what it should leave alone.
    preset_clears_neighbours: bool = False


HEALTHY = Firmware()
