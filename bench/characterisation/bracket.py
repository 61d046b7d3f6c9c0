"""A duration between two bounds, and how trials narrow it.

A poll says only that something had not happened when it was asked and had happened at the next; so the truth lies above
the one and not above the other. Aiming single looks between the two halves the bracket each time, down to the jitter
of the line, where trials begin to contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MICROSECOND = 1_000
MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Bracket:
    """A duration (ns) above `low` and not above `high`."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """How much is not known."""
        return self.high - self.low

    def minus(self, other: Bracket) -> Bracket:
        """What is left of this duration when another, known as well as this one, is taken from it."""
        return Bracket(max(0, self.low - other.high), max(0, self.high - other.low))

    def rounded(self) -> tuple[int, int]:
        """The middle, and how far the truth can be from it at the most (ns), in digits that suit the width."""
        step = _step(self.width)
        middle = (self.low + self.high + step) // (2 * step) * step
        fine = max(MICROSECOND, step // 10)
        return middle, -(-max(self.high - middle, middle - self.low) // fine) * fine


def _step(width: int) -> int:
    """The largest of 1 us, 10 us, ... 100 ms that is no more than half of the width."""
    step = MICROSECOND
    while step * 20 <= width and step < 100 * MILLISECOND:
        step *= 10
    return step


#: One trial: given when to look (ns after the cause), says when that was and whether the effect had happened.
Trial = Callable[[int], tuple[int, bool]]


def narrow(trial: Trial, bracket: Bracket, *, width: int, most: int) -> Bracket:
    """A bracket narrowed by single looks to `width` (ns), or as far as `most` trials and the line allow.

    Trials that contradict each other (the line jitters, or the meter does) end it with the span of the contradiction.
    """
    low, high = bracket.low, bracket.high
    for _ in range(most):
        if high - low <= width:
            break
        at, happened = trial((low + high) // 2)
        if happened and at > low:
            high = min(high, at)
        elif not happened and at < high:
            low = max(low, at)
        else:
            return Bracket(min(low, at), max(high, at))
    return Bracket(low, high)
