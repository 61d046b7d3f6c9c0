"""Every decision of the firmware is live: with another one in its place, the meter shows something else."""

# meters keep local time without a zone
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta

from elster_desk import DAY, HOUR, KW, MINUTE, SECOND, Desk, Load, Source, datetime, pytest

from protocols.elster.configuration import (
    DayType,
    DemandPeriod,
    MonthDay,
    Season,
    SwitchingTime,
    TariffStructure,
)
from protocols.elster.instantaneous import Instant, Request
from protocols.elster.moments import encode_clock
from protocols.flag.device import PROGRAMMING, Refusal
from protocols.flag.login import encode_digits, reply_to
from simulators.meters.elster.firmware import HEALTHY, Firmware

EIGHT = datetime(2026, 3, 10, 8)


def seen(desk, now, *identities):
    return [desk.meter.image(number, now) for number in identities]


def seeds(desk):
    return [desk.meter.open("optical", PROGRAMMING, 0).seed for _ in range(2)]


def writes_unseen(desk):
    desk.log_in(0)
    with suppress(Refusal):
        desk.write(795, b"R5228052")
    return desk.meter.image(795, 0)


def next_level(desk):
    desk.log_in()
    desk.close()
    return desk.meter.open("optical", PROGRAMMING, 0).level


def level_after_failure(desk):
    desk.log_in()
    desk.refused(desk.meter.password, desk.session, 2, b"1" * 16, 0)
    return desk.session.level


def accepted(operand):
    """Whether a reply lets in, and what it may do then."""

    def look(desk):
        session = desk.meter.open("optical", PROGRAMMING, 0)
        with suppress(Refusal):
            desk.meter.password(session, 2, operand(session.seed), 0)
        return session.level

    return look


def packet_000(desk):
    desk.log_in(0)
    with suppress(Refusal):
        return desk.read("798000(10)")
    return None


def beyond_the_end(desk):
    desk.log_in(0)
    with suppress(Refusal):
        return desk.read("798001(20)")
    return None


def programs(desk):
    for name in (b"Smith       ", None):
        desk.log_in()
        if name:
            desk.write(576, name)
        desk.write(795, b"R5228052")
        desk.write(795, b"R5228053")
        with suppress(Refusal):
            desk.write(878, b"\xff\xff\xff")
        desk.close()
    return seen(desk, 0, 680, 795)


def saves(desk):
    desk.log_in()
    desk.section(DemandPeriod(15, 15))
    desk.feeder.switch_supply(SECOND, on=False)
    desk.feeder.switch_supply(MINUTE, on=True)
    return seen(desk, HOUR, 878)


def half_an_object(desk):
    desk.log_in()
    desk.write_packet(907, 1, b"\xff\x01\x01\x01" + b"\xff" * 60)
    return seen(desk, 0, 907)


def half_a_section(desk):
    desk.log_in()
    desk.write(905, bytes((1, 1, *(2,) * 7)) + b"\xff" * 99)
    desk.close()
    return seen(desk, 0, 905)


def four_events(desk):
    for hour in range(4):
        desk.meter.transient_reset(hour * HOUR)
    return seen(desk, DAY, 696)


def billing(desk):
    desk.meter.press_reset(40 * MINUTE)
    return seen(desk, HOUR, 507, 510, 543)


def billing_twice(desk):
    return [desk.meter.press_reset(0), desk.meter.press_reset(MINUTE)]


def clock_set(desk):
    desk.meter.set_clock(40 * MINUTE, datetime(2026, 3, 10, 12))
    return seen(desk, HOUR, 550)


def adjusted(desk):
    desk.meter.adjust_clock(0, EIGHT + timedelta(minutes=8))
    desk.meter.adjust_clock(0, EIGHT + timedelta(minutes=1))
    return seen(desk, HOUR, 861)


def summer(desk):
    desk.meter.settle(25 * DAY)
    return seen(desk, 25 * DAY, 550, 507)


def profile(desk):
    desk.feeder.change(0, load=Load(123_456_789))
    return seen(desk, DAY, 550)


def cut(desk):
    desk.feeder.switch_supply(HOUR, on=False)
    desk.feeder.switch_supply(2 * HOUR, on=True)
    return seen(desk, DAY, 507, 550)


def exporting(desk):
    desk.feeder.change(0, load=Load(-KW))
    return seen(desk, HOUR, 507)


def instant_read_at_once(desk):
    desk.log_in()
    desk.write(605, Request(Instant.VOLTAGE).encode())
    desk.write(605, Request(Instant.FREQUENCY).encode(), MINUTE)
    return seen(desk, MINUTE, 606)


def first_of_the_month_without_supply(desk):
    desk.meter.set_clock(0, datetime(2026, 3, 31, 23))
    desk.feeder.switch_supply(MINUTE, on=False)
    desk.feeder.switch_supply(3 * HOUR, on=True)
    return seen(desk, 3 * HOUR, 543)


def demand_under_load(desk):
    return seen(desk, 2 * HOUR, 510)


