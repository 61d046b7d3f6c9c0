from simulators.metering.demand import MINUTE
from simulators.metering.history import RegisterHistory, ResetLock, StoredSet


def test_the_newest_set_is_the_first_and_the_oldest_is_lost():
    history = RegisterHistory[str](2)
    for at, registers in ((1, "a"), (2, "b"), (3, "c")):
        history.store(at, 0x10, registers)
    assert list(history.sets) == [StoredSet(3, 0x10, "c"), StoredSet(2, 0x10, "b")]


def test_a_reset_is_locked_for_a_set_time():
    lock = ResetLock(30 * MINUTE)
    assert not lock.locked(100)
    lock.lock(100, midnight=10**15)
    assert lock.locked(100 + 30 * MINUTE - 1)
    assert not lock.locked(100 + 30 * MINUTE)


def test_or_until_midnight_or_not_at_all():
    lock = ResetLock(None)
    lock.lock(100, midnight=500)
    assert (lock.locked(499), lock.locked(500)) == (True, False)
    lock = ResetLock(0)
    lock.lock(100, midnight=500)
    assert not lock.locked(100)
