"""The kinds of value that stand in a scheme and in no station file: dates, times of day, references to secrets."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated

from bench.station.kinds import Kind, one_of, whole, wrong
from bench.station.mistakes import shown
from bench.station.quantities import DURATION, QuantityError
from protocols.elster.configuration import SCHEME_ID, ConfigurationError, MonthDay
from protocols.elster.configuration_display import CODE, LONGEST_CODE

MINUTE = 60_000_000_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Short for several days of the week.
DAY_GROUPS = {"every_day": WEEKDAYS, "weekdays": WEEKDAYS[:5], "weekend": WEEKDAYS[5:]}
UNTIL_MIDNIGHT = "until midnight"

_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_FULL_DATE = re.compile(r"(20[0-9]{2})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def _month_day(value: object) -> MonthDay:
    found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong(f"{shown(value)} is no day of the year; write month and day as in 03-31")
    try:
        return MonthDay(int(found[1]), int(found[2]))
    except ConfigurationError:
        raise wrong(f"{shown(value)} does not exist: no year has day {found[2]} of month {found[1]}") from None


def _day(value: object) -> MonthDay | date:
    """A day of every year, or of one."""
    found = _FULL_DATE.fullmatch(value) if isinstance(value, str) else None
    return _month_day(value) if found is None else _date(value)


def _date(value: object) -> date:
    found = _FULL_DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong(f"{shown(value)} is no date; write year, month and day as in 2027-03-28")
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        raise wrong(f"{shown(value)} does not exist: {found[1]} has no day {found[3]} of month {found[2]}") from None


def _time(value: object) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong(f"{shown(value)} is no time of day; write it as in 07:30, up to 23:59")
    return 60 * int(found[1]) + int(found[2])


def written_time(minute: int) -> str:
    """The text of a minute of the day."""
    return "{:02}:{:02}".format(*divmod(minute, 60))


def _rates(value: object) -> tuple[int, ...]:
    rates = value if isinstance(value, list) else [value]
    if not rates or any(isinstance(rate, bool) or not isinstance(rate, int) or rate < 1 for rate in rates):
        raise wrong(f"{shown(value)} is neither a rate (1, 2 ...) nor a list of rates")
    if len(set(rates)) != len(rates):
        raise wrong("a rate stands twice in one switching time")
    return tuple(sorted(rates))


def _minutes(value: object) -> int:
    """Whole minutes of a duration."""
    if isinstance(value, bool) or not isinstance(value, str):
        raise wrong(f"{shown(value)} is not a duration; write it as in 30 min")
    try:
        duration = DURATION.parse(value)
    except QuantityError as error:
        raise wrong(str(error)) from None
    if duration % MINUTE:
        raise wrong(f"{shown(value)} is not whole minutes")
    return duration // MINUTE


def _milliseconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str):
        raise wrong(f"{shown(value)} is not a duration; write it as in 80 ms")
    try:
        duration = DURATION.parse(value)
    except QuantityError as error:
        raise wrong(str(error)) from None
    if duration % 1_000_000 or not 1 <= duration // 1_000_000 <= 65_535:  # noqa: PLR2004  # two bytes
        raise wrong(f"{shown(value)} is not whole milliseconds from 1 ms to 65535 ms")
    return duration // 1_000_000


def _lock_out(value: object) -> int | None:
    if value == UNTIL_MIDNIGHT:
        return None
    minutes = _minutes(value)
    if minutes > 24 * 60:
        raise wrong(f"{shown(value)} is longer than a day; write {UNTIL_MIDNIGHT}")
    return minutes


def _text_of(pattern: re.Pattern[str], noun: str, longest: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = str(value) if not isinstance(value, bool) and isinstance(value, str | int) else None
        if text is None or not pattern.fullmatch(text) or len(text) > longest:
            raise wrong(f"{shown(value)} is not {noun}")
        return text

    return check


def _reference(value: object) -> str:
    """The name of a variable. Whatever else stands there may be the password itself, so it is not told."""
    if not isinstance(value, str) or not _ENV.fullmatch(value):
        raise wrong("must be the name of an environment variable")
    return value


#: A meter does not keep blanks at the end. None at all is for the export of a meter that was never named (`rules`).
_SCHEME_ID = re.compile(r"(?:[\x20-\x7e]*[\x21-\x7e])?")

DayOfYear = Annotated[MonthDay, Kind(_month_day, {"type": "string", "pattern": f"^{_MONTH_DAY.pattern}$"})]
Day = Annotated[MonthDay | date, Kind(_day, {"type": "string", "examples": ["12-25", "2027-03-26"]})]
Date = Annotated[date, Kind(_date, {"type": "string", "pattern": f"^{_FULL_DATE.pattern}$"})]
#: Minutes since midnight inside.
TimeOfDay = Annotated[int, Kind(_time, {"type": "string", "pattern": f"^{_TIME.pattern}$"})]
Rates = Annotated[
    tuple[int, ...],
    Kind(_rates, {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "integer"}}]}),
]
Minutes = Annotated[int, Kind(_minutes, {"type": "string", "examples": ["30 min"]})]
Milliseconds = Annotated[int, Kind(_milliseconds, {"type": "string", "examples": ["80 ms"]})]
#: Minutes inside; None until midnight.
LockOut = Annotated[int | None, Kind(_lock_out, {"type": "string", "examples": ["30 min", UNTIL_MIDNIGHT]})]
SchemeId = Annotated[
    str,
    Kind(
        _text_of(_SCHEME_ID, f"a scheme id: up to {SCHEME_ID} characters of ASCII", SCHEME_ID),
        {"type": ["string", "integer"], "maxLength": SCHEME_ID},
    ),
]
DisplayCode = Annotated[
    str,
    Kind(
        _text_of(CODE, "a display item: an OBIS code as in 1.8.0, 1.8.1*01 or F.F", LONGEST_CODE),
        {"type": "string", "pattern": f"^{CODE.pattern}$"},
    ),
]
Reference = Annotated[str, Kind(_reference, {"type": "string", "pattern": f"^{_ENV.pattern}$"})]
Weekday = Annotated[str, one_of(WEEKDAYS, "a weekday")]
WeekKey = Annotated[str, one_of((*DAY_GROUPS, *WEEKDAYS), "a day of the week")]
Level = Annotated[str, one_of(("1", "2", "3"), "a level that has a password")]
Hour = Annotated[int, whole(0, 23)]
Month = Annotated[int, whole(1, 12)]
