"""Daylight saving: when the meter's clock is advanced and put back.

Each change is a rule (week 1 to 4 or last, weekday, month, hour: A1140 manual p. 124) or one date; the shift is one or
two hours, or none at all. The hour is that of the clock before the change. The layout is assumed.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from protocols.elster.configuration_items import ConfigurationError, Layout, sized

#: The week of a rule that means the last such weekday of the month.
LAST = 5
_CENTURY = 2000
_NO_CHANGE, _RULE, _DATE = 0, 1, 2
_HOURS, _MONTHS, _WEEKDAYS = 24, 12, 7
#: By how many hours a meter's clock can be changed.
SHIFTS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """Every year in `month` on the `week`-th (1..4, 5 the last) `weekday` (0 Monday) at `hour`."""

    month: int
    week: int
    weekday: int
    hour: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= _MONTHS and 1 <= self.week <= LAST and 0 <= self.weekday < _WEEKDAYS):
            raise ConfigurationError(f"month {self.month}, week {self.week}, weekday {self.weekday} is no rule")
        if not 0 <= self.hour < _HOURS:
            raise ConfigurationError(f"hour {self.hour} does not exist")

    def in_year(self, year: int) -> datetime:
        """The moment of the change in a year, by the clock before it."""
        first_weekday, days = monthrange(year, self.month)
        first = 1 + (self.weekday - first_weekday) % _WEEKDAYS
        if self.week == LAST:
            day = first + (days - first) // _WEEKDAYS * _WEEKDAYS
        else:
            day = first + (self.week - 1) * _WEEKDAYS
        return datetime(year, self.month, day, self.hour)  # noqa: DTZ001  # a meter keeps local time without a zone


@dataclass(frozen=True, slots=True)
class ChangeDate:
    """Once, on the hour, by the clock before the change; a year of this century."""

    moment: datetime

    def __post_init__(self) -> None:
        whole = self.moment.replace(minute=0, second=0, microsecond=0)
        if self.moment != whole or not _CENTURY <= self.moment.year < _CENTURY + 100:
            raise ConfigurationError(f"{self.moment} is not a whole hour of {_CENTURY}..{_CENTURY + 99}")

    def in_year(self, year: int) -> datetime | None:
        """The moment of the change if it is of that year."""
        return self.moment if self.moment.year == year else None


Change = ChangeRule | ChangeDate


@dataclass(frozen=True, slots=True)
class ClockChange:
    """Daylight saving: `shift` hours forward at `advance`, back at `retard`; a shift of 0 means that there is none."""

    shift: int
    advance: Change | None = None
    retard: Change | None = None

    def __post_init__(self) -> None:
        if self.shift not in SHIFTS:
            raise ConfigurationError(f"a shift of {self.shift} hours does not exist")
        if (self.shift == 0) != (self.advance is None) or (self.advance is None) != (self.retard is None):
            raise ConfigurationError("daylight saving needs a shift, an advance and a retard, or none of them")

    def changes_in(self, year: int) -> tuple[tuple[datetime, timedelta], ...]:
        """The changes of a year in order: the moment by the clock before it, and what is added to the clock."""
        found = []
        for change, hours in ((self.advance, self.shift), (self.retard, -self.shift)):
            moment = change.in_year(year) if change is not None else None
            if moment is not None:
                found.append((moment, timedelta(hours=hours)))
        return tuple(sorted(found))

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its identities; of one or two of them, by model."""
        found = {"daylight_saving": bytes([self.shift]) + _encode(self.advance) + _encode(self.retard)}
        if "profile_dst" in model.items:
            found["profile_dst"] = bytes([self.shift > 0])
        return found

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The daylight saving that lies in its identities.

        Raises:
            ConfigurationError: no daylight saving of this model; its two identities contradict each other.
        """
        data = sized(objects, model.items["daylight_saving"])
        found = cls(data[0], _decode(data[1:6]), _decode(data[6:]))
        if "profile_dst" in model.items:
            switch = sized(objects, model.items["profile_dst"])[0]
            if bool(switch & 1) != (found.shift > 0):
                raise ConfigurationError(f"profile_dst is {switch & 1}, and the shift is {found.shift} h")
        return found


def check_clock_object(name: str, data: bytes) -> None:
    """Refuse what can be no identity of daylight saving, whatever stands in the other one.

    Raises:
        ConfigurationError: no shift, or no change of the clock.
    """
    if name == "daylight_saving":
        ClockChange(data[0], _decode(data[1:6]), _decode(data[6:]))


def _encode(change: Change | None) -> bytes:
    match change:
        case ChangeRule():
            return bytes([_RULE, change.month, change.week, change.weekday, change.hour])
        case ChangeDate(moment):
            return bytes([_DATE, moment.year - _CENTURY, moment.month, moment.day, moment.hour])
        case None:
            return bytes([_NO_CHANGE] * 5)


def _decode(entry: bytes) -> Change | None:
    kind, *rest = entry
    if kind == _RULE:
        return ChangeRule(*rest)
    if kind == _DATE:
        year, month, day, hour = rest
        try:
            return ChangeDate(datetime(_CENTURY + year, month, day, hour))  # noqa: DTZ001  # as above
        except ValueError:
            raise ConfigurationError(f"daylight_saving: {entry.hex()} is no date") from None
    if any(entry):
        raise ConfigurationError(f"daylight_saving: {entry.hex()} is no change")
    return None
