from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reports.words import digit_groups, duration


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("0.000000850", "1 µs"),
        ("0.000999", "999 µs"),
        ("0.0123", "12.3 ms"),
        ("4.2", "4.20 s"),
        ("125", "2 min 5 s"),
        ("7380", "2 h 3 min"),
        ("273600", "3 d 4 h"),
        (0.5, "500.0 ms"),
    ],
)
def test_durations(end: str | float, words: str) -> None:
    assert duration("0.000000000", end) == words


@pytest.mark.parametrize(
    ("number", "groups"),
    [
        ("1234", ["1234"]),
        ("12345", ["12", "345"]),
        ("-1234567.8912", ["-1", "234", "567", ".8912"]),
        ("123456", ["123", "456"]),
        ("0.123456", ["0.123456"]),
        ("yes", ["yes"]),
        ("-", ["-"]),
    ],
)
def test_digits_are_grouped_by_three(number: str, groups: list[str]) -> None:
    assert digit_groups(number) == groups


@given(st.one_of(st.text(), st.integers().map(str), st.decimals().map(str)))
def test_no_digit_is_lost(number: str) -> None:
    assert "".join(digit_groups(number)) == number
