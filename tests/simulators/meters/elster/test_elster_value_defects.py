"""Every defect of values shows on the meter that has it, and on nothing that it is not about."""

import pytest
from elster_desk import DAY, HOUR, KW, MINUTE, Desk, Load, datetime

from protocols.elster.configuration import DayType, MonthDay, Season, SwitchingTime, TariffStructure
from protocols.elster.instantaneous import Instant, Request
from protocols.elster.moments import encode_clock
from simulators.faults import switch_on
from simulators.faults.registry import load
from simulators.meters.elster.firmware import HEALTHY

MODULES = {
    f"simulators.faults.elster_{name}" for name in ("counting", "billing", "profile", "logs", "clock", "showing")
}
MINE = {id_: found for id_, found in load().items() if found.install.__module__ in MODULES}


def cut(desk):
    desk.feeder.switch_supply(HOUR + 7 * MINUTE, on=False)
    desk.feeder.switch_supply(3 * HOUR, on=True)
    return desk.meter.image(507, 4 * HOUR), desk.meter.image(550, 4 * HOUR)


def exported(desk):
    desk.feeder.change(0, load=Load(-KW, KW))
    return desk.meter.image(507, HOUR)


def other_rates(desk):
    desk.log_in()
    day = DayType((SwitchingTime(0, (1, 5)), SwitchingTime(9 * 60, (2, 6))))
    desk.section(TariffStructure((Season(MonthDay(1, 1), (1,) * 7),), (day,)))
    return desk.meter.image(508, 3 * HOUR)


def reset(desk):
    desk.meter.settle(40 * MINUTE)
    desk.feeder.change(40 * MINUTE, load=Load(9 * KW))
    desk.meter.press_reset(55 * MINUTE)
    return [desk.meter.image(number, HOUR) for number in (507, 509, 543)]


def reset_twice(desk):
    return [desk.meter.press_reset(0), desk.meter.press_reset(MINUTE)]


def month_without_supply(desk):
    desk.meter.set_clock(0, datetime(2026, 3, 31, 23))
    desk.feeder.switch_supply(MINUTE, on=False)
    desk.feeder.switch_supply(3 * HOUR, on=True)
    return desk.meter.image(543, 3 * HOUR)


def forward(desk):
    desk.meter.set_clock(65 * MINUTE, datetime(2026, 3, 10, 13, 10))
    return desk.meter.image(550, 4 * HOUR)


def back(desk):
    desk.meter.set_clock(5 * HOUR + 5 * MINUTE, datetime(2026, 3, 10, 9, 10))
    return desk.meter.image(550, 6 * HOUR)


def summer(desk):
    desk.meter.set_clock(0, datetime(2026, 3, 28, 22))
    return desk.meter.image(550, 3 * DAY)


def evening(desk):
    desk.log_in()
    desk.write(861, encode_clock(datetime(2026, 3, 10, 23)))
    return desk.meter.image(861, HOUR)


def steep(desk):
    desk.feeder.change(0, load=Load(123_459_000))
    return desk.meter.image(550, 3 * HOUR)


def cleared(desk):
    desk.log_in()
    desk.write(940, b"\x01")
    return desk.meter.image(550, 3 * HOUR)


def programmed(desk):
    for who in (b"SOMEBODY    ", b"QA          "):
        desk.log_in()
        desk.write(576, who)
        desk.write(795, b"A       ")
        desk.write(795, b"B       ")
        desk.close()
    return desk.meter.image(680, HOUR)


def refused(desk):
    desk.log_in()
    desk.refused(desk.write, 861, bytes.fromhex("00000001130026"))
    return desk.meter.image(680, HOUR)


def restarted(desk):
    for hour in range(4):
        desk.meter.transient_reset((hour + 1) * HOUR)
    return desk.meter.image(696, DAY)


def adjusted(desk):
    desk.log_in(1)
    desk.write(862, encode_clock(datetime(2026, 3, 10, 8, 5)))
    return desk.meter.image(861, 3 * HOUR)


def adjusted_far(desk):
    desk.meter.adjust_clock(0, datetime(2026, 3, 10, 8, 20))
    return desk.meter.image(861, 3 * HOUR)


def read_out(desk):
    return desk.meter.readout(HOUR)


def asked_twice(desk):
    desk.log_in()
    desk.write(605, Request(Instant.VOLTAGE).encode())
    desk.write(605, Request(Instant.FREQUENCY).encode(), MINUTE)
    return desk.meter.image(606, MINUTE)


def days(desk):
    return desk.meter.image(545, 2 * DAY)


LOOKS = {
    "E53": cut, "E54": exported, "E81": exported, "E82": other_rates,
    "E38": reset, "E39": reset_twice, "E83": reset, "E84": reset, "E85": reset, "E86": reset,
    "E87": month_without_supply, "E88": days,
    "E41": forward, "E42": back, "E43": summer, "E46": steep, "E89": cut, "E90": summer, "E91": cleared, "E92": forward,
    "E143": programmed, "E145": read_out, "E146": evening,
    "E35": programmed, "E36": restarted, "E37": programmed, "E93": restarted, "E94": refused,
    "E44": adjusted, "E95": adjusted_far, "E47": read_out, "E60": asked_twice, "E96": read_out, "E97": read_out,
}  # fmt: skip
OPTIONS = {
    "E39": {"profile": {"billing_lockout": "10 min"}},
    "E93": {"profile": {"events_before": 65_534}},
    "E97": {"energies": None},
}


def desk_for(id_):
    options = {name: value for name, value in OPTIONS.get(id_, {}).items() if value is not None}
    desk = Desk(MINE[id_].model or "A1140", **options)
    if id_ == "E97":
        desk.feeder.change(0, load=Load(10**13))  # 10 GW: over the seven digits within the hour
    return desk


def test_every_defect_of_values_is_looked_at():
    assert set(LOOKS) == set(MINE)


@pytest.mark.parametrize("id_", LOOKS)
def test_a_defect_shows_and_a_healthy_twin_does_not(id_):
    look = LOOKS[id_]
    healthy, twin, sick = desk_for(id_), desk_for(id_), desk_for(id_)
    switch_on(id_, sick.meter)
    assert look(healthy) == look(twin)
    assert look(sick) != look(desk_for(id_))
    assert healthy.meter.firmware is HEALTHY


@pytest.mark.parametrize("id_", [id_ for id_, look in LOOKS.items() if look not in (read_out, exported)])
def test_a_defect_leaves_alone_what_it_is_not_about(id_):
    """Without its occasion a sick meter shows what a healthy one shows."""
    healthy, sick = desk_for(id_), desk_for(id_)
    switch_on(id_, sick.meter)
    for number in (507, 508, 680, 861):
        assert sick.meter.image(number, 20 * MINUTE) == healthy.meter.image(number, 20 * MINUTE)
