"""A power cut: what is lost, what is kept, how long the meter is silent, and what was not saved yet."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from meter_desk import HOUR, IN_SERVICE, MINUTE, MS, PRESET, SECOND, Desk

from protocols.powerlogic.energy import Quantity, encode_set
from simulators.power.feeder import Load

KILOWATT = 1_000_000
ONE_WH_A_MS = Load(3_600 * KILOWATT)
MODELS = ["CM2350", "CM3350", "CM4250", "PM850"]


@pytest.mark.parametrize("model", MODELS)
def test_energies_are_kept_and_the_meter_is_silent_until_it_has_booted(model: str) -> None:
    desk = Desk(model, boot="8 s")
    desk.supply(on=False)
    assert not desk.listens()
    desk.wait(HOUR)
    assert not desk.listens()
    desk.supply(on=True)
    desk.wait(8 * SECOND - 1)
    assert not desk.listens()
    desk.wait(1)
    assert desk.listens()
    assert desk.energies() == IN_SERVICE


def test_without_its_supply_a_meter_counts_nothing() -> None:
    desk = Desk(load=ONE_WH_A_MS)
    desk.wait(SECOND)
    desk.supply(on=False)
    desk.wait(HOUR)
    desk.supply(on=True)
    desk.wait(10 * SECOND)
    assert desk.energies()[Quantity.REAL_IN] == IN_SERVICE[Quantity.REAL_IN] + 11_000


def test_a_load_that_changes_in_the_dark_counts_from_the_return_on() -> None:
    desk = Desk(load=ONE_WH_A_MS)
    desk.supply(on=False)
    desk.change(Load(7_200 * KILOWATT))
    desk.wait(HOUR)
    desk.supply(on=True)
    desk.wait(10 * SECOND)
    assert desk.energies()[Quantity.REAL_IN] == IN_SERVICE[Quantity.REAL_IN] + 20_000


@pytest.mark.parametrize("keep", [False, True])
def test_pointers_and_buffer_are_volatile_by_profile(keep: bool) -> None:
    desk = Desk(keep_pointers=keep)
    desk.write(8017, 8020, 8021, 8022)
    desk.write(8022, *encode_set(PRESET))
    before = desk.read(8017, 133)
    desk.power_cycle()
    assert desk.read(8017, 133) == (before if keep else [0] * 133)


@pytest.mark.parametrize("code", [6209, 6211])
def test_a_command_that_is_being_executed_is_lost(code: int) -> None:
    desk = Desk(exec_delay="2 s")
    desk.write(8022, *encode_set(PRESET))
    desk.write(8017, 8020, 8021, 8022)
    desk.poke(8000, code)
    desk.wait(SECOND)
    desk.power_cycle()
    assert desk.energies() == IN_SERVICE


def test_the_clock_and_the_stamps_go_on_by_battery() -> None:
    desk = Desk("CM4250")
    desk.preset()
    stamp = desk.date("energy_preset_time")
    desk.power_cycle(off=HOUR)
    assert desk.read(3093, 4) == [3, 10, 2026, 9]
    assert desk.date("energy_preset_time") == stamp


def test_the_extremes_and_the_peaks_are_kept_and_the_interval_begins_anew() -> None:
    desk = Desk("PM850", Load(300 * KILOWATT))
    desk.wait(20 * MINUTE)
    desk.change(Load(100 * KILOWATT))
    desk.power_cycle(off=MINUTE)
    assert desk.value("max_real_power_total") == 30_000
    assert desk.value("demand_real_peak") == 30_000
    assert desk.date("demand_real_peak_time") == datetime(2026, 3, 10, 8, 15)
    assert desk.value("power_demand_elapsed_interval") == 10


def test_a_soft_reset_is_silent_for_the_boot_and_counts_on() -> None:
    desk = Desk(load=ONE_WH_A_MS)
    desk.poke(8000, 1110)
    desk.wait(150 * MS)
    assert not desk.listens()
    desk.wait(8 * SECOND)
    assert desk.listens()
    assert desk.energies()[Quantity.REAL_IN] == IN_SERVICE[Quantity.REAL_IN] + 8_150


# -- what is not saved yet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["CM4250", "PM850"])
@pytest.mark.parametrize(("cut_after", "kept"), [(10 * SECOND - 1, False), (10 * SECOND, True)])
def test_a_preset_survives_from_its_saving_on(model: str, cut_after: int, kept: bool) -> None:
    desk = Desk(model, save_delay="10 s")
    desk.preset()
    desk.now += cut_after - 50 * MS  # executed 150 ms after the write, 50 ms before the desk looked
    assert desk.energies() == PRESET
    desk.power_cycle()
    assert desk.energies() == (PRESET if kept else IN_SERVICE)
    assert (desk.date("energy_preset_time") is not None) is kept


def test_by_default_a_preset_is_saved_at_once() -> None:
    desk = Desk()
    desk.preset()
    desk.power_cycle()
    assert desk.energies() == PRESET


def test_what_was_counted_after_a_lost_preset_is_not_lost_whatever_the_load_did() -> None:
    desk = Desk(load=ONE_WH_A_MS, save_delay="60 s")
    desk.preset()
    desk.wait(SECOND)
    desk.change(Load(7_200 * KILOWATT))
    desk.wait(SECOND)
    desk.supply(on=False)
    desk.change(Load(0))
    desk.supply(on=True)
    desk.wait(10 * SECOND)
    assert desk.energies()[Quantity.REAL_IN] == IN_SERVICE[Quantity.REAL_IN] + 200 + 1_000 + 2_000


def test_two_unsaved_presets_are_both_undone() -> None:
    desk = Desk(save_delay="60 s")
    desk.preset()
    desk.preset(dict.fromkeys(Quantity, 7))
    desk.power_cycle()
    assert desk.energies() == IN_SERVICE


def test_a_lost_preset_does_not_take_a_saved_one_with_it() -> None:
    desk = Desk(save_delay="60 s")
    desk.preset()
    desk.wait(MINUTE)
    desk.preset(dict.fromkeys(Quantity, 7))
    desk.power_cycle()
    assert desk.energies() == PRESET


def test_an_unsaved_clearing_of_the_conditional_energies_is_undone() -> None:
    desk = Desk(load=ONE_WH_A_MS, save_delay="60 s")
    desk.command(6321)
    desk.wait(SECOND)
    desk.command(6320)
    counted = desk.meter.partial("conditional", desk.now)[0]
    desk.command(6212)
    assert desk.meter.partial("conditional", desk.now)[0] == 0
    desk.power_cycle()
    assert desk.meter.partial("conditional", desk.now)[0] == counted > 1_000
    assert desk.date("conditional_reset_time") is None


@pytest.mark.parametrize(
    ("code", "parameters", "stamp"), [(5110, (), "power_demand_reset_time"), (4110, (1,), "minmax_reset_time")]
)
def test_an_unsaved_reset_is_undone_with_its_time(code: int, parameters: tuple[int, ...], stamp: str) -> None:
    desk = Desk(load=ONE_WH_A_MS, save_delay="60 s")
    desk.wait(20 * MINUTE)
    desk.change(Load(0))
    desk.wait(20 * MINUTE)
    before = [desk.named(name) for name in ("demand_real_peak", "max_real_power_total", "power_demand_reset_count")]
    assert desk.command(code, *parameters) == 0
    during = [desk.named(name) for name in ("demand_real_peak", "max_real_power_total", "power_demand_reset_count")]
    assert during != before
    desk.power_cycle()
    after = [desk.named(name) for name in ("demand_real_peak", "max_real_power_total", "power_demand_reset_count")]
    assert after == before
    assert desk.date(stamp) is None


def test_an_unsaved_clearing_leaves_the_last_increment_unless_another_came() -> None:
    desk = Desk(load=ONE_WH_A_MS, save_delay="60 s")
    desk.wait(SECOND)
    desk.command(6910)
    shown = desk.named("incremental_real_energy_in")
    desk.command(6213)
    desk.power_cycle()
    assert desk.named("incremental_real_energy_in") == shown
    desk.command(6213)
    desk.command(6910)
    later = desk.named("incremental_real_energy_in")
    desk.power_cycle()
    assert desk.named("incremental_real_energy_in") == later != shown


def test_a_meter_tells_its_steps_to_who_wants_to_know() -> None:
    desk = Desk(save_delay="10 s")
    told: list[tuple[str, int]] = []
    desk.meter.notice = lambda step, at: told.append((step, at))
    desk.preset()
    executed = desk.now - 50 * MS
    assert told[:2] == [("command accepted", executed - 150 * MS), ("command executed", executed)]
    assert told[2:] == [("changed", executed), ("saved", executed + 10 * SECOND)] * 2
    told.clear()
    desk.power_cycle()
    assert [step for step, _ in told] == ["supply lost", "start", "started"]
