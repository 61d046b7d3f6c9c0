# meters keep local time without a zone
from elster_desk import HOUR, KW, MINUTE, Desk, Load, datetime, pytest

from protocols.elster.logs import Phases, decode_event_log, decode_status
from simulators.meters.elster.events import Event


def log(desk, identity, now, *, info=False):
    return decode_event_log(desk.meter.image(identity, now), info=info)


RAISES = {
    691: lambda meter, now: meter.open_cover(now, terminal=True),
    692: lambda meter, now: meter.open_cover(now),
    693: lambda meter, now: meter.fail_phase(now, Phases.A),
    694: lambda meter, now: meter.feeder.change(now, load=Load(-KW)),
    696: lambda meter, now: meter.transient_reset(now),
    697: lambda meter, now: meter.battery_low(now, low=True),
    702: lambda meter, now: meter.magnetic_field(now, present=True),
}


@pytest.mark.parametrize("identity", RAISES)
def test_every_event_is_counted_with_its_time(identity):
    desk = Desk()
    RAISES[identity](desk.meter, HOUR)
    found = log(desk, identity, 2 * HOUR)
    assert (found.count, found.times) == (1, (datetime(2026, 3, 10, 9), None, None))


@pytest.mark.parametrize("identity", [691, 692, 694, 697, 702])
def test_what_lasts_is_logged_once(identity):
    desk = Desk()
    for minute in range(3):
        RAISES[identity](desk.meter, minute * MINUTE)
    assert log(desk, identity, HOUR).count == 1


def test_phases_that_fail_one_after_the_other_are_logged_with_their_letters():
    desk = Desk()
    desk.meter.fail_phase(0, Phases.A)
    desk.meter.fail_phase(MINUTE, Phases.A | Phases.C)
    desk.meter.fail_phase(2 * MINUTE, Phases(0))
    desk.meter.fail_phase(3 * MINUTE, Phases.B)
    found = log(desk, 693, HOUR, info=True)
    assert (found.count, found.info) == (3, bytes((Phases.B, Phases.C, Phases.A)))


def test_the_status_stands_while_something_lasts():
    desk = Desk()
    assert decode_status(desk.meter.image(724, 0)).status == 0
    desk.meter.open_cover(0)
    assert decode_status(desk.meter.image(724, 0)).status != 0
    desk.meter.close_cover(MINUTE)
    assert decode_status(desk.meter.image(724, MINUTE)).status == 0


def test_alerts_are_told_as_they_happen():
    desk, heard = Desk(), []
    desk.meter.events.on_event = lambda event, now, info: heard.append((event, now, info))
    desk.meter.fail_phase(MINUTE, Phases.B)
    desk.meter.press_reset(HOUR)
    desk.feeder.switch_supply(2 * HOUR, on=False)
    assert heard == [(Event.PHASE_FAILURE, MINUTE, 2), (Event.BILLING, HOUR, 0x20), (Event.POWER_FAILURE, 2 * HOUR, 0)]


def test_export_is_no_reverse_run_where_the_profile_says_so():
    desk = Desk(profile={"reverse_run": False})
    desk.feeder.change(HOUR, load=Load(-KW))
    assert log(desk, 694, HOUR).count == 0


def test_three_events_more_push_the_first_out():
    desk = Desk()
    for hour in range(1, 6):
        desk.meter.transient_reset(hour * HOUR)
    found = log(desk, 696, 6 * HOUR)
    assert [time.hour for time in found.times] == [13, 12, 11]
    assert found.count == 5
