"""The PM800's second door: 4126 with its own codes, 7016-7021 and 4000-4005, and no word at 8021."""

import pytest
from meter_desk import HOUR, IN_SERVICE, SECOND, SENTINEL, Desk, refused

from protocols.powerlogic.energy import Quantity
from simulators.power.feeder import Load

DOOR, PRESET_WORDS, SHOWN = 4126, 7016, 4000
KILOWATT = 1_000_000


def knock(desk: Desk, code: int) -> None:
    """Write a code to the door and let it be carried out."""
    desk.poke(DOOR, code)
    desk.wait(SECOND)


def test_energies_in_kwh_with_the_high_word_first() -> None:
    desk = Desk(energies={**IN_SERVICE, Quantity.REAL_TOTAL: 70_000_999, Quantity.REACTIVE_TOTAL: -5_000_000})
    assert desk.read(SHOWN, 6) == [1, 4464, 0, 12_600, 0, 5_000]


def test_code_6209_loads_the_three_quantities() -> None:
    desk = Desk()
    desk.write(PRESET_WORDS, 1, 4464, 0, 80_000 & 0xFFFF, 0, 5_000)
    assert desk.read(PRESET_WORDS, 6) == [1, 4464, 0, 80_000 & 0xFFFF, 0, 5_000]
    assert desk.energies() == IN_SERVICE
    knock(desk, 6209)
    expected = dict.fromkeys(Quantity, 0)
    expected[Quantity.REAL_TOTAL] = expected[Quantity.REAL_IN] = 70_000_000
    expected[Quantity.REACTIVE_TOTAL] = expected[Quantity.REACTIVE_IN] = 5_000_000
    expected[Quantity.APPARENT_TOTAL] = (80_000 & 0xFFFF) * 1000
    assert desk.energies() == expected
    assert desk.read(SHOWN, 6) == desk.read(PRESET_WORDS, 6)
    assert desk.date("energy_preset_time") is not None


def test_the_door_reads_zero_and_leaves_no_result() -> None:
    desk = Desk()
    desk.write(8020, SENTINEL, SENTINEL)
    desk.write(8017, 8020, 8021, 8022)
    knock(desk, 6209)
    assert desk.word(DOOR) == 0
    assert desk.read(8020, 2) == [SENTINEL, SENTINEL]


def test_code_30078_clears_all_energies() -> None:
    desk = Desk()
    knock(desk, 30_078)
    assert desk.energies() == dict.fromkeys(Quantity, 0)


def test_codes_21212_and_14255_reset_peaks_and_extremes() -> None:
    desk = Desk(load=Load(300 * KILOWATT))
    desk.wait(HOUR)
    desk.change(Load(100 * KILOWATT))
    desk.wait(HOUR)
    knock(desk, 21_212)
    assert (desk.value("demand_real_peak"), desk.value("max_real_power_total")) == (10_000, 30_000)
    knock(desk, 14_255)
    assert desk.value("max_real_power_total") == 10_000


def test_code_1115_resets_the_meter() -> None:
    desk = Desk()
    knock(desk, 1115)
    assert not desk.listens()


def test_a_code_of_the_other_door_does_nothing_here() -> None:
    desk = Desk()
    knock(desk, 6210)
    assert desk.energies() == IN_SERVICE


@pytest.mark.parametrize("model", ["CM3350", "CM4250"])
def test_circuit_monitors_have_one_door(model: str) -> None:
    assert refused(Desk(model), lambda desk: desk.read(DOOR)) == 2
    assert refused(Desk(model), lambda desk: desk.poke(DOOR, 6209)) == 2
