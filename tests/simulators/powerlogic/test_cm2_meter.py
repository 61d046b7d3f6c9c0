"""The older generation: commands at 7700, the clock written in place, nothing to preset."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from meter_desk import HOUR, IN_SERVICE, SECOND, Desk, refused

from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.words import decode_date, encode_date
from simulators.meters.powerlogic import Installation
from simulators.power.feeder import Load

COMMAND, CLOCK = 7700, 1842
KILOWATT = 1_000_000


def cm2(load: Load | None = None) -> Desk:
    """A CM2350."""
    return Desk("CM2350", load)


def command(desk: Desk, code: int) -> None:
    """Write a code to 7700 and let it be carried out."""
    desk.poke(COMMAND, code)
    desk.wait(SECOND)


def test_command_6210_clears_the_energies_and_stamps_it() -> None:
    desk = cm2()
    command(desk, 6210)
    assert desk.energies() == dict.fromkeys(Quantity, 0)
    assert desk.date("energy_reset_time") == datetime(2026, 3, 10, 8)


def test_a_command_takes_its_time() -> None:
    desk = cm2()
    desk.poke(COMMAND, 6210)
    assert desk.energies() == IN_SERVICE


def test_command_5110_resets_the_peaks() -> None:
    desk = cm2(Load(100 * KILOWATT))
    desk.wait(HOUR)
    desk.change(Load(50 * KILOWATT))
    desk.wait(HOUR)
    assert desk.value("demand_real_peak") == 1_000
    command(desk, 5110)
    assert desk.value("demand_real_peak") == 500


def test_command_4110_resets_the_extremes() -> None:
    desk = cm2(Load(100 * KILOWATT))
    desk.change(Load(50 * KILOWATT))
    assert desk.value("max_real_power_total") == 1_000
    command(desk, 4110)
    assert desk.value("max_real_power_total") == desk.value("min_real_power_total") == 500


def test_command_5120_touches_neither_energies_nor_power_peaks() -> None:
    desk = cm2(Load(100 * KILOWATT))
    desk.wait(HOUR)
    peak = desk.value("demand_real_peak")
    command(desk, 5120)
    assert desk.value("demand_real_peak") == peak


@pytest.mark.parametrize("code", [6209, 1310, 0])
def test_a_command_of_the_other_generation_is_refused(code: int) -> None:
    desk = cm2()
    assert refused(desk, lambda desk: desk.poke(COMMAND, code)) == 3
    desk.wait(SECOND)
    assert desk.energies() == IN_SERVICE


def test_nothing_of_the_series_is_there() -> None:
    for register in (1700, 3232, 3290, 8000, 8021):
        assert refused(cm2(), lambda desk, register=register: desk.read(register)) == 2
    assert refused(cm2(), lambda desk: desk.write(8022, *[0] * 28)) == 2


def test_the_clock_is_written_in_place() -> None:
    desk = cm2()
    moment = datetime(2030, 12, 24, 18, 0, 0)
    desk.write(CLOCK, *encode_date(moment, 3))
    assert decode_date(desk.read(CLOCK, 3)) == moment
    desk.wait(61 * SECOND)
    assert decode_date(desk.read(CLOCK, 3)) == datetime(2030, 12, 24, 18, 1, 1)


@pytest.mark.parametrize(
    "words",
    [(0x021F, 0x7E00, 0), (0x0101, 0x7E18, 0), (0x0101, 0x7E00, 0x003C), (0x0101, 0xC800, 0), (0, 0, 0), (0xFFFF,) * 3],
)
def test_a_date_that_does_not_exist_is_refused(words: tuple[int, ...]) -> None:
    desk = cm2()
    assert refused(desk, lambda desk: desk.write(CLOCK, *words)) == 3
    assert decode_date(desk.read(CLOCK, 3)) == datetime(2026, 3, 10, 8)


@pytest.mark.parametrize(("register", "words"), [(CLOCK, (0x0101,)), (CLOCK + 1, (0x7E00, 0)), (CLOCK + 2, (0,))])
def test_a_part_of_the_clock_is_refused(register: int, words: tuple[int, ...]) -> None:
    desk = cm2()
    assert refused(desk, lambda desk: desk.write(register, *words)) == 2
    assert decode_date(desk.read(CLOCK, 3)) == datetime(2026, 3, 10, 8)


def test_the_ratios_are_shown_and_take_no_write() -> None:
    desk = Desk("CM2350", installation=Installation(ct=(400, 5), pt=(12_000, 120)))
    assert desk.read(2002, 2) == [400, 5]
    assert desk.read(2006, 3) == [12_000, 0, 120]
    assert refused(desk, lambda desk: desk.poke(2002, 200)) == 2
