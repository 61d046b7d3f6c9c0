"""What kinds of link are like: speed, set-up, delay, losses, drops, each row of the table with its source.

Times are a shifted log-normal: x = floor + exp(N(ln(median - floor), sigma)). Losses come in bad time of a two-state
chain (`two_state.py`), and at a small rate in good time. Nothing here knows a medium: a modem, a PAD or a network asks.
Rows of confidence "I" are assumptions that no public figure stands behind; who shows a profile shows that too.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log
from random import Random

from simulators.lines import two_state
from simulators.lines.two_state import TwoState
from simulators.world import SECOND

_HOUR = 3600 * SECOND
#: The normal distribution's 95th percentile, in standard deviations.
_P95 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Times:
    """A time that varies: floor, median and limit in seconds, sigma of the logarithm."""

    median: float
    sigma: float
    floor: float = 0.0
    limit: float = float("inf")

    def draw(self, chance: Random) -> int:
        """One of them (ns)."""
        beyond = self.median - self.floor
        if beyond <= 0:
            return round(self.floor * SECOND)
        return round(min(self.floor + exp(chance.gauss(log(beyond), self.sigma)), self.limit) * SECOND)

    @property
    def p95(self) -> float:
        """The time (s) that 95 % stay below, by the formula."""
        beyond = self.median - self.floor
        return min(self.floor + beyond * exp(_P95 * self.sigma), self.limit)


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """A kind of link.

    Attributes:
        name: of the row.
        rate: bit/s.
        character_bits: of one character on it.
        setup: how long a call takes to be set up.
        setup_failure: how many calls (0..1) come to nothing.
        rtt: there and back.
        loss: how much (0..1) is lost in good time.
        drops: how often an hour a call ends by itself.
        bad: when it is bad.
        source: where the figures are from.
        confidence: V verified, S one source, I assumed.
    """

    name: str
    rate: int
    character_bits: int
    setup: Times
    setup_failure: float
    rtt: Times
    loss: float
    drops: float
    bad: two_state.Profile
    source: str
    confidence: str

    def one_way(self, chance: Random) -> int:
        """How long (ns) something takes to the other side."""
        return self.rtt.draw(chance) // 2

    def drop_after(self, chance: Random) -> int | None:
        """After how long (ns) a call drops, None if such a link never does."""
        return round(chance.expovariate(self.drops) * _HOUR) if self.drops else None

    def chain(self, chance: Random) -> TwoState:
        """The good and bad time of one link of this kind."""
        return TwoState(self.bad.share, self.bad.tau, chance)

    def time_of(self, characters: int) -> int:
        """How long (ns) so many characters take."""
        return characters * self.character_bits * SECOND // self.rate

    def __str__(self) -> str:
        return f"{self.name} ({self.source}; confidence {self.confidence})"


def link_profile(name: str) -> LinkProfile:
    """A profile by its name.

    Raises:
        KeyError: there is none; the message names those there are.
    """
    try:
        return link_profiles()[name]
    except KeyError:
        raise KeyError(f"{name!r} is no link profile; there are: {', '.join(link_profiles())}") from None


@cache
def link_profiles() -> dict[str, LinkProfile]:
    """Every row of fixtures/links/profiles.csv."""
    table = (files("fixtures") / "links" / "profiles.csv").read_text("utf-8").splitlines()
    return {row["link"]: _profile(row) for row in csv.DictReader(table)}


def _profile(row: dict[str, str]) -> LinkProfile:
    number = {key: float(value) for key, value in row.items() if key not in {"link", "pi_bad", "source", "confidence"}}
    return LinkProfile(
        row["link"],
        rate=int(number["rate_bps"]),
        character_bits=int(number["char_bits"]),
        setup=Times(number["setup_median_s"], number["setup_sigma"], limit=number["setup_max_s"]),
        setup_failure=number["p_setup_fail"],
        rtt=Times(number["rtt_median_s"], number["rtt_sigma"], number["rtt_floor_s"]),
        loss=number["loss"],
        drops=number["drop_per_h"],
        bad=two_state.profiles()[row["link"]],
        source=row["source"],
        confidence=row["confidence"],
    )
