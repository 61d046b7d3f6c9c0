"""The tariff structure: which rate registers count at which minute of the year.

A season says for each weekday which day type it is, a day type at which minute which rates count, and a special day
(a holiday) overrules the weekday. Several rates may count at once, as import and export do. The layout is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from protocols.elster.configuration_items import ConfigurationError, Layout, pack_entries, sized, unpack_entries

_LEAP_YEAR = 2000
_CENTURY = 2000
_EVERY_YEAR = 0xFF
_MINUTES_A_DAY = 24 * 60
_SEASON_BYTES, _SPECIAL_BYTES = 9, 4


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    """A day of every year; 29 February is one."""

    month: int
    day: int

    def __post_init__(self) -> None:
        try:
            date(_LEAP_YEAR, self.month, self.day)
        except ValueError:
            raise ConfigurationError(f"day {self.day} of month {self.month} does not exist") from None

    @property
    def eve(self) -> MonthDay:
        """The day before, by the calendar of a leap year."""
        found = date(_LEAP_YEAR, self.month, self.day) - timedelta(days=1)
        return MonthDay(found.month, found.day)


@dataclass(frozen=True, slots=True)
class Season:
    """From `start` to the day before the next season: the day type (from 1) of Monday to Sunday."""

    start: MonthDay
    week: tuple[int, int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class SwitchingTime:
    """From `minute` of the day (0..1439) these rates (from 1, ascending) count."""

    minute: int
    rates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DayType:
    """The switching times of a day, the first of them at midnight, ascending."""

    switching: tuple[SwitchingTime, ...]


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day of one year, or of every year (None), that is of `day_type` whatever its weekday."""

    day: MonthDay
    day_type: int
    year: int | None = None

    def __post_init__(self) -> None:
        if self.year is not None:
            _date(self.year, self.day)


@dataclass(frozen=True, slots=True)
class TariffStructure:
    """Seasons in ascending order of their start, day types (number 1 is the first), special days."""

    seasons: tuple[Season, ...]
    day_types: tuple[DayType, ...]
    special_days: tuple[SpecialDay, ...] = ()

    def __post_init__(self) -> None:
        starts = [season.start for season in self.seasons]
        if not starts or starts != sorted(set(starts)):
            raise ConfigurationError("the seasons do not begin one after the other")
        for day_type in self.day_types:
            _check_day_type(day_type)
        used = {number for season in self.seasons for number in season.week} | {d.day_type for d in self.special_days}
        strange = [number for number in sorted(used) if not 1 <= number <= len(self.day_types)]
        if strange:
            raise ConfigurationError(f"there is no day type {strange[0]}")

    def season_on(self, day: date) -> Season:
        """The season of a day: the last that has begun in its year, or the year's last before the first has begun."""
        begun = [season for season in self.seasons if season.start <= MonthDay(day.month, day.day)]
        return begun[-1] if begun else self.seasons[-1]

    def day_type_on(self, day: date) -> DayType:
        """The day type of a day; a special day of that one year comes before one of every year."""
        special = [d for d in self.special_days if (d.day.month, d.day.day) == (day.month, day.day)]
        for year in (day.year, None):
            for found in special:
                if found.year == year:
                    return self.day_types[found.day_type - 1]
        return self.day_types[self.season_on(day).week[day.weekday()] - 1]

    def rates_at(self, moment: datetime) -> tuple[int, ...]:
        """The rates that count at a moment of the meter's local time."""
        minute = moment.hour * 60 + moment.minute
        return [s for s in self.day_type_on(moment.date()).switching if s.minute <= minute][-1].rates

    def switches_on(self, day: date) -> tuple[tuple[time, tuple[int, ...]], ...]:
        """The local times of a day at which other rates begin to count, and which."""
        switching = self.day_type_on(day).switching
        return tuple((time(*divmod(s.minute, 60)), s.rates) for s in switching)

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its three identities.

        Raises:
            ConfigurationError: it does not fit into the model.
        """
        width = _mask_bytes(model)
        _check_room(self, model)
        seasons = [bytes([s.start.month, s.start.day, *s.week]) for s in self.seasons]
        switching = [
            bytes([number, *divmod(s.minute, 60)]) + sum(1 << rate - 1 for rate in s.rates).to_bytes(width, "little")
            for number, day_type in enumerate(self.day_types, 1)
            for s in day_type.switching
        ]
        special = [
            bytes([_EVERY_YEAR if d.year is None else d.year - _CENTURY, d.day.month, d.day.day, d.day_type])
            for d in self.special_days
        ]
        found = {"tariff_seasons": seasons, "tariff_day_types": switching, "tariff_special_days": special}
        return {name: pack_entries(entries, model.items[name].size, name) for name, entries in found.items()}

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The structure that lies in its three identities.

        Raises:
            ConfigurationError: no structure of this model.
        """
        seasons, switching, special = (
            sized(objects, model.items[name]) for name in ("tariff_seasons", "tariff_day_types", "tariff_special_days")
        )
        return cls(
            tuple(_season(entry) for entry in unpack_entries(seasons, _SEASON_BYTES, "tariff_seasons")),
            _day_types(switching, model),
            tuple(_special_day(entry) for entry in unpack_entries(special, _SPECIAL_BYTES, "tariff_special_days")),
        )


