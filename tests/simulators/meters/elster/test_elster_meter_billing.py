# meters keep local time without a zone
from elster_desk import DAY, HOUR, KW, MINUTE, Desk, Load, Source, datetime, pytest

from protocols.elster.configuration import (
    BillingDate,
    BillingDates,
    DayType,
    MonthDay,
    Season,
    SwitchingTime,
    TariffStructure,
)
from protocols.elster.history import Trigger, decode_history
from protocols.elster.logs import decode_event_log, decode_event_set
from protocols.elster.registers import decode_cumulative, decode_maximum, decode_totals

END_OF_MARCH = datetime(2026, 3, 31, 12)


def sets(desk, now, identity=543):
    return decode_history(desk.meter.model.name, desk.meter.image(identity, now))


@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_at_its_date_a_set_is_stored_and_the_maxima_begin_anew(model):
    desk = Desk(model, epoch=END_OF_MARCH)
    (kept,) = sets(desk, DAY)
    assert (kept.trigger, kept.time) == (Trigger.BILLING_DATE, datetime(2026, 3, 31, 23))  # midnight of summer time
    assert kept.totals[Source.IMPORT] == 12_000_000
    assert (kept.maximum[0].value, kept.maximum[0].time) == (KW, datetime(2026, 3, 31, 11, 30))
    assert decode_cumulative(desk.meter.image(509, DAY))[0].value == KW
    assert decode_maximum(desk.meter.image(510, DAY))[0].time == datetime(2026, 3, 31, 23, 30)
    assert decode_totals(model, desk.meter.image(507, DAY))[Source.IMPORT] == 24_000_000


def test_a_reset_by_hand_ends_the_demand_period_first():
    desk = Desk()
    desk.meter.press_reset(15 * MINUTE)
    (kept,) = sets(desk, 15 * MINUTE)
    assert (kept.trigger, kept.maximum[0].value) == (Trigger.BUTTON, KW // 2)


@pytest.mark.parametrize(("via", "trigger"), [("optical", Trigger.OPTICAL), ("remote", Trigger.SERIAL_PORT)])
def test_a_reset_through_a_port_says_which(via, trigger):
    desk = Desk()
    desk.log_in(2, HOUR, via)
    desk.write(655, b"\x01", HOUR)
    assert sets(desk, HOUR)[0].trigger == trigger
    assert not desk.session.changed
    assert desk.refused(desk.write, 655, b"\x02", HOUR) == "ERR6"


def test_an_a1700_is_reset_by_an_execute_command_with_nothing():
    desk = Desk("A1700")
    desk.log_in(2, HOUR)
    desk.do("E2", b"655001()", HOUR)
    assert len(sets(desk, HOUR)) == 1


def test_resets_by_hand_are_locked_out_for_a_time():
    desk = Desk(profile={"billing_lockout": "10 min"})
    assert desk.meter.press_reset(HOUR)
    assert not desk.meter.press_reset(HOUR + 9 * MINUTE)
    desk.log_in(2, HOUR + 9 * MINUTE)
    assert desk.refused(desk.write, 655, b"\x01", HOUR + 9 * MINUTE) == "ERR5"
    assert len(sets(desk, HOUR)) == 1
    assert desk.meter.press_reset(HOUR + 10 * MINUTE)


def test_or_until_midnight_and_the_button_may_be_off():
    desk = Desk()
    desk.log_in()
    desk.section(BillingDates((BillingDate(10, hour=12),), lock_out=None))
    assert desk.meter.press_reset(HOUR)
    assert not desk.meter.press_reset(15 * HOUR)
    assert [kept.trigger for kept in sets(desk, 15 * HOUR)] == [Trigger.BILLING_DATE, Trigger.BUTTON]
    assert desk.meter.press_reset(17 * HOUR)
    desk.log_in(now=17 * HOUR)
    desk.section(BillingDates((), 0, button=False), 17 * HOUR)
    assert not desk.meter.press_reset(2 * DAY)


def test_the_newest_set_is_the_first_and_the_oldest_is_lost():
    desk = Desk()
    for hour in range(1, 31):
        desk.feeder.change(hour * HOUR, load=Load(hour * KW))
        desk.meter.press_reset(hour * HOUR)
    found = sets(desk, 30 * HOUR)
    assert len(found) == 24
    assert found[0].totals[Source.IMPORT] > found[1].totals[Source.IMPORT]


def test_a_date_that_was_missed_without_supply_is_made_up_for():
    desk = Desk(epoch=END_OF_MARCH)
    desk.feeder.switch_supply(HOUR, on=False)
    desk.feeder.switch_supply(2 * DAY, on=True)
    (kept,) = sets(desk, 2 * DAY)
    assert kept.trigger == Trigger.BILLING_DATE | Trigger.POWER_UP
    assert kept.totals[Source.IMPORT] == 1_000_000


@pytest.mark.parametrize(("follows", "found"), [([], []), (["season"], [Trigger.SEASON])])
def test_a_change_of_season_resets_where_it_is_switched_on(follows, found):
    desk = Desk(epoch=datetime(2026, 3, 31, 12), profile={"billing_triggers": follows})
    desk.log_in()
    week = (1,) * 7
    seasons = (Season(MonthDay(4, 1), week), Season(MonthDay(10, 1), week))
    desk.section(TariffStructure(seasons, (DayType((SwitchingTime(0, (1,)),)),)))
    assert [kept.trigger for kept in sets(desk, DAY)] == found


def test_a_date_on_29_february_comes_in_leap_years_only():
    desk = Desk(epoch=datetime(2027, 2, 27))
    desk.log_in()
    desk.section(BillingDates((BillingDate(29, month=2),)))
    assert [kept.time for kept in sets(desk, 370 * DAY)] == [datetime(2028, 2, 29)]


def test_every_midnight_leaves_a_daily_set():
    desk = Desk(epoch=datetime(2026, 3, 10, 23))
    found = sets(desk, 30 * DAY, 545)
    assert len(found) == 14
    assert found[0].time == datetime(2026, 4, 9, 23)
    assert found[0].totals[Source.IMPORT] - found[1].totals[Source.IMPORT] == 24_000_000


def test_resets_are_logged_with_their_trigger_and_the_logs_are_kept_with_the_set():
    desk = Desk()
    desk.meter.open_cover(0)
    desk.meter.press_reset(HOUR)
    log = decode_event_log(desk.meter.image(699, HOUR), info=True)
    assert (log.count, log.info[0], log.times[0]) == (1, Trigger.BUTTON, datetime(2026, 3, 10, 9))
    first_set = desk.meter.image(544, HOUR)[:280]
    assert [each.count for each in decode_event_set("A1140", first_set)][:2] == [0, 1]


def test_a_clock_that_is_set_back_does_not_lock_for_longer():
    desk = Desk(profile={"billing_lockout": "10 min"})
    desk.meter.press_reset(HOUR)
    desk.meter.set_clock(HOUR, datetime(2025, 1, 1))
    assert not desk.meter.press_reset(HOUR + 9 * MINUTE)
    assert desk.meter.press_reset(HOUR + 10 * MINUTE)
