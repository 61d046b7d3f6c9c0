# meters keep local time without a zone
from elster_desk import DAY, HOUR, KW, MINUTE, SECOND, WH, Desk, Load, Source, datetime, pytest

from protocols.elster.configuration import ClockChange, ProfileSetup
from protocols.elster.logs import Phases
from protocols.elster.moments import encode_clock, encode_seconds, seconds_of
from protocols.elster.profile import ExtendedStatus, Interval, IntervalStatus, Marker, MarkerKind, decode_records
from protocols.elster.requests import ProfileRange, decode_counts, encode_days

MIDNIGHT = datetime(2026, 3, 10)


def profile(desk, now, **options):
    return decode_records(desk.meter.model.name, desk.meter.image(550, now), **options)


def markers(records):
    return [record.kind for record in records if isinstance(record, Marker)]


def intervals(records):
    return [record for record in records if isinstance(record, Interval)]


def test_a_day_has_its_marker_and_48_half_hours():
    desk = Desk(load=Load(-3 * KW), epoch=MIDNIGHT)
    records = profile(desk, DAY + HOUR)
    assert markers(records) == [MarkerKind.NEW_DAY, MarkerKind.NEW_DAY, MarkerKind.END]
    assert records[0].time == MIDNIGHT
    assert [source.value for source in records[0].setup.channels] == ["import", "export"]
    assert (records[0].setup.period, records[0].setup.dst) == (30, False)
    assert len(intervals(records)) == 50
    assert intervals(records)[0].values == (0, 3 * KW)


@pytest.mark.parametrize(("day", "change", "count", "dst"), [
    (datetime(2026, 3, 29), datetime(2026, 3, 29, 1), 46, [False, True]),
    (datetime(2026, 10, 25), datetime(2026, 10, 25, 1), 50, [True, False]),
])  # fmt: skip
def test_a_day_of_the_change_has_46_or_50_half_hours_and_a_marker(day, change, count, dst):
    desk = Desk(epoch=day)
    records = profile(desk, 26 * HOUR)
    second_day = next(i for i, r in enumerate(records) if i and isinstance(r, Marker) and r.kind == MarkerKind.NEW_DAY)
    assert len(intervals(records[:second_day])) == count
    assert [record.time for record in records if isinstance(record, Marker)][1] == change
    assert markers(records)[:2] == [MarkerKind.NEW_DAY, MarkerKind.DAYLIGHT_SAVING]
    assert [records[0].setup.dst, records[second_day].setup.dst] == dst


