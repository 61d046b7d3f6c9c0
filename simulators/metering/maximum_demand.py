"""Maximum demand: the highest averages of chosen sources over a demand period, ranked, with the moment of each.

A period is one block, or slides by sub-intervals of which it has several. Averages are taken over the nominal length,
so a period that a power cut has shortened never reads too high. A billing reset adds the highest to the cumulative
maximum demand and begins anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Maximum:
    """A maximum: mW (mvar, mVA), the end of its period in ns of standard time, and the index of its source."""

    value: int
    at: int
    source: int


@dataclass(frozen=True, slots=True)
class DemandPeriod:
    """A demand period of `steps` sub-intervals of `step` ns; a block has one.

    Raises:
        ValueError: no length.
    """

    step: int
    steps: int = 1

    def __post_init__(self) -> None:
        if self.step <= 0 or self.steps < 1:
            raise ValueError("a demand period has at least one sub-interval of some length")

    @property
    def length(self) -> int:
        """The whole period in ns."""
        return self.step * self.steps


@dataclass(frozen=True, slots=True)
class Kept:
    """What a demand register keeps without a supply."""

    maxima: tuple[tuple[Maximum, ...], ...]
    cumulative: tuple[int, ...]


class MaximumDemand:
    """Demand registers.

    Args:
        sources: the index of the source of each register; None for a register that is not used.
        period: block or sliding.
        ranks: how many maxima each register keeps.
    """

    __slots__ = ("_ends", "cumulative", "maxima", "period", "ranks", "sources")

    def __init__(self, sources: Sequence[int | None], period: DemandPeriod, ranks: int = 3) -> None:
        self.sources = tuple(sources)
        self.ranks = ranks
        self.period = period
        #: The maxima of each register since the last reset, the highest first.
        self.maxima: list[list[Maximum]] = [[] for _ in sources]
        #: The sum of the highest maxima of all resets, mW.
        self.cumulative = [0] * len(self.sources)
        #: The readings at the ends of the latest sub-intervals.
        self._ends: deque[Sequence[int]] = deque(maxlen=period.steps)

    def configure(self, energies: Sequence[int], sources: Sequence[int | None], period: DemandPeriod) -> None:
        """Other sources or another period from when the sources read `energies`; maxima stay."""
        self.sources, self.period = tuple(sources), period
        self._ends = deque(maxlen=period.steps)
        self.begin(energies)

    def begin(self, energies: Sequence[int]) -> None:
        """A period begins with nothing before it: the supply has returned, or the clock was set."""
        self._ends.clear()
        self._ends.append(tuple(energies))

    def rising(self, energies: Sequence[int]) -> list[int]:
        """The demand of the period under way, so far (mW)."""
        before = self._ends[0] if self._ends else energies
        return [0 if source is None else self._average(before, energies, source) for source in self.sources]

    def close(self, energies: Sequence[int], at: int) -> None:
        """A sub-interval ends at `at` (ns of standard time), when the sources read `energies`."""
        before = self._ends[0] if self._ends else energies
        for register, source in enumerate(self.sources):
            if source is not None:
                self._note(register, Maximum(self._average(before, energies, source), at, source))
        self._ends.append(tuple(energies))

    def _average(self, before: Sequence[int], after: Sequence[int], source: int) -> int:
        length = self.period.length
        return (2 * (after[source] - before[source]) + length) // (2 * length)

    def _note(self, register: int, found: Maximum) -> None:
        """Rank a demand: an equal one that came earlier stays before it; no demand at all is no maximum."""
        ranked = self.maxima[register]
        if not found.value or (len(ranked) == self.ranks and found.value <= ranked[-1].value):
            return
        ranked.append(found)
        ranked.sort(key=lambda maximum: -maximum.value)
        del ranked[self.ranks :]

    def reset(self) -> None:
        """Billing: the highest maxima are added to the cumulative ones, and forgotten."""
        for register, ranked in enumerate(self.maxima):
            self.cumulative[register] += ranked[0].value if ranked else 0
        self.maxima = [[] for _ in self.sources]

    def keep(self) -> Kept:
        """What stays without a supply."""
        return Kept(tuple(tuple(ranked) for ranked in self.maxima), tuple(self.cumulative))

    def put_back(self, kept: Kept) -> None:
        """Have what was kept again."""
        self.maxima = [list(ranked) for ranked in kept.maxima]
        self.cumulative = list(kept.cumulative)
