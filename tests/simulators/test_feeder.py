"""The feeder: supply and load in whole millis, and who hears of a change."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.power.feeder import Feeder, Load


class Watcher:
    """Notes what it is told, and what the feeder carried at that moment."""

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self.told: list[tuple[str, int, int]] = []
        feeder.connect(self)

    def before_change(self, now: int) -> None:
        self.told.append(("before", now, sum(self._feeder.point().real)))

    def after_change(self, now: int) -> None:
        self.told.append(("after", now, sum(self._feeder.point().real)))


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_three_phases_carry_the_whole_load_to_the_unit(real: int, reactive: int) -> None:
    point = Feeder(load=Load(real, reactive)).point()
    assert (sum(point.real), sum(point.reactive)) == (real, reactive)
    assert max(point.real) - min(point.real) <= 2


@pytest.mark.parametrize("power_factor", [1.0, 0.8, 0.5, -0.8])
@pytest.mark.parametrize("real", [3_000_000, -3_000_000])
def test_a_load_of_a_power_factor(real: int, power_factor: float) -> None:
    load = Load.of(real, power_factor)
    assert load.real == real
    assert abs(real) / math.hypot(load.real, load.reactive) == pytest.approx(abs(power_factor), rel=1e-6)
    assert (load.reactive < 0) == (power_factor < 0)


@pytest.mark.parametrize("power_factor", [0, 1.01, -1.01])
def test_power_factors_that_do_not_exist(power_factor: float) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        Load.of(1000, power_factor)


def test_current_is_apparent_power_over_voltage() -> None:
    assert Feeder(load=Load(690_000_000)).point().currents == (1_000_000,) * 3  # 230 kW a phase at 230 V: 1000 A
    assert Feeder(load=Load(9_000, 12_000), voltage=100_000).point().currents == (50,) * 3  # 5 VA at 100 V


def test_without_voltage_nothing_flows() -> None:
    feeder = Feeder(load=Load(690_000_000, 1_000))
    feeder.change(0, voltage=0)
    point = feeder.point()
    assert (point.real, point.reactive, point.currents) == ((0, 0, 0),) * 3
    feeder.change(1, voltage=230_000)
    assert sum(feeder.point().real) == 690_000_000


def test_a_meter_hears_of_a_change_before_and_after_it() -> None:
    feeder = Feeder(load=Load(9))
    watcher = Watcher(feeder)
    feeder.change(5, load=Load(12))
    assert watcher.told == [("before", 5, 9), ("after", 5, 12)]


def test_a_change_changes_only_what_it_names() -> None:
    feeder = Feeder(load=Load(9), voltage=100_000, frequency=60_000)
    feeder.change(0, frequency=50_000)
    assert (feeder.load, feeder.voltage, feeder.frequency) == (Load(9), 100_000, 50_000)


def test_switching_the_supply_twice_is_switching_it_once() -> None:
    feeder = Feeder(load=Load(9))
    watcher = Watcher(feeder)
    feeder.switch_supply(1, on=True)
    feeder.switch_supply(2, on=False)
    feeder.switch_supply(3, on=False)
    assert watcher.told == [("before", 2, 9), ("after", 2, 9)]  # the load runs on, unmetered
