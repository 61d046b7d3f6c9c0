# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.metering.adjustable_clock import AdjustableClock, one_step, within_limit
from simulators.metering.daylight_saving import HOUR, UNITED_KINGDOM, to_ns
from simulators.metering.demand import DAY, MINUTE, SECOND

WINTER = datetime(2026, 3, 10, 8)


def test_it_shows_summer_time_in_summer_and_keeps_standard_time_inside():
    clock = AdjustableClock(WINTER, daylight_saving=UNITED_KINGDOM)
    assert clock.read(0) == WINTER
    in_june = 100 * DAY
    assert clock.read(in_june) == datetime(2026, 6, 18, 9)
    assert clock.standard(in_june) == to_ns(datetime(2026, 6, 18, 8))
    assert clock.summer(in_june)
    assert not clock.summer(0)


def test_a_day_of_the_change_has_23_or_25_hours():
    clock = AdjustableClock(datetime(2026, 3, 29), daylight_saving=UNITED_KINGDOM)
    assert clock.next_midnight(0) == 23 * HOUR
    clock = AdjustableClock(datetime(2026, 10, 25), daylight_saving=UNITED_KINGDOM)
    assert clock.next_midnight(0) == 25 * HOUR
    assert clock.next_change(0) == 2 * HOUR  # midnight was of summer time


def test_set_in_summer_it_shows_what_it_was_set_to():
    clock = AdjustableClock(WINTER, daylight_saving=UNITED_KINGDOM)
    clock.pending = 20 * SECOND
    clock.set(5, datetime(2026, 7, 1, 12))
    assert clock.read(5) == datetime(2026, 7, 1, 12)
    assert clock.pending == 0


def test_an_adjustment_takes_five_seconds_a_period():
    clock = AdjustableClock(WINTER)
    clock.pending = 12 * SECOND
    seen = []
    for _ in range(4):
        clock.step(0)
        seen.append(clock.read(0).second)
    assert seen == [5, 10, 12, 12]
    assert one_step(-7 * SECOND) == -5 * SECOND


@pytest.mark.parametrize(("by", "may"), [(450 * SECOND, True), (-450 * SECOND, True), (451 * SECOND, False)])
def test_an_adjustment_is_at_most_seven_and_a_half_minutes(by, may):
    assert within_limit(by) is may


@given(st.integers(-5000, 5000), st.integers(0, 400 * DAY), st.sampled_from([MINUTE, 30 * MINUTE, 2 * HOUR]))
def test_the_next_end_of_a_period_is_the_first_instant_that_shows_it(ppm, now, period):
    clock = AdjustableClock(WINTER, ppm, UNITED_KINGDOM)
    at = clock.next_multiple(now, period)
    assert at > now
    assert clock.standard(at) % period == 0
    assert clock.standard(at - 1) < clock.standard(at)
    assert clock.standard(at) - clock.standard(now) <= period


def test_a_reading_that_occurs_twice_is_met_twice():
    clock = AdjustableClock(datetime(2026, 10, 25), daylight_saving=UNITED_KINGDOM)
    half_past_one = to_ns(datetime(2026, 10, 25, 1, 30))
    first = clock.next_reading(0, half_past_one)
    assert first == 90 * MINUTE
    assert clock.next_reading(first + 31 * MINUTE, half_past_one) == 150 * MINUTE
