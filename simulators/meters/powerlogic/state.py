"""What a PowerLogic meter keeps without its supply, as plain data: taken from one meter, put into another of its model.

Energies are exact (picojoule). Volatile state stays out: a set-up session, a command that is being executed, an
interval that is under way, and the pointers unless the model's profile keeps them. Instants are kept as times of the
meter's clock, since the next world counts its nanoseconds anew; the clock itself goes on by its battery.
"""
# ruff: noqa: SLF001  # the one place that looks into a meter: a register face shows less than it keeps

from array import array
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from protocols.powerlogic.energy import Quantity
from simulators.metering.clock import MILLION, MeterClock
from simulators.metering.demand import Mode, Setting
from simulators.metering.extremes import Extreme
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.metrology import PARTIAL
from simulators.meters.powerlogic.series import AREA_END, AREA_START, SeriesMeter

_STRICT = ConfigDict(strict=True, extra="forbid")
_AREA = AREA_END - AREA_START
_POWERS, _COMPACT = 3, 6

Seven = Annotated[list[int], Field(min_length=len(Quantity), max_length=len(Quantity))]
Five = Annotated[list[int], Field(min_length=len(PARTIAL), max_length=len(PARTIAL))]
Three = Annotated[list[int], Field(min_length=_POWERS, max_length=_POWERS)]
ThreeTimes = Annotated[list[datetime | None], Field(min_length=_POWERS, max_length=_POWERS)]
Word = Annotated[int, Field(ge=0, le=0xFFFF)]


class StateError(ValueError):
    """The data is not the state of such a meter; the message says where."""


@dataclass(config=_STRICT)
class ExtremeState:
    """Minimum and maximum of one quantity, with the meter time of each."""

    low: int
    low_time: datetime
    high: int
    high_time: datetime


@dataclass(config=_STRICT)
class DemandState:
    """The demand setting (ns), the last completed demand and the peaks (mW) with the meter time of each."""

    mode: Annotated[Mode, Field(strict=False)]
    interval: int
    subinterval: int
    last: Three
    peak: Three
    peak_time: ThreeTimes
    interval_count: int
    subinterval_count: int


@dataclass(config=_STRICT)
class MeterState:
    """Everything that a meter keeps. Energies in picojoule; `last_increment` in whole Wh."""

    model: str
    clock: datetime
    accumulated: Seven
    conditional: Five
    incremental: Five
    counts_conditional: bool
    last_increment: Five
    incremental_end: datetime | None
    config: dict[str, int]
    stamps: dict[str, datetime]
    demand: DemandState
    extremes: dict[str, ExtremeState]
    revenue_locked: bool
    area: Annotated[list[Word], Field(min_length=_AREA, max_length=_AREA)] | None
    compact: Annotated[list[Word], Field(min_length=_COMPACT, max_length=_COMPACT)] | None


_STATE: TypeAdapter[MeterState] = TypeAdapter(MeterState)
_PLAIN: TypeAdapter[object] = TypeAdapter(object)


def state_of(meter: Meter, now: int) -> dict[str, Any]:
    """What the meter keeps at the instant `now` (ns), ready for JSON."""
    meter.settle(now)
    series = meter if isinstance(meter, SeriesMeter) else None
    keeps_area = series is not None and series._area is not None and meter.profile.keep_pointers
    state = MeterState(
        model=meter.model.name,
        clock=meter.clock.read(now),
        accumulated=meter.energies_picojoule(now),
        conditional=meter._conditional.at(now),
        incremental=meter._incremental.at(now),
        counts_conditional=meter.counts_conditional,
        last_increment=list(meter.last_increment),
        incremental_end=meter.incremental_end,
        config=dict(meter.config),
        stamps=dict(meter.stamps),
        demand=_demand_of(meter, now),
        extremes={
            name: ExtremeState(seen.low, seen.low_time, seen.high, seen.high_time)
            for name, seen in meter.extremes._seen.items()
        },
        revenue_locked=series is not None and series.revenue_locked,
        area=series.area.tolist() if series is not None and keeps_area else None,
        compact=list(series.compact._preset) if series is not None and series.compact is not None else None,
    )
    plain: dict[str, Any] = _STATE.dump_python(state, mode="json")
    return plain


