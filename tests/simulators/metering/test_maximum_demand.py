import pytest

from simulators.metering.demand import MINUTE
from simulators.metering.maximum_demand import DemandPeriod, Maximum, MaximumDemand

BLOCK = DemandPeriod(30 * MINUTE)
SLIDING = DemandPeriod(10 * MINUTE, 3)


def run(demand, powers, source_count=2):
    """Close one sub-interval after another at these powers (mW) of source 0; source 1 counts half of it."""
    energies = [0] * source_count
    demand.begin(energies)
    for number, power in enumerate(powers, 1):
        energies = [energies[0] + power * demand.period.step, energies[1] + power // 2 * demand.period.step]
        demand.close(energies, number * demand.period.step)
    return energies


def test_the_three_highest_blocks_are_ranked_with_their_moment():
    demand = MaximumDemand([0, 1], BLOCK)
    run(demand, [100, 400, 200, 300, 400])
    assert demand.maxima[0] == [Maximum(400, 60 * MINUTE, 0), Maximum(400, 150 * MINUTE, 0),
                                Maximum(300, 120 * MINUTE, 0)]  # fmt: skip
    assert demand.maxima[1][0] == Maximum(200, 60 * MINUTE, 1)


def test_a_sliding_period_averages_its_latest_sub_intervals():
    demand = MaximumDemand([0], SLIDING, ranks=1)
    run(demand, [300, 600, 900, 0])
    assert demand.maxima[0] == [Maximum(600, 30 * MINUTE, 0)]


def test_a_block_misses_what_a_sliding_period_sees():
    sliding, block = MaximumDemand([0], SLIDING, 1), MaximumDemand([0], BLOCK, 1)
    run(sliding, [0, 0, 600, 600, 600, 0])
    run(block, [200, 400])
    assert (sliding.maxima[0][0].value, block.maxima[0][0].value) == (600, 400)


def test_a_shortened_period_never_reads_too_high():
    demand = MaximumDemand([0], BLOCK)
    demand.begin([0])
    demand.close([600 * 10 * MINUTE], 30 * MINUTE)  # on for the last ten minutes only
    assert demand.maxima[0][0].value == 200


def test_a_reset_adds_the_highest_to_the_cumulative_one():
    demand = MaximumDemand([0, 1], BLOCK)
    energies = run(demand, [100, 400])
    demand.reset()
    assert (demand.maxima, demand.cumulative) == ([[], []], [400, 200])
    demand.close([energies[0] + 50 * BLOCK.step, energies[1]], 90 * MINUTE)
    demand.reset()
    assert demand.cumulative == [450, 200]


def test_no_demand_is_no_maximum_and_an_unused_register_stays_empty():
    demand = MaximumDemand([0, None], BLOCK)
    run(demand, [0, 0])
    assert demand.maxima == [[], []]
    run(demand, [5])
    assert demand.maxima[1] == []


def test_the_rising_demand_is_that_of_the_period_so_far():
    demand = MaximumDemand([0], BLOCK)
    demand.begin([0])
    assert demand.rising([600 * 15 * MINUTE]) == [300]


def test_another_period_leaves_the_maxima():
    demand = MaximumDemand([0], BLOCK)
    energies = run(demand, [400])
    demand.configure(energies, [1], SLIDING)
    demand.close([energies[0], energies[1] + 90 * SLIDING.step], 70 * MINUTE)
    assert [(m.value, m.source) for m in demand.maxima[0]] == [(400, 0), (30, 1)]


def test_what_was_kept_comes_back():
    demand = MaximumDemand([0], BLOCK)
    run(demand, [400, 100])
    kept = demand.keep()
    demand.reset()
    demand.put_back(kept)
    assert (demand.maxima[0][0].value, demand.cumulative) == (400, [0])


def test_a_period_without_length_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        DemandPeriod(MINUTE, 0)


def test_a_window_that_begins_anew_has_nothing_before_it():
    demand = MaximumDemand([0], SLIDING)
    energies = run(demand, [900, 900])
    demand.begin(energies)
    demand.reset()
    demand.close([energies[0] + 300 * SLIDING.step, energies[1]], 30 * MINUTE)
    assert demand.maxima[0][0].value == 100
