"""The neighbours of the accumulated energies: all that a preset must leave alone, taken before and compared after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bench.drivers.powerlogic import Series
from bench.procedures.reading import Growth

_PARTIAL = ("real_energy_in", "reactive_energy_in", "real_energy_out", "reactive_energy_out", "apparent_energy_total")
_STAMPS = (
    "minmax_reset_time",
    "energy_reset_time",
    "conditional_reset_time",
    "incremental_reset_time",
    "power_demand_reset_time",
)
_SETUP = (
    "ct_primary",
    "ct_secondary",
    "pt_primary",
    "pt_primary_scale",
    "pt_secondary",
    "nominal_frequency",
    "accumulation_mode",
    "power_demand_mode",
    "power_demand_interval",
    "power_demand_reset_count",
)
_PEAKS = ("demand_real_peak", "demand_reactive_peak", "demand_apparent_peak")
_EXTREMES = ("current_average", "voltage_ll_average", "real_power_total", "apparent_power_total", "frequency")
_NS_PER_HOUR = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A look at the neighbours: register name to value, and the bench time (ns) of the look."""

    values: dict[str, object]
    at: int

    def __getitem__(self, name: str) -> object:
        return self.values[name]


def look_at_neighbours(meter: Series) -> Neighbours:
    """Read everything that a preset must not touch."""
    names = [*_STAMPS, *_SETUP, *_PEAKS, "conditional_status"]
    names += [f"{kind}_{name}" for kind in ("conditional", "incremental") for name in _PARTIAL]
    names += [f"{side}_{name}" for side in ("min", "max") for name in _EXTREMES]
    return Neighbours(dict(meter.values(names)), meter.clock.now())


def disturbed(before: Neighbours, after: Neighbours, growth: Growth) -> list[str]:
    """What changed that should not have, one line each; empty when the preset kept to its own."""
    found = [_same(name, before, after) for name in (*_STAMPS, *_SETUP, "conditional_status")]
    found += [
        _partial(kind, name, before, after, growth) for kind in ("conditional", "incremental") for name in _PARTIAL
    ]
    found += [_not_less(name, before, after) for name in (*_PEAKS, *(f"max_{name}" for name in _EXTREMES))]
    found += [_not_more(f"min_{name}", before, after) for name in _EXTREMES]
    return [line for line in found if line]


def _same(name: str, before: Neighbours, after: Neighbours) -> str:
    return "" if before[name] == after[name] else f"{name}: {_shown(before[name])} became {_shown(after[name])}"


def _partial(kind: str, name: str, before: Neighbours, after: Neighbours, growth: Growth) -> str:
    """Conditional energy may grow while it is counted; incremental shows its last interval and may begin a new one."""
    full = f"{kind}_{name}"
    if kind == "conditional" and before["conditional_status"]:
        grown = _number(after[full]) - _number(before[full])
        most = growth.rating * (after.at - before.at) // _NS_PER_HOUR + 1
        return "" if 0 <= grown <= most else f"{full}: {_shown(before[full])} became {_shown(after[full])}"
    return _same(full, before, after)


def _not_less(name: str, before: Neighbours, after: Neighbours) -> str:
    if before[name] is None or abs(_number(after[name])) >= abs(_number(before[name])):
        return ""
    return f"{name}: fell from {_shown(before[name])} to {_shown(after[name])}"


def _not_more(name: str, before: Neighbours, after: Neighbours) -> str:
    if before[name] is None or _number(after[name]) <= _number(before[name]):
        return ""
    return f"{name}: rose from {_shown(before[name])} to {_shown(after[name])}"


def _number(value: object) -> Decimal:
    return Decimal(value) if isinstance(value, Decimal | int) else Decimal(0)


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
