"""Demand in closed form, held against an oracle that adds up second by second."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.metering.demand import COUNTER_WRAP, DAY, MINUTE, SECOND, Demand, Mode, Setting

CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.integers(-(10**9), 10**9)), max_size=8, unique_by=lambda c: c[0])
LOOKS = st.lists(st.integers(0, 6000), max_size=12)
END = 6000


def average(total: int, seconds: int) -> int:
    """Rounded as a meter rounds: half away from zero."""
    rounded = (2 * abs(total) + seconds) // (2 * seconds)
    return rounded if total >= 0 else -rounded


def powers_by_second(changes: list[tuple[int, int]], end: int = END) -> list[int]:
    """The power (mW) in each second."""
    powers = [0] * end
    for (begin, power), (until, _) in pairwise([*sorted(changes), (end, 0)]):
        powers[begin:until] = [power] * (until - begin)
    return powers


def run(
    setting: Setting,
    changes: list[tuple[int, int]],
    looks: list[int],
    ends: list[int] | None = None,
    *,
    midnight: int = 0,
) -> Demand:
    """A demand of one power that lives through the changes, is looked at, and has its intervals ended."""
    demand = Demand(1, Setting())
    demand.configure(0, setting, lambda now: (midnight * SECOND + now) % DAY)
    steps: list[tuple[int, int, int]] = [(instant, 0, 0) for instant in ends or []]
    steps += [(instant, 1, power) for instant, power in changes]
    steps += [(instant, 2, 0) for instant in looks]
    for instant, kind, power in sorted(steps):
        if kind == 0:
            demand.end_interval(instant * SECOND)
        elif kind == 1:
            demand.run_at(instant * SECOND, [power])
        else:
            demand.present(instant * SECOND)
    demand.settle(END * SECOND)
    return demand


def windows(powers: list[int], boundaries: list[int], steps: int) -> list[tuple[int, int]]:
    """(instant, demand) at each boundary: the average over the latest `steps` stretches between boundaries."""
    found = []
    for index in range(1, len(boundaries)):
        begin, end = boundaries[max(0, index - steps)], boundaries[index]
        found.append((end, average(sum(powers[max(0, begin) : end]), end - begin)))
    return found


def assert_equal(demand: Demand, expected: list[tuple[int, int]]) -> None:
    assert demand.last == [expected[-1][1] if expected else 0]
    highest = max((abs(value) for _, value in expected), default=0)
    peak_at, peak = next(((at, value) for at, value in expected if abs(value) == highest), (None, 0))
    assert demand.peak == [peak]
    assert demand.peak_at == [None if peak_at is None else peak_at * SECOND]
    assert demand.subinterval_count == len(expected)


MINUTES = st.integers(1, 20).map(lambda minutes: minutes * MINUTE)
ROLLING = st.sampled_from([(15, 5), (15, 15), (6, 1), (10, 2), (60, 15)])


@given(CHANGES, LOOKS, MINUTES)
def test_block_intervals(changes: list[tuple[int, int]], looks: list[int], interval: int) -> None:
    demand = run(Setting(Mode.BLOCK, interval), changes, looks)
    length = interval // SECOND
    assert_equal(demand, windows(powers_by_second(changes), list(range(0, END + 1, length)), 1))
    so_far = sum(powers_by_second(changes)[END // length * length :])
    assert demand.present(END * SECOND) == [average(so_far, length)]
    assert demand.elapsed(END * SECOND) == END % length * SECOND
    assert demand.interval_count == END // length


@given(CHANGES, LOOKS, MINUTES)
@settings(max_examples=50)
def test_a_sliding_interval(changes: list[tuple[int, int]], looks: list[int], interval: int) -> None:
    demand = run(Setting(Mode.SLIDING, interval), changes, looks)
    step = 15 if interval <= 15 * MINUTE else 60
    assert_equal(demand, windows(powers_by_second(changes), list(range(0, END + 1, step)), interval // SECOND // step))


@given(CHANGES, LOOKS, ROLLING)
def test_rolling_blocks(changes: list[tuple[int, int]], looks: list[int], lengths: tuple[int, int]) -> None:
    interval, sub = lengths
    demand = run(Setting(Mode.ROLLING, interval * MINUTE, sub * MINUTE), changes, looks)
    assert_equal(demand, windows(powers_by_second(changes), list(range(0, END + 1, sub * 60)), interval // sub))
    assert demand.interval_count == END // (sub * 60) // (interval // sub)


@given(CHANGES, LOOKS, st.integers(0, 86_399), st.sampled_from([Mode.CLOCK_BLOCK, Mode.CLOCK_ROLLING]))
def test_intervals_of_the_clock_begin_at_its_full_intervals(
    changes: list[tuple[int, int]], looks: list[int], midnight: int, mode: Mode
) -> None:
    demand = run(Setting(mode, 15 * MINUTE, 5 * MINUTE), changes, looks, midnight=midnight)
    step = 900 if mode is Mode.CLOCK_BLOCK else 300
    boundaries = list(range(-(midnight % step), END + 1, step))
    assert_equal(demand, windows(powers_by_second(changes), boundaries, 900 // step))


@given(
    CHANGES,
    LOOKS,
    st.lists(st.integers(1, END), max_size=10, unique=True),
    st.sampled_from([Mode.INPUT_BLOCK, Mode.COMMAND_BLOCK, Mode.INPUT_ROLLING, Mode.COMMAND_ROLLING]),
)
def test_intervals_that_a_pulse_or_a_command_ends(
    changes: list[tuple[int, int]], looks: list[int], ends: list[int], mode: Mode
) -> None:
    demand = run(Setting(mode, 15 * MINUTE, 5 * MINUTE), changes, looks, ends)
    steps = 3 if mode in (Mode.INPUT_ROLLING, Mode.COMMAND_ROLLING) else 1
    assert_equal(demand, windows(powers_by_second(changes), [0, *sorted(ends)], steps))


@given(CHANGES, LOOKS, MINUTES)
@settings(max_examples=30)
def test_thermal_demand(changes: list[tuple[int, int]], looks: list[int], interval: int) -> None:
    demand = run(Setting(Mode.THERMAL, interval), changes, looks)
    level, peak = 0.0, 0.0
    keep = 0.1 ** (SECOND / interval)
    for power in powers_by_second(changes):
        level = power + (level - power) * keep
        peak = level if abs(level) > abs(peak) else peak
    assert demand.last[0] == pytest.approx(level, abs=2)
    assert abs(demand.peak[0]) == pytest.approx(abs(peak), abs=2)


def test_a_thermal_demand_reaches_90_percent_after_one_interval() -> None:
    demand = Demand(1, Setting(Mode.THERMAL, 15 * MINUTE))
    demand.run_at(0, [1_000_000])
    assert demand.present(15 * MINUTE) == [900_000]
    assert demand.present(30 * MINUTE) == [990_000]


@given(CHANGES, LOOKS, st.sampled_from([Setting(), Setting(Mode.SLIDING), Setting(Mode.ROLLING, 15 * MINUTE, MINUTE)]))
def test_looking_often_or_rarely_gives_the_same(
    changes: list[tuple[int, int]], looks: list[int], setting: Setting
) -> None:
    often, rarely = run(setting, changes, looks), run(setting, changes, [])
    for name in ("last", "peak", "peak_at", "interval_count", "subinterval_count"):
        assert getattr(often, name) == getattr(rarely, name)
    assert often.present(END * SECOND) == rarely.present(END * SECOND)


def test_a_year_without_a_look_costs_nothing_and_counts_every_interval() -> None:
    demand = Demand(1, Setting())
    demand.run_at(0, [1_000])
    demand.settle(365 * DAY)
    assert demand.subinterval_count == 365 * 96
    assert demand.interval_count == 365 * 96 % (COUNTER_WRAP + 1)
    assert demand.last == [1_000]
    assert demand.peak_at == [15 * MINUTE]


def test_the_interval_counter_wraps_behind_32767() -> None:
    demand = Demand(1, Setting(Mode.BLOCK, MINUTE))
    demand.settle(32_767 * MINUTE)
    assert demand.interval_count == 32_767
    demand.settle(32_768 * MINUTE)
    assert demand.interval_count == 0


def test_the_first_of_equal_peaks_is_kept() -> None:
    demand = Demand(1, Setting(Mode.BLOCK, MINUTE))
    demand.run_at(0, [5])
    demand.settle(10 * MINUTE)
    assert demand.peak_at == [MINUTE]


def test_a_reset_makes_the_demand_of_now_the_first_peak() -> None:
    demand = Demand(1, Setting(Mode.BLOCK, MINUTE))
    demand.run_at(0, [9])
    demand.run_at(MINUTE, [4])
    demand.settle(2 * MINUTE)
    demand.reset(150 * SECOND)
    assert (demand.peak, demand.peak_at) == ([4], [150 * SECOND])


def test_a_new_interval_in_block_mode_drops_what_was_begun() -> None:
    demand = Demand(1, Setting(Mode.BLOCK, MINUTE))
    demand.run_at(0, [6_000])
    demand.end_interval(30 * SECOND)
    assert demand.present(30 * SECOND) == [0]
    assert demand.subinterval_count == 0
    demand.settle(90 * SECOND)
    assert demand.last == [6_000]


def test_another_setting_begins_a_new_interval_and_keeps_the_peak() -> None:
    demand = Demand(1, Setting(Mode.BLOCK, MINUTE))
    demand.run_at(0, [6_000])
    demand.configure(90 * SECOND, Setting(Mode.BLOCK, 2 * MINUTE), lambda _now: 0)
    assert demand.peak == [6_000]
    assert demand.elapsed(90 * SECOND) == 0
    demand.settle(209 * SECOND)
    assert demand.subinterval_count == 1
    demand.settle(210 * SECOND)
    assert demand.subinterval_count == 2


@pytest.mark.parametrize(
    "setting",
    [
        Setting(Mode.BLOCK, MINUTE - 1),
        Setting(Mode.BLOCK, 61 * MINUTE),
        Setting(Mode.ROLLING, 15 * MINUTE, 0),
        Setting(Mode.ROLLING, 15 * MINUTE, 4 * MINUTE),
        Setting(Mode.CLOCK_ROLLING, 15 * MINUTE, 30 * MINUTE),
    ],
)
def test_settings_that_do_not_exist_change_nothing(setting: Setting) -> None:
    demand = Demand(1, Setting())
    with pytest.raises(ValueError, match="interval"):
        demand.configure(0, setting, lambda _now: 0)
    assert demand.setting == Setting()


@pytest.mark.parametrize("sign", [1, -1])
def test_half_a_milliwatt_is_rounded_away_from_zero(sign: int) -> None:
    demand = Demand(1, Setting(Mode.BLOCK, MINUTE))
    demand.run_at(0, [sign])
    demand.run_at(30 * SECOND, [0])
    demand.settle(MINUTE)
    assert demand.last == [sign]


def test_several_powers_have_their_own_peaks() -> None:
    demand = Demand(2, Setting(Mode.BLOCK, MINUTE))
    demand.run_at(0, [1, 9])
    demand.run_at(MINUTE, [5, 2])
    demand.settle(2 * MINUTE)
    assert demand.peak == [5, 9]
    assert demand.peak_at == [2 * MINUTE, MINUTE]


def test_a_reset_that_is_taken_back_leaves_the_larger_peak_of_before_and_since() -> None:
    demand = Demand(2, Setting())
    demand.peak, demand.peak_at = [-500, 100], [1, 2]
    before = demand.peaks
    demand.reset(10)
    demand.peak, demand.peak_at = [400, 300], [20, 30]
    demand.remember(before)
    assert demand.peaks == [(-500, 1), (300, 30)]
    fresh = Demand(1, Setting())
    fresh.remember(fresh.peaks)
    assert fresh.peaks == [(0, None)]
