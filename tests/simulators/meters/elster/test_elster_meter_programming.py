# meters keep local time without a zone
from elster_desk import HOUR, MINUTE, SECOND, Desk, datetime, pytest

from protocols.elster.configuration import (
    ClockChange,
    DayType,
    DemandPeriod,
    MonthDay,
    Passwords,
    Season,
    SpecialDay,
    SwitchingTime,
    TariffStructure,
    layout,
)
from protocols.elster.logs import decode_programming_log
from protocols.elster.moments import encode_clock
from simulators.meters.elster.catalogue import catalogue

USER = b"Elster      "
TARIFF = TariffStructure(
    (Season(MonthDay(1, 1), (2,) * 7),),
    (DayType((SwitchingTime(0, (1,)),)), DayType((SwitchingTime(0, (2,)), SwitchingTime(600, (3,))))),
    (SpecialDay(MonthDay(12, 25), 1),),
)


def log(desk, now=0):
    return decode_programming_log(desk.meter.image(680, now))


def test_a_session_that_changes_something_counts_once_with_time_source_and_user():
    desk = Desk()
    desk.log_in(now=MINUTE)
    desk.write(576, USER, MINUTE)
    desk.write(795, b"R5228052", MINUTE)
    desk.section(DemandPeriod(15, 15), 2 * MINUTE)
    desk.close(2 * MINUTE)
    found = log(desk, HOUR)
    assert (found.count, found.times[0], found.sources[0], found.users[0]) == (
        1,
        datetime(2026, 3, 10, 8, 1),
        0,
        b"Elster",
    )


def test_the_next_session_does_not_keep_the_name_of_the_one_before():
    desk = Desk()
    for via, name in (("optical", USER), ("remote", None)):
        desk.log_in(via=via)
        if name:
            desk.write(576, name)
        desk.write(795, b"R5228052")
        desk.close()
    found = log(desk)
    assert (found.count, found.sources[:2], found.users[:2]) == (2, (1, 0), (b"", b"Elster"))


def test_an_a1700_logs_only_when():
    desk = Desk("A1700")
    desk.log_in()
    desk.write(795, b"A1700 SCHEME 01 ")
    assert len(desk.meter.image(680, 0)) == 14
    assert log(desk).count == 1


@pytest.mark.parametrize(("operand", "error"), [
    (b"795001(525352", "ERR1"), (b"795001(5)", "ERR1"), (b"79501(5253)", "ERR1"), (b"", "ERR1"), (None, "ERR1"),
    (b"795001(5253)", "ERR1"),  # too short
    (b"795001(525352353232383035)", "ERR1"),  # too long
    (b"795002(5235323238303532)", "ERR3"), (b"795000(5235323238303532)", "ERR3"),
    (b"999001(00)", "ERR2"), (b"798001(00)", "ERR1"),
    (b"795001(0035323238303532)", "ERR6"), (b"878001(0B0901)", "ERR6"), (b"878001(090902)", "ERR6"),
    (b"576001(00)", "ERR6"), (b"931001(41)", "ERR6"), (b"551001(01)", "ERR6"), (b"797001(2A2A2A)", "ERR6"),
])  # fmt: skip
def test_what_is_malformed_or_cannot_be_is_refused_and_changes_nothing(operand, error):
    desk = Desk()
    desk.log_in()
    before = {number: desk.meter.image(number, 0) for number in catalogue("A1140")}
    assert desk.refused(desk.do, "W1", operand) == error
    assert {number: desk.meter.image(number, 0) for number in catalogue("A1140")} == before
    assert not desk.session.changed


@pytest.mark.parametrize(("identity", "data", "level"), [
    (576, USER, 1), (551, b"\x01\x00", 1), (655, b"\x01", 2), (795, b"R5228052", 3), (878, b"\x09\x09\x01", 3),
    (931, b"NEWPASS1", 3),
])  # fmt: skip
def test_each_identity_needs_its_level(identity, data, level):
    desk = Desk()
    desk.log_in(level - 1)
    assert desk.refused(desk.write, identity, data) == "ERR5"
    assert log(desk).count == 0
    desk.log_in(level)
    desk.write(identity, data)


def test_what_is_read_only_is_refused():
    desk = Desk()
    desk.log_in()
    assert desk.refused(desk.write, 507, bytes(64)) == "ERR1"


def test_no_other_command_is_known():
    desk = Desk()
    desk.log_in()
    for name in ("W2", "R2", "R3", "W5", "E1"):
        assert desk.refused(desk.do, name, b"795001(08)") == "ERR1"


def test_a_long_object_is_in_force_with_its_last_packet():
    desk = Desk()
    desk.log_in()
    data = TARIFF.encode(layout("A1140"))["tariff_special_days"]
    before = desk.meter.image(907, 0)
    for number in range(1, 4):
        desk.write_packet(907, number, data[64 * number - 64 : 64 * number])
        assert desk.meter.image(907, 0) == before
        assert log(desk).count == 0
    assert desk.meter.configuration.sections["tariff"].special_days == ()
    desk.write_packet(907, 4, data[192:])
    assert desk.meter.image(907, 0) == data
    assert log(desk).count == 1


