from simulators.metering.event_log import EventLog, Occurrence, Programming


def test_the_count_rolls_over_from_65535_to_0():
    log = EventLog[int]()
    log.count = 65_535
    log.note(1, 0)
    assert log.count == 0


def test_the_last_three_times_stay_the_newest_first():
    log = EventLog[int]()
    for at in range(1, 6):
        log.note(at * 100, at)
    assert log.latest == (Occurrence(500, 5), Occurrence(400, 4), Occurrence(300, 3))
    assert log.count == 5


def test_a_programming_keeps_who_and_from_where():
    log = EventLog[Programming]()
    log.note(7, Programming(remote=True, user=b"Elster      "))
    assert log.latest[0].info == Programming(remote=True, user=b"Elster      ")


def test_a_firmware_may_count_and_push_differently():
    log = EventLog[int]()
    log.note(1, 0, count=lambda count: count, push=lambda before, new: (*before, new))
    log.note(2, 0, count=lambda count: count + 5, push=lambda before, new: (*before, new))
    assert (log.count, [each.at for each in log.latest]) == (5, [1, 2])


def test_a_copy_stays_as_it_is():
    log = EventLog[int]()
    log.note(1, 0)
    kept = log.copy()
    log.note(2, 0)
    assert (kept.count, len(kept.latest)) == (1, 1)
