"""Verdicts, and the decision rule that leads to them.

The rule is *guarded* wherever an expanded uncertainty U is given (a guard band as wide as U, as in ILAC-G8:09/2019): a
value passes only if value ± U lies wholly inside the limits, it fails only if value ± U lies wholly outside, and in
between it is inconclusive. A value without U is judged as it stands.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Number: TypeAlias = Decimal | int

DECISION_RULE = (
    "A value with an expanded uncertainty U passes only if value ± U lies wholly inside the limits, fails only if it "
    "lies wholly outside, and is inconclusive in between. A value without U is judged as it stands."
)
"""The rule as a report prints it."""


class Verdict(StrEnum):
    """What a check says, in rising severity: the worst verdict of a scenario is the verdict of the scenario."""

    severity: int

    NOT_SET = "not_set"
    NOT_APPLICABLE = "not_applicable"
    PASS = "pass"  # noqa: S105  # a verdict, not a password
    NOT_DETERMINABLE = "not_determinable"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ABORTED = "aborted"
    ERROR = "error"

    def __new__(cls, word: str) -> Self:
        """A word and its rank: severity is the place in the list above."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.severity = len(cls.__members__)
        return member

    @property
    def words(self) -> str:
        """The verdict as people write it: "not determinable"; a value that nobody judged is "recorded"."""
        return "recorded" if self is Verdict.NOT_SET else self.value.replace("_", " ")

    @property
    def verified(self) -> bool:
        """Whether something was looked at and judged; what the bench could not judge never counts."""
        return self in _VERIFIED

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The most severe of them, NOT_SET if there is none."""
        return max(verdicts, default=cls.NOT_SET)

    def __lt__(self, other: str) -> bool:
        return self.severity < Verdict(other).severity

    def __le__(self, other: str) -> bool:
        return self.severity <= Verdict(other).severity

    def __gt__(self, other: str) -> bool:
        return self.severity > Verdict(other).severity

    def __ge__(self, other: str) -> bool:
        return self.severity >= Verdict(other).severity


_VERIFIED = frozenset({Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL})


def judge(
    value: Number,
    u: Number | None,
    low: Number | None,
    high: Number | None,
    *,
    low_included: bool = True,
    high_included: bool = True,
) -> Verdict:
    """PASS, FAIL or INCONCLUSIVE by the rule at the head of this module.

    Args:
        value: a finite number or an infinity; not a NaN.
        u: expanded uncertainty, not negative; None counts as exact.
        low: lower limit, None if open.
        high: upper limit, None if open.
        low_included: whether `low` itself still passes.
        high_included: whether `high` itself still passes.
    """
    bottom, top = (value, value) if u is None else (value - u, value + u)
    if _too_low(top, low, low_included) or _too_high(bottom, high, high_included):
        return Verdict.FAIL
    if u is not None and (_too_low(bottom, low, low_included) or _too_high(top, high, high_included)):
        return Verdict.INCONCLUSIVE
    return Verdict.PASS


def _too_low(x: Number, low: Number | None, included: bool) -> bool:  # noqa: FBT001  # private
    return low is not None and (x < low or (x == low and not included))


def _too_high(x: Number, high: Number | None, included: bool) -> bool:  # noqa: FBT001  # private
    return high is not None and (x > high or (x == high and not included))
