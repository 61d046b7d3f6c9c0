"""The calendar of a scheme: seasons, weeks, switching times, billing dates and changes of the clock that can be.

Every rule looks at the file alone and names the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

from bench.scheme.kinds import WEEKDAYS, written_time
from bench.scheme.model import ChangeEntry, Scheme, written_day
from bench.scheme.sections import change_of, week_of
from bench.station.mistakes import Mistake, suggestion
from protocols.elster.configuration import BillingDate, ChangeDate, ConfigurationError, MonthDay

_LEAP_YEAR = 2000


def seasons_cover_the_year(scheme: Scheme) -> Iterator[Mistake]:
    """Every day of the year is in one season, and in one only."""
    if scheme.tariff is None:
        return
    seasons = sorted(scheme.tariff.seasons.items(), key=lambda item: item[1].first)
    for (name, season), (after, following) in zip(seasons, [*seasons[1:], seasons[0]], strict=True):
        end, wanted = season.last, following.first.eve
        if end == wanted:
            continue
        keys = ("tariff", "seasons", name, "to")
        line = scheme.line("tariff", "seasons", after)
        if end == MonthDay(2, 28) and wanted == MonthDay(2, 29):
            yield scheme.mistake(keys, "leaves out 29 February; write 02-29, it counts in leap years only")
        elif _reaches(season.first, end) > _reaches(season.first, wanted):
            yield scheme.mistake(
                keys, f"overlaps season {after} (line {line}), which begins on {_day(following.first)}"
            )
        else:
            gap = _after(end)
            days = _day(gap) if gap == wanted else f"{_day(gap)} to {_day(wanted)}"
            yield scheme.mistake(
                keys, f"no season covers {days}; {after} (line {line}) begins on {_day(following.first)}"
            )


def _reaches(first: MonthDay, last: MonthDay) -> int:
    """Days from the first to the last of a season, both included, over the turn of the year if need be."""
    span = _in_leap_year(last).toordinal() - _in_leap_year(first).toordinal()
    return span % 366 + 1


def _in_leap_year(day: MonthDay) -> date:
    return date(_LEAP_YEAR, day.month, day.day)


def _after(day: MonthDay) -> MonthDay:
    found = _in_leap_year(day) + timedelta(days=1)
    return MonthDay(found.month, found.day)


def _day(day: MonthDay) -> str:
    return written_day(day)


def weeks_are_whole(scheme: Scheme) -> Iterator[Mistake]:
    """Every weekday of a season has a day type that there is."""
    if scheme.tariff is None:
        return
    known = scheme.tariff.day_types
    for name, season in scheme.tariff.seasons.items():
        keys = ("tariff", "seasons", name, "week")
        for day, day_type in season.week.items():
            if day_type not in known:
                reason = f"there is no day type {day_type}{suggestion(day_type, known)} there are: {', '.join(known)}"
                yield scheme.mistake((*keys, day), reason)
        missing = [day for day in WEEKDAYS if day not in week_of(season)]
        if missing:
            yield scheme.mistake(keys, f"has no day type for {', '.join(missing)}")


def special_days_are_clear(scheme: Scheme) -> Iterator[Mistake]:
    """A special day has a day type that there is, and no day stands twice."""
    if scheme.tariff is None:
        return
    first: dict[str, int] = {}
    for k, special in enumerate(scheme.tariff.special_days):
        keys = ("tariff", "special_days", k)
        if special.day_type not in scheme.tariff.day_types:
            known = scheme.tariff.day_types
            reason = f"there is no day type {special.day_type}{suggestion(special.day_type, known)} there are: "
            yield scheme.mistake((*keys, "day_type"), reason + ", ".join(known))
        day = written_day(special.date)
        if day in first:
            yield scheme.mistake((*keys, "date"), f"{day} is already a special day (line {first[day]})")
        first.setdefault(day, scheme.line(*keys))


def switching_times_ascend(scheme: Scheme) -> Iterator[Mistake]:
    """A day type begins at midnight and goes on in the order of the day."""
    if scheme.tariff is None:
        return
    for name, switching in scheme.tariff.day_types.items():
        keys = ("tariff", "day_types", name)
        minutes = list(switching)
        if not minutes:
            yield scheme.mistake(keys, "has no switching time; it begins at 00:00")
        elif minutes[0] and min(minutes):
            reason = "does not say which rate counts at midnight; its first switching time is 00:00"
            yield scheme.mistake(keys, reason)
        for before, after in pairwise(minutes):
            if after < before:
                reason = f"comes behind {written_time(before)}; switching times stand in the order of the day"
                yield scheme.mistake((*keys, written_time(after)), reason)


def billing_dates_exist(scheme: Scheme) -> Iterator[Mistake]:
    """A billing date is a day of its month, or of every month."""
    for k, entry in enumerate(scheme.billing.dates if scheme.billing else ()):
        try:
            BillingDate(entry.day, entry.month)
        except ConfigurationError:
            where = "every month has" if entry.month is None else f"month {entry.month} has"
            hint = "; 1 to 28 are in every month" if entry.month is None else ""
            yield scheme.mistake(("billing", "dates", k, "day"), f"not {where} a day {entry.day}{hint}")


def changes_differ(scheme: Scheme) -> Iterator[Mistake]:
    """The clock is not advanced and put back at one moment."""
    for saving in [scheme.clock.daylight_saving if scheme.clock else None]:
        if saving is not None and saving.advance is not None and saving.retard is not None:
            first, second = change_of(saving.advance), change_of(saving.retard)
            if first == second:
                keys = ("clock", "daylight_saving", "retard")
                yield scheme.mistake(keys, "is the moment of advance; the clock cannot do both")


def changes_lie_ahead(scheme: Scheme, today: date) -> Iterator[Mistake]:
    """A change of the clock on one date is still to come."""
    saving = scheme.clock.daylight_saving if scheme.clock else None
    changes: Iterable[tuple[str, ChangeEntry | None]] = (
        () if saving is None else (("advance", saving.advance), ("retard", saving.retard))
    )
    for name, entry in changes:
        change = None if entry is None else change_of(entry)
        if isinstance(change, ChangeDate) and change.moment.date() < today:
            reason = f"{change.moment.date()} is in the past (today is {today}); give a date to come or a rule"
            yield scheme.mistake(("clock", "daylight_saving", name, "date"), reason)
