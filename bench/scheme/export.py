"""From a meter to a scheme file: what it holds, as YAML that a person reads. Passwords cannot be read.

Neither the version nor the names of seasons and day types are stored in a meter: the version is 0, names are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bench.scheme.kinds import UNTIL_MIDNIGHT, WEEKDAYS, written_time
from bench.scheme.meter import SchemeMeter
from bench.scheme.model import UNFINISHED
from protocols.conversation import ProtocolError
from protocols.elster.configuration import (
    SECTIONS,
    BillingDates,
    ChangeDate,
    ChangeRule,
    ClockChange,
    DemandPeriod,
    DisplaySequence,
    MonthDay,
    ProfileSetup,
    PulseOutputs,
    RegisterSources,
    Section,
    TariffStructure,
    Transformers,
    decode_text,
    layout,
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a meter holds.

    Attributes:
        scheme_id: its 795, empty if it was never named.
        sections: those that can be understood.
        problems: why the others cannot.
    """

    model: str
    scheme_id: str
    sections: Mapping[str, Section]
    problems: Mapping[str, str]


def read_held(meter: SchemeMeter) -> Held:
    """Read every section of a meter; somebody has logged in."""
    model = layout(meter.model)
    sections: dict[str, Section] = {}
    problems: dict[str, str] = {}
    for name, kind in SECTIONS.items():
        items = model.of(name)
        if not items:
            continue
        objects = {item.name: meter.read_object(item.number, item.size) for item in items}
        try:
            sections[name] = kind.decode(objects, model)
        except ProtocolError as error:
            problems[name] = str(error)
    item = model.items["scheme_id"]
    try:
        scheme_id = decode_text(meter.read_object(item.number, item.size), item)
    except ProtocolError as error:
        scheme_id, problems["scheme"] = "", str(error)
    return Held(meter.model, scheme_id, sections, problems)


def scheme_text(held: Held) -> str:
    """The scheme file of what a meter holds."""
    unfinished = held.scheme_id == UNFINISHED
    entries: dict[str, Any] = {
        "scheme": 1,
        "id": "" if unfinished else held.scheme_id,
        "version": 0,
        "title": f"as read from an {held.model}",
        "models": [held.model],
    }
    for name, section in held.sections.items():
        key = "clock" if name == "daylight_saving" else name
        entries[key] = _WRITERS[type(section)](section)
    text: str = yaml.safe_dump(entries, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True)
    remarks = [f"# {name} is not here: {problem}\n" for name, problem in held.problems.items()]
    if unfinished:
        remarks.insert(0, f"# 795 reads {UNFINISHED}: a programming was broken off, this is a mixture\n")
    return "".join([*remarks, text])


def _day(day: MonthDay) -> str:
    return f"{day.month:02}-{day.day:02}"


def _tariff(tariff: TariffStructure) -> dict[str, Any]:
    names = {number: f"day_{number}" for number in range(1, len(tariff.day_types) + 1)}
    ends = [*tariff.seasons[1:], tariff.seasons[0]]
    seasons = {
        f"season_{k}": {"from": _day(season.start), "to": _day(after.start.eve), "week": _week(season.week, names)}
        for k, (season, after) in enumerate(zip(tariff.seasons, ends, strict=True), 1)
    }
    day_types = {
        names[number]: {
            written_time(s.minute): s.rates[0] if len(s.rates) == 1 else list(s.rates) for s in day_type.switching
        }
        for number, day_type in enumerate(tariff.day_types, 1)
    }
    special = [
        {"date": _day(d.day) if d.year is None else f"{d.year}-{_day(d.day)}", "day_type": names[d.day_type]}
        for d in tariff.special_days
    ]
    return {"seasons": seasons, "day_types": day_types} | ({"special_days": special} if special else {})


def _week(week: tuple[int, ...], names: Mapping[int, str]) -> dict[str, str]:
    if len(set(week)) == 1:
        return {"every_day": names[week[0]]}
    if len(set(week[:5])) == 1 and len(set(week[5:])) == 1:
        return {"weekdays": names[week[0]], "weekend": names[week[5]]}
    return {day: names[number] for day, number in zip(WEEKDAYS, week, strict=True)}


def _sources(sources: RegisterSources) -> dict[str, Any]:
    return {"tou": [name or "none" for name in sources.tou], "demand": [name or "none" for name in sources.demand]}


def _demand(demand: DemandPeriod) -> dict[str, Any]:
    return {"period": f"{demand.minutes} min", "sub_interval": f"{demand.subinterval} min"}


def _profile(profile: ProfileSetup) -> dict[str, Any]:
    return {"channels": list(profile.channels), "period": f"{profile.period} min"}


def _billing(billing: BillingDates) -> dict[str, Any]:
    dates = [
        ({} if d.month is None else {"month": d.month}) | {"day": d.day, "at": written_time(60 * d.hour + d.minute)}
        for d in billing.dates
    ]
    lock_out = UNTIL_MIDNIGHT if billing.lock_out is None else f"{billing.lock_out} min"
    return {"dates": dates, "lock_out": lock_out, "button": billing.button}


def _change(change: ChangeRule | ChangeDate) -> dict[str, Any]:
    if isinstance(change, ChangeDate):
        return {"date": f"{change.moment:%Y-%m-%d}", "hour": change.moment.hour}
    week: int | str = "last" if change.week == 5 else change.week  # noqa: PLR2004  # the number of the last week
    return {"week": week, "weekday": WEEKDAYS[change.weekday], "month": change.month, "hour": change.hour}


def _clock(change: ClockChange) -> dict[str, Any]:
    found: dict[str, Any] = {"shift": change.shift}
    if change.advance is not None and change.retard is not None:
        found |= {"advance": _change(change.advance), "retard": _change(change.retard)}
    return {"daylight_saving": found}


def _display(display: DisplaySequence) -> dict[str, Any]:
    return {"style": display.style, "seconds": display.seconds, "automatic": list(display.automatic),
            "button": list(display.button)}  # fmt: skip


def _number(hundredths: int) -> int | float:
    return hundredths / 100 if hundredths % 100 else hundredths // 100


def _transformers(transformers: Transformers) -> dict[str, Any]:
    return {
        name: {"primary": _number(ratio.primary), "secondary": _number(ratio.secondary)}
        for name, ratio in (("ct", transformers.ct), ("vt", transformers.vt))
        if ratio is not None
    }


def _pulse_outputs(outputs: PulseOutputs) -> list[dict[str, Any]]:
    return [{"source": o.source, "constant": o.constant, "width": f"{o.width} ms"} for o in outputs.outputs]


_WRITERS: Mapping[type, Callable[[Any], Any]] = {
    TariffStructure: _tariff,
    RegisterSources: _sources,
    DemandPeriod: _demand,
    ProfileSetup: _profile,
    BillingDates: _billing,
    ClockChange: _clock,
    DisplaySequence: _display,
    Transformers: _transformers,
    PulseOutputs: _pulse_outputs,
}