def test_the_profile_adds_up_to_the_register():
    desk = Desk(load=Load(1_234_567), epoch=MIDNIGHT)
    summed = sum(record.values[0] for record in intervals(profile(desk, DAY))) // 2
    assert summed == pytest.approx(desk.meter.energies(DAY)[Source.IMPORT] // (WH // 1000), rel=1e-4)


@pytest.mark.parametrize(("digits", "kept"), [("cut", 123_450), ("rounded", 123_460)])
def test_the_sixth_digit_of_a_value_is_cut_or_rounded(digits, kept):
    desk = Desk(load=Load(123_456), epoch=MIDNIGHT, profile={"profile_digits": digits})
    assert {record.values[0] for record in intervals(profile(desk, DAY))} == {kept}


def test_a_clock_that_is_set_breaks_the_period_off_with_a_marker_and_a_flag():
    desk = Desk(epoch=MIDNIGHT)
    desk.log_in(now=40 * MINUTE)
    desk.write(861, encode_clock(datetime(2026, 3, 10, 1, 50)), now=40 * MINUTE)
    first, short, late, whole = intervals(profile(desk, 80 * MINUTE))[:4]
    assert markers(profile(desk, 80 * MINUTE)) == [MarkerKind.NEW_DAY, MarkerKind.TIME_CHANGE, MarkerKind.END]
    assert (first.values[0], short.values[0], late.values[0], whole.values[0]) == (KW, 333_330, 333_330, KW)
    assert short.status == IntervalStatus.TIME_SYNC
    assert late.status == IntervalStatus.DATA_CHANGE


def test_short_records_may_be_averages_over_their_own_time():
    desk = Desk(epoch=MIDNIGHT, profile={"short_records": "actual"})
    desk.meter.set_clock(40 * MINUTE, datetime(2026, 3, 10, 5))
    assert [record.values[0] for record in intervals(profile(desk, HOUR))] == [KW, KW]


def test_set_back_a_day_the_profile_begins_that_day_again():
    desk = Desk(epoch=MIDNIGHT)
    desk.meter.set_clock(HOUR, datetime(2026, 3, 9, 12))
    records = profile(desk, 2 * HOUR)
    assert markers(records) == [MarkerKind.NEW_DAY, MarkerKind.TIME_CHANGE, MarkerKind.NEW_DAY, MarkerKind.END]
    assert records[-2].values == (KW, 0)


def test_a_power_cut_is_marked_down_and_up_and_days_without_supply_are_left_out():
    desk = Desk(epoch=MIDNIGHT)
    desk.feeder.switch_supply(45 * MINUTE, on=False)
    desk.feeder.switch_supply(2 * DAY + 10 * MINUTE, on=True)
    records = profile(desk, 2 * DAY + HOUR)
    assert markers(records) == [MarkerKind.NEW_DAY, MarkerKind.POWER_DOWN, MarkerKind.NEW_DAY, MarkerKind.POWER_UP,
                                MarkerKind.END]  # fmt: skip
    assert [record.values[0] for record in intervals(records)] == [KW, KW // 2, 666_660, KW]
    times = [record.time for record in records if isinstance(record, Marker)]
    assert times[1] == datetime(2026, 3, 10, 0, 45)
    assert times[2] == times[3] == datetime(2026, 3, 12, 0, 10)


def test_another_set_up_is_marked_with_its_channels():
    desk = Desk(epoch=MIDNIGHT)
    desk.log_in(now=45 * MINUTE)
    desk.section(ProfileSetup(("export", "q1", "customer_1"), 15), now=45 * MINUTE)
    records = profile(desk, HOUR)
    assert [source.value for source in records[0].setup.channels] == ["import", "export"]
    change = [r for r in records if isinstance(r, Marker) and r.kind == MarkerKind.CONFIGURATION_CHANGE][-1]
    assert ([source.value for source in change.setup.channels], change.setup.period) == (
        ["export", "q1", "customer_1"],
        15,
    )
    assert intervals(records)[-1].values == (0, 0, 0)


def test_a_manual_billing_reset_ends_the_demand_by_force():
    desk = Desk(epoch=MIDNIGHT)
    desk.meter.press_reset(45 * MINUTE)
    assert MarkerKind.FORCED_END in markers(profile(desk, HOUR))


def test_status_bits_say_what_happened_and_what_lasted():
    desk = Desk(epoch=MIDNIGHT)
    desk.meter.fail_phase(10 * MINUTE, Phases.B)
    desk.meter.fail_phase(40 * MINUTE, Phases(0))
    desk.feeder.change(70 * MINUTE, load=Load(-KW))
    desk.feeder.change(75 * MINUTE, load=Load(KW))
    desk.meter.transient_reset(90 * MINUTE)
    found = [record.status for record in intervals(profile(desk, 2 * HOUR))]
    fail, run = IntervalStatus.PHASE_FAIL, IntervalStatus.REVERSE_RUN
    assert found == [fail, fail, run, IntervalStatus.TRANSIENT_RESET]


def test_some_firmware_writes_a_second_status_byte():
    desk = Desk(epoch=MIDNIGHT, profile={"extended_status": True})
    desk.meter.open_cover(10 * MINUTE)
    desk.meter.open_cover(40 * MINUTE, terminal=True)
    desk.meter.close_cover(45 * MINUTE)
    main, terminal = ExtendedStatus.MAIN_COVER, ExtendedStatus.TERMINAL_COVER
    found = [record.extended for record in intervals(profile(desk, 90 * MINUTE, extended=True))]
    assert found == [main, main | terminal, terminal]


def test_the_oldest_day_gives_way():
    desk = Desk(epoch=MIDNIGHT, profile={"profile_days": 3})
    records = profile(desk, 10 * DAY + HOUR)
    assert records[0].time == datetime(2026, 3, 18)


@pytest.mark.parametrize("model", ["A1140", "A1700"])
def test_days_are_asked_for_with_551_and_counted_in_blocks(model):
    desk = Desk(model, epoch=MIDNIGHT)
    now = 5 * DAY + HOUR
    desk.log_in(1, now)
    desk.write(551, encode_days(2), now)
    records = profile(desk, now)
    assert [record.time for record in records if isinstance(record, Marker)][:-1] == [
        datetime(2026, 3, 14),
        datetime(2026, 3, 15),
    ]
    small = decode_counts(desk.read("551001(04)", now)).small
    assert small * 64 == len(desk.meter.image(550, now))
    assert desk.meter.image(550, now + DAY) == desk.meter.image(550, now)  # as it was asked for
    assert not desk.session.changed
    desk.close(now)
    assert len(desk.meter.image(550, now)) > small * 64


def test_a_range_is_asked_for_with_554():
    desk = Desk(epoch=MIDNIGHT)
    now = 5 * DAY + HOUR
    desk.log_in(1, now)
    desk.write(554, ProfileRange(datetime(2026, 3, 11, 12), datetime(2026, 3, 12, 12)).encode(), now)
    assert [record.time for record in profile(desk, now) if isinstance(record, Marker)] == [
        datetime(2026, 3, 11), datetime(2026, 3, 12), None]  # fmt: skip
    backwards = ProfileRange(datetime(2026, 3, 12), datetime(2026, 3, 11)).encode()
    assert desk.refused(desk.write, 554, backwards, now) == "ERR6"


def test_unix_time_may_be_utc():
    desk = Desk(epoch=MIDNIGHT, profile={"unix_time": "utc", "utc_offset": 60})
    assert profile(desk, HOUR)[0].time == datetime(2026, 3, 9, 23)
    assert desk.meter.image(863, 0)[:4] == encode_seconds(seconds_of(datetime(2026, 3, 9, 23)))


def test_an_a1120_has_no_load_profile():
    desk = Desk("A1120")
    desk.log_in()
    assert desk.refused(desk.read, "550001(40)") == "ERR2"
    desk.meter.settle(3 * DAY)
    assert desk.meter.recorder is None
    assert desk.kwh(3 * DAY) == 72


def test_the_record_under_way_is_not_shown():
    desk = Desk(epoch=MIDNIGHT)
    assert intervals(profile(desk, 30 * MINUTE - SECOND)) == []


def test_a_power_beyond_five_digits_and_their_exponent_is_the_largest():
    desk = Desk(epoch=MIDNIGHT, load=Load(10**17))
    assert intervals(profile(desk, 30 * MINUTE))[0].values[0] == 99_999 * 10**9


def test_a_profile_that_was_cleared_says_so_and_begins_anew():
    desk = Desk(epoch=MIDNIGHT)
    desk.meter.clear_profile(DAY + 45 * MINUTE)
    records = profile(desk, DAY + HOUR)
    assert markers(records) == [MarkerKind.NEW_DAY, MarkerKind.CLEARED, MarkerKind.END]
    assert [record.values[0] for record in intervals(records)] == [KW // 2]


def test_a_billing_date_forces_no_end_because_the_period_has_just_ended():
    desk = Desk(epoch=datetime(2026, 4, 30, 23))
    assert MarkerKind.FORCED_END not in markers(profile(desk, 3 * HOUR))
    assert len(desk.meter.billing.sets) == 1


def test_another_rule_of_daylight_saving_breaks_the_period_off():
    desk = Desk(epoch=datetime(2026, 7, 1))
    desk.log_in(now=40 * MINUTE)
    desk.section(ClockChange(0), now=40 * MINUTE)
    records = profile(desk, HOUR)
    assert [record.values[0] for record in intervals(records)] == [KW, 333_330, 666_660]
    assert MarkerKind.DAYLIGHT_SAVING in markers(records)
