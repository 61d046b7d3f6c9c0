"""What a meter keeps: taken from one, put into another of its model."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.modbus.pdu import FunctionCode
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import models, register_map
from simulators.metering.demand import MINUTE, Mode, Setting
from simulators.meters.powerlogic import build_meter
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.series import SeriesMeter
from simulators.meters.powerlogic.state import StateError, parse, put_back, state_of
from simulators.power.feeder import Feeder, Load
from simulators.world import SECOND

NOW = 5000 * SECOND + 7
LOAD = Load(50_000_001, -3_000_007)


def lived(model: str) -> Meter:
    """A meter with a past: readings, a load, a change of load, demand, resets, another set-up."""
    readings = {quantity: 1000 + 7 * index for index, quantity in enumerate(Quantity)}
    meter = build_meter(model, Feeder(load=LOAD), energies=readings)
    meter.feeder.change(1800 * SECOND, load=Load(80_000_000))
    meter.feeder.change(3600 * SECOND, load=LOAD)
    meter.demand.configure(3700 * SECOND, Setting(Mode.ROLLING, 15 * MINUTE, 5 * MINUTE), meter.since_midnight)
    meter.stamp("energy_preset_time", 3800 * SECOND)
    meter.config["ct_primary"] = 400
    meter.after_change(3900 * SECOND)
    meter.count_conditional(4000 * SECOND, on=True)
    meter.end_increment(4500 * SECOND)
    meter.settle(NOW)
    return meter


def fresh(model: str) -> Meter:
    return build_meter(model, Feeder(load=LOAD))


def restore(meter: Meter, now: int, state: object, *, asleep: timedelta = timedelta(0)) -> None:
    put_back(meter, now, parse(meter, state), asleep=asleep)


@pytest.mark.parametrize("model", models())
def test_a_restored_meter_is_the_one_that_was_saved(model: str) -> None:
    before = lived(model)
    saved = json.loads(json.dumps(state_of(before, NOW)))
    after = fresh(model)
    restore(after, 11, saved)
    assert state_of(after, 11) == saved
    assert after.energies_picojoule(11) == before.energies_picojoule(NOW)
    assert after.energy_rates() == before.energy_rates()
    assert after.listening(11)


@pytest.mark.parametrize("model", ["CM2350", "PM850"])
def test_registers_read_the_same_before_and_after(model: str) -> None:
    before, after = lived(model), fresh(model)
    restore(after, 0, state_of(before, NOW))
    rows = [row for row in register_map(model[:2] + ("8" if model[:2] == "PM" else "2")) if row.access != "w"]
    of_the_interval = ("present", "predicted", "elapsed")  # a new one begins with the supply
    compared = 0
    for row in rows:
        if "demand" in row.name and any(word in row.name for word in of_the_interval):
            continue
        args = (FunctionCode.READ_HOLDING_REGISTERS, row.number - 1, min(row.count, 125))
        assert after.read_registers(*args, 0) == before.read_registers(*args, NOW), row.name
        compared += 1
    assert compared > 40


def test_the_clock_goes_on_by_its_battery_and_the_energies_do_not() -> None:
    before, after = lived("PM870"), fresh("PM870")
    restore(after, 0, state_of(before, NOW), asleep=timedelta(days=10))
    drift = timedelta(days=10) * before.profile.clock_drift_ppm / 1_000_000
    assert after.clock.read(0) == before.clock.read(NOW) + timedelta(days=10) + drift
    assert after.energies_picojoule(0) == before.energies_picojoule(NOW)
    shown = [None if at is None else after.clock.read(at) for at in after.demand.peak_at]
    wanted = [None if at is None else before.clock.read(at) for at in before.demand.peak_at]
    for one, other in zip(shown, wanted, strict=True):
        assert isinstance(one, datetime)
        assert isinstance(other, datetime)
        assert abs(one - other) <= timedelta(microseconds=1)


def test_what_is_volatile_stays_behind() -> None:
    before, after = lived("CM4250"), fresh("CM4250")
    assert isinstance(before, SeriesMeter)
    before.area[20] = 77
    before.write_registers(7999, (9020).to_bytes(2, "big"), NOW, 6)
    before.settle(NOW + SECOND)
    assert before.setup is not None
    restore(after, 0, state_of(before, NOW + SECOND))
    assert isinstance(after, SeriesMeter)
    assert after.setup is None
    assert after.area[20] == 0


def test_pointers_that_the_profile_keeps_are_kept() -> None:
    before = build_meter("CM4250", profile={"keep_pointers": True})
    after = build_meter("CM4250", profile={"keep_pointers": True})
    assert isinstance(before, SeriesMeter)
    assert isinstance(after, SeriesMeter)
    before.area[20] = 77
    restore(after, 0, state_of(before, NOW))
    assert after.area[20] == 77


def test_floats_that_were_enabled_are_there_after_a_restart() -> None:
    before, after = lived("CM3350"), fresh("CM3350")
    before.config["enable_floats"] = 1
    restore(after, 0, state_of(before, NOW))
    assert isinstance(after, SeriesMeter)
    assert after._floats


@given(st.integers(min_value=-(10**32), max_value=10**32))
def test_energies_are_kept_to_the_picojoule(value: int) -> None:
    before, after = fresh("PM820"), fresh("PM820")
    before.put_energies(0, [value] * len(Quantity))
    restore(after, 0, json.loads(json.dumps(state_of(before, 0))))
    assert after.energies_picojoule(0) == [value] * len(Quantity)


GOOD = state_of(lived("PM850"), NOW)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"model": "PM820"}, "model: it is of a PM820"),
        ({"accumulated": [1.5] * 7}, "accumulated.0: "),
        ({"accumulated": [1] * 6}, "accumulated: "),
        ({"accumulated": ["1"] * 7}, "accumulated.0: "),
        ({"config": {}}, "config: lacks"),
        ({"clock": "yesterday"}, "clock: "),
        ({"extra": 1}, "extra: "),
        ({"demand": {**GOOD["demand"], "interval": 5}}, "demand: a demand interval"),
        ({"demand": {**GOOD["demand"], "mode": 3}}, "demand.mode: "),
        ({"area": [70000] * 150}, "area.0: "),
        ({"compact": None}, "compact: does not fit"),
    ],
)
def test_a_state_that_does_not_fit_restores_nothing(damage: dict[str, Any], reason: str) -> None:
    meter = fresh("PM850")
    before = state_of(meter, 0)
    with pytest.raises(StateError, match=reason.replace(".", r"\.")):
        restore(meter, 0, {**GOOD, **damage})
    assert state_of(meter, 0) == before


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_garbage_never_raises_anything_else(garbage: object) -> None:
    with pytest.raises(StateError):
        parse(fresh("PM850"), garbage)
