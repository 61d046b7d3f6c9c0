"""What is to be said of a row of intervals: where it is broken, and whether the meter has said why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal[
    "gap", "duplicate", "outage", "clock set", "daylight saving", "configuration change", "cleared", "contradiction"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place at which the row of intervals is not a plain row.

    Attributes:
        kind: what it is.
        start: where it begins, in the meter's standard time.
        end: where it ends; as `start` where it is a moment.
        intervals: how many are missing or doubled.
        explained: whether markers of the meter account for it; what they do not account for contradicts itself.
        why: the explanation, or what is wrong.
    """

    kind: Kind
    start: datetime
    end: datetime
    intervals: int
    explained: bool
    why: str

    def __str__(self) -> str:
        span = f"{self.start:%Y-%m-%d %H:%M:%S}"
        span += f" to {self.end:%Y-%m-%d %H:%M:%S}" if self.end != self.start else ""
        count = f", {self.intervals} interval{'s' if self.intervals != 1 else ''}" if self.intervals else ""
        return f"{self.kind if self.explained else self.kind.upper()} {span}{count}: {self.why}"
