"""A meter's clock, its extremes and its non-volatile memory."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulators.metering.clock import MeterClock
from simulators.metering.extremes import Extremes
from simulators.metering.memory import Journal

EPOCH = datetime(2026, 3, 10, 8, 0, 0)
LATER = datetime(2030, 1, 1)
SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def test_a_clock_without_drift_shows_true_time() -> None:
    assert MeterClock(EPOCH).read(DAY) == EPOCH + timedelta(days=1)


def test_a_fast_and_a_slow_clock() -> None:
    assert MeterClock(EPOCH, 12).read(DAY) == EPOCH + timedelta(days=1, seconds=1.0368)  # 12 ppm of 86,400 s
    assert MeterClock(EPOCH, -50).read(1000 * SECOND) == EPOCH + timedelta(seconds=999.95)


def test_a_clock_that_is_set_goes_on_from_there() -> None:
    clock = MeterClock(EPOCH, 100)
    clock.set(DAY, LATER)
    assert clock.read(DAY) == LATER
    assert clock.read(DAY + 10 * SECOND) == LATER + timedelta(seconds=10.001)


def test_what_happened_before_a_setting_keeps_its_time() -> None:
    clock = MeterClock(EPOCH)
    clock.set(DAY, LATER)
    clock.set(2 * DAY, EPOCH)
    assert clock.read(DAY - SECOND) == EPOCH + timedelta(days=1, seconds=-1)
    assert clock.read(DAY + SECOND) == LATER + timedelta(seconds=1)
    assert clock.read(2 * DAY + SECOND) == EPOCH + timedelta(seconds=1)


@given(st.integers(-1000, 1000), st.lists(st.integers(0, 10**15), min_size=2))
def test_a_clock_never_runs_backwards(drift: int, instants: list[int]) -> None:
    clock = MeterClock(EPOCH, drift)
    shown = [clock.read(instant) for instant in sorted(instants)]
    assert shown == sorted(shown)


# -- extremes ----------------------------------------------------------------------------------------------------------


def test_the_first_look_is_both_extremes() -> None:
    extremes = Extremes()
    assert extremes.of("volts") is None
    extremes.look({"volts": 230}, EPOCH)
    seen = extremes.of("volts")
    assert seen is not None
    assert (seen.low, seen.high, seen.low_time, seen.high_time) == (230, 230, EPOCH, EPOCH)


def test_extremes_keep_value_and_time_of_the_first_occurrence() -> None:
    extremes = Extremes()
    for hour, volts in enumerate([230, 240, 210, 240, 210]):
        extremes.look({"volts": volts}, EPOCH + timedelta(hours=hour))
    seen = extremes.of("volts")
    assert seen is not None
    assert (seen.low, seen.low_time) == (210, EPOCH + timedelta(hours=2))
    assert (seen.high, seen.high_time) == (240, EPOCH + timedelta(hours=1))


def test_a_reset_begins_with_the_values_of_now() -> None:
    extremes = Extremes()
    extremes.look({"volts": 230, "amps": 1}, EPOCH)
    extremes.reset({"volts": 220}, LATER)
    seen = extremes.of("volts")
    assert seen is not None
    assert (seen.low, seen.high_time) == (220, LATER)
    assert extremes.of("amps") is None


# -- memory ------------------------------------------------------------------------------------------------------------


class Memory:
    """A value whose changes go through a journal."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.value = "old"

    def write(self, value: str, now: int, safe_at: int) -> None:
        before = self.value

        def undo(_when: int) -> None:
            self.value = before

        self.value = value
        self.journal.changed(now, safe_at, undo)


def test_a_power_cut_undoes_what_is_not_saved() -> None:
    memory = Memory()
    memory.write("new", 10, 20)
    memory.journal.power_lost(19)
    assert memory.value == "old"


def test_a_power_cut_at_the_instant_of_saving_comes_too_late() -> None:
    memory = Memory()
    memory.write("new", 10, 20)
    memory.journal.power_lost(20)
    assert memory.value == "new"


def test_unsaved_changes_are_undone_newest_first() -> None:
    memory = Memory()
    memory.write("newer", 10, 90)
    memory.write("newest", 11, 90)
    memory.journal.power_lost(50)
    assert memory.value == "old"


def test_a_saved_change_stays_below_an_unsaved_one() -> None:
    memory = Memory()
    memory.write("saved", 10, 20)
    memory.write("unsaved", 15, 90)
    memory.journal.power_lost(50)
    assert memory.value == "saved"


def test_what_is_saved_at_once_is_never_undone() -> None:
    memory = Memory()
    memory.write("new", 10, 10)
    memory.journal.power_lost(10)
    assert memory.value == "new"
    assert memory.journal._unsaved == []


def test_a_second_power_cut_undoes_nothing_more() -> None:
    memory = Memory()
    memory.write("new", 10, 90)
    memory.journal.power_lost(20)
    memory.value = "after the cut"
    memory.journal.power_lost(30)
    assert memory.value == "after the cut"


def test_saved_changes_are_forgotten() -> None:
    memory = Memory()
    for instant in range(0, 1000, 10):
        memory.write(str(instant), instant, instant + 15)
    assert len(memory.journal._unsaved) == 2


def test_a_save_that_is_put_off_is_later_and_one_that_is_over_stays() -> None:
    memory = Memory()
    memory.write("saved", 10, 20)
    memory.write("unsaved", 15, 30)
    memory.journal.put_off(25, 90)
    memory.journal.power_lost(50)
    assert memory.value == "saved"


def test_a_reset_of_extremes_that_is_taken_back_has_not_been() -> None:
    extremes = Extremes()
    extremes.look({"volts": 230, "amps": 1}, EPOCH)
    before = extremes.reset({"volts": 240}, LATER)
    extremes.look({"volts": 235}, LATER)
    extremes.remember(before)
    seen = extremes.of("volts")
    assert seen is not None
    assert (seen.low, seen.low_time, seen.high, seen.high_time) == (230, EPOCH, 240, LATER)
    assert extremes.of("amps") is not None
