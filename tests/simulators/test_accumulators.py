"""Energies: exact to the picojoule, however often one looks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.metering.energy import WH, Accumulators, whole_wh

HOUR = 3_600_000_000_000
POWER = st.integers(-(10**12), 10**12)
CHANGES = st.lists(
    st.tuples(st.integers(0, 10**16), POWER), min_size=1, max_size=12, unique_by=lambda change: change[0]
)


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour() -> None:
    energies = Accumulators(1)
    energies.run_at(0, [1_000_000])
    assert energies.at(HOUR) == [1000 * WH]


def test_the_smallest_energy_is_not_lost() -> None:
    energies = Accumulators(1)
    energies.run_at(0, [1])
    assert energies.at(1) == [1]


@given(CHANGES, st.integers(0, 10**16))
def test_arbitrary_changes_are_one_big_sum(changes: list[tuple[int, int]], rest: int) -> None:
    changes.sort()
    end = changes[-1][0] + rest
    energies = Accumulators(1)
    for instant, power in changes:
        energies.run_at(instant, [power])
    instants = [instant for instant, _ in changes] + [end]
    expected = sum(power * (to - since) for (_, power), (since, to) in zip(changes, pairwise(instants), strict=True))
    assert energies.at(end) == [expected]


@given(CHANGES, st.lists(st.integers(0, 10**16), max_size=30))
def test_settling_often_or_rarely_gives_the_same(changes: list[tuple[int, int]], looks: list[int]) -> None:
    often, rarely = Accumulators(1), Accumulators(1)
    for instant, power in sorted(changes):
        rarely.run_at(instant, [power])
    steps = sorted([*changes, *((look, None) for look in looks)], key=lambda step: step[0])
    for instant, power in steps:
        if power is None:
            often.settle(instant)
        else:
            often.run_at(instant, [power])
    end = 10**16 + 1
    assert often.at(end) == rarely.at(end)


def test_a_preset_replaces_and_counting_goes_on() -> None:
    energies = Accumulators(2)
    energies.run_at(0, [1_000_000, 500_000])
    energies.preset(HOUR, [7 * WH, 0])
    assert energies.at(2 * HOUR) == [1007 * WH, 500 * WH]


def test_looking_changes_nothing() -> None:
    energies = Accumulators(1)
    energies.run_at(0, [3])
    assert [energies.at(instant) for instant in (9, 5, 9)] == [[27], [15], [27]]


@pytest.mark.parametrize(
    ("picojoule", "wh"),
    [(0, 0), (WH - 1, 0), (WH, 1), (-WH + 1, 0), (-WH, -1), (-2 * WH + 1, -1), (10**16 * WH, 10**16)],
)
def test_registers_show_whole_wh_towards_zero(picojoule: int, wh: int) -> None:
    assert whole_wh(picojoule) == wh
