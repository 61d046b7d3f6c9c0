"""A tariff calendar: seasons with a week of day types, their switching times, special days -> the active rates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

_WEEK = 7


@dataclass(frozen=True, slots=True)
class Season:
    """A part of the year: the day on which it begins (month, day) and the day type of Monday to Sunday."""

    month: int
    day: int
    week: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """From a time of day on, these rates are active; import and export have theirs at the same time."""

    at: time
    rates: frozenset[int]


@dataclass(frozen=True, slots=True)
class TariffCalendar:
    """Which rates are active when.

    Args:
        seasons: in any order; a season lasts until the next begins, the last of a year into the next year.
        day_types: number -> its switches; the first of each is at midnight.
        special_days: days with a day type of their own: by (month, day) every year, or by date.

    Raises:
        ValueError: nothing to follow, a season on a day that does not exist or twice, a day type that is not there.
    """

    seasons: tuple[Season, ...]
    day_types: Mapping[int, tuple[Switch, ...]]
    special_days: Mapping[tuple[int, int] | date, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.seasons:
            raise ValueError("a tariff calendar has at least one season")
        starts = {(season.month, season.day) for season in self.seasons}
        if len(starts) < len(self.seasons):
            raise ValueError("two seasons begin on the same day")
        for month, day in starts:
            date(2024, month, day)  # a leap year: 29 February may begin a season
        self._check_day_types()

    def _check_day_types(self) -> None:
        used = {kind for season in self.seasons for kind in season.week} | set(self.special_days.values())
        if any(len(season.week) != _WEEK for season in self.seasons):
            raise ValueError("a week has seven days")
        if used - set(self.day_types):
            raise ValueError(f"there is no day type {min(used - set(self.day_types))}")
        for number, switches in self.day_types.items():
            times = [switch.at for switch in switches]
            if not times or times[0] != time() or sorted(set(times)) != times:
                raise ValueError(f"day type {number}: switching times begin at midnight and ascend")

    def season(self, day: date) -> int:
        """The number (from 0, as given) of the season that a day is in."""
        order = sorted(range(len(self.seasons)), key=lambda i: (self.seasons[i].month, self.seasons[i].day))
        starts = [(self.seasons[i].month, self.seasons[i].day) for i in order]
        return order[bisect_right(starts, (day.month, day.day)) - 1]

    def day_type(self, day: date) -> int:
        """The day type of a day: a special day before the week of its season."""
        special = self.special_days.get(day, self.special_days.get((day.month, day.day)))
        return self.seasons[self.season(day)].week[day.weekday()] if special is None else special

    def rates(self, moment: datetime) -> frozenset[int]:
        """The rates that are active at a moment of local time."""
        switches = self.day_types[self.day_type(moment.date())]
        return switches[_position(switches, moment.time())].rates

    def next_switch(self, moment: datetime) -> datetime:
        """The first switching time after a moment of local time; midnight, where a day type begins, is one."""
        switches = self.day_types[self.day_type(moment.date())]
        position = _position(switches, moment.time()) + 1
        if position < len(switches):
            return datetime.combine(moment.date(), switches[position].at)
        return datetime.combine(moment.date() + timedelta(days=1), time())


def _position(switches: Sequence[Switch], at: time) -> int:
    return bisect_right([switch.at for switch in switches], at) - 1


def without_tariff(*rates: int) -> TariffCalendar:
    """A calendar without a tariff: the same rates, always."""
    return TariffCalendar((Season(1, 1, (0,) * _WEEK),), {0: (Switch(time(), frozenset(rates)),)})
