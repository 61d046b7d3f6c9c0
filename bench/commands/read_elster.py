"""What `meterbench read` shows of an Elster meter: identity, clock, registers, demand, kept sets, logs, status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bench.drivers.elster import Elster
from bench.errors import Refused
from bench.procedures.billing_reading import fallen
from bench.procedures.daylight_shift import DaylightShift, read_daylight_shift
from bench.procedures.head_end import HeadEnd
from protocols.elster import history
from protocols.elster.registers import CumulativeDemand, MaximumDemand, decode_energies, decode_sources
from protocols.elster.tables import Source, identities

#: Event logs by the names of their identities; a model has those that are in its table.
LOGS = (
    "terminal_cover", "main_cover", "phase_failure", "reverse_running", "power_failure", "transient_reset", "battery",
    "billing_events", "meter_error", "magnetic_field",
)  # fmt: skip
#: A demand of this unit belongs to an energy of that one.
_DEMAND_UNITS = {"Wh": "W", "varh": "var", "VAh": "VA"}


def read(meter: Elster, *, sets: int, head_end: HeadEnd | None = None) -> dict[str, Any]:
    """Everything that is shown, ready for JSON; of billing and daily sets the newest `sets`."""
    head_end = head_end or HeadEnd()
    identification, findings = meter.identify()
    zone = read_daylight_shift(meter)
    billing = meter.read_billing(sets)
    daily = meter.read_daily(sets) if _has(meter, "daily_history") else ()
    totals = head_end.totals(meter)
    log = meter.read_programming_log()
    status = meter.read_status()
    return {
        "device": meter.name,
        "model": meter.device.model,
        "identification": str(identification),
        "identity": [
            {"what": f.what, "expected": f.expected, "found": f.found, "assumed": f.assumed, "agrees": f.agrees}
            for f in findings
        ],
        "clock": totals.time.isoformat(sep=" "),
        "totals": {source.value: _value(value, source) for source, value in totals.values.items()},
        "rates": _rates(meter, head_end),
        "maximum_demand": [
            _maximum(each, meter, head_end, zone) for each in meter.read_maximum_demand() if each.source is not None
        ],
        "cumulative_demand": [
            _cumulative(each, meter, head_end) for each in meter.read_cumulative_demand() if each.source is not None
        ],
        "billing_sets": [_set(each, meter, head_end, zone) for each in billing],
        "daily_sets": [_set(each, meter, head_end, zone) for each in daily],
        "contradictions": fallen([*billing, *daily], totals, head_end, zone),
        "logs": {name: _log(meter, name, zone) for name in LOGS if _has(meter, name)},
        "programming": {
            **_counted(log.count, log.times, zone),
            "users": [user.decode("ascii", "replace") for user in log.users if user],
        },
        "status": {"system": f"{status.status:08X}", "errors": None if status.error is None else f"{status.error:08X}"},
    }


def _has(meter: Elster, name: str) -> bool:
    return any(row.name == name for row in identities(meter.device.model).values())


def _value(value: Decimal, source: Source | None) -> dict[str, Any]:
    return {"value": str(value), "unit": source.unit if source else ""}


def _demand(milliwatts: int, number: int | None, meter: Elster, head_end: HeadEnd) -> dict[str, Any]:
    source = None if number is None else head_end.source(meter.device.model, number)
    return {
        "source": source.value if source else f"number {number}",
        "value": str(head_end.energy(milliwatts)),
        "unit": _DEMAND_UNITS.get(source.unit, "") if source else "",
    }


def _maximum(each: MaximumDemand, meter: Elster, head_end: HeadEnd, zone: DaylightShift) -> dict[str, Any]:
    return {**_demand(each.value, each.source, meter, head_end), "at": _moment(each.time, zone)}


def _cumulative(each: CumulativeDemand, meter: Elster, head_end: HeadEnd) -> dict[str, Any]:
    return _demand(each.value, each.source, meter, head_end)


def _rates(meter: Elster, head_end: HeadEnd) -> list[dict[str, Any]]:
    """The TOU registers (508) with what each of them counts (667)."""
    values, sources = meter.image("tou"), meter.image("tou_sources")
    pairs = zip(
        meter.decoded("rates", lambda: decode_energies(values)),
        meter.decoded("sources of the rates", lambda: decode_sources(sources)),
        strict=True,
    )
    return [
        _rate(rate, value, number, meter, head_end)
        for rate, (value, number) in enumerate(pairs, 1)
        if number is not None
    ]


def _rate(rate: int, value: int, number: int, meter: Elster, head_end: HeadEnd) -> dict[str, Any]:
    source = head_end.source(meter.device.model, number)
    shown = _value(head_end.energy(value), source)
    return {"register": rate, "source": source.value if source else f"number {number}", **shown}


def _set(kept: history.HistoricalSet, meter: Elster, head_end: HeadEnd, zone: DaylightShift) -> dict[str, Any]:
    return {
        "at": _moment(kept.time, zone),
        "trigger": [trigger.name.lower() for trigger in history.Trigger(kept.trigger) if trigger.name],
        "totals": {source.value: _value(head_end.energy(value), source) for source, value in kept.totals.items()},
        "maximum_demand": [_maximum(each, meter, head_end, zone) for each in kept.maximum if each.source is not None],
    }


def _log(meter: Elster, name: str, zone: DaylightShift) -> dict[str, Any]:
    """An event log; a meter may not know an identity whose number is assumed."""
    try:
        log = meter.read_log(name)
    except Refused as error:
        return {"count": 0, "times": [], "refused": error.reason}
    return {**_counted(log.count, log.times, zone), **({"information": log.info.hex()} if any(log.info) else {})}


def _counted(count: int, times: Sequence[datetime | None], zone: DaylightShift) -> dict[str, Any]:
    return {"count": count, "times": [_moment(time, zone) for time in times if time is not None]}


def _moment(moment: datetime | None, zone: DaylightShift) -> str | None:
    """A moment as people read it on the meter's clock."""
    return None if moment is None else zone.people_read(moment).isoformat(sep=" ")


