from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure import Measure, Unit, decimal_of
from bench.measurement import Measurement, plain, seconds, table_of
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Check
    from bench.measurement import Value

decimals = st.decimals(allow_nan=False, allow_infinity=False)
values = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), decimals)


def measure_at(t_ns: int = 1_500_000_000) -> Measure:
    return Measure("scenarios/reading/test_registers.py::test_voltage[PM850]", lambda: t_ns)


def again(measurement: Measurement) -> Measurement:
    return Measurement.from_dict(json.loads(measurement.to_json()))


def test_a_scenario_records_and_goes_on() -> None:
    measure = measure_at()
    assert measure("voltage", Decimal("230.1"), Unit.V, device="new").within(230, Decimal("2.3")) is Verdict.PASS
    assert measure("result word", 82, device="new").is_(0) is Verdict.FAIL
    assert measure("frequency", Decimal("50.01"), Unit.HZ).between(49, 51) is Verdict.PASS
    assert [record.name for record in measure.flush()] == ["voltage", "result word", "frequency"]
    assert measure.worst is Verdict.FAIL
    assert measure.verified == 3
    assert [record.value for record in measure.records if record.verdict >= Verdict.FAIL] == [82]


@pytest.mark.parametrize(
    ("check", "verdict", "limits"),
    [
        (lambda c: c.is_(5), Verdict.PASS, "= 5"),
        (lambda c: c.is_(Decimal("5.0")), Verdict.PASS, "= 5.0"),
        (lambda c: c.is_(6), Verdict.FAIL, "= 6"),
        (lambda c: c.is_("5"), Verdict.FAIL, "= 5"),
        (lambda c: c.is_not(6), Verdict.PASS, "≠ 6"),
        (lambda c: c.is_not(5), Verdict.FAIL, "≠ 5"),
        (lambda c: c.one_of([4, 5]), Verdict.PASS, "one of 4, 5"),
        (lambda c: c.one_of([4, 6]), Verdict.FAIL, "one of 4, 6"),
        (lambda c: c.one_of([]), Verdict.ERROR, "one of "),
        (lambda c: c.between(5, 9), Verdict.PASS, "5 … 9"),
        (lambda c: c.between(5, 9, low_included=False), Verdict.FAIL, "> 5 and ≤ 9"),
        (lambda c: c.between(9, 5), Verdict.ERROR, "9 … 5"),
        (lambda c: c.at_least(5), Verdict.PASS, "≥ 5"),
        (lambda c: c.at_least(5, included=False), Verdict.FAIL, "> 5"),
        (lambda c: c.at_most(5), Verdict.PASS, "≤ 5"),
        (lambda c: c.at_most(5, included=False), Verdict.FAIL, "< 5"),
        (lambda c: c.within(7, 2), Verdict.PASS, "7 ± 2"),
        (lambda c: c.within(8, 2), Verdict.FAIL, "8 ± 2"),
        (lambda c: c.within(8, -2), Verdict.ERROR, "8 ± -2"),
        (lambda c: c.in_zones(4, 6, fail_below=2, fail_above=8), Verdict.PASS, "4 … 6 (fails outside 2 … 8)"),
        (lambda c: c.in_zones(6, 7, fail_below=2, fail_above=8), Verdict.INCONCLUSIVE, "6 … 7 (fails outside 2 … 8)"),
        (lambda c: c.in_zones(7, 8, fail_below=6, fail_above=9), Verdict.FAIL, "7 … 8 (fails outside 6 … 9)"),
        (lambda c: c.in_zones(7, 8, fail_below=9, fail_above=9), Verdict.ERROR, "7 … 8 (fails outside 9 … 9)"),
    ],
)
def test_checks_of_the_number_five(check: Callable[[Check], Verdict], verdict: Verdict, limits: str) -> None:
    measure = measure_at()
    assert check(measure("five", 5)) is verdict
    (record,) = measure.flush()
    assert record.verdict is verdict
    assert record.limits == limits
    assert again(record) == record
    assert again(record).limits == limits


