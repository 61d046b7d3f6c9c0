"""A load profile recorder: what some sources counted in each period, in days, with markers between.

Each day begins with a marker, and so does whatever breaks the row of whole periods: a power cut, a clock that was set,
daylight saving, another set-up. A period that is broken off leaves a short record; the short records of a period belong
together. Status bits say what happened in a record or stood throughout it. The oldest day gives way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Mark(Enum):
    """What a marker says."""

    DAY = "new day"
    POWER_UP = "power up"
    POWER_DOWN = "power down"
    CONFIGURATION = "configuration change"
    FORCED_DEMAND_END = "forced end of demand"
    TIME_CHANGE = "time change"
    CLEARED = "profile cleared"
    DAYLIGHT_SAVING = "daylight saving"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is recorded: the indices of the sources in ascending order of their channels, the channel mask, the period.

    `mask` is what the markers of the family carry; the recorder only hands it on.
    """

    sources: tuple[int, ...]
    mask: int
    period: int


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker: its moment (ns of standard time), the set-up from there on, and whether it is summer time."""

    kind: Mark
    at: int
    setup: Setup
    summer: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What each source counted (picojoule) in `length` ns, and the status bits."""

    status: int
    energies: tuple[int, ...]
    length: int


@dataclass(slots=True)
class Day:
    """The entries of a day, the first of them its marker."""

    at: int
    entries: list[Marker | Record] = field(default_factory=list)


class ProfileRecorder:
    """The load profile of one meter.

    Args:
        setup: what is recorded.
        capacity: how many days are kept.
    """

    __slots__ = ("_from", "_since", "days", "passing", "setup", "standing")

    def __init__(self, setup: Setup, capacity: int) -> None:
        self.setup = setup
        #: The oldest first.
        self.days: deque[Day] = deque(maxlen=capacity)
        #: Status bits of what stands, and of what happened since the last record.
        self.standing = 0
        self.passing = 0
        self._since = 0
        self._from: Sequence[int] = ()

    def begin(self, now: int, energies: Sequence[int]) -> None:
        """Record from the instant `now` (ns) on, at which the sources read `energies`."""
        self._since, self._from = now, tuple(energies)

    def close(self, now: int, energies: Sequence[int]) -> None:
        """A period ends, or is broken off: record what was counted since; nothing if no time has passed."""
        if now > self._since:
            counted = tuple(energies[source] - self._from[source] for source in self.setup.sources)
            self._append(Record(self.standing | self.passing, counted, now - self._since))
            self.passing = 0
        self.begin(now, energies)

    def day(self, at: int, *, summer: bool) -> None:
        """A day begins at `at` (ns of standard time)."""
        self.days.append(Day(at))
        self.mark(Mark.DAY, at, summer=summer)

    def mark(self, kind: Mark, at: int, *, summer: bool) -> None:
        """Put a marker behind the records so far."""
        self._append(Marker(kind, at, self.setup, summer))

    def _append(self, entry: Marker | Record) -> None:
        if self.days:
            self.days[-1].entries.append(entry)

    def clear(self, at: int, *, summer: bool, marked: bool = True) -> None:
        """Forget everything; the first new day begins now and says so, unless it is not marked."""
        self.days.clear()
        self.day(at, summer=summer)
        if marked:
            self.mark(Mark.CLEARED, at, summer=summer)

    def latest(self, days: int) -> list[Day]:
        """The latest days, the oldest of them first."""
        return list(self.days)[-days:] if days else []

    def between(self, first: int, last: int) -> list[Day]:
        """The days that have something of first..last (ns of standard time): whole days, each with its marker."""
        days = list(self.days)
        ends = [*(day.at for day in days[1:]), None]
        return [day for day, end in zip(days, ends, strict=True) if day.at <= last and (end is None or end > first)]
