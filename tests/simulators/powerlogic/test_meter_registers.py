"""What the registers show: every row of the tables, scales, power factor, dates, blocks, floats, extremes."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

import struct
from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from meter_desk import HOUR, IN_SERVICE, MINUTE, SECOND, Desk, refused

from protocols.modbus import pdu
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import models, preset_table, register_map
from protocols.powerlogic.words import decode_power_factor, signed
from simulators.meters.powerlogic import Installation
from simulators.power.feeder import Load

FAMILIES = {"CM2": "CM2350", "CM3": "CM3350", "CM4": "CM4250", "PM8": "PM850"}
NOT_AVAILABLE = -32_768
KILOWATT = 1_000_000
LOAD = Load(300 * KILOWATT, 100 * KILOWATT)


@pytest.mark.parametrize(("family", "model"), FAMILIES.items())
def test_every_register_of_the_tables_can_be_read_by_itself(family: str, model: str) -> None:
    desk = Desk(model, LOAD)
    for row in register_map(family):
        for register in range(row.number, row.end):
            assert len(desk.read(register)) == 1, row.name


@pytest.mark.parametrize(("family", "model"), FAMILIES.items())
def test_every_row_reads_the_same_alone_and_in_a_block(family: str, model: str) -> None:
    desk = Desk(model, LOAD)
    alone = {
        register: desk.read(register)[0] for row in register_map(family) for register in range(row.number, row.end)
    }
    for row in register_map(family):
        first = max(1, row.number - 7)
        block = desk.read(first, 40)
        assert block == [alone.get(register, 0x8000) for register in range(first, first + 40)]


@pytest.mark.parametrize("model", ["CM2350", "PM850"])
@pytest.mark.parametrize("function", [3, 4])
def test_both_register_functions_show_the_same_space(model: str, function: int) -> None:
    desk = Desk(model, LOAD)
    number = desk.map["current_a"].number
    assert (
        desk.ask(pdu.read_registers(number - 1, 20, function))[2:] == desk.ask(pdu.read_registers(number - 1, 20))[2:]
    )


@pytest.mark.parametrize("model", models())
def test_table_1_word_by_word_and_as_a_block(model: str) -> None:
    desk = Desk(model)
    old = desk.meter.model.generation == "cm2"
    first = 1601 if old else 1700
    block = desk.read(first, 28)
    for row in preset_table():
        register = row.cm2_register if old else row.series_register
        expected = IN_SERVICE[row.quantity] // row.weight % 10_000
        assert desk.read(register) == [expected] == [block[register - first]]
    assert desk.energies() == IN_SERVICE


@given(st.integers(1690, 1730), st.integers(1, 60))
def test_blocks_across_the_edges_of_the_energies(first: int, count: int) -> None:
    assume(first + count > 1700)
    desk = Desk()
    assert desk.read(first, count) == [
        desk.read(register)[0] if 1700 <= register <= 1765 else 0x8000 for register in range(first, first + count)
    ]


def test_a_block_of_nothing_is_refused_and_gaps_are_filled() -> None:
    assert refused(Desk(), lambda desk: desk.read(5000, 10)) == 2
    assert Desk().read(1103, 3)[1] == 0x8000  # 1104 is not described
    strict = Desk(undefined_read="refuse")
    assert refused(strict, lambda desk: desk.read(1103, 3)) == 2
    assert len(strict.read(1100, 4)) == 4


def test_energies_of_a_negative_kind_carry_their_sign_in_every_word() -> None:
    desk = Desk(energies={Quantity.REACTIVE_TOTAL: -12_345_678})
    assert [signed(word) for word in desk.named("reactive_energy_total")] == [-5_678, -1_234, 0, 0]


# -- real time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", FAMILIES.values())
def test_the_real_time_block_in_engineering_units(model: str) -> None:
    desk = Desk(model, LOAD)  # 230 V, 300 kW, 100 kvar: 316.2 kVA, 458.3 A a phase
    assert desk.value("voltage_an") == 2300  # scale D -1
    assert desk.value("voltage_ab") == 3984
    assert desk.value("current_a") == 4583
    assert desk.value("frequency") == 5000
    power_scale = 100 if model != "CM2350" else 10  # scale F -2, on a CM2 scale E -1
    assert desk.value("real_power_total") == 300 * power_scale
    assert desk.value("real_power_a") == 100 * power_scale
    assert desk.value("apparent_power_total") == round(316.2278 * power_scale)
    assert decode_power_factor(desk.named("power_factor_total")[0]) == (949, True)


def test_where_the_scale_factors_stand() -> None:
    series = Desk("CM4250", LOAD)
    assert [series.word(register) for register in (3209, 3210, 3211, 3212, 3213, 3214, 3216)] == [
        -1,
        -1,
        -1,
        -1,
        -1,
        -2,
        1,
    ]
    old = Desk("CM2350", LOAD)
    assert [old.word(register) for register in (2020, 2023, 2024)] == [-1, -1, -1]


@pytest.mark.parametrize(("scale", "shown"), [(-2, 30_000), (-1, 3_000), (0, 300), (1, 30), (2, 3)])
def test_scale_f_moves_the_powers(scale: int, shown: int) -> None:
    desk = Desk("PM850", LOAD)
    desk.program(scale_F=scale)
    assert desk.value("real_power_total") == shown
    assert desk.value("voltage_an") == 2300


def test_a_value_that_does_not_fit_its_word_is_not_available() -> None:
    desk = Desk("PM850", Load(327_670_000))  # 327.67 kW at 0.01 kW
    assert desk.value("real_power_total") == 32_767
    desk.change(Load(327_675_000))
    assert desk.value("real_power_total") == NOT_AVAILABLE
    desk.change(Load(-327_670_000))
    assert desk.value("real_power_total") == -32_767


@pytest.mark.parametrize(
    ("real", "reactive", "expected"),
    [
        (300, 0, (1000, False)),
        (300, 400, (600, True)),
        (300, -400, (600, False)),
        (-300, -400, (600, True)),
        (-300, 400, (600, False)),
        (0, 400, (0, False)),
        (0, 0, (1000, False)),
    ],
)
def test_power_factor_in_four_quadrants(real: int, reactive: int, expected: tuple[int, bool]) -> None:
    desk = Desk("PM850", Load(real * KILOWATT, reactive * KILOWATT))
    lagging_zero = real == 0 and reactive > 0
    expected = (0, True) if lagging_zero else expected
    assert decode_power_factor(desk.named("power_factor_total")[0]) == expected


def test_a_ct_ratio_that_does_not_match_scales_currents_and_powers_only() -> None:
    desk = Desk("PM850", Load(30 * KILOWATT), installation=Installation(ct=(400, 5)))
    right = desk.value("real_power_total"), desk.value("current_a"), desk.value("voltage_an")
    desk.program(ct_primary=800)
    assert (desk.value("real_power_total"), desk.value("voltage_an")) == (2 * right[0], right[2])
    assert desk.value("current_a") == pytest.approx(2 * right[1], abs=1)


def test_a_pt_ratio_scales_voltages_and_powers() -> None:
    desk = Desk("PM850", Load(30 * KILOWATT), installation=Installation(pt=(400, 100)))
    assert desk.value("voltage_an") == 2300
    desk.program(pt_primary=800)
    assert desk.value("voltage_an") == 4600
    assert desk.value("real_power_total") == 6000
    desk.program(pt_primary=40, pt_primary_scale=1)
    assert desk.value("voltage_an") == 2300


# -- time --------------------------------------------------------------------------------------------------------------


def test_the_clock_of_the_series_in_seven_registers() -> None:
    desk = Desk("PM850")  # begins on Tuesday 10 March 2026, 08:00:00
    desk.wait(HOUR + 2 * MINUTE + 3 * SECOND)
    assert desk.read(3093, 7) == [3, 10, 2026, 9, 2, 3, 3]


@pytest.mark.parametrize(("days", "weekday"), [(0, 3), (4, 7), (5, 1), (6, 2)])
def test_sunday_is_day_one(days: int, weekday: int) -> None:
    desk = Desk("PM850")
    desk.wait(days * 24 * HOUR)
    assert desk.value("clock_weekday") == weekday


def test_a_clock_drifts_by_its_profile() -> None:
    desk = Desk("PM850", clock_drift_ppm=1000)
    desk.wait(1000 * SECOND)
    assert desk.read(3096, 3) == [8, 16, 41]


@pytest.mark.parametrize(("model", "words"), [("CM3350", 4), ("CM4250", 4), ("PM850", 3)])
def test_dates_have_the_length_of_the_family(model: str, words: int) -> None:
    desk = Desk(model)
    desk.wait(1_234 * 1_000_000)
    desk.command(6211)
    shown = desk.named("energy_reset_time")
    assert len(shown) == 4
    assert shown[:3] == [3 << 8 | 10, 126 << 8 | 8, 1]
    assert shown[3] == (384 if words == 4 else 0x8000)  # 1.234 s and 150 ms of execution
    assert desk.date("energy_preset_time") is None


# -- floats ------------------------------------------------------------------------------------------------------------


def floats(desk: Desk, name: str) -> float:
    """A named float register."""
    return float(struct.unpack(">f", struct.pack(">HH", *desk.named(name)))[0])


def test_floats_of_a_pm800_need_setup_mode_and_a_restart() -> None:
    desk = Desk("PM850", LOAD)
    assert desk.named("float_current_a") == [0x8000, 0x8000]
    assert refused(desk, lambda desk: desk.poke(3248, 1)) == 2
    desk.program(enable_floats=1)
    assert floats(desk, "float_current_a") == pytest.approx(458.30, abs=0.01)
    assert floats(desk, "float_real_power_total") == pytest.approx(300)
    assert floats(desk, "float_frequency") == pytest.approx(50)
    assert floats(desk, "float_power_factor_total") == pytest.approx(-0.949)


@pytest.mark.parametrize("model", ["CM3350", "CM4250"])
def test_floats_of_a_circuit_monitor_need_only_the_restart(model: str) -> None:
    desk = Desk(model, LOAD)
    desk.poke(3248, 1)
    assert desk.read(57600, 2) == [0x8000, 0x8000]
    desk.power_cycle()
    assert floats(desk, "float_current_a") == pytest.approx(458.30, abs=0.01)
    desk.poke(3248, 0)
    assert desk.read(57600, 2) != [0x8000, 0x8000]
    desk.power_cycle()
    assert desk.read(57600, 2) == [0x8000, 0x8000]


def test_floats_follow_a_preset() -> None:
    desk = Desk("CM4250")
    desk.poke(3248, 1)
    desk.power_cycle()
    assert desk.preset(dict.fromkeys(Quantity, 16_777_216)) == 0
    assert floats(desk, "float_real_energy_in") == 16_777_216
    desk.preset(dict.fromkeys(Quantity, 16_777_217))
    assert floats(desk, "float_real_energy_in") == 16_777_216  # single precision ends here


# -- extremes and peaks ------------------------------------------------------------------------------------------------


def test_minimum_and_maximum_with_their_times() -> None:
    desk = Desk("PM850", Load(100 * KILOWATT))
    desk.wait(HOUR)
    desk.change(Load(300 * KILOWATT))
    desk.wait(HOUR)
    desk.change(Load(50 * KILOWATT))
    assert desk.value("max_real_power_total") == 30_000
    assert desk.date("max_real_power_total_time") == datetime(2026, 3, 10, 9)
    assert desk.value("min_real_power_total") == 5_000
    assert desk.date("min_real_power_total_time") == datetime(2026, 3, 10, 10)


def test_command_4110_begins_anew_and_stamps_it() -> None:
    desk = Desk("CM4250", Load(300 * KILOWATT))
    desk.change(Load(100 * KILOWATT))
    desk.wait(MINUTE)
    assert desk.command(4110) == 0
    assert desk.value("max_real_power_total") == desk.value("min_real_power_total") == 10_000
    stamp = desk.date("minmax_reset_time")
    assert stamp is not None
    assert stamp.minute == 1


@pytest.mark.parametrize(("months", "result", "cleared"), [(0, 0, True), (1, 0, True), (2, 0, False), (3, 82, False)])
def test_on_a_pm800_command_4110_takes_which_month(months: int, result: int, *, cleared: bool) -> None:
    desk = Desk("PM850", Load(300 * KILOWATT))
    desk.change(Load(100 * KILOWATT))
    assert desk.command(4110, months) == result
    assert (desk.value("max_real_power_total") == 10_000) is cleared


def test_peak_demand_with_its_time_and_its_reset() -> None:
    desk = Desk("PM850", Load(100 * KILOWATT, 20 * KILOWATT))
    desk.wait(15 * MINUTE)
    desk.change(Load(50 * KILOWATT))
    desk.wait(20 * MINUTE)
    assert desk.value("demand_real_peak") == 10_000
    assert desk.date("demand_real_peak_time") == datetime(2026, 3, 10, 8, 15)
    assert desk.value("demand_reactive_peak") == 2_000
    assert desk.value("demand_real_last") == 5_000
    assert desk.command(5110) == 0
    assert desk.value("demand_real_peak") == 5_000
    assert desk.value("power_demand_reset_count") == 1


def test_setting_the_clock_does_not_move_the_time_of_an_old_peak() -> None:
    desk = Desk("PM850", Load(100 * KILOWATT))
    desk.wait(20 * MINUTE)
    assert desk.command(1310, 1, 1, 2030, 0, 0, 0) == 0
    assert desk.date("demand_real_peak_time") == datetime(2026, 3, 10, 8, 15)


def test_present_and_predicted_demand() -> None:
    desk = Desk("PM850", Load(90 * KILOWATT))
    desk.wait(5 * MINUTE)
    assert desk.value("demand_real_present") == 3_000
    assert desk.value("demand_real_predicted") == 9_000
    assert desk.value("power_demand_elapsed_interval") == 300
    desk.change(Load(0))
    desk.wait(5 * MINUTE)
    assert desk.value("demand_real_predicted") == 3_000
