"""Daylight saving by rule: when a meter's clock is put forward and back, and by how much.

A rule names a week of the month (1 to 4, or the last), a weekday, a month and an hour of the clock that people read:
the advance at that hour of standard time, the retard at that hour of summer time. Times are ns of standard time since
1970, so nothing is ever ambiguous; the shift is added only where a person looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from simulators.metering.demand import MINUTE

HOUR = 60 * MINUTE
#: The week number that stands for the last such weekday of the month.
LAST = 5
_ORIGIN = datetime(1970, 1, 1)  # noqa: DTZ001  # a meter keeps local time without a zone
_MICROSECOND = timedelta(microseconds=1)
_WEEK = 7
_DECEMBER = 12
_LONGEST_SHIFT = 2


def to_ns(moment: datetime) -> int:
    """A naive moment as ns since 1970 on the same clock."""
    return (moment - _ORIGIN) // _MICROSECOND * 1000


def to_moment(ns: int) -> datetime:
    """Ns since 1970 as a naive moment, to the microsecond."""
    return _ORIGIN + timedelta(microseconds=ns // 1000)


class Change(Protocol):
    """When the clock is changed; a hashable value."""

    def in_year(self, year: int) -> datetime | None:
        """The moment of the change in a year, on the clock that people read just before it; None if there is none."""


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """Every year: week 1-4 or 5 (last), weekday (Monday 0), month 1-12, hour 0-23."""

    week: int
    weekday: int
    month: int
    hour: int

    def __post_init__(self) -> None:
        in_range = 1 <= self.week <= LAST and 0 <= self.weekday < _WEEK and 1 <= self.month <= _DECEMBER
        if not in_range or not 0 <= self.hour < 24:  # noqa: PLR2004  # hours of a day
            raise ValueError("a change of the clock is in week 1-4 or 5 (last), weekday 0-6, month 1-12, hour 0-23")

    def in_year(self, year: int) -> datetime:
        """The moment of the change, on the clock that people read just before it."""
        if self.week == LAST:
            first_of_next = date(year + self.month // _DECEMBER, self.month % _DECEMBER + 1, 1)
            last = first_of_next - timedelta(days=1)
            day = last - timedelta(days=(last.weekday() - self.weekday) % _WEEK)
        else:
            first = date(year, self.month, 1)
            day = first + timedelta(days=(self.weekday - first.weekday()) % _WEEK + _WEEK * (self.week - 1))
        return datetime(day.year, day.month, day.day, self.hour)  # noqa: DTZ001  # local time without a zone


@dataclass(frozen=True, slots=True)
class DaylightSaving:
    """A rule: when the clock is advanced and when it is retarded, and the shift in hours (0 off, 1 or 2)."""

    advance: Change
    retard: Change
    shift: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.shift <= _LONGEST_SHIFT:
            raise ValueError("daylight saving shifts the clock by 1 or 2 hours, or is off (0)")

    def offset(self, standard: int) -> int:
        """What (ns) is added to standard time (ns since 1970) on the clock that people read."""
        if not self.shift:
            return 0
        begun = [summer for at, summer in _around(self, to_moment(standard).year) if at <= standard]
        return self.shift * HOUR if begun and begun[-1] else 0

    def next_change(self, standard: int) -> int | None:
        """The first change after an instant of standard time (ns since 1970); None when daylight saving is off."""
        if not self.shift:
            return None
        return next((at for at, _ in _around(self, to_moment(standard).year) if at > standard), None)

    def standard(self, local: int) -> int:
        """Standard time of what people read; summer where an hour occurs twice, as read where it does not occur."""
        summer = local - self.shift * HOUR
        return summer if self.offset(summer) else local


@lru_cache(maxsize=256)
def _around(rule: DaylightSaving, year: int) -> tuple[tuple[int, bool], ...]:
    """The changes of a year and its neighbours in order: instant of standard time, and whether summer begins."""
    found = []
    for each in (year - 1, year, year + 1):
        for change, summer in ((rule.advance, True), (rule.retard, False)):
            local = change.in_year(each)
            if local is not None:
                found.append((to_ns(local) - (0 if summer else rule.shift * HOUR), summer))
    return tuple(sorted(found))


#: Daylight saving switched off.
OFF = DaylightSaving(YearlyChange(LAST, 6, 3, 1), YearlyChange(LAST, 6, 10, 2), shift=0)
#: The United Kingdom's rule: last Sundays of March (01:00 GMT) and October (02:00 BST).
UNITED_KINGDOM = DaylightSaving(YearlyChange(LAST, 6, 3, 1), YearlyChange(LAST, 6, 10, 2))
