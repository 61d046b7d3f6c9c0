from hypothesis import given
from hypothesis import strategies as st

from simulators.metering.time_of_use import Assignment, TouRegisters

FIRST, SECOND = frozenset({1}), frozenset({2})


def both_rates_of(source):
    return [Assignment(source, rate) for rate in (1, 2)]


def test_a_register_counts_while_its_rate_is_active():
    tou = TouRegisters([*both_rates_of(0), Assignment(1, 3), Assignment(None, 1)], frozenset({1, 3}))
    tou.switch([100, 10], frozenset({2, 3}))
    assert tou.rates == {2, 3}
    assert tou.at([130, 15]) == [100, 30, 15, 0]


def test_another_source_leaves_what_was_counted():
    tou = TouRegisters(both_rates_of(0), FIRST)
    tou.assign([100, 7], both_rates_of(1))
    assert tou.at([200, 10]) == [103, 0]


def test_put_in_place_it_counts_on():
    tou = TouRegisters(both_rates_of(0), FIRST)
    tou.put([40], [500, 600])
    assert tou.at([41]) == [501, 600]


@given(st.lists(st.tuples(st.integers(0, 10**18), st.sampled_from([FIRST, SECOND]))))
def test_the_rates_of_a_source_add_up_to_it(steps):
    tou, total = TouRegisters(both_rates_of(0), FIRST), 0
    for added, rates in steps:
        total += added
        tou.switch([total], rates)
    assert sum(tou.at([total])) == total
