"""What the engines of a meter make of the sections of its configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import TYPE_CHECKING

from protocols.elster.configuration import ClockChange, ProfileSetup, TariffStructure, Transformers
from protocols.elster.configuration import DemandPeriod as DemandSection
from protocols.elster.history import Trigger
from protocols.elster.profile import IntervalStatus
from protocols.elster.tables import Source, model
from simulators.metering.daylight_saving import OFF, DaylightSaving
from simulators.metering.demand import MINUTE
from simulators.metering.maximum_demand import DemandPeriod
from simulators.metering.profile_recorder import Mark, Setup
from simulators.metering.tariff_calendar import Season, Switch, TariffCalendar
from simulators.meters.elster.measuring import INDEX, Ratios

if TYPE_CHECKING:
    from simulators.meters.elster.metrology import Metrology


def calendar_of(tariff: TariffStructure) -> TariffCalendar:
    """The tariff calendar of a tariff structure."""
    special: dict[tuple[int, int] | date, int] = {
        (day.day.month, day.day.day) if day.year is None else date(day.year, day.day.month, day.day.day): day.day_type
        for day in tariff.special_days
    }
    day_types = {
        number: tuple(Switch(time(*divmod(s.minute, 60)), frozenset(s.rates)) for s in day_type.switching)
        for number, day_type in enumerate(tariff.day_types, 1)
    }
    seasons = tuple(Season(season.start.month, season.start.day, season.week) for season in tariff.seasons)
    return TariffCalendar(seasons, day_types, special)


def daylight_saving_of(change: ClockChange) -> DaylightSaving:
    """The rule of a clock change."""
    if change.advance is None or change.retard is None:
        return OFF
    return DaylightSaving(change.advance, change.retard, change.shift)


def demand_period_of(section: DemandSection) -> DemandPeriod:
    """The demand period of its section."""
    return DemandPeriod(section.subinterval * MINUTE, section.minutes // section.subinterval)


def profile_setup_of(name: str, section: ProfileSetup) -> Setup:
    """What a recorder records; the mask as identity 777 has it."""
    bits = {source: bit for bit, source in model(name)["channels"].items()}
    sources = tuple(INDEX[Source(channel)] for channel in section.channels)
    return Setup(sources, sum(1 << bits[channel] for channel in section.channels), section.period * MINUTE)


def sources_of(names: tuple[str | None, ...], count: int) -> list[Source | None]:
    """The sources of so many registers; what is not named counts nothing."""
    found = [None if name is None else Source(name) for name in names[:count]]
    return [*found, *[None] * (count - len(found))]


def ratios_of(section: Transformers) -> Ratios:
    """The ratios that a meter believes in."""
    voltage = (1, 1) if section.vt is None else (section.vt.primary, section.vt.secondary)
    return Ratios((section.ct.primary, section.ct.secondary), voltage)


def take_effect(meter: Metrology, section: str, now: int) -> None:
    """Have the engines follow a section that was programmed at the instant `now` (ns)."""
    effect = _EFFECTS.get(section)
    if effect:
        effect(meter, now)
    meter.agenda.plan(now)


def _transformers(meter: Metrology, now: int) -> None:
    meter.apply_rates(now)
    meter.flag(IntervalStatus.CT_CHANGE)
    meter.bill_if_switched_on(now, Trigger.CT_CHANGE)


def _sources(meter: Metrology, now: int) -> None:
    meter.registers.count(now, *meter.register_sources())


def _tariff(meter: Metrology, now: int) -> None:
    meter.bill_if_switched_on(now, Trigger.TARIFF_CHANGE)
    meter.calendar = calendar_of(meter.configuration.sections["tariff"])
    meter.switch_rates(now)


def _demand(meter: Metrology, now: int) -> None:
    demand = meter.registers.demand
    period = demand_period_of(meter.configuration.sections["demand"])
    demand.configure(meter.registers.energies(now), demand.sources, period)


def _profile(meter: Metrology, now: int) -> None:
    recorder = meter.recorder
    if recorder is None:
        return
    energies = meter.registers.energies(now)
    recorder.close(now, energies)
    recorder.setup = profile_setup_of(meter.model.name, meter.configuration.sections["profile"])
    meter.mark(Mark.CONFIGURATION, now)


def take_lockout(meter: Metrology, _now: int = 0) -> None:
    """Lock manual billing resets for as long as is programmed."""
    lockout = meter.configuration.sections["billing"].lock_out
    meter.lock.time = None if lockout is None else lockout * MINUTE


def _daylight_saving(meter: Metrology, now: int) -> None:
    summer = meter.clock.summer(now)
    meter.clock.daylight_saving = daylight_saving_of(meter.configuration.sections["daylight_saving"])
    if meter.clock.summer(now) != summer:
        meter.daylight_changed(now)


_EFFECTS: dict[str, Callable[[Metrology, int], None]] = {
    "transformers": _transformers,
    "sources": _sources,
    "tariff": _tariff,
    "demand": _demand,
    "profile": _profile,
    "billing": take_lockout,
    "daylight_saving": _daylight_saving,
}
