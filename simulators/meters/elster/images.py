"""The registers as the bytes of data identities: by name, what an identity shows at an instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from protocols.elster.history import HistoricalSet, encode_history
from protocols.elster.logs import OPTICAL, REMOTE, BatterySupport, ProgrammingLog, Status, Times, encode_event_set
from protocols.elster.logs import EventLog as LogRecord
from protocols.elster.moments import CENTURY, ClockBlock, encode_clock
from protocols.elster.registers import (
    ENERGY_LIMIT,
    CumulativeDemand,
    MaximumDemand,
    encode_energies,
    encode_records,
    encode_totals,
)
from protocols.elster.requests import counts_of
from protocols.elster.tables import Source, source_numbers
from simulators.metering.daylight_saving import to_moment
from simulators.metering.demand import MINUTE, SECOND
from simulators.metering.energy import WH
from simulators.metering.event_log import REMEMBERED, EventLog, Occurrence
from simulators.metering.history import RegisterHistory
from simulators.meters.elster.events import Event
from simulators.meters.elster.load_profile import profile_bytes
from simulators.meters.elster.measuring import INDEX, SOURCES
from simulators.meters.elster.registers import RegisterSet

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

Image = Callable[["Meter", int], bytes]

#: Picojoule in a mWh.
MILLIWATT_HOUR = WH // 1000
_INPUTS = (Source.INPUT_1, Source.INPUT_2, Source.INPUT_3, Source.INPUT_4)
_INFO_LOG = 17
_MAXIMUM_LIMIT = 10**14


def shown(picojoule: int) -> int:
    """An energy in whole mWh, as sixteen digits show it: over from the largest to zero."""
    return picojoule // MILLIWATT_HOUR % ENERGY_LIMIT


def wire_moment(meter: Meter, standard: int) -> datetime:
    """A moment of standard time (ns since 1970) as the meter's Unix seconds count it."""
    offset = meter.profile.utc_offset * MINUTE if meter.profile.unix_time == "utc" else 0
    return to_moment(standard - offset)


def _totals(meter: Meter, kept: RegisterSet) -> dict[Source, int]:
    slots = {name for name in meter.model["totals"] if name != "-"}
    return {source: shown(kept.totals[INDEX[source]]) for source in SOURCES if source.value in slots}


def _inputs(kept: RegisterSet) -> tuple[int, ...]:
    return tuple(shown(kept.totals[INDEX[source]]) for source in _INPUTS)


def _number(meter: Meter, source: Source | None) -> int | None:
    return None if source is None else source_numbers(meter.model.name)[source]


def _cumulative(meter: Meter, kept: RegisterSet) -> tuple[CumulativeDemand, ...]:
    pairs = zip(kept.demand.cumulative, kept.demand_sources, strict=True)
    return tuple(CumulativeDemand(value % ENERGY_LIMIT, _number(meter, source)) for value, source in pairs)


def _maxima(meter: Meter, kept: RegisterSet) -> tuple[MaximumDemand, ...]:
    """Register by register, each with its ranks; a rank that is empty has no source."""
    records: list[MaximumDemand] = []
    for ranked in kept.demand.maxima:
        found = [
            MaximumDemand(
                each.value % _MAXIMUM_LIMIT, wire_moment(meter, each.at), _number(meter, SOURCES[each.source])
            )
            for each in ranked
        ]
        records += [*found, *[MaximumDemand()] * (meter.model["ranks"] - len(found))]
    return tuple(records)


def _historical(meter: Meter, history: RegisterHistory[RegisterSet]) -> list[HistoricalSet]:
    inputs = meter.model["external_inputs"]
    parts = {part for part, _ in meter.model["history"]}
    return [
        HistoricalSet(
            totals=_totals(meter, kept.registers),
            tou=tuple(map(shown, kept.registers.tou)),
            tou_sources=tuple(_number(meter, s) for s in kept.registers.tou_sources) if "tou_sources" in parts else (),
            inputs=_inputs(kept.registers) if inputs else (),
            cumulative=_cumulative(meter, kept.registers),
            maximum=_maxima(meter, kept.registers),
            trigger=kept.triggers,
            time=wire_moment(meter, kept.at),
        )
        for kept in history.sets
    ]


