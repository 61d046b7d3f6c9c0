"""What an Elster meter keeps without its supply, as plain data: taken from one meter, put into another of its model.

Energies are exact (picojoule), moments are ns of standard time since 1970, bytes are hexadecimal digits. Put back at
once it goes on as if nothing had been; put back later, it has been without supply meanwhile. Volatile state stays out
(sessions, requests, drafts), and so do passwords: a state goes into recordings, and those hold no secret.
"""
# ruff: noqa: SLF001  # the one place that looks into a meter: its faces show less than it keeps

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from protocols.conversation import ProtocolError
from protocols.elster.configuration import SECTIONS, layout
from protocols.elster.logs import Phases
from protocols.elster.tables import Source
from simulators.metering.clock import MILLION
from simulators.metering.event_log import EventLog, Occurrence, Programming
from simulators.metering.history import StoredSet
from simulators.metering.maximum_demand import Kept, Maximum
from simulators.metering.profile_recorder import Day, Mark, Marker, Record, Setup
from simulators.meters.elster.events import Event
from simulators.meters.elster.meter import Meter
from simulators.meters.elster.registers import RegisterSet
from simulators.meters.elster.supply import lose_power, power_up

_STRICT = ConfigDict(strict=True, extra="forbid")
_MICROSECOND = timedelta(microseconds=1)

Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$")]
Numbers = list[int]


class StateError(ValueError):
    """The data is not the state of such a meter; the message says where."""


@dataclass(config=_STRICT)
class RegistersState:
    """A set of registers; a maximum is [mW, end of its period, index of its source]."""

    totals: Numbers
    tou: Numbers
    maxima: list[list[Annotated[Numbers, Field(min_length=3, max_length=3)]]]
    cumulative: Numbers
    tou_sources: list[str | None]
    demand_sources: list[str | None]


@dataclass(config=_STRICT)
class SetState:
    """A stored set: when, triggers, registers."""

    at: int
    triggers: int
    registers: RegistersState


@dataclass(config=_STRICT)
class LogState:
    """A log: count, and the latest occurrences as [time, information]."""

    count: Annotated[int, Field(ge=0, le=0xFFFF)]
    latest: Annotated[list[Annotated[Numbers, Field(min_length=2, max_length=2)]], Field(max_length=3)]


@dataclass(config=_STRICT)
class LogSetState:
    """The logs as they stood at a billing reset."""

    at: int
    triggers: int
    logs: list[LogState]


@dataclass(config=_STRICT)
class ProgrammingState:
    """One entry of the programming log."""

    at: int
    remote: bool
    user: Hex


@dataclass(config=_STRICT)
class SetupState:
    """What a profile records."""

    sources: Numbers
    mask: int
    period: Annotated[int, Field(gt=0)]


@dataclass(config=_STRICT)
class DayState:
    """A day of the profile: a marker is [kind, time, set-up, summer], a record [status, length, energies...]."""

    at: int
    entries: list[tuple[str, int, int, bool] | Numbers]


@dataclass(config=_STRICT)
class ProfileState:
    """The load profile: its set-ups, days, and the record under way as [status, length, readings...]."""

    setups: list[SetupState]
    days: list[DayState]
    under_way: Numbers


@dataclass(config=_STRICT)
class MeterState:
    """Everything that a meter keeps."""

    model: str
    standard: int
    pending: int
    registers: RegistersState
    demand_ends: list[Numbers]
    billing: list[SetState]
    daily: list[SetState]
    event_history: list[LogSetState]
    logs: dict[str, LogState]
    programming_count: Annotated[int, Field(ge=0, le=0xFFFF)]
    programmings: Annotated[list[ProgrammingState], Field(max_length=3)]
    lasting: list[str]
    phases: Annotated[int, Field(ge=0, le=7)]
    locked_until: int
    supported: int
    supported_last: int
    configuration: dict[str, Hex]
    memory: dict[str, Hex]
    profile: ProfileState | None


_STATE: TypeAdapter[MeterState] = TypeAdapter(MeterState)
_PLAIN: TypeAdapter[object] = TypeAdapter(object)