@pytest.mark.parametrize("value", [None, "n/a", True, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 5])
@pytest.mark.parametrize("other", [None, "n/a", True, Decimal("NaN"), 5, Decimal("Infinity")])
def test_no_check_ever_raises_whatever_a_device_has_sent(value: Value, other: Any) -> None:
    measure = measure_at()
    check = measure("x", value, Unit.V)
    found = [
        check.is_(other),
        check.is_not(other),
        check.one_of([other]),
        check.between(other, other),
        check.at_least(other),
        check.at_most(other),
        check.within(other, 1),
        check.in_zones(0, 1, fail_below=other, fail_above=other),
    ]
    assert all(isinstance(verdict, Verdict) for verdict in found)
    assert len(measure.flush()) == len(found)


@pytest.mark.parametrize("value", [None, "n/a", True, Decimal("NaN")])
def test_what_is_no_number_never_passes_a_limit(value: Value) -> None:
    measure = measure_at()
    assert measure("x", value).between(-(10**9), 10**9) >= Verdict.FAIL
    assert measure("x", value).within(0, 10**9) >= Verdict.FAIL


@pytest.mark.parametrize("limit", [None, "5", False, Decimal("NaN")])
def test_a_limit_that_is_no_number_is_no_open_limit(limit: Any) -> None:
    measure = measure_at()
    assert measure("x", 7).between(limit, 10) is Verdict.ERROR
    assert measure("x", 7).at_least(limit) is Verdict.ERROR


def test_nothing_came_is_not_different_from_what_was_unwanted() -> None:
    assert measure_at()("result word", None).is_not(32767) is Verdict.FAIL
    assert measure_at()("power factor", Decimal("NaN")).is_not(1) is Verdict.FAIL


def test_yes_is_not_one() -> None:
    assert measure_at()("flag", True).is_(1) is Verdict.FAIL
    assert measure_at()("count", 1).is_(True) is Verdict.FAIL
    assert measure_at()("flag", True).is_(True) is Verdict.PASS


@given(st.integers(-1000, 1000), st.integers(0, 100), st.integers(-1000, 1000))
def test_is_and_is_not_with_an_uncertainty_are_opposites(value: int, u: int, other: int) -> None:
    measure = measure_at()
    opposite = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS, Verdict.INCONCLUSIVE: Verdict.INCONCLUSIVE}
    equal = measure("x", value, expanded_u=u).is_(other)
    assert measure("x", value, expanded_u=u).is_not(other) is opposite[equal]


@given(st.integers(-50, 50), st.lists(st.integers(-50, 50), min_size=4, max_size=4))
def test_three_zones(value: int, limits: list[int]) -> None:
    fail_below, low, high, fail_above = sorted(limits)
    verdict = measure_at()("x", value).in_zones(low, high, fail_below=fail_below, fail_above=fail_above)
    inside, outside = low <= value <= high, value < fail_below or value > fail_above
    assert verdict is (Verdict.PASS if inside else Verdict.FAIL if outside else Verdict.INCONCLUSIVE)


def test_near_a_limit_an_uncertain_value_is_inconclusive() -> None:
    measure = measure_at()
    assert measure("u", Decimal("231.9"), Unit.V, expanded_u=Decimal("0.5")).within(230, 2) is Verdict.INCONCLUSIVE
    assert measure("u", Decimal("231.9"), Unit.V).within(230, 2) is Verdict.PASS
    assert [record for record in measure.records if record.verdict >= Verdict.FAIL] == []
    assert "INCONCLUSIVE  u  231.9 V  230 ± 2" in measure.failure_text()


@pytest.mark.parametrize("u", [-1, Decimal("NaN"), "2"])
def test_an_uncertainty_is_a_number_from_zero_on(u: Any) -> None:
    with pytest.raises(ValueError, match="uncertainty"):
        measure_at()("u", 230, Unit.V, expanded_u=u)


def test_floats_are_refused_because_they_hide_digits() -> None:
    measure = measure_at()
    with pytest.raises(TypeError, match="decimal_of"):
        measure("u", 230.1, Unit.V)  # type: ignore[arg-type] # the point of the test
    with pytest.raises(TypeError, match="decimal_of"):
        measure("u", 230, Unit.V).between(0.1, 300)  # type: ignore[arg-type] # the point of the test
    with pytest.raises(TypeError, match="bytes"):
        measure("u", b"230", Unit.V)  # type: ignore[arg-type] # the point of the test


def test_a_float_with_the_digits_it_is_worth() -> None:
    assert str(decimal_of(0.1 + 0.2, 3)) == "0.300"


