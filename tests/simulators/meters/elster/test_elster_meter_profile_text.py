# meters keep local time without a zone
from datetime import timedelta

from elster_desk import DAY, HOUR, KW, MINUTE, Desk, Load, datetime, pytest

from protocols.elster.configuration import ProfileSetup
from protocols.elster.profile import Interval, decode_records
from protocols.flag.profile_text import Channel, decode_profile, encode_request

FOUR = ("import", "export", "q1", "q2")


def desk_of(model="A1140", channels=FOUR, period=15, **options):
    desk = Desk(model, profile={"formatted_profile": True, **options.pop("profile", {})}, **options)
    desk.log_in()
    desk.section(ProfileSetup(channels, period))
    desk.close()
    return desk


def runs(desk, now, start=None, end=None):
    desk.log_in(1, now)
    found = decode_profile(desk.do("R5", encode_request(start, end), now).data)
    desk.close(now)
    return found


def test_a_meter_that_does_not_know_it_says_bad_command():
    desk = Desk()
    desk.log_in(1)
    assert desk.refused(desk.do, "R5", encode_request(None, None)) == "ERR1"


@pytest.mark.parametrize("data", [b"P.98(;)", b"P.01(1;2)", b"550001(40)", b""])
def test_what_is_no_request_for_the_profile_is_a_bad_command(data):
    desk = desk_of()
    desk.log_in(1)
    assert desk.refused(desk.do, "R5", data) == "ERR1"


def test_it_needs_the_level_of_the_profile_and_a_profile():
    desk = desk_of()
    desk.session = desk.meter.open("optical", 1, 0)
    assert desk.refused(desk.do, "R5", encode_request(None, None)) == "ERR5"
    without = Desk("A1120", profile={"formatted_profile": True})
    without.log_in(1)
    assert without.refused(without.do, "R5", encode_request(None, None)) == "ERR2"


def test_columns_are_average_demands_in_thousands():
    desk = desk_of(load=Load(1_234_567, 100_000))
    first, run = runs(desk, HOUR)
    assert first.status, "what was programmed shows in the first interval, so it has a header of its own"
    assert run.channels == (
        Channel("1.5.0", "kW"),
        Channel("2.5.0", "kW"),
        Channel("5.5.0", "kvar"),
        Channel("6.5.0", "kvar"),
    )
    assert run.intervals == (("00001.234", "00000.000", "00000.100", "00000.000"),) * 3
    assert run.moments[0] == datetime(2026, 3, 10, 8, 30)
    assert (run.summer, run.period, run.status) == (False, 15, 0)


def test_a_range_takes_intervals_by_their_end():
    desk = desk_of()
    start = datetime(2026, 3, 11, 0, 15)
    (run,) = runs(desk, 3 * DAY, start, start + timedelta(days=1, minutes=-15))
    assert len(run.intervals) == 96
    assert (run.moments[0], run.moments[-1]) == (start, datetime(2026, 3, 12))
    assert runs(desk, 3 * DAY, datetime(2030, 1, 1), None) == ()


def test_a_power_cut_and_summer_time_begin_a_new_header():
    desk = desk_of(epoch=datetime(2026, 3, 28, 22))  # advance on 29 March at 01:00
    desk.feeder.switch_supply(HOUR + 5 * MINUTE, on=False)
    desk.feeder.switch_supply(HOUR + 20 * MINUTE, on=True)
    found = [run for run in runs(desk, 6 * HOUR) if len(run.intervals) > 1]
    assert [run.summer for run in found] == [False, False, True]
    before, between, after = (run.moments for run in found)
    assert before[-1] == datetime(2026, 3, 28, 23)
    assert between[0] in {datetime(2026, 3, 28, 23, 30), datetime(2026, 3, 28, 23, 45)}
    assert between[-1] == datetime(2026, 3, 29, 0, 45)  # the next one ends in summer time
    assert (after[0], after[-1]) == (datetime(2026, 3, 29, 2), datetime(2026, 3, 29, 5))


@pytest.mark.parametrize("model", ["A1140", "A1700"])
def test_text_and_stream_hold_the_same_intervals(model):
    desk = desk_of(model, ("import", "q1"), 30, load=Load(2 * KW, KW))
    desk.log_in(1)
    desk.meter.press_reset(90 * MINUTE + 1)
    desk.close()
    now = 2 * DAY
    text = [values for run in runs(desk, now) for values in run.intervals]
    stream = [each.values for each in decode_records(model, desk.meter.image(550, now)) if isinstance(each, Interval)]
    assert text == [tuple(f"{value // 10**6:05d}.{value // 1000 % 1000:03d}" for value in values) for values in stream]
    assert len(text) > 95
