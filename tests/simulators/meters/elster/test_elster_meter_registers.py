# meters keep local time without a zone

from elster_desk import DAY, HOUR, KW, MINUTE, Desk, Load, Source, datetime, pytest

from protocols.elster.configuration import (
    DayType,
    DemandPeriod,
    MonthDay,
    Ratio,
    RegisterSources,
    Season,
    SwitchingTime,
    TariffStructure,
    Transformers,
)
from protocols.elster.registers import decode_cumulative, decode_energies, decode_maximum, decode_totals
from protocols.elster.transformers import decode_ratio
from simulators.meters.elster.measuring import Ratios

DAY_NIGHT = TariffStructure(
    (Season(MonthDay(1, 1), (1,) * 7),),
    (DayType((SwitchingTime(0, (2, 6)), SwitchingTime(7 * 60, (1, 5)), SwitchingTime(23 * 60, (2, 6)))),),
)


@pytest.mark.parametrize(("real", "reactive", "quadrant"), [
    (3, 4, Source.Q1), (-3, 4, Source.Q2), (-3, -4, Source.Q3), (3, -4, Source.Q4),
])  # fmt: skip
def test_energy_is_counted_in_its_direction_and_quadrant(real, reactive, quadrant):
    desk = Desk(load=Load(real * KW, reactive * KW))
    totals = decode_totals("A1140", desk.meter.image(507, HOUR))
    into, apparent = (Source.IMPORT, Source.VA_IMPORT) if real > 0 else (Source.EXPORT, Source.VA_EXPORT)
    counted = {source: value for source, value in totals.items() if value}
    assert counted == {into: 3_000_000, quadrant: 4_000_000, apparent: 5_000_000}


@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_the_totals_of_every_model_are_in_milliwatt_hours(model):
    desk = Desk(model, energies={Source.IMPORT: 123})
    assert decode_totals(model, desk.meter.image(507, HOUR))[Source.IMPORT] == 1_123_000


def test_a_total_rolls_over_beyond_sixteen_digits():
    desk = Desk(energies={Source.IMPORT: 10**13 - 500})
    assert decode_totals("A1140", desk.meter.image(507, HOUR))[Source.IMPORT] == 500_000


def test_rates_are_counted_by_the_calendar_and_add_up_to_the_total():
    desk = Desk(load=Load(-KW))
    desk.log_in()
    desk.section(DAY_NIGHT)
    rates = decode_energies(desk.meter.image(508, 3 * DAY))
    assert rates == (0, 0, 0, 0, 48_000_000, 24_000_000, 0, 0)
    assert sum(rates) == decode_totals("A1140", desk.meter.image(507, 3 * DAY))[Source.EXPORT]


def test_switching_times_are_those_that_people_read():
    desk = Desk(epoch=datetime(2026, 3, 28, 23))
    desk.log_in()
    desk.section(DAY_NIGHT)
    day, night, *_ = decode_energies(desk.meter.image(508, 8 * HOUR))  # it is 8 o'clock summer time
    assert (day, night) == (1_000_000, 7_000_000)


def test_the_three_highest_demands_stand_with_time_and_source():
    desk = Desk("A1700")
    for hour, power in enumerate((2, 5, 3, 4), 1):
        desk.feeder.change(hour * HOUR, load=Load(power * KW))
    first, second, third, export, *_ = decode_maximum(desk.meter.image(510, 5 * HOUR))
    assert (first.value, first.time, first.source) == (5 * KW, datetime(2026, 3, 10, 10, 30), 1)
    assert (second.value, second.time) == (5 * KW, datetime(2026, 3, 10, 11))
    assert third.value == 4 * KW
    assert export.source is None


def test_a_sliding_demand_sees_more_than_a_block():
    desk = Desk(load=Load(0))
    desk.log_in()
    desk.section(DemandPeriod(30, 10))
    desk.feeder.change(20 * MINUTE, load=Load(6 * KW))
    desk.feeder.change(50 * MINUTE, load=Load(0))
    assert decode_maximum(desk.meter.image(510, HOUR))[0].value == 6 * KW


def test_the_cumulative_demand_names_its_sources():
    desk = Desk()
    desk.meter.press_reset(HOUR)
    imported, exported, *unused = decode_cumulative(desk.meter.image(509, HOUR))
    assert (imported.value, imported.source, exported.value, exported.source) == (KW, 0, 0, 1)
    assert [record.source for record in unused] == [None, None]


def test_other_sources_count_from_when_they_are_programmed():
    desk = Desk(load=Load(3 * KW, 4 * KW))
    desk.log_in(now=HOUR)
    desk.section(RegisterSources(("q1",), ("va_import",)), now=HOUR)
    rates = decode_energies(desk.meter.image(508, 2 * HOUR))
    assert rates[0] == 3_000_000 + 4_000_000
    assert decode_maximum(desk.meter.image(510, 2 * HOUR))[0].value == 5 * KW


def test_a_wrong_transformer_ratio_shows_in_what_is_counted_from_then_on():
    desk = Desk()
    desk.log_in(now=HOUR)
    desk.section(Transformers(Ratio(20_000, 500)), now=HOUR)
    assert desk.kwh(2 * HOUR) == 1 + 40


def test_nothing_is_rounded_away_however_often_something_changes():
    desk = Desk(load=Load(1_234_567, 7))
    for minute in range(1, 500):
        desk.feeder.change(minute * 7_777_777_777, load=Load(1_234_567, 7))
    assert desk.meter.energies(4 * HOUR)[Source.IMPORT] == 1_234_567 * 4 * HOUR
    assert desk.kwh(4 * HOUR) == pytest.approx(1.234567 * 4)


@pytest.mark.parametrize("model", ["A1140", "A1700"])
def test_a_meter_is_commissioned_with_the_transformers_in_front_of_it(model):
    desk = Desk(model, installed=Ratios((400, 5)))
    assert desk.kwh(HOUR) == 1
    assert b"0.4.2(0080.00)" in desk.meter.readout(HOUR)
    assert decode_ratio(model, "ct", desk.meter.image(616, HOUR)) == Ratio(40_000, 500), "as on the plate, not 80:1"


def test_pulses_at_an_external_input_are_counted():
    desk = Desk("A1700")
    desk.meter.count_input(HOUR, Source.INPUT_2, 5)
    assert decode_energies(desk.meter.image(516, HOUR)) == (0, 5000, 0, 0)
    assert desk.kwh(2 * HOUR) == 2