def test_a_value_that_nobody_judges_is_recorded_and_not_verified() -> None:
    measure = measure_at()
    measure("firmware", "12.430", device="new")
    assert measure.verified == 0
    assert [record.verdict for record in measure.flush()] == [Verdict.NOT_SET]
    assert measure.worst is Verdict.NOT_SET


def test_flush_gives_every_measurement_once_and_forgets_no_verdict() -> None:
    measure = measure_at()
    measure("a", 1).is_(2)
    assert [record.name for record in measure.flush()] == ["a"]
    measure("b", 1).is_(1)
    assert [record.name for record in measure.flush()] == ["b"]
    assert measure.flush() == []
    assert measure.worst is Verdict.FAIL
    assert measure.verified == 2


def test_one_value_can_be_judged_twice_and_later() -> None:
    measure = measure_at()
    first = measure("a", 5)
    measure("b", 6).is_(6)
    first.at_least(1)
    first.at_most(3)
    assert [(record.name, record.limits) for record in measure.flush()] == [("a", "≥ 1"), ("b", "= 6"), ("a", "≤ 3")]


def test_not_determinable_names_the_reason_and_is_not_verified() -> None:
    measure = measure_at()
    measure.not_determinable("survives a power cycle", "the station lacks power control", "new")
    measure.not_applicable("tariff", "this model has none", "new")
    assert measure.verified == 0
    assert measure.worst is Verdict.NOT_DETERMINABLE
    assert [record.note for record in measure.flush()] == ["the station lacks power control", "this model has none"]


def test_failure_text_is_a_table_of_what_was_out_of_limits() -> None:
    measure = measure_at()
    measure("energy in", 12, Unit.WH, device="new", note="low word lost").between(100, 200)
    measure("result word", 0).is_(0)
    measure("clock", None, Unit.S).at_most(3)
    assert measure.failure_text().splitlines() == [
        "FAIL  energy in  12 Wh  100 … 200  new  low word lost",
        "FAIL  clock      - s    ≤ 3             no value",
    ]
    assert table_of([]) == ""


@given(values, st.sampled_from(Unit))
def test_every_value_survives_a_line_of_json(value: Value, unit: Unit) -> None:
    measure = measure_at()
    measure("x", value, unit, device="new").is_(value)
    (record,) = measure.flush()
    line = record.to_json()
    assert "\n" not in line
    assert again(record) == record
    assert type(again(record).value) is type(record.value)


@given(decimals, decimals, decimals)
def test_limits_keep_every_digit(value: Decimal, a: Decimal, b: Decimal) -> None:
    measure = measure_at()
    measure("x", value).between(min(a, b), max(a, b))
    (record,) = measure.flush()
    assert (str(again(record).value), str(again(record).low)) == (str(value), str(min(a, b)))


def test_a_line_says_what_there_is_to_say() -> None:
    measure = measure_at()
    measure.traces["new"] = "traces/x.new.trace.jsonl"
    measure("u", Decimal("12345.678"), Unit.V, device="new", expanded_u=Decimal("0.10")).at_most(20000)
    assert json.loads(measure.flush()[0].to_json()) == {
        "scenario": "scenarios/reading/test_registers.py::test_voltage[PM850]",
        "name": "u",
        "value": "12345.678",
        "verdict": "pass",
        "t": "1.500000000",
        "unit": "V",
        "device": "new",
        "rule": "at_most",
        "high": 20000,
        "expanded_u": "0.10",
        "trace": "traces/x.new.trace.jsonl",
    }


def test_a_number_without_a_unit_is_a_ratio_and_a_word_with_one_is_still_a_word() -> None:
    measure = measure_at()
    measure("power factor", Decimal("0.98")).at_most(1)
    measure("voltage", "n/a", Unit.V).at_most(Decimal("250.0"))
    ratio, word = measure.flush()
    assert ratio.unit is Unit.ONE
    assert word.unit is Unit.NONE
    assert again(word).value == "n/a"


@pytest.mark.parametrize(
    ("t", "text"),
    [(0, "0.000000000"), (1, "0.000000001"), (86_400_000_000_001, "86400.000000001"), (-5, "-0.000000005")],
)
def test_bench_time_is_exact(t: int, text: str) -> None:
    assert seconds(t) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (True, "yes"), (False, "no"), (Decimal("1E+3"), "1000"), (7, "7"), ("a", "a")]
)
def test_plain_words(value: Value, text: str) -> None:
    assert plain(value) == text
