"""The registers of an Elster meter: totals, time of use, maximum and cumulative demand, from one set of energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.elster.tables import Source
from simulators.metering.energy import Accumulators
from simulators.metering.maximum_demand import DemandPeriod, Kept, MaximumDemand
from simulators.metering.time_of_use import Assignment, TouRegisters
from simulators.meters.elster.measuring import INDEX, SOURCES


@dataclass(frozen=True, slots=True)
class RegisterSet:
    """The registers at one instant: energies in picojoule, demands in mW, and what each register counted."""

    totals: tuple[int, ...]
    tou: tuple[int, ...]
    demand: Kept
    tou_sources: tuple[Source | None, ...]
    demand_sources: tuple[Source | None, ...]


class Registers:
    """The registers of one meter.

    Args:
        tou: the source of each TOU register; register k counts while rate k (from 1) is active.
        demand: the source of each demand register.
        rates: the rates that are active first.
        period: of the demand.
        ranks: how many maxima each demand register keeps.
    """

    __slots__ = ("accumulators", "demand", "demand_sources", "tou", "tou_sources")

    def __init__(
        self,
        tou: Sequence[Source | None],
        demand: Sequence[Source | None],
        rates: frozenset[int],
        period: DemandPeriod,
        ranks: int,
    ) -> None:
        self.accumulators = Accumulators(len(SOURCES))
        self.tou_sources = tuple(tou)
        self.demand_sources = tuple(demand)
        self.tou = TouRegisters(_assignments(tou), rates)
        self.demand = MaximumDemand([_index(source) for source in demand], period, ranks)
        self.demand.begin(self.energies(0))

    def energies(self, now: int) -> list[int]:
        """What every source has counted (picojoule), in the order of `SOURCES`."""
        return self.accumulators.at(now)

    def count(self, now: int, tou: Sequence[Source | None], demand: Sequence[Source | None]) -> None:
        """Count other sources from the instant `now` on."""
        energies = self.energies(now)
        if tuple(tou) != self.tou_sources:
            self.tou_sources = tuple(tou)
            self.tou.assign(energies, _assignments(tou))
        if tuple(demand) != self.demand_sources:
            self.demand_sources = tuple(demand)
            self.demand.configure(energies, [_index(source) for source in demand], self.demand.period)

    def take(self, now: int) -> RegisterSet:
        """The registers at the instant `now`."""
        energies = self.energies(now)
        tou = tuple(self.tou.at(energies))
        return RegisterSet(tuple(energies), tou, self.demand.keep(), self.tou_sources, self.demand_sources)

    def put(self, now: int, kept: RegisterSet) -> None:
        """Have the energies and demands of a set again; what the registers count stays."""
        self.accumulators.preset(now, kept.totals)
        self.tou.put(kept.totals, kept.tou)
        self.demand.put_back(kept.demand)
        self.demand.begin(kept.totals)


def _assignments(sources: Sequence[Source | None]) -> list[Assignment]:
    return [Assignment(_index(source), rate) for rate, source in enumerate(sources, 1)]


def _index(source: Source | None) -> int | None:
    return None if source is None else INDEX[source]