def _demand_of(meter: Meter, now: int) -> DemandState:
    demand = meter.demand
    demand.settle(now)
    setting = demand.setting
    return DemandState(
        mode=setting.mode,
        interval=setting.interval,
        subinterval=setting.subinterval,
        last=list(demand.last),
        peak=list(demand.peak),
        peak_time=[None if at is None else meter.clock.read(at) for at in demand.peak_at],
        interval_count=demand.interval_count,
        subinterval_count=demand.subinterval_count,
    )


def parse(meter: Meter, state: object) -> MeterState:
    """The state, found fit for the meter; the meter is not touched.

    Raises:
        StateError: it is damaged, or of another model.
    """
    try:
        found = _STATE.validate_json(_PLAIN.dump_json(state))
        Setting(found.demand.mode, found.demand.interval, found.demand.subinterval).check()
    except ValidationError as error:
        first = error.errors()[0]
        raise StateError(f"{'.'.join(map(str, first['loc'])) or 'state'}: {first['msg']}") from None
    except ValueError as error:
        raise StateError(f"demand: {error}") from None
    if found.model != meter.model.name:
        raise StateError(f"model: it is of a {found.model}, and the meter is a {meter.model.name}")
    if set(meter.config) - set(found.config):
        raise StateError(f"config: lacks {', '.join(sorted(set(meter.config) - set(found.config)))}")
    if (found.compact is None) == (isinstance(meter, SeriesMeter) and meter.compact is not None):
        raise StateError("compact: does not fit the model")
    return found


def put_back(meter: Meter, now: int, state: MeterState, *, asleep: timedelta = timedelta(0)) -> None:
    """Make a new meter the one that `state` was taken of; it has its supply and has booted.

    Args:
        meter: a meter of the same model, fresh from `build_meter`.
        now: the instant (ns).
        state: what `parse` has found fit for it.
        asleep: how long the meter was nowhere; its clock has gone on by its battery, its energies have not.
    """
    meter.before_change(now)
    _put_clock_back(meter.clock, now, state.clock, asleep)
    meter.config = dict(state.config)
    meter.stamps = dict(state.stamps)
    meter._accumulators.preset(now, state.accumulated)
    meter._conditional.preset(now, state.conditional)
    meter._incremental.preset(now, state.incremental)
    meter._counts_conditional = state.counts_conditional
    meter.last_increment, meter.incremental_end = list(state.last_increment), state.incremental_end
    meter.extremes._seen = {
        name: Extreme(seen.low, seen.low_time, seen.high, seen.high_time) for name, seen in state.extremes.items()
    }
    _put_demand_back(meter, now, state.demand)
    if isinstance(meter, SeriesMeter):
        _put_series_back(meter, state)
    meter.after_change(now)


def _put_clock_back(clock: MeterClock, now: int, shown: datetime, asleep: timedelta) -> None:
    clock._reference = shown + asleep + asleep * clock._drift_ppm / MILLION
    clock._since = now
    clock._earlier = []


def _put_demand_back(meter: Meter, now: int, state: DemandState) -> None:
    demand = meter.demand
    demand.configure(now, Setting(state.mode, state.interval, state.subinterval), meter.since_midnight)
    demand.last, demand.peak = list(state.last), list(state.peak)
    demand.peak_at = [None if moment is None else _instant(meter.clock, now, moment) for moment in state.peak_time]
    demand.interval_count, demand.subinterval_count = state.interval_count, state.subinterval_count


def _instant(clock: MeterClock, now: int, moment: datetime) -> int:
    """The instant (ns) at which the clock shows, or would have shown, a moment."""
    shown = (moment - clock.read(now)) // timedelta(microseconds=1) * 1000
    return now + -(-shown * MILLION // (MILLION + clock._drift_ppm))


def _put_series_back(meter: SeriesMeter, state: MeterState) -> None:
    meter._floats = meter.config.get("enable_floats", 0) == 1
    meter.revenue_locked = state.revenue_locked
    meter._area = None if state.area is None else array("H", state.area)
    if meter.compact is not None and state.compact is not None:
        meter.compact._preset = list(state.compact)
