from simulators.metering.demand import DAY, MINUTE
from simulators.metering.profile_recorder import Mark, Marker, ProfileRecorder, Record, Setup

SETUP = Setup((0, 2), 0x05, 30 * MINUTE)


def recorder(days=3):
    found = ProfileRecorder(SETUP, days)
    found.begin(0, [0, 0, 0])
    found.day(0, summer=False)
    return found


def entries(profile):
    return [entry for day in profile.days for entry in day.entries]


def test_a_day_begins_with_its_marker_and_a_period_leaves_a_record_of_its_channels():
    profile = recorder()
    profile.close(SETUP.period, [10, 20, 30])
    profile.close(2 * SETUP.period, [11, 22, 33])
    assert entries(profile) == [Marker(Mark.DAY, 0, SETUP, summer=False), Record(0, (10, 30), SETUP.period),
                                Record(0, (1, 3), SETUP.period)]  # fmt: skip


def test_a_period_that_is_broken_off_leaves_short_records_that_add_up():
    profile = recorder()
    profile.close(10 * MINUTE, [10, 0, 1])
    profile.mark(Mark.TIME_CHANGE, 77, summer=True)
    profile.close(SETUP.period, [30, 0, 2])
    _, first, mark, second = entries(profile)
    assert (first.length, second.length) == (10 * MINUTE, 20 * MINUTE)
    assert first.energies[0] + second.energies[0] == 30
    assert (mark.kind, mark.at, mark.summer) == (Mark.TIME_CHANGE, 77, True)


def test_where_no_time_has_passed_there_is_no_record_and_the_status_waits():
    profile = recorder()
    profile.passing = 0x02
    profile.close(0, [0, 0, 0])
    profile.close(SETUP.period, [1, 1, 1])
    assert [entry.status for entry in entries(profile)[1:]] == [0x02]


def test_what_happened_is_in_one_record_and_what_stands_in_all():
    profile = recorder()
    profile.standing, profile.passing = 0x20, 0x02
    profile.close(1, [0, 0, 0])
    profile.close(2, [0, 0, 0])
    assert [entry.status for entry in entries(profile)[1:]] == [0x22, 0x20]


def test_the_oldest_day_gives_way():
    profile = recorder(days=2)
    profile.day(DAY, summer=False)
    profile.day(2 * DAY, summer=False)
    assert [day.at for day in profile.days] == [DAY, 2 * DAY]


def test_cleared_it_begins_anew_and_says_so():
    profile = recorder()
    profile.close(1, [1, 1, 1])
    profile.clear(5, summer=True)
    assert [entry.kind for entry in entries(profile)] == [Mark.DAY, Mark.CLEARED]


def test_days_are_chosen_by_number_or_by_dates():
    profile = recorder()
    profile.day(DAY, summer=False)
    profile.day(2 * DAY, summer=False)
    assert [day.at for day in profile.latest(2)] == [DAY, 2 * DAY]
    assert profile.latest(0) == []
    assert len(profile.latest(0xFFFF)) == 3
    assert [day.at for day in profile.between(DAY - 1, DAY)] == [0, DAY]
    assert [day.at for day in profile.between(DAY, DAY)] == [DAY]
    assert [day.at for day in profile.between(5 * DAY, 6 * DAY)] == [2 * DAY]