def _times(meter: Meter, latest: Sequence[Occurrence[Any]]) -> Times:
    found: list[datetime | None] = [wire_moment(meter, each.at) for each in latest]
    found += [None] * (REMEMBERED - len(found))
    first, second, third = found
    return first, second, third


def _record(meter: Meter, log: EventLog[int], *, info: bool) -> LogRecord:
    infos = bytes(each.info for each in log.latest).ljust(REMEMBERED, b"\0") if info else b""
    return LogRecord(log.count, _times(meter, log.latest), infos)


def _log(event: Event) -> Image:
    def image(meter: Meter, _now: int) -> bytes:
        with_info = meter.entry(event.value).size == _INFO_LOG
        return _record(meter, meter.events.logs[event], info=with_info).encode()

    return image


def programming_log(meter: Meter) -> ProgrammingLog:
    """Identity 680 as a record."""
    log = meter.programmings
    sources = [REMOTE if each.info.remote else OPTICAL for each in log.latest]
    users = [each.info.user for each in log.latest]
    missing = REMEMBERED - len(users)
    one, two, three = [*sources, *[0] * missing]
    first, second, third = [*users, *[b""] * missing]
    return ProgrammingLog(log.count, _times(meter, log.latest), (one, two, three), (first, second, third))


def _event_history(meter: Meter, _now: int) -> bytes:
    entry = meter.entry("event_history")
    sets = [
        encode_event_set(meter.model.name, [_record(meter, log, info=False) for log in kept.registers])
        for kept in meter.event_history.sets
    ]
    return b"".join(sets).ljust(entry.size * entry.sets, b"\0")


def _status(meter: Meter, _now: int) -> bytes:
    return Status(meter.events.system_status, 0 if meter.model["status_errors"] else None).encode()


def _battery(meter: Meter, _now: int) -> bytes:
    battery = meter.supply.battery
    left = max(0, meter.profile.battery_life - battery.supported)
    return BatterySupport(battery.supported // SECOND, battery.last // SECOND, left // SECOND).encode()


def _profile(meter: Meter, _now: int) -> bytes:
    return profile_bytes(meter) if meter.profile_reading is None else meter.profile_reading


def _net(meter: Meter, now: int) -> bytes:
    energies = meter.registers.energies(now)
    return encode_energies([shown(max(0, energies[INDEX[Source.IMPORT]] - energies[INDEX[Source.EXPORT]]))])


def _clock(meter: Meter, now: int) -> bytes:
    """The year has two digits."""
    moment = meter.clock.read(now)
    return encode_clock(moment.replace(year=CENTURY + moment.year % 100))


#: What an identity shows, by its name; what is programmed shows its bytes.
IMAGES: dict[str, Image] = {
    "net_consumption": _net,
    "totals": lambda meter, now: encode_totals(meter.model.name, _totals(meter, meter.registers.take(now))),
    "tou": lambda meter, now: encode_energies([shown(value) for value in meter.registers.take(now).tou]),
    "cumulative_demand": lambda meter, now: encode_records(_cumulative(meter, meter.registers.take(now))),
    "maximum_demand": lambda meter, now: encode_records(_maxima(meter, meter.registers.take(now))),
    "external_inputs": lambda meter, now: encode_energies(_inputs(meter.registers.take(now))),
    "billing_history": lambda meter, _: encode_history(
        meter.model.name, _historical(meter, meter.billing), meter.model["billing_sets"]
    ),
    "daily_history": lambda meter, _: encode_history(
        meter.model.name, _historical(meter, meter.daily), meter.model["daily_sets"]
    ),
    "event_history": _event_history,
    "battery_support": _battery,
    "profile": _profile,
    "profile_days": lambda meter, now: counts_of(len(_profile(meter, now))).encode(),
    "programming_log": lambda meter, _: programming_log(meter).encode(users=meter.model["programming_users"]),
    "history_status": lambda _meter, _now: bytes(4),
    "status": _status,
    "serial_number": lambda meter, _: meter.serial,
    "clock": _clock,
    "clock_block": lambda meter, now: ClockBlock(wire_moment(meter, meter.clock.standard(now))).encode(),
    "firmware": lambda meter, _: meter.profile.firmware_text.encode("ascii").ljust(12),
    "instantaneous_request": lambda meter, now: meter.instantaneous.request(now),
    "instantaneous_value": lambda meter, now: meter.instantaneous.value(meter, now),
    **{event.value: _log(event) for event in Event},
}
