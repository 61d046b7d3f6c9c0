"""A bracket always holds the truth, and gets as narrow as it is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.characterisation.bracket import Bracket, narrow

DURATIONS = st.integers(1, 10**11)


@given(truth=DURATIONS, width=st.integers(1, 10**9), late=st.integers(0, 10**6))
def test_trials_narrow_it_around_the_truth(truth: int, width: int, late: int) -> None:
    """Each look comes a little later than it was aimed."""
    asked = []

    def look(aim: int) -> tuple[int, bool]:
        asked.append(aim)
        return aim + late, aim + late >= truth

    found = narrow(look, Bracket(0, 2 * truth), width=width, most=60)
    assert found.low <= truth <= found.high
    assert found.width <= max(width, 2 * late + 1)


def test_so_many_trials_and_no_more() -> None:
    looked = []
    narrow(lambda aim: (looked.append(aim) or aim, aim >= 700), Bracket(0, 1000), width=1, most=4)
    assert looked == [500, 750, 625, 687]


def test_trials_that_contradict_each_other_end_it() -> None:
    """A look that found it too early or too late is inside the span that is then told."""
    found = narrow(lambda _: (900, True), Bracket(0, 1000), width=1, most=9)
    assert found == Bracket(0, 900) or found.high == 900
    odd = iter([(500, False), (400, True)])
    assert narrow(lambda _: next(odd), Bracket(0, 1000), width=1, most=9) == Bracket(400, 1000)


@given(low=DURATIONS, width=st.integers(1, 10**10))
def test_what_is_told_holds_the_whole_bracket(low: int, width: int) -> None:
    bracket = Bracket(low, low + width)
    middle, off = bracket.rounded()
    assert middle - off <= bracket.low
    assert bracket.high <= middle + off
    assert off <= width + 2_000


def test_a_difference_of_two_is_as_uncertain_as_both() -> None:
    assert Bracket(100, 110).minus(Bracket(20, 25)) == Bracket(75, 90)
    assert Bracket(10, 30).minus(Bracket(20, 25)) == Bracket(0, 10)
