"""The decisions of an Elster firmware that a bug would change; a defect puts another in its place.

A healthy meter shares one :data:`HEALTHY`. A switched-on defect gives its meter a copy with one decision replaced, so a
defect is one function elsewhere and no `if defect` stands in device code. What a bug does to frames and their timing is
in `protocols/flag/habits.py`. Callables with a first argument `Any` are given the meter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from protocols.flag.device import Session
from protocols.flag.login import SIZE
from simulators.metering import event_log
from simulators.metering.adjustable_clock import one_step
from simulators.metering.event_log import Occurrence
from simulators.metering.history import ResetLock

#: A hook: given the meter and the instant (ns). Any, because meters are made of this module.
Hook = Callable[[Any, int], None]


def _nothing(_meter: Any, _now: int) -> None:
    """What a healthy firmware does beside its business."""


def random_seed(stream: Random, _before: bytes) -> bytes:
    """A new challenge of eight bytes; given the random stream and the challenge of the session before."""
    return stream.randbytes(SIZE)


def level_reached(session: Session, needed: int, expired: bool) -> bool:  # noqa: FBT001  # as it was found
    """Whether a session may do what needs a level; expired is a reply that was accepted too long ago."""
    return session.level >= needed and not expired


def first_change(session: Session) -> int:
    """By how much the programming counter rises with a change: with the first of a session only."""
    return 0 if session.changed else 1


def this_session(session: Session, _before: bytes) -> bytes:
    """Whose name stands in the programming log: the one written in this session, blank if none was."""
    return session.user


def energy_text(milliwatt_hours: int, digits: int, decimals: int) -> str:
    """An energy as the readout shows it, in thousands of its unit: cut, not rounded, and over beyond its digits."""
    whole = milliwatt_hours // 10 ** (6 - decimals) % 10 ** (digits + decimals)
    text = f"{whole:0{digits + decimals}d}"
    return f"{text[:digits]}.{text[digits:]}" if decimals else text


def fresh_value(_before: Decimal | None, fresh: Decimal | None, ready: bool) -> Decimal | None:  # noqa: FBT001  # 606
    """What 606 shows: nothing until the value stands ready; given the value that was read before."""
    return fresh if ready else None


@dataclass(frozen=True, slots=True)
class Firmware:
    """The replaceable decisions of one meter."""

    # -- who may do what --
    seed: Callable[[Random, bytes], bytes] = random_seed
    allows: Callable[[Session, int, bool], bool] = level_reached
    #: The level of a session before anybody has logged in; given the level at which the last one ended.
    first_level: Callable[[int], int] = lambda _last: -1
    #: The level after a wrong password; given the one reached before.
    level_after_failure: Callable[[int], int] = lambda level: min(level, 0)

    #: The level of a reply of zeros, and whether a password is that of a level; given what was said and what is right.
    level_of_zeros: int = 0
    same_password: Callable[[bytes, bytes], bool] = bytes.__eq__

    # -- packets --
    #: The packet that is meant by a number, and whether a read beyond the end of an object is filled up with FF.
    packet: Callable[[int], int] = lambda number: number
    fills_up: bool = False

    # -- programming --
    counts_change: Callable[[Session], int] = first_change
    #: Given the session: by how much a write that was refused raises the programming counter.
    counts_refusal: Callable[[Session], int] = lambda _session: 0
    #: Whose name goes into the log; given the session and the name in the latest entry.
    programmer: Callable[[Session, bytes], bytes] = this_session
    #: The bytes that are stored of those that were written; given number, old and new bytes.
    stored: Callable[[int, bytes, bytes], bytes] = lambda _number, _before, data: data
    #: The instant at which a change is safe from a power cut; given what was changed (the name of a section, of an
    #: identity, or "programming_log"), the instant and the save delay.
    save_time: Callable[[str, int, int], int] = lambda _what, now, delay: now + delay
    #: Done when something has been programmed; given the meter, its name as above, and the instant.
    after_change: Callable[[Any, str, int], None] = lambda _meter, _what, _now: None
    #: Whether an object of several packets is stored packet by packet instead of when it is whole.
    stores_parts: bool = False
    #: Whether what does not make a whole section yet is stored at the end of the session instead of dropped.
    stores_unfinished: bool = False

    # -- logs --
    count_event: Callable[[int], int] = event_log.counted
    #: The moment (ns of standard time) that the programming log gives a programming.
    programming_stamp: Callable[[int], int] = lambda at: at
    push_event: Callable[[tuple[Occurrence[Any], ...], Occurrence[Any]], tuple[Occurrence[Any], ...]] = event_log.pushed

    #: Whether an object that is only read takes what is written to it.
    writes_read_only: bool = False

    # -- billing --
    #: Whether a billing reset ends the demand period that is under way, before the set is stored.
    closes_demand: bool = True
    #: Whether a manual reset is refused; given the lock and the meter's standard time.
    locked_out: Callable[[ResetLock, int], bool] = ResetLock.locked
    #: Done before a set is stored, after it is, and after the demand was reset.
    before_billing: Hook = _nothing
    after_store: Hook = _nothing
    after_billing: Hook = _nothing

    #: Whether a billing date that came while there was no supply is made up for.
    makes_up_billing: bool = True
    #: The moment that goes with a demand; given the end of its period and the length of it (ns).
    demand_stamp: Callable[[int, int], int] = lambda end, _length: end
    #: The rates that count from a switching time on; given those before and those of the calendar.
    active_rates: Callable[[frozenset[int], frozenset[int]], frozenset[int]] = lambda _before, wanted: wanted

    # -- clock and profile --
    #: The time to which the clock is set; given what it shows and what is asked for.
    clock_setting: Callable[[datetime, datetime], datetime] = lambda _before, wanted: wanted
    #: The part (ns) of a pending adjustment that a period takes; given it and the step.
    clock_step: Callable[[int, int], int] = one_step
    #: Whether an adjustment (ns) is accepted; given it and the limit.
    may_adjust: Callable[[int, int], bool] = lambda by, limit: abs(by) <= limit
    #: Whether a clock that was set leaves a marker; given standard time (ns) before and after.
    marks_time_change: Callable[[int, int], bool] = lambda _before, _after: True
    #: Whether the record that a clock setting breaks off says so in its status.
    flags_time_change: bool = True
    marks_daylight_saving: bool = True
    #: The daylight saving flag of a day or configuration marker; given whether it is summer.
    summer_flag: Callable[[bool], bool] = lambda summer: summer
    after_daylight_change: Hook = _nothing
    #: A value of the profile (mW, mvar, mVA) before it is cut or rounded to five digits.
    profile_value: Callable[[int], int] = lambda value: value
    #: Whether day markers are written at all, power cuts marked.
    marks_days: bool = True
    marks_power: bool = True
    #: Whether a profile that was cleared says so.
    marks_clearing: bool = True

    # -- counting, supply --
    #: The rates at which the sources are counted; given the meter and the rates of what it measures.
    counted: Callable[[Any, tuple[int, ...]], tuple[int, ...]] = lambda _meter, rates: rates
    #: Whether the registers are saved when the supply fails, beside every two hours.
    saves_at_power_fail: bool = True
    after_boot: Hook = _nothing

    # -- what is shown --
    energy_text: Callable[[int, int, int], str] = energy_text
    #: The unit behind a value of the readout; given the unit.
    unit_text: Callable[[str], str] = lambda unit: f"*{unit}" if unit else ""
    #: One line of the readout before it is sent, and the value in a bracket of it.
    line_text: Callable[[str], str] = lambda line: line
    instant_value: Callable[[Decimal | None, Decimal | None, bool], Decimal | None] = fresh_value
    #: The bytes of an identity before they are sent; given its number and them.
    image: Callable[[int, bytes], bytes] = lambda _number, data: data


HEALTHY = Firmware()
