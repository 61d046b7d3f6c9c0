# meters keep local time without a zone
from datetime import timedelta

from elster_desk import DAY, HOUR, KW, MINUTE, SECOND, Desk, datetime, pytest

from protocols.elster.configuration import ChangeRule, ClockChange
from protocols.elster.moments import decode_clock, decode_clock_block, encode_clock
from protocols.elster.profile import IntervalStatus

EIGHT = datetime(2026, 3, 10, 8)


def offset(desk, now):
    """By how much (s) the meter is ahead of the world."""
    desk.meter.settle(now)
    return (desk.meter.clock.read(now) - EIGHT).total_seconds() - now / SECOND


def adjusted(by, **options):
    desk = Desk(**options)
    desk.log_in(1)
    desk.write(862, encode_clock(EIGHT + timedelta(seconds=by)))
    return desk


@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_the_clock_is_read_and_set(model):
    desk = Desk(model)
    desk.log_in()
    desk.write(861, encode_clock(datetime(2027, 7, 1, 12)))
    assert decode_clock(desk.read("861001(07)", HOUR // 12)) == datetime(2027, 7, 1, 12, 5)
    assert decode_clock_block(desk.read("863001(10)", HOUR // 12)).time == datetime(2027, 7, 1, 11, 5)


@pytest.mark.parametrize(("by", "slope"), [(17, 5), (-17, -5)])
def test_an_adjustment_moves_five_seconds_in_each_period(by, slope):
    desk = adjusted(by)
    seen = [offset(desk, hours * HOUR // 2) for hours in range(6)]
    assert seen == [0, slope, 2 * slope, 3 * slope, by, by]


def test_the_longest_adjustment_takes_45_hours_of_half_hours():
    desk = adjusted(450)
    assert offset(desk, 44 * HOUR) < 450
    assert offset(desk, 45 * HOUR) == 450


@pytest.mark.parametrize("by", [451, -451])
def test_a_longer_adjustment_is_refused(by):
    desk = Desk()
    desk.log_in(1)
    assert desk.refused(desk.write, 862, encode_clock(EIGHT + timedelta(seconds=by))) == "ERR6"
    assert offset(desk, DAY) == 0


def test_an_adjustment_keeps_every_period_and_says_so_in_its_status():
    desk = adjusted(-12)
    day = desk.meter.recorder.days[-1]
    desk.meter.settle(3 * HOUR)
    records = [entry for entry in day.entries if hasattr(entry, "status")]
    assert [record.status for record in records] == [IntervalStatus.TIME_SYNC] * 3 + [0] * 2
    assert sum(record.length for record in records) == 150 * MINUTE + 12 * SECOND


def test_a_clock_that_is_set_forgets_its_adjustment():
    desk = adjusted(100)
    desk.meter.set_clock(0, EIGHT)
    assert offset(desk, DAY) == 0


def test_level_1_adjusts_and_only_level_3_sets():
    desk = Desk()
    desk.log_in(1)
    assert desk.refused(desk.write, 861, encode_clock(EIGHT)) == "ERR5"


@pytest.mark.parametrize("wrong", [b"\x00" * 7, bytes.fromhex("61000000103026"), bytes.fromhex("00000031020026")])
def test_a_moment_that_does_not_exist_is_refused(wrong):
    desk = Desk()
    desk.log_in()
    assert desk.refused(desk.write, 861, wrong) == "ERR6"
    assert offset(desk, 0) == 0
    assert not desk.session.changed


def test_a_drifting_clock_ends_its_periods_by_its_own_time():
    desk = Desk(profile={"clock_drift_ppm": 10_000})
    desk.meter.settle(HOUR)
    lengths = [entry.length for entry in desk.meter.recorder.days[-1].entries if hasattr(entry, "length")]
    assert lengths == [pytest.approx(30 * MINUTE / 1.01)] * 2
    assert desk.kwh(HOUR) == KW / 1e6


def test_another_rule_of_daylight_saving_holds_at_once():
    desk = Desk(epoch=datetime(2026, 7, 1, 12))
    desk.log_in()
    desk.section(ClockChange(2, ChangeRule(4, 1, 0, 2), ChangeRule(9, 1, 0, 3)))
    assert desk.meter.clock.read(0) == datetime(2026, 7, 1, 13)
    desk.section(ClockChange(0))
    assert desk.meter.clock.read(0) == datetime(2026, 7, 1, 11)


def test_the_step_of_an_adjustment_is_a_value_of_the_profile():
    desk = adjusted(100, profile={"adjust_step": "20 s"})
    assert [offset(desk, hours * HOUR // 2) for hours in range(4)] == [0, 20, 40, 60]


def test_the_year_has_two_digits():
    desk = Desk(epoch=datetime(2099, 12, 31, 23))
    assert decode_clock(desk.meter.image(861, 2 * HOUR)) == datetime(2000, 1, 1, 1)
