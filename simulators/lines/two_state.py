"""A line that is now good and now bad: a chain of two states in time, with the profiles of real kinds of link.

If it is bad with probability b at an instant, it is bad a time d later with P = pi + (b - pi) exp(-d / tau). pi is the
share of time in which it is bad, tau the time in which the past is forgotten; bad time lasts tau / (1 - pi) on average.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp
from random import Random

from simulators.world import SECOND

_HOUR = 3600 * SECOND
#: Stands in the table where the share of bad time changes with the hour of the day.
_BY_HOUR = "plc_hour"


class TwoState:
    """One line's state, asked in the order of time.

    Args:
        pi: the share of time (0..1) in which it is bad, at an instant (ns).
        tau: ns.
        random: whence it draws.
    """

    __slots__ = ("_at", "_bad", "_pi", "_random", "_tau")

    def __init__(self, pi: Callable[[int], float], tau: int, random: Random) -> None:
        self._pi = pi
        self._tau = tau
        self._random = random
        self._at: int | None = None
        self._bad = False

    def bad_at(self, when: int) -> bool:
        """Whether it is bad at an instant (ns); one before the last that was asked for counts as that."""
        pi = self._pi(when)
        if self._at is None:
            chance = pi
        else:
            when = max(when, self._at)
            chance = pi + (self._bad - pi) * exp(-(when - self._at) / self._tau)
        self._at = when
        self._bad = self._random.random() < chance
        return self._bad

    def good_from(self, when: int) -> int:
        """The first instant (ns) from `when` on at which it is good."""
        if not self.bad_at(when):
            return when
        assert self._at is not None
        stay = self._random.expovariate(max(1 - self._pi(when), 1e-6) / self._tau)
        self._at, self._bad = self._at + round(stay), False
        return self._at


@dataclass(frozen=True, slots=True)
class Profile:
    """How often a kind of link is bad (share of time by hour of the day) and for how long (tau, ns)."""

    name: str
    pi: tuple[float, ...]
    tau: int

    def share(self, when: int) -> float:
        """The share of bad time at an instant (ns); a world begins at midnight."""
        return self.pi[when // _HOUR % 24]


@cache
def profiles() -> dict[str, Profile]:
    """The profiles by name: fixtures/links/profiles.csv and, for power-line carrier, plc_hourly_bad_state.csv."""
    folder = files("fixtures") / "links"
    hours = next(csv.DictReader((folder / "plc_hourly_bad_state.csv").read_text("utf-8").splitlines()))
    by_hour = tuple(float(hours[str(hour)]) for hour in range(24))
    return {
        row["link"]: Profile(
            row["link"],
            by_hour if row["pi_bad"] == _BY_HOUR else (float(row["pi_bad"]),) * 24,
            round(float(row["tau_s"]) * SECOND),
        )
        for row in csv.DictReader((folder / "profiles.csv").read_text("utf-8").splitlines())
    }