def other_rates(desk):
    desk.log_in()
    day = DayType((SwitchingTime(0, (1, 5)), SwitchingTime(9 * 60, (2, 6))))
    desk.section(TariffStructure((Season(MonthDay(1, 1), (1,) * 7),), (day,)))
    return seen(desk, 3 * HOUR, 508)


def cleared(desk):
    desk.log_in()
    desk.write(940, b"\x01")
    return seen(desk, HOUR, 550)


def serial_number(desk):
    desk.log_in()
    with suppress(Refusal):
        desk.write(798, b"X" * 16)
    return seen(desk, HOUR, 798)


def clears_energy(meter, now):
    meter.registers.accumulators.preset(now, [0] * 16)


DECISIONS = [
    ("seed", lambda _stream, _before: b"12345678", seeds),
    ("allows", lambda _session, _needed, _expired: True, writes_unseen),
    ("first_level", lambda last: last, next_level),
    ("level_after_failure", lambda level: level, level_after_failure),
    ("level_of_zeros", 3, accepted(lambda _seed: b"0" * 16)),
    ("same_password", lambda said, right: said[:4] == right[:4],
     accepted(lambda seed: encode_digits(reply_to(seed, b"0000WXYZ")))),
    ("packet", lambda number: max(1, number), packet_000),
    ("fills_up", True, beyond_the_end),
    ("counts_change", lambda _session: 1, programs),
    ("counts_refusal", lambda _session: 1, programs),
    ("programmer", lambda session, before: session.user or before, programs),
    ("stored", lambda _number, before, _data: before, programs),
    ("save_time", lambda _what, now, _delay: now + HOUR, saves),
    ("after_change", lambda meter, _what, _now: meter.memory.update(scheme_id=bytes(8)), programs),
    ("stores_parts", True, half_an_object),
    ("stores_unfinished", True, half_a_section),
    ("count_event", lambda count: min(count + 1, 2), four_events),
    ("push_event", lambda before, new: (*before, new)[:3], four_events),
    ("programming_stamp", lambda at: at - at % DAY, programs),
    ("writes_read_only", True, serial_number),
    ("closes_demand", False, billing),
    ("locked_out", lambda _lock, _at: False, billing_twice),
    ("before_billing", clears_energy, billing),
    ("after_store", clears_energy, billing),
    ("after_billing", clears_energy, billing),
    ("makes_up_billing", False, first_of_the_month_without_supply),
    ("demand_stamp", lambda end, length: end - length, demand_under_load),
    ("active_rates", lambda before, wanted: before | wanted, other_rates),
    ("clock_setting", lambda before, _wanted: before, clock_set),
    ("clock_step", lambda pending, _step: pending, adjusted),
    ("may_adjust", lambda _by, _limit: False, adjusted),
    ("marks_time_change", lambda _before, _after: False, clock_set),
    ("flags_time_change", False, clock_set),
    ("marks_daylight_saving", False, summer),
    ("summer_flag", lambda summer: not summer, summer),
    ("after_daylight_change", clears_energy, summer),
    ("profile_value", lambda value: value + 10**6, profile),
    ("marks_days", False, profile),
    ("marks_power", False, cut),
    ("marks_clearing", False, cleared),
    ("counted", lambda _meter, rates: (rates[0] + rates[1], *rates[1:]), exporting),
    ("saves_at_power_fail", False, cut),
    ("after_boot", clears_energy, cut),
    ("energy_text", lambda value, _digits, _decimals: f"{value},0", lambda desk: desk.meter.readout(0)),
    ("unit_text", lambda _unit: "", lambda desk: desk.meter.readout(0)),
    ("line_text", str.lower, lambda desk: desk.meter.readout(0)),
    ("instant_value", lambda before, _fresh, _ready: before, instant_read_at_once),
    ("image", lambda _number, data: bytes(byte & 0x7F for byte in data), lambda desk: seen(desk, HOUR, 550)),
]  # fmt: skip


def built(decision, look):
    if decision == "save_time":
        return Desk(profile={"save_delay": "50 ms"})
    if look is billing_twice:
        return Desk(profile={"billing_lockout": "10 min"})
    return Desk("A1700" if look is instant_read_at_once else "A1140", energies={Source.IMPORT: 7})


@pytest.mark.parametrize(("decision", "other", "look"), DECISIONS, ids=[name for name, *_ in DECISIONS])
def test_a_replaced_decision_shows(decision, other, look):
    healthy, sick = built(decision, look), built(decision, look)
    sick.meter.firmware = replace(HEALTHY, **{decision: other})
    assert look(built(decision, look)) == look(healthy)
    assert look(sick) != look(built(decision, look))


def test_every_decision_is_looked_at():
    assert {name for name, *_ in DECISIONS} == {field.name for field in fields(Firmware)}


def test_a_level_that_outlives_its_session_is_a_habit_too():
    desk = Desk()
    desk.meter.habits.forgets = False
    assert next_level(desk) == 3


def test_a_setting_of_the_clock_counts_as_programming():
    desk = Desk()
    desk.log_in()
    desk.write(861, encode_clock(EIGHT))
    assert desk.session.changed
