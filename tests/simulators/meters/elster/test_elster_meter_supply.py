# meters keep local time without a zone
from dataclasses import replace

from elster_desk import DAY, HOUR, KW, MINUTE, SECOND, Desk, datetime, pytest

from protocols.elster.logs import decode_battery_support, decode_event_log
from protocols.elster.registers import decode_maximum


def cut(desk, off, on):
    desk.feeder.switch_supply(off, on=False)
    desk.feeder.switch_supply(on, on=True)


def test_registers_survive_a_power_cut_and_nothing_is_counted_without_supply():
    desk = Desk()
    desk.feeder.switch_supply(3 * HOUR + 17 * MINUTE, on=False)
    assert desk.kwh(12 * HOUR) == pytest.approx(3 + 17 / 60)
    desk.feeder.switch_supply(DAY, on=True)
    assert desk.kwh(DAY) == pytest.approx(3 + 17 / 60)
    assert desk.kwh(DAY + HOUR) == pytest.approx(4 + 17 / 60)
    assert decode_maximum(desk.meter.image(510, DAY + HOUR))[0].value == KW


def test_a_firmware_that_saves_only_every_two_hours_loses_the_rest():
    desk = Desk()
    desk.meter.firmware = replace(desk.meter.firmware, saves_at_power_fail=False)
    cut(desk, 3 * HOUR + 17 * MINUTE, DAY)
    assert desk.kwh(DAY) == 2


def test_it_is_silent_without_supply_and_while_it_boots():
    desk = Desk(profile={"boot": "3 s"})
    assert desk.meter.powered(0)
    cut(desk, MINUTE, HOUR)
    assert not desk.meter.powered(HOUR + 3 * SECOND - 1)
    assert desk.meter.powered(HOUR + 3 * SECOND)
    desk.feeder.change(2 * HOUR, voltage=0)
    assert not desk.meter.powered(2 * HOUR)


def test_the_battery_keeps_the_clock_and_counts_what_it_supported():
    desk = Desk("A1700")
    cut(desk, HOUR, 3 * HOUR)
    cut(desk, 4 * HOUR, 5 * HOUR)
    assert desk.meter.clock.read(6 * HOUR) == datetime(2026, 3, 10, 14)
    found = decode_battery_support(desk.meter.image(546, 6 * HOUR))
    assert (found.supported, found.last) == (3 * 3600, 3600)
    assert found.remaining == 10 * 365 * DAY // SECOND - 3 * 3600


@pytest.mark.parametrize(("profile", "low"), [({"battery": False}, False), ({}, True)])
def test_without_a_battery_or_with_a_flat_one_the_clock_stands(profile, low):
    desk = Desk(profile=profile)
    desk.meter.battery_low(0, low=low)
    cut(desk, HOUR, 3 * HOUR)
    assert desk.meter.clock.read(4 * HOUR) == datetime(2026, 3, 10, 10)


def test_power_failures_are_logged():
    desk = Desk()
    cut(desk, HOUR, 2 * HOUR)
    log = decode_event_log(desk.meter.image(695, DAY))
    assert (log.count, log.times[0]) == (1, datetime(2026, 3, 10, 9))


def test_a_session_does_not_survive_a_power_cut():
    desk = Desk()
    desk.log_in()
    desk.write(551, b"\x01\x00")
    assert desk.meter.profile_reading is not None
    desk.feeder.switch_supply(1, on=False)
    assert desk.meter.profile_reading is None


def test_a_demand_period_begins_anew_after_a_power_cut():
    desk = Desk()
    cut(desk, 20 * MINUTE, 25 * MINUTE)
    desk.feeder.change(30 * MINUTE, load=desk.feeder.load)
    assert decode_maximum(desk.meter.image(510, 30 * MINUTE))[0].value == pytest.approx(KW / 6, abs=1)
