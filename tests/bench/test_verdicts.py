from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.verdicts import Verdict, judge

numbers = st.one_of(
    st.integers(-(10**12), 10**12), st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)
)
uncertainties = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=4)

IN_RISING_SEVERITY = [
    "not_set",
    "not_applicable",
    "pass",
    "not_determinable",
    "inconclusive",
    "fail",
    "aborted",
    "error",
]


def test_verdicts_are_sorted_by_severity_and_not_by_spelling() -> None:
    shuffled = random.Random(1).sample(list(Verdict), len(Verdict))
    assert sorted(shuffled) == IN_RISING_SEVERITY


def test_the_worst_wins_and_nothing_at_all_is_not_set() -> None:
    assert Verdict.worst([Verdict.PASS, Verdict.NOT_DETERMINABLE, Verdict.PASS]) is Verdict.NOT_DETERMINABLE
    assert Verdict.worst([Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE]) is Verdict.ERROR
    assert Verdict.worst([]) is Verdict.NOT_SET


def test_a_verdict_compares_with_its_word() -> None:
    assert Verdict.FAIL >= "inconclusive"
    assert Verdict.PASS <= "pass"
    assert not Verdict.PASS > "pass"
    with pytest.raises(ValueError, match="sour"):
        assert Verdict.PASS < "sour"


def test_only_what_was_judged_counts_as_verified() -> None:
    assert {verdict for verdict in Verdict if verdict.verified} == {Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE}


def test_words_for_people() -> None:
    assert Verdict.NOT_DETERMINABLE.words == "not determinable"
    assert Verdict.NOT_SET.words == "recorded"


@given(numbers, numbers, numbers)
def test_without_uncertainty_a_value_passes_exactly_when_it_is_inside(
    value: Decimal | int, low: Decimal | int, high: Decimal | int
) -> None:
    assert judge(value, None, low, high) is (Verdict.PASS if low <= value <= high else Verdict.FAIL)


@given(numbers, uncertainties, numbers, numbers)
def test_guard_band(value: Decimal | int, u: Decimal, a: Decimal | int, b: Decimal | int) -> None:
    low, high = min(a, b), max(a, b)
    wholly_inside = low <= value - u and value + u <= high
    wholly_outside = value + u < low or value - u > high
    expected = Verdict.PASS if wholly_inside else Verdict.FAIL if wholly_outside else Verdict.INCONCLUSIVE
    assert judge(value, u, low, high) is expected


@given(numbers, uncertainties, numbers, numbers)
def test_uncertainty_never_turns_a_failure_into_a_pass(
    value: Decimal | int, u: Decimal, a: Decimal | int, b: Decimal | int
) -> None:
    certain, doubtful = judge(value, None, min(a, b), max(a, b)), judge(value, u, min(a, b), max(a, b))
    assert doubtful in (certain, Verdict.INCONCLUSIVE)


@given(numbers, uncertainties)
def test_no_uncertainty_and_none_are_the_same(value: Decimal | int, limit: Decimal) -> None:
    assert judge(value, 0, None, limit) is judge(value, None, None, limit)


@pytest.mark.parametrize(
    ("value", "low_included", "high_included", "verdict"),
    [
        (10, True, True, Verdict.PASS),
        (10, False, True, Verdict.FAIL),
        (20, True, True, Verdict.PASS),
        (20, True, False, Verdict.FAIL),
        (15, False, False, Verdict.PASS),
    ],
)
def test_ends_of_the_band(value: int, *, low_included: bool, high_included: bool, verdict: Verdict) -> None:
    assert judge(value, None, 10, 20, low_included=low_included, high_included=high_included) is verdict


def test_a_value_that_touches_an_excluded_limit_lies_wholly_outside() -> None:
    assert judge(8, 2, 10, None) is Verdict.INCONCLUSIVE
    assert judge(8, 2, 10, None, low_included=False) is Verdict.FAIL