# -- for a person ------------------------------------------------------------------------------------------------------


def rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The same as names and values."""
    for name, row in found["totals"].items():
        yield _title(name), _shown(row)
    for row in found["rates"]:
        if Decimal(row["value"]):
            yield f"rate {row['register']}, {_title(row['source'])}", _shown(row)
    for row in found["maximum_demand"]:
        yield f"maximum demand, {_title(row['source'])}", f"{_shown(row)} at {row['at']}"
    for row in found["cumulative_demand"]:
        yield f"cumulative demand, {_title(row['source'])}", _shown(row)
    yield from _set_rows(found)
    yield from _log_rows({**found["logs"], "programming": found["programming"]})
    for said in found["contradictions"]:
        yield "CONTRADICTS ITSELF", said
    status = found["status"]
    yield "status", status["system"] + (f" errors {status['errors']}" if status["errors"] is not None else "")


def _set_rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("billing", "daily"):
        for place, kept in enumerate(found[f"{kind}_sets"]):
            first = next(iter(kept["totals"].items()), None)
            read = f", {_title(first[0])} {_shown(first[1])}" if first else ""
            why = f" ({', '.join(word.replace('_', ' ') for word in kept['trigger'])})" if kept["trigger"] else ""
            yield f"{kind} set {place}", f"{kept['at']}{why}{read}"


def _log_rows(logs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, log in logs.items():
        if log.get("refused"):
            yield name.replace("_", " "), f"refused: {log['refused']}"
        elif log["count"]:
            who = f" by {log['users'][0]}" if log.get("users") else ""
            last = f", last {log['times'][0]}{who}" if log["times"] else ""
            yield name.replace("_", " "), f"{log['count']} times{last}"


def _title(name: str) -> str:
    return Source(name).title if name in {source.value for source in Source} else name


def _shown(row: dict[str, Any]) -> str:
    return f"{row['value']} {row['unit']}".rstrip()