def state_of(meter: Meter, now: int) -> dict[str, Any]:
    """What the meter keeps at the instant `now` (ns), ready for JSON; the meter is only settled."""
    meter.settle(now)
    programmings = meter.programmings
    state = MeterState(
        model=meter.model.name,
        standard=meter.clock.standard(now),
        pending=meter.clock.pending,
        registers=_registers(meter.registers.take(now)),
        demand_ends=[list(end) for end in meter.registers.demand._ends],
        billing=[SetState(kept.at, int(kept.triggers), _registers(kept.registers)) for kept in meter.billing.sets],
        daily=[SetState(kept.at, int(kept.triggers), _registers(kept.registers)) for kept in meter.daily.sets],
        event_history=[
            LogSetState(kept.at, int(kept.triggers), [_log(log) for log in kept.registers])
            for kept in meter.event_history.sets
        ],
        logs={event.value: _log(log) for event, log in meter.events.logs.items()},
        programming_count=programmings.count,
        programmings=[ProgrammingState(e.at, e.info.remote, e.info.user.hex()) for e in programmings.latest],
        lasting=sorted(event.value for event in meter.events.lasting),
        phases=int(meter.events.phases),
        locked_until=meter.lock.locked_until,
        supported=meter.supply.battery.supported,
        supported_last=meter.supply.battery.last,
        configuration={name: data.hex() for name, data in meter.configuration.objects.items()},
        memory={name: data.hex() for name, data in meter.memory.items() if not name.startswith("password")},
        profile=_profile(meter, now),
    )  # fmt: skip
    plain: dict[str, Any] = _STATE.dump_python(state, mode="json")
    return plain


def _registers(kept: RegisterSet) -> RegistersState:
    return RegistersState(
        list(kept.totals),
        list(kept.tou),
        [[[each.value, each.at, each.source] for each in ranked] for ranked in kept.demand.maxima],
        list(kept.demand.cumulative),
        [None if source is None else source.value for source in kept.tou_sources],
        [None if source is None else source.value for source in kept.demand_sources],
    )


def _log(log: EventLog[int]) -> LogState:
    return LogState(log.count, [[each.at, int(each.info)] for each in log.latest])


def _profile(meter: Meter, now: int) -> ProfileState | None:
    recorder = meter.recorder
    if recorder is None:
        return None
    setups: list[Setup] = [recorder.setup]
    days = [DayState(day.at, [_entry(entry, setups) for entry in day.entries]) for day in recorder.days]
    return ProfileState(
        [SetupState(list(setup.sources), setup.mask, setup.period) for setup in setups],
        days,
        [int(recorder.passing), now - recorder._since, *recorder._from],
    )


def _entry(entry: Marker | Record, setups: list[Setup]) -> tuple[str, int, int, bool] | Numbers:
    if isinstance(entry, Record):
        return [int(entry.status), entry.length, *entry.energies]
    if entry.setup not in setups:
        setups.append(entry.setup)
    return entry.kind.name, entry.at, setups.index(entry.setup), entry.summer


def parse(meter: Meter, state: object) -> MeterState:
    """The state, found fit for the meter; the meter is not touched.

    Raises:
        StateError: it is damaged, or of another model.
    """
    try:
        found = _STATE.validate_json(_PLAIN.dump_json(state))
        _check(meter, found)
    except ValidationError as error:
        first = error.errors()[0]
        raise StateError(f"{'.'.join(map(str, first['loc'])) or 'state'}: {first['msg']}") from None
    except StateError:
        raise
    except (KeyError, IndexError, ValueError) as error:  # a name or a number that the model does not have
        raise StateError(str(error)) from None
    return found


def _check(meter: Meter, found: MeterState) -> None:
    if found.model != meter.model.name:
        raise StateError(f"model: it is of a {found.model}, and the meter is a {meter.model.name}")
    if set(found.configuration) != set(meter.configuration.objects) or set(found.memory) != _kept_names(meter):
        raise StateError("configuration: it is not that of the model")
    if (found.profile is None) != (meter.recorder is None):
        raise StateError("profile: does not fit the model")
    objects = {name: bytes.fromhex(data) for name, data in found.configuration.items()}
    for name in meter.configuration.sections:
        _check_section(name, objects, found.model)
    for name in (*found.logs, *found.lasting):
        Event(name)
    _check_readings(meter, found)


def _check_section(name: str, objects: Mapping[str, bytes], model: str) -> None:
    try:
        SECTIONS[name].decode(objects, layout(model))
    except ProtocolError as error:
        raise StateError(f"configuration: {name}: {error}") from None


def _check_readings(meter: Meter, found: MeterState) -> None:
    mine = meter.registers.take(0)
    for registers in (found.registers, *(kept.registers for kept in (*found.billing, *found.daily))):
        given = _register_set(registers)
        if [len(part) for part in (given.totals, given.tou, given.demand.maxima, given.demand_sources)] != [
            len(part) for part in (mine.totals, mine.tou, mine.demand.maxima, mine.demand_sources)
        ]:
            raise StateError("registers: they are not as many as the model has")
    if any(len(end) != len(mine.totals) for end in found.demand_ends) or not found.demand_ends:
        raise StateError("demand_ends: not as many readings as the model has")
    if found.profile is not None:
        _check_profile(found.profile, len(mine.totals))


