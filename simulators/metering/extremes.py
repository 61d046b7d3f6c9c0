"""Minimum and maximum of measured quantities since a reset, with the meter's time of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Extreme:
    """The smallest and the largest value seen, and when."""

    low: int
    low_time: datetime
    high: int
    high_time: datetime


class Extremes:
    """The extremes of named quantities. Values move only when the feeder changes, so each change is one look."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, Extreme] = {}

    def look(self, values: Mapping[str, int], moment: datetime) -> None:
        """Take note of the values that hold from `moment` (meter time) on."""
        for name, value in values.items():
            seen = self._seen.get(name)
            if seen is None:
                self._seen[name] = Extreme(value, moment, value, moment)
            elif value < seen.low:
                seen.low, seen.low_time = value, moment
            elif value > seen.high:
                seen.high, seen.high_time = value, moment

    def reset(self, values: Mapping[str, int], moment: datetime) -> Mapping[str, Extreme]:
        """Forget everything, and return it; the values that hold at `moment` are the first of the new period."""
        before, self._seen = self._seen, {}
        self.look(values, moment)
        return before

    def remember(self, before: Mapping[str, Extreme]) -> None:
        """Have a reset not happen: what was seen before it counts again, beside what has been seen since."""
        for name, old in before.items():
            seen = self._seen.setdefault(name, old)
            if old.low <= seen.low:
                seen.low, seen.low_time = old.low, old.low_time
            if old.high >= seen.high:
                seen.high, seen.high_time = old.high, old.high_time

    def of(self, name: str) -> Extreme | None:
        """The extremes of one quantity, None before the first look."""
        return self._seen.get(name)
