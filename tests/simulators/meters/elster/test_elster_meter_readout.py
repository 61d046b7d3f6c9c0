# meters keep local time without a zone
import re

from elster_desk import HOUR, KW, MINUTE, Desk, Load, Source, datetime, pytest

from protocols.elster.configuration import Ratio, Transformers


def lines(desk, now):
    text = desk.meter.readout(now).decode("ascii")
    assert text.endswith("\r\n")
    return text.split("\r\n")[:-1]


def shown(desk, now, code):
    return next(line for line in lines(desk, now) if line.startswith(f"{code}("))


@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_every_line_is_a_data_set_of_the_standard(model):
    desk = Desk(model, load=Load(KW, -KW), outstation="094")
    desk.meter.press_reset(HOUR)
    for line in lines(desk, 2 * HOUR):
        assert re.fullmatch(r"[0-9A-Z.*]{1,16}(\([^()/!*]{0,32}(\*[^()/!]{1,16})?\))+", line), line
        assert len(line) <= 78


def test_energies_have_seven_digits_and_three_decimals_with_their_unit():
    desk = Desk(load=Load(1_234_567), energies={Source.EXPORT: 42})
    assert shown(desk, HOUR, "1.8.0") == "1.8.0(0000001.234*kWh)"
    assert shown(desk, HOUR, "2.8.0") == "2.8.0(0000000.042*kWh)"
    assert shown(desk, HOUR, "1.8.1") == "1.8.1(0000001.234*kWh)"


def test_beyond_seven_digits_an_energy_rolls_over_and_keeps_its_width():
    desk = Desk(energies={Source.IMPORT: 9_999_999_999})
    assert shown(desk, 0, "1.8.0") == "1.8.0(9999999.999*kWh)"
    assert shown(desk, HOUR, "1.8.0") == "1.8.0(0000000.999*kWh)"


def test_the_maximum_demand_stands_with_its_time():
    desk = Desk(load=Load(2 * KW))
    assert shown(desk, 0, "1.6.0") == "1.6.0(0000.000*kW)(0000000000)"
    assert shown(desk, HOUR, "1.6.0") == "1.6.0(0002.000*kW)(2603100830)"


def test_billing_sets_are_numbered_by_their_reset():
    desk = Desk()
    desk.meter.press_reset(HOUR)
    desk.meter.press_reset(2 * HOUR)
    assert shown(desk, 2 * HOUR, "0.1.0") == "0.1.0(02)"
    assert shown(desk, 2 * HOUR, "0.1.2*02") == "0.1.2*02(2603101000)"
    assert shown(desk, 2 * HOUR, "1.8.0*01") == "1.8.0*01(0000001.000*kWh)"
    assert shown(desk, 2 * HOUR, "1.6.0*02") == "1.6.0*02(0001.000*kW)(2603100930)"
    assert shown(desk, 2 * HOUR, "1.2.0") == "1.2.0(00002.000*kW)"


def test_who_it_is_and_what_time_it_has():
    desk = Desk(epoch=datetime(2026, 7, 1, 12, 0, 5), outstation="094", serial="55074944")
    found = lines(desk, 0)
    assert {"0.0.0(094)", "C.1.0(0000000055074944)", "0.9.1(12:00:05)", "0.9.2(26-07-01)", "F.F(00000000)"} <= set(
        found
    )


def test_what_it_measures():
    desk = Desk(load=Load(690_000, 0))
    found = set(lines(desk, 0))
    assert {"32.7.0(230.0*V)", "51.7.0(001.00*A)", "1.7.0(0000.690*kW)", "13.7.0(1.000)", "14.7.0(50.00*Hz)"} <= found


def test_transformer_ratios_and_the_demand_period():
    desk = Desk("A1700")
    desk.log_in()
    desk.section(Transformers(Ratio(20_000, 500), Ratio(1_100_000, 11_000)))
    assert {"0.4.2(0040.00)", "0.4.3(0100.00)", "0.8.0(30*min)"} <= set(lines(desk, 0))


def test_counters_of_power_failures_and_programmings():
    desk = Desk()
    desk.feeder.switch_supply(0, on=False)
    desk.feeder.switch_supply(MINUTE, on=True)
    desk.log_in(now=HOUR)
    desk.write(795, b"R5228052", HOUR)
    assert {"C.7.0(00001)", "C.2.0(00001)", "C.2.1(2603100900)"} <= set(lines(desk, HOUR))


def test_a_readout_may_be_empty():
    assert Desk(profile={"readout_filled": False}).meter.readout(HOUR) == b""


def test_other_figures_are_cut_too_and_roll_over_in_their_width():
    desk = Desk(load=Load(2 * KW, 2_236_068))
    assert shown(desk, 0, "13.7.0") == "13.7.0(0.666)"
    for _ in range(101):
        desk.meter.press_reset(0)
    assert shown(desk, 0, "0.1.0") == "0.1.0(01)"


def test_phase_angles_are_those_of_the_voltages_and_of_each_current_to_its_voltage():
    desk = Desk(load=Load(KW, KW))
    found = {line for line in lines(desk, 0) if line.startswith("81.7.")}
    assert found == {
        "81.7.1(120.0*deg)", "81.7.2(240.0*deg)", "81.7.4(045.0*deg)", "81.7.15(045.0*deg)", "81.7.26(045.0*deg)",
    }  # fmt: skip
    out = Desk(load=Load(-KW, 0))
    assert shown(out, 0, "81.7.4") == "81.7.4(180.0*deg)"
    idle = Desk(load=Load(0))
    assert shown(idle, 0, "81.7.26") == "81.7.26(000.0*deg)"


def test_what_no_source_gives_these_meters_is_not_shown():
    """elster-flag 5 lists 1.6.n and P.98 for readouts of any make; no identity of these meters stands behind them."""
    desk = Desk()
    assert not [line for line in lines(desk, HOUR) if re.match(r"1\.6\.[1-9]|P\.", line)]
