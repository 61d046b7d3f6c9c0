"""What a section means, as a person would say it: the ground on which two schemes are compared.

Names of seasons and day types are not in a meter, and so they are in no fact: two schemes that make a meter do the same
are the same, whatever their authors call things and in whatever order they wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.scheme.kinds import WEEKDAYS, written_time
from protocols.elster.configuration import (
    BillingDates,
    ChangeDate,
    ChangeRule,
    ClockChange,
    DayType,
    DemandPeriod,
    DisplaySequence,
    MonthDay,
    ProfileSetup,
    PulseOutputs,
    Ratio,
    RegisterSources,
    Section,
    TariffStructure,
    Transformers,
)

Facts = Mapping[str, str]

_WEEKS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "last"}


def facts_of(section: Section) -> Facts:
    """What a section says, one entry a fact."""
    return _TELLERS[type(section)](section)


def _day(day: MonthDay) -> str:
    return f"{day.month:02}-{day.day:02}"


def _switching(day_type: DayType) -> str:
    return ", ".join(f"{written_time(s.minute)} rate {'+'.join(map(str, s.rates))}" for s in day_type.switching)


def _tariff(tariff: TariffStructure) -> Facts:
    found = {}
    for season in tariff.seasons:
        for weekday, number in zip(WEEKDAYS, season.week, strict=True):
            found[f"from {_day(season.start)}, {weekday}"] = _switching(tariff.day_types[number - 1])
    for special in tariff.special_days:
        day = _day(special.day) if special.year is None else f"{special.year}-{_day(special.day)}"
        found[f"special day {day}"] = _switching(tariff.day_types[special.day_type - 1])
    return found


def _sources(sources: RegisterSources) -> Facts:
    registers = [("rate", k, name) for k, name in enumerate(sources.tou, 1)]
    registers += [("maximum demand", k, name) for k, name in enumerate(sources.demand, 1)]
    return {f"{what} {k}": name for what, k, name in registers if name is not None}


def _demand(demand: DemandPeriod) -> Facts:
    return {"period": f"{demand.minutes} min", "sub-interval": f"{demand.subinterval} min"}


def _profile(profile: ProfileSetup) -> Facts:
    return {f"channel {name}": "recorded" for name in sorted(profile.channels)} | {"period": f"{profile.period} min"}


def _billing(billing: BillingDates) -> Facts:
    dates = {
        f"date {'every month' if d.month is None else f'{d.month:02}'}-{d.day:02}, {d.hour:02}:{d.minute:02}": "billed"
        for d in billing.dates
    }
    lock_out = "until midnight" if billing.lock_out is None else f"{billing.lock_out} min"
    return dates | {"lock-out": lock_out, "button": "resets" if billing.button else "does not reset"}


def _change(change: ChangeRule | ChangeDate | None) -> str:
    match change:
        case ChangeRule():
            return f"{_WEEKS[change.week]} {WEEKDAYS[change.weekday]} of month {change.month} at {change.hour:02}:00"
        case ChangeDate(moment):
            return f"once, {moment:%Y-%m-%d} at {moment:%H}:00"
        case None:
            return "never"


def _daylight_saving(change: ClockChange) -> Facts:
    return {"shift": f"{change.shift} h", "advance": _change(change.advance), "retard": _change(change.retard)}


def _display(display: DisplaySequence) -> Facts:
    return {
        "descriptors": display.style,
        "each item": f"{display.seconds} s",
        "automatic sequence": " ".join(display.automatic),
        "button sequence": " ".join(display.button),
    }


def _ratio(ratio: Ratio) -> str:
    return ":".join(
        f"{value / 100:g}" if value % 100 else str(value // 100) for value in (ratio.primary, ratio.secondary)
    )


def _transformers(transformers: Transformers) -> Facts:
    found = {"CT": f"{_ratio(transformers.ct)} A"}
    return found if transformers.vt is None else found | {"VT": f"{_ratio(transformers.vt)} V"}


def _pulse_outputs(outputs: PulseOutputs) -> Facts:
    return {f"output {k}": f"{o.source}, {o.constant} per k, {o.width} ms" for k, o in enumerate(outputs.outputs, 1)}


_TELLERS: Mapping[type, Callable[[Any], Facts]] = {
    TariffStructure: _tariff,
    RegisterSources: _sources,
    DemandPeriod: _demand,
    ProfileSetup: _profile,
    BillingDates: _billing,
    ClockChange: _daylight_saving,
    DisplaySequence: _display,
    Transformers: _transformers,
    PulseOutputs: _pulse_outputs,
}
