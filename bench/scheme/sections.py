"""From a scheme file to what a model stores: the sections of `protocols.elster.configuration` and their bytes."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from bench.scheme.kinds import DAY_GROUPS, WEEKDAYS
from bench.scheme.model import WEEKS, ChangeEntry, Scheme, SeasonEntry
from protocols.elster.configuration import (
    BillingDate,
    BillingDates,
    ChangeDate,
    ChangeRule,
    ClockChange,
    DayType,
    DemandPeriod,
    DisplaySequence,
    MonthDay,
    ProfileSetup,
    PulseOutput,
    PulseOutputs,
    Ratio,
    RegisterSources,
    Season,
    Section,
    SpecialDay,
    SwitchingTime,
    TariffStructure,
    Transformers,
)


def sections_of(scheme: Scheme) -> dict[str, Section]:
    """The sections that a scheme gives, by the names of `SECTIONS`.

    Raises:
        ConfigurationError: a section contradicts itself; `rules` says so before with a line.
    """
    return {name: section for name, make in MAKERS.items() if (section := make(scheme)) is not None}


def firmware_fits(patterns: Sequence[str], firmware: str) -> bool:
    """Whether what is for firmware of these patterns is for this one; no pattern is for any."""
    return not patterns or any(fnmatch.fnmatchcase(firmware, pattern) for pattern in patterns)


def week_of(season: SeasonEntry) -> dict[str, str]:
    """The day type by weekday, as far as the season says it; a single day comes before a group."""
    found: dict[str, str] = {}
    for key, day_type in sorted(season.week.items(), key=lambda entry: -len(DAY_GROUPS.get(entry[0], ()))):
        found.update(dict.fromkeys(DAY_GROUPS.get(key, (key,)), day_type))
    return found


def _tariff(scheme: Scheme) -> TariffStructure | None:
    if scheme.tariff is None:
        return None
    entry = scheme.tariff
    numbers = {name: number for number, name in enumerate(entry.day_types, 1)}
    seasons = []
    for season in sorted(entry.seasons.values(), key=lambda season: season.first):
        week = week_of(season)
        mon, tue, wed, thu, fri, sat, sun = (numbers[week[day]] for day in WEEKDAYS)
        seasons.append(Season(season.first, (mon, tue, wed, thu, fri, sat, sun)))
    day_types = [
        DayType(tuple(SwitchingTime(minute, rates) for minute, rates in switching.items()))
        for switching in entry.day_types.values()
    ]
    special = [_special_day(day.date, numbers[day.day_type]) for day in entry.special_days]
    return TariffStructure(tuple(seasons), tuple(day_types), tuple(special))


def _special_day(day: MonthDay | date, day_type: int) -> SpecialDay:
    if isinstance(day, date):
        return SpecialDay(MonthDay(day.month, day.day), day_type, day.year)
    return SpecialDay(day, day_type)


def _sources(scheme: Scheme) -> RegisterSources | None:
    if scheme.sources is None:
        return None
    tou, demand = (
        tuple(None if name == "none" else name for name in names)
        for names in (scheme.sources.tou, scheme.sources.demand)
    )
    return RegisterSources(tou, demand)


def _demand(scheme: Scheme) -> DemandPeriod | None:
    if scheme.demand is None:
        return None
    return DemandPeriod(scheme.demand.period, scheme.demand.sub_interval or scheme.demand.period)


def _profile(scheme: Scheme) -> ProfileSetup | None:
    return None if scheme.profile is None else ProfileSetup(scheme.profile.channels, scheme.profile.period)


def _billing(scheme: Scheme) -> BillingDates | None:
    if scheme.billing is None:
        return None
    dates = tuple(BillingDate(d.day, d.month, *divmod(d.at, 60)) for d in scheme.billing.dates)
    return BillingDates(dates, scheme.billing.lock_out, scheme.billing.button)


def change_of(entry: ChangeEntry) -> ChangeRule | ChangeDate:
    """A change of the clock, as a rule or as one date."""
    if entry.date is not None:
        moment = datetime(entry.date.year, entry.date.month, entry.date.day, entry.hour)  # noqa: DTZ001  # meter time
        return ChangeDate(moment)
    assert entry.week is not None
    assert entry.weekday is not None
    assert entry.month is not None
    return ChangeRule(entry.month, WEEKS[entry.week], WEEKDAYS.index(entry.weekday), entry.hour)


def _daylight_saving(scheme: Scheme) -> ClockChange | None:
    entry = scheme.clock.daylight_saving if scheme.clock else None
    if entry is None:
        return None
    if entry.advance is None or entry.retard is None:
        return ClockChange(0)
    return ClockChange(entry.shift, change_of(entry.advance), change_of(entry.retard))


def _display(scheme: Scheme) -> DisplaySequence | None:
    entry = scheme.display
    return None if entry is None else DisplaySequence(entry.automatic, entry.button, entry.style, entry.seconds)


def _transformers(scheme: Scheme) -> Transformers | None:
    entry = scheme.transformers
    if entry is None:
        return None
    ct, vt = (
        None if ratio is None else Ratio(_hundredths(ratio.primary), _hundredths(ratio.secondary))
        for ratio in (entry.ct, entry.vt)
    )
    assert ct is not None
    return Transformers(ct, vt)


def _hundredths(value: Decimal) -> int:
    return int(value * 100)


def _pulse_outputs(scheme: Scheme) -> PulseOutputs | None:
    if scheme.pulse_outputs is None:
        return None
    return PulseOutputs(tuple(PulseOutput(o.source, o.constant, o.width) for o in scheme.pulse_outputs))


#: How each section is made, in the order in which they are programmed.
MAKERS: Mapping[str, Callable[[Scheme], Section | None]] = {
    "transformers": _transformers,
    "sources": _sources,
    "tariff": _tariff,
    "demand": _demand,
    "profile": _profile,
    "billing": _billing,
    "daylight_saving": _daylight_saving,
    "display": _display,
    "pulse_outputs": _pulse_outputs,
}