def _check_profile(profile: ProfileState, count: int) -> None:
    try:
        _days(profile)
        _, _, *readings = profile.under_way
    except (KeyError, IndexError, ValueError):
        raise StateError("profile: a marker, a set-up or a record is none") from None
    if len(readings) != count:
        raise StateError("profile: the record under way has not as many readings as the model")


def _kept_names(meter: Meter) -> set[str]:
    return {name for name in meter.memory if not name.startswith("password")}


def _register_set(state: RegistersState) -> RegisterSet:
    maxima = tuple(tuple(Maximum(*each) for each in ranked) for ranked in state.maxima)
    tou, demand = (
        tuple(None if name is None else Source(name) for name in names)
        for names in (state.tou_sources, state.demand_sources)
    )
    return RegisterSet(tuple(state.totals), tuple(state.tou), Kept(maxima, tuple(state.cumulative)), tou, demand)


def _event_log(state: LogState) -> EventLog[int]:
    log: EventLog[int] = EventLog()
    log.count = state.count
    log.latest = tuple(Occurrence(at, info) for at, info in state.latest)
    return log


def _days(state: ProfileState) -> list[Day]:
    setups = [Setup(tuple(setup.sources), setup.mask, setup.period) for setup in state.setups]
    days = []
    for day in state.days:
        entries: list[Marker | Record] = []
        for entry in day.entries:
            if isinstance(entry, tuple):
                kind, at, number, summer = entry
                entries.append(Marker(Mark[kind], at, setups[number], summer))
            else:
                status, length, *energies = entry
                entries.append(Record(status, tuple(energies), length))
        days.append(Day(day.at, entries))
    return days


def put_back(meter: Meter, now: int, state: MeterState, *, asleep: timedelta = timedelta(0)) -> None:
    """Make a new meter the one that `state` was taken of; it has its supply and has booted.

    Args:
        meter: a meter of the same model, fresh from `build_meter`.
        now: the instant (ns).
        state: what `parse` has found fit for it.
        asleep: how long the meter was nowhere: without supply, its clock kept by the battery.
    """
    meter.settle(now)
    meter.clock.put(now, state.standard)
    meter.clock.pending = state.pending
    meter.memory.update({name: bytes.fromhex(data) for name, data in state.memory.items()})
    _put_logs(meter, state)
    _put_registers(meter, now, state)
    if state.profile is not None and meter.recorder is not None:
        _put_profile(meter, now, state.profile)
    meter.agenda.plan(now)
    meter.after_change(now)
    if asleep:
        _sleep(meter, now, asleep // _MICROSECOND * 1000)


def _put_logs(meter: Meter, state: MeterState) -> None:
    events = meter.events
    events.logs.update({Event(name): _event_log(log) for name, log in state.logs.items()})
    events.lasting = {Event(name) for name in state.lasting}
    events.phases = Phases(state.phases)
    meter.programmings.count = state.programming_count
    meter.programmings.latest = tuple(
        Occurrence(each.at, Programming(each.remote, bytes.fromhex(each.user))) for each in state.programmings
    )
    for kept in reversed(state.event_history):
        meter.event_history.store(kept.at, kept.triggers, tuple(_event_log(log) for log in kept.logs))


def _put_registers(meter: Meter, now: int, state: MeterState) -> None:
    configuration = meter.configuration
    for name in configuration.sections:
        mine = [item.name for item in layout(state.model).of(name)]
        configuration.put(name, {each: bytes.fromhex(state.configuration[each]) for each in mine})
    meter.follow_configuration(now)
    meter.registers.put(now, _register_set(state.registers))
    meter.registers.demand._ends.clear()
    meter.registers.demand._ends.extend(state.demand_ends)
    meter.lock.locked_until = state.locked_until
    meter.supply.battery.supported, meter.supply.battery.last = state.supported, state.supported_last
    for history, sets in ((meter.billing, state.billing), (meter.daily, state.daily)):
        history.sets.clear()
        history.sets.extend(StoredSet(kept.at, kept.triggers, _register_set(kept.registers)) for kept in sets)
    meter.save(now)


def _put_profile(meter: Meter, now: int, state: ProfileState) -> None:
    recorder = meter.recorder
    assert recorder is not None
    recorder.days.clear()
    recorder.days.extend(_days(state))
    recorder.passing, length, *readings = state.under_way
    recorder.begin(now - length, readings)
    recorder.standing = meter.standing_status()


def _sleep(meter: Meter, now: int, asleep: int) -> None:
    lose_power(meter, now)
    outage = meter.supply.outage
    assert outage is not None
    outage.since -= asleep
    meter.clock.put(now, outage.standard + asleep + asleep * meter.profile.clock_drift_ppm // MILLION)
    power_up(meter, now)
    meter.supply.booted_at = now
    meter.apply_rates(now)
