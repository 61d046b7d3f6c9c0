"""What no calendar and no model can do, said with the line it stands on. Every rule looks at the file alone.

What a rule does not foresee the codec refuses (`the_bytes_fit`), so that nothing impossible is ever sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from bench.scheme import calendar_rules as calendar
from bench.scheme.kinds import written_time
from bench.scheme.model import UNFINISHED, Scheme
from bench.scheme.sections import MAKERS
from bench.station.mistakes import Keys, Mistake
from protocols.elster.configuration import PERIODS, ConfigurationError, channel_names, layout, source_names

Rule = Callable[[Scheme], Iterator[Mistake]]


def mistakes_in(scheme: Scheme, today: date | None) -> list[Mistake]:
    """Everything that is wrong with a scheme that has been read."""
    found = [mistake for rule in RULES for mistake in rule(scheme)]
    if today is not None:
        found += calendar.changes_lie_ahead(scheme, today)
    return found or list(the_bytes_fit(scheme))


# -- periods -----------------------------------------------------------------------------------------------------------


def periods_divide(scheme: Scheme) -> Iterator[Mistake]:
    """The demand period divides the hour and the period of the load profile, a sub-interval the demand period."""
    known = ", ".join(map(str, PERIODS))
    for name, entry in (("demand", scheme.demand), ("profile", scheme.profile)):
        if entry is not None and (entry.period < 1 or 60 % entry.period):
            yield scheme.mistake((name, "period"), f"{entry.period} min do not divide the hour; allowed: {known} min")
        elif entry is not None and entry.period not in PERIODS:
            yield scheme.mistake((name, "period"), f"no meter has {entry.period} min; allowed: {known} min")
    demand, profile = scheme.demand, scheme.profile
    if demand is not None and demand.period > 0 and profile is not None and profile.period % demand.period:
        line = scheme.line("profile", "period")
        reason = f"{demand.period} min do not divide the period of the load profile, {profile.period} min (line {line})"
        yield scheme.mistake(("demand", "period"), reason)
    sub = demand.sub_interval if demand is not None else None
    if demand is not None and sub is not None and (sub not in PERIODS or demand.period % sub):
        reason = f"{sub} min do not divide the demand period, {demand.period} min; allowed: {known} min"
        yield scheme.mistake(("demand", "sub_interval"), reason)


# -- what the models can -----------------------------------------------------------------------------------------------


def models_have_room(scheme: Scheme) -> Iterator[Mistake]:
    """No list is longer than in the smallest of the models it is for."""
    for model in dict.fromkeys(scheme.models):
        limits = layout(model).limits
        for keys, what, has, room in (
            (("tariff", "seasons"), "seasons", _count(scheme, "tariff", "seasons"), limits.seasons),
            (("tariff", "day_types"), "day types", _count(scheme, "tariff", "day_types"), limits.day_types),
            (("tariff", "special_days"), "special days", _count(scheme, "tariff", "special_days"), limits.special_days),
            (("tariff", "day_types"), "switching times", _switching(scheme), limits.switching_times),
            (("sources", "tou"), "rate registers", _count(scheme, "sources", "tou"), limits.rates),
            (("sources", "demand"), "demand registers", _count(scheme, "sources", "demand"), limits.demand_registers),
            (("display", "automatic"), "items", _count(scheme, "display", "automatic"), limits.display_items),
            (("display", "button"), "items", _count(scheme, "display", "button"), limits.display_items),
            (("billing", "dates"), "billing dates", _count(scheme, "billing", "dates"), limits.billing_dates),
            (("pulse_outputs",), "pulse outputs", len(scheme.pulse_outputs or ()), limits.pulse_outputs),
        ):
            if has > room:
                yield scheme.mistake(keys, f"{has} {what}; the {model} has room for {room}")


def _count(scheme: Scheme, section: str, entries: str) -> int:
    return len(getattr(getattr(scheme, section), entries, ()) or ())


def _switching(scheme: Scheme) -> int:
    return sum(map(len, scheme.tariff.day_types.values())) if scheme.tariff else 0


def rates_exist(scheme: Scheme) -> Iterator[Mistake]:
    """A rate is a register of every model, and counts something."""
    if scheme.tariff is None:
        return
    for name, switching in scheme.tariff.day_types.items():
        for minute, rates in switching.items():
            keys = ("tariff", "day_types", name, written_time(minute))
            small = [model for model in scheme.models if rates[-1] > layout(model).limits.rates]
            if small:
                room = layout(small[0]).limits.rates
                yield scheme.mistake(keys, f"there is no rate {rates[-1]}; the {small[0]} has {room}")
            elif scheme.sources is not None:
                counted = [k for k, source in enumerate(scheme.sources.tou, 1) if source != "none"]
                idle = [rate for rate in rates if rate not in counted]
                if idle:
                    line = scheme.line("sources", "tou")
                    yield scheme.mistake(
                        keys, f"rate {idle[0]} counts nothing: sources.tou (line {line}) gives it none"
                    )


def models_have_the_sections(scheme: Scheme) -> Iterator[Mistake]:
    """Load profile and VT ratio stand in schemes for models that have them, and a VT ratio is not left out there."""
    for model in dict.fromkeys(scheme.models):
        items = layout(model).items
        if scheme.profile is not None and "profile_mask" not in items:
            yield scheme.mistake(("profile",), f"the {model} has no load profile")
        if scheme.transformers is None:
            continue
        if scheme.transformers.vt is not None and "voltage_transformer" not in items:
            yield scheme.mistake(("transformers", "vt"), f"the {model} has no VT ratio")
        if scheme.transformers.vt is None and "voltage_transformer" in items:
            reason = f"the {model} has a VT ratio too; write vt, with equal primary and secondary for none"
            yield scheme.mistake(("transformers",), reason)


def models_know_the_quantities(scheme: Scheme) -> Iterator[Mistake]:
    """What is counted, recorded and put out is something that every model of the scheme has."""
    for model in dict.fromkeys(scheme.models):
        counted, recorded = list(source_names(model).values()), list(channel_names(model))
        places: list[tuple[Keys, str, list[str]]] = []
        for which in ("tou", "demand"):
            names = getattr(scheme.sources, which, ())
            places += [(("sources", which, k), name, ["none", *counted]) for k, name in enumerate(names)]
        places += [
            (("pulse_outputs", k, "source"), o.source, counted) for k, o in enumerate(scheme.pulse_outputs or ())
        ]
        if scheme.profile is not None and recorded:
            places += [(("profile", "channels", k), name, recorded) for k, name in enumerate(scheme.profile.channels)]
        for keys, name, known in places:
            if name not in known:
                yield scheme.mistake(keys, f"the {model} has no {name}; it has {', '.join(known)}")


def nothing_stands_twice(scheme: Scheme) -> Iterator[Mistake]:
    """A model and a channel are named once."""
    places: list[tuple[Keys, tuple[str, ...]]] = [(("models",), scheme.models)]
    if scheme.profile is not None:
        places.append((("profile", "channels"), scheme.profile.channels))
    for keys, names in places:
        for k, name in enumerate(names):
            if name in names[:k]:
                yield scheme.mistake((*keys, k), f"{name} is given twice")


def the_name_is_one(scheme: Scheme) -> Iterator[Mistake]:
    """Only the export of a meter has no name, and none is called as a meter that is between two schemes."""
    if not scheme.id and scheme.version:
        yield scheme.mistake(("id",), "must not be empty; only an export (version 0) of a nameless meter has none")
    if scheme.id == UNFINISHED:
        yield scheme.mistake(("id",), f"{UNFINISHED} says in a meter that a programming was broken off; name it anew")


def something_is_programmed(scheme: Scheme) -> Iterator[Mistake]:
    """A scheme without a section would program its name only."""
    given = [name for name in SECTION_KEYS if getattr(scheme, name)]
    if not given:
        yield scheme.mistake((), f"programs nothing; it needs one of {', '.join(SECTION_KEYS)}")


def the_bytes_fit(scheme: Scheme) -> Iterator[Mistake]:
    """Whatever else a model cannot store."""
    for model in dict.fromkeys(scheme.models):
        for name, make in MAKERS.items():
            keys = ("clock", "daylight_saving") if name == "daylight_saving" else (name,)
            try:
                section = make(scheme)
                if section is not None:
                    section.encode(layout(model))
            except ConfigurationError as error:
                yield scheme.mistake(keys, f"{model}: {error}")


#: The sections of a scheme file.
SECTION_KEYS = (
    "transformers", "sources", "tariff", "demand", "profile", "billing", "clock", "display", "pulse_outputs",
    "passwords",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    calendar.seasons_cover_the_year,
    calendar.weeks_are_whole,
    calendar.special_days_are_clear,
    calendar.switching_times_ascend,
    calendar.billing_dates_exist,
    calendar.changes_differ,
    periods_divide,
    models_have_room,
    rates_exist,
    models_have_the_sections,
    models_know_the_quantities,
    nothing_stands_twice,
    the_name_is_one,
    something_is_programmed,
)
