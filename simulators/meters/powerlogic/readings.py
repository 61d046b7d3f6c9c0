"""What each named register shows: one function a name, from the meter at an instant to a value in its natural unit.

Milli-units for what is measured (mA, mV, mW, mHz), whole Wh for energies, datetimes for stamps; None where the meter
has nothing to show. `fixtures/powerlogic/registers_*.csv` says where a name stands and how it is encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, cast

from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import register_map
from simulators.metering.demand import MINUTE, SECOND
from simulators.meters.powerlogic.face import Value, rows_in
from simulators.meters.powerlogic.metrology import PARTIAL

if TYPE_CHECKING:
    from simulators.meters.powerlogic.meter import Meter

Reading = Callable[["Meter", int], Value]
_PHASES = {"a": 0, "b": 1, "c": 2, "total": 3}
_POWERS = ("real", "reactive", "apparent")
_WEEKDAY_SUNDAY_FIRST = 7


@cache
def readings(family: str) -> dict[str, Reading]:
    """The reading of every register of a family that shows something of the meter; set-up registers come on top."""
    known = {**_electrical(), **_energies(), **_demand(), **_extremes(), **_time()}
    known.update({f"float_{name}": reading for name, reading in known.items()})
    stamps = {row.name: _stamp(row.name) for row in register_map(family) if row.name.endswith("_time")}
    return {**stamps, **known}


@lru_cache(maxsize=4096)
def is_steady(family: str, first: int, count: int) -> bool:
    """Whether every register of a block follows from the operating point alone, so that it stays until that changes."""
    return all(row.name in _steady_names() for row in rows_in(family, first, first + count))


@cache
def _steady_names() -> frozenset[str]:
    return frozenset(_electrical())


def _electrical() -> dict[str, Reading]:
    table: dict[str, Reading] = {
        "current_n": lambda m, now: m.measured(now).current_n,
        "current_g": lambda m, now: m.measured(now).current_n,
        "current_average": lambda m, now: sum(m.measured(now).currents) // 3,
        "current_apparent": lambda m, now: sum(m.measured(now).currents) // 3,
        "voltage_ll_average": lambda m, now: sum(m.measured(now).voltages_ll) // 3,
        "voltage_ln_average": lambda m, now: sum(m.measured(now).voltages_ln) // 3,
        "frequency": lambda m, now: m.measured(now).frequency,
        "update_interval": lambda _m, _now: 1000,
        "product_id": lambda m, _now: m.profile.product_id,
        "command_password": lambda m, _now: m.profile.command_password,
        "os_version": lambda m, _now: m.profile.os_version,
        "vendor_label": lambda m, _now: m.profile.vendor_label,
    }
    for index, phase in enumerate("abc"):
        table[f"current_{phase}"] = _measured("currents", index)
        table[f"voltage_{phase}n"] = _measured("voltages_ln", index)
        table[f"current_unbalance_{phase}"] = _zero
    table["current_unbalance_worst"] = _zero
    for index, pair in enumerate(("ab", "bc", "ca")):
        table[f"voltage_{pair}"] = _measured("voltages_ll", index)
    for phase, index in _PHASES.items():
        for power in _POWERS:
            table[f"{power}_power_{phase}"] = _measured(power, index)
        # A sinusoidal supply: true and displacement power factor agree.
        table[f"power_factor_{phase}"] = table[f"displacement_power_factor_{phase}"] = _power_factor(index)
    return table


def _zero(_meter: Meter, _now: int) -> Value:
    return 0


def _measured(row: str, index: int) -> Reading:
    return lambda m, now: getattr(m.measured(now), row)[index]


def _power_factor(index: int) -> Reading:
    return lambda m, now: m.measured(now).power_factor(index)


def _energies() -> dict[str, Reading]:
    table: dict[str, Reading] = {quantity.value: _energy(index) for index, quantity in enumerate(Quantity)}
    for index, quantity in enumerate(PARTIAL):
        table[f"conditional_{quantity.value}"] = _conditional(index)
        table[f"incremental_{quantity.value}"] = _increment(index)
    table["incremental_end"] = lambda m, _now: m.incremental_end
    table["conditional_status"] = lambda m, _now: int(m.counts_conditional)
    return table


def _energy(index: int) -> Reading:
    return lambda m, now: m.shown(m.energies_picojoule(now)[index])


def _conditional(index: int) -> Reading:
    return lambda m, now: m.partial("conditional", now)[index]


def _increment(index: int) -> Reading:
    return lambda m, _now: m.last_increment[index]


def _demand() -> dict[str, Reading]:
    table: dict[str, Reading] = {
        "power_demand_mode": lambda m, _now: int(m.demand.setting.mode),
        "power_demand_interval": lambda m, _now: m.demand.setting.interval // MINUTE,
        "demand_interval": lambda m, _now: m.demand.setting.interval // MINUTE,
        "power_demand_subinterval": lambda m, _now: m.demand.setting.subinterval // MINUTE,
        "power_demand_elapsed_interval": lambda m, now: m.demand.elapsed(now) // SECOND,
        "power_demand_elapsed_subinterval": lambda m, now: m.demand.elapsed(now) // SECOND,
        "power_demand_interval_count": lambda m, now: _settled(m, now).demand.interval_count,
        "power_demand_subinterval_count": lambda m, now: _settled(m, now).demand.subinterval_count % 32768,
        "power_demand_reset_time": lambda m, _now: m.stamps.get("power_demand_reset_time"),
        "power_demand_reset_count": lambda m, _now: m.config.get("power_demand_reset_count", 0),
    }
    for index, power in enumerate(_POWERS):
        table[f"demand_{power}_last"] = table[f"demand_{power}_running"] = _last_demand(index)
        table[f"demand_{power}_present"] = _present_demand(index)
        table[f"demand_{power}_predicted"] = _predicted_demand(index)
        table[f"demand_{power}_peak"] = _peak_demand(index)
        table[f"demand_{power}_peak_time"] = _peak_time(index)
    return table


def _settled(meter: Meter, now: int) -> Meter:
    meter.demand.settle(now)
    return meter


def _last_demand(index: int) -> Reading:
    return lambda m, now: _settled(m, now).demand.last[index]


def _present_demand(index: int) -> Reading:
    return lambda m, now: m.demand.present(now)[index]


def _peak_demand(index: int) -> Reading:
    return lambda m, now: _settled(m, now).demand.peak[index]


def _predicted_demand(index: int) -> Reading:
    """Present demand plus the present power for the rest of the interval (the CM4000's prediction, simplified)."""

    def predict(meter: Meter, now: int) -> Value:
        seen = meter.measured(now)
        power = (seen.real[-1], seen.reactive[-1], seen.apparent[-1])[index]
        step = meter.demand.setting.step
        return meter.demand.present(now)[index] + power * max(0, step - meter.demand.elapsed(now)) // step

    return predict


def _peak_time(index: int) -> Reading:
    def when(meter: Meter, now: int) -> Value:
        at = _settled(meter, now).demand.peak_at[index]
        return None if at is None else meter.clock.read(at)

    return when


def _extremes() -> dict[str, Reading]:
    table: dict[str, Reading] = {}
    for name in ("current_average", "voltage_ll_average", "voltage_ln_average", "real_power_total",
                 "reactive_power_total", "apparent_power_total", "frequency"):  # fmt: skip
        for prefix, side in (("min", "low"), ("max", "high")):
            table[f"{prefix}_{name}"] = _extreme(name, side)
            table[f"{prefix}_{name}_time"] = _extreme(name, f"{side}_time")
    return table


def _extreme(name: str, field: str) -> Reading:
    def look(meter: Meter, _now: int) -> Value:
        seen = meter.extremes.of(name)
        return None if seen is None else cast("Value", getattr(seen, field))

    return look


def _time() -> dict[str, Reading]:
    fields = ("month", "day", "year", "hour", "minute", "second")
    table: dict[str, Reading] = {f"clock_{field}": _clock(field) for field in fields}
    # Sunday is 1 (ACCESS 9340 EN-153).
    table["clock_weekday"] = lambda m, now: m.clock.read(now).isoweekday() % _WEEKDAY_SUNDAY_FIRST + 1
    table["clock"] = lambda m, now: m.clock.read(now)
    return table


def _clock(field: str) -> Reading:
    return lambda m, now: getattr(m.clock.read(now), field)


def _stamp(name: str) -> Reading:
    return lambda m, _now: m.stamps.get(name)