def check_tariff_object(name: str, data: bytes, model: Layout) -> None:
    """Refuse what can be no identity of a tariff, whatever stands in the other two.

    Raises:
        ConfigurationError: a day or a time that does not exist, day types or seasons out of order.
    """
    match name:
        case "tariff_seasons":
            seasons = [_season(entry) for entry in unpack_entries(data, _SEASON_BYTES, name)]
            most = max((number for season in seasons for number in season.week), default=0)
            TariffStructure(tuple(seasons), (_WHOLE_DAY,) * most)
        case "tariff_day_types":
            day_types = _day_types(data, model)
            TariffStructure((Season(MonthDay(1, 1), (1,) * 7),), day_types)
        case _:
            for entry in unpack_entries(data, _SPECIAL_BYTES, name):
                _special_day(entry)


def _check_day_type(day_type: DayType) -> None:
    minutes = [s.minute for s in day_type.switching]
    if not minutes or minutes[0] != 0:
        raise ConfigurationError("the first switching time of a day type is not midnight")
    if minutes != sorted(set(minutes)) or minutes[-1] >= _MINUTES_A_DAY:
        raise ConfigurationError("the switching times of a day type do not ascend within the day")
    for switching in day_type.switching:
        if not switching.rates or list(switching.rates) != sorted(set(switching.rates)) or switching.rates[0] < 1:
            raise ConfigurationError(f"{switching.rates} are no rates: at least one, from 1, ascending")


def _check_room(tariff: TariffStructure, model: Layout) -> None:
    limits = model.limits
    switching = [s for day_type in tariff.day_types for s in day_type.switching]
    for what, has, room in (
        ("seasons", len(tariff.seasons), limits.seasons),
        ("day types", len(tariff.day_types), limits.day_types),
        ("switching times", len(switching), limits.switching_times),
        ("special days", len(tariff.special_days), limits.special_days),
        ("rates", max((s.rates[-1] for s in switching), default=0), limits.rates),
    ):
        if has > room:
            raise ConfigurationError(f"{has} {what}: the {model.model} has room for {room}")


#: A day type with one rate, for whoever only counts them.
_WHOLE_DAY = DayType((SwitchingTime(0, (1,)),))


def _mask_bytes(model: Layout) -> int:
    return (model.limits.rates + 7) // 8


def _season(entry: bytes) -> Season:
    month, day, *week = entry
    return Season(MonthDay(month, day), tuple(week))  # type: ignore[arg-type]  # an entry has seven bytes behind the date


def _day_types(data: bytes, model: Layout) -> tuple[DayType, ...]:
    width = _mask_bytes(model)
    found: list[list[SwitchingTime]] = []
    for entry in unpack_entries(data, 3 + width, "tariff_day_types"):
        number, hour, minute = entry[:3]
        if hour >= 24 or minute >= 60:  # noqa: PLR2004  # hours and minutes
            raise ConfigurationError(f"tariff_day_types: {hour:02}:{minute:02} is no time of day")
        if number == len(found) + 1:
            found.append([])
        if not found or number != len(found):
            raise ConfigurationError(f"tariff_day_types: day type {number} follows day type {len(found)}")
        mask = int.from_bytes(entry[3:], "little")
        rates = tuple(rate for rate in range(1, 8 * width + 1) if mask >> rate - 1 & 1)
        found[-1].append(SwitchingTime(60 * hour + minute, rates))
    return tuple(DayType(tuple(switching)) for switching in found)


def _special_day(entry: bytes) -> SpecialDay:
    year, month, day, day_type = entry
    return SpecialDay(MonthDay(month, day), day_type, None if year == _EVERY_YEAR else _CENTURY + year)


def _date(year: int, day: MonthDay) -> date:
    if not _CENTURY <= year < _CENTURY + 100:
        raise ConfigurationError(f"the year {year} does not fit: {_CENTURY}..{_CENTURY + 99}")
    try:
        return date(year, day.month, day.day)
    except ValueError:
        raise ConfigurationError(f"{year} has no day {day.day} of month {day.month}") from None