def test_a_long_object_that_is_interrupted_leaves_the_old_one():
    desk = Desk()
    data = TARIFF.encode(layout("A1140"))["tariff_special_days"]
    before = desk.meter.image(907, 0)
    desk.log_in()
    desk.write_packet(907, 1, data[:64])
    desk.close(why="timeout")
    desk.log_in()
    assert desk.refused(desk.write_packet, 907, 2, data[64:128]) == "ERR3"
    assert desk.meter.image(907, 0) == before


@pytest.mark.parametrize(("packets", "error"), [([2], "ERR3"), ([1, 3], "ERR3"), ([1, 1, 3], "ERR3")])
def test_packets_come_in_their_order(packets, error):
    desk = Desk()
    desk.log_in()
    *good, last = packets
    for number in good:
        desk.write_packet(907, number, b"\xff" * 64)
    assert desk.refused(desk.write_packet, 907, last, b"\xff" * 64) == error


def test_a_section_of_several_identities_is_in_force_when_they_fit_one_another():
    desk = Desk()
    desk.log_in()
    objects = TARIFF.encode(layout("A1140"))
    before = desk.meter.configuration.sections["tariff"]
    desk.write(905, objects["tariff_seasons"])  # its day type 2 is not there yet
    assert desk.meter.configuration.sections["tariff"] == before
    assert desk.meter.image(905, 0) == objects["tariff_seasons"]  # as it was just written
    assert not desk.session.changed
    desk.write(906, objects["tariff_day_types"])
    assert desk.meter.registers.tou.rates == {2}
    assert desk.session.changed


def test_a_section_that_never_fits_is_dropped_with_the_session():
    desk = Desk()
    desk.log_in()
    before = desk.meter.image(905, 0)
    desk.write(905, TARIFF.encode(layout("A1140"))["tariff_seasons"])
    desk.close()
    assert desk.meter.image(905, 0) == before
    assert log(desk).count == 0


def test_a_power_cut_before_it_is_saved_takes_a_change_and_its_count_back():
    desk = Desk(profile={"save_delay": "50 ms"})
    desk.log_in()
    desk.section(DemandPeriod(15, 15))
    desk.write(795, b"R5228052", SECOND)
    desk.write(795, b"R5228053", 2 * SECOND)
    desk.feeder.switch_supply(2 * SECOND + SECOND // 100, on=False)
    desk.feeder.switch_supply(MINUTE, on=True)
    assert desk.meter.image(795, HOUR) == b"R5228052"
    assert desk.meter.configuration.sections["demand"] == DemandPeriod(15, 15)
    assert log(desk, HOUR).count == 1


def test_a_section_that_a_power_cut_takes_back_is_in_force_no_more():
    desk = Desk()
    desk.log_in()
    desk.section(ClockChange(2, *(desk.meter.configuration.sections["daylight_saving"].__getattribute__(name)
                                  for name in ("advance", "retard"))))  # fmt: skip
    desk.feeder.switch_supply(1, on=False)
    assert desk.meter.clock.daylight_saving.shift == 1


def test_a_new_password_is_good_at_once_and_is_never_read():
    desk = Desk()
    desk.log_in()
    for name, data in Passwords({3: "FEDC0003"}).encode(layout("A1140")).items():
        desk.write(desk.number(name), data)
    assert desk.refused(desk.read, "933001(08)") == "ERR1"
    desk.log_in()
    assert desk.session.level == 3
    assert desk.meter.security.passwords[3] == b"FEDC0003"
    assert log(desk).count == 1


def test_the_outstation_number_is_the_address():
    desk = Desk(outstation="094")
    assert desk.meter.answers_to(b"94")
    desk.log_in()
    desk.write(797, b"123")
    assert not desk.meter.answers_to(b"094")
    assert desk.meter.answers_to(b"00123")
    assert desk.meter.answers_to(b"")


def test_small_adjustments_count_where_the_profile_says_so():
    for counts, expected in ((False, 0), (True, 1)):
        desk = Desk(profile={"small_adjusts_count": counts})
        desk.log_in(1)
        desk.write(862, encode_clock(datetime(2026, 3, 10, 8, 1)))
        assert log(desk).count == expected


def test_the_name_is_written_and_never_read():
    desk = Desk()
    desk.log_in(1)
    desk.write(576, USER)
    assert desk.refused(desk.read, "576001(0C)") == "ERR1"
    assert desk.session.user == USER


def test_the_first_change_of_a_session_is_taken_back_with_its_count():
    desk = Desk()
    desk.log_in()
    desk.write(795, b"R5228052")
    assert log(desk).count == 1
    desk.feeder.switch_supply(1, on=False)
    assert log(desk).count == 0
