"""All cuts of many plans, over the processors of this machine, and what they come to."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from bench.errors import UsageError
from bench.sweep.kinds import AnyPlan, kind_of
from bench.sweep.moments import Moment
from bench.sweep.point import Outcome

#: A process costs about a second before its first point, and a point some hundredths of one.
_SHARE, _WORTH_PROCESSES = 100, 300
#: Told of how many points are done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which moments of a plan are cut at: all, every n-th, so many evenly spread ones, or one."""

    every: int = 1
    sample: int | None = None
    at: Moment | None = None

    def of(self, plan: AnyPlan) -> list[Moment]:
        """The moments of a plan.

        Raises:
            UsageError: the one moment lies where the procedure has not begun or is over.
        """
        found = kind_of(plan).moments(plan)
        if self.at is not None:
            _check_it_comes(self.at, found)
            return [self.at]
        found = found[:: self.every]
        if self.sample is None or self.sample >= len(found):
            return found
        return [found[(2 * index + 1) * len(found) // (2 * self.sample)] for index in range(self.sample)]


def _check_it_comes(moment: Moment, found: Sequence[Moment]) -> None:
    """Refuse a moment that never comes: a run in which nothing was cut would be green."""
    touches = [m.touch for m in found if m.touch is not None]
    instants = [m.at for m in found if m.at is not None]
    if moment.touch is not None and moment.touch not in touches and touches:
        raise UsageError(f"nothing is cut at {moment}: touch {touches[0]} to {touches[-1]} are there")
    if moment.touch not in touches and not (moment.at is not None and instants[0] <= moment.at <= instants[-1]):
        raise UsageError(
            f"nothing is cut at {moment}: from {instants[0]} to {instants[-1]} ns there is something to cut"
        )


@dataclass(slots=True)
class Row:
    """What the cuts of one plan came to."""

    plan: AnyPlan
    outcomes: list[Outcome] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The figures of the table: the set that was found, what the second run did, and what must not be."""
        return {
            "points": len(self.outcomes),
            **kind_of(self.plan).figures(self.outcomes),
            "violations": sum(len(outcome.violations) for outcome in self.outcomes),
        }

    def first_of_each(self) -> Iterator[tuple[str, int, Outcome]]:
        """Each invariant that was broken, how often, and the first cut that broke it."""
        names = Counter(v.invariant for outcome in self.outcomes for v in outcome.violations)
        for name, count in names.items():
            yield name, count, next(o for o in self.outcomes if any(v.invariant == name for v in o.violations))


@dataclass(slots=True)
class Campaign:
    """What a whole sweep came to, and how long it took (s)."""

    rows: list[Row]
    wall: float = 0.0

    @property
    def points(self) -> int:
        """How many cuts there were."""
        return sum(len(row.outcomes) for row in self.rows)

    @property
    def violations(self) -> int:
        """How many things there were that must not be."""
        return sum(row.counts()["violations"] for row in self.rows)


def run(
    plans: Sequence[AnyPlan], choice: Choice, *, processes: int | None = None, progress: Progress | None = None
) -> Campaign:
    """Cut every plan at every chosen moment.

    Args:
        plans: what is swept.
        choice: where.
        processes: over how many; by default one for each processor, where there is enough to do.
        progress: told after each share of the work.

    Raises:
        UsageError: a plan names what there is not.
        BenchError: a procedure cannot be run even undisturbed, so it has no moments.
    """
    begin = time.monotonic()
    shares = [
        (place, plan, chosen[first : first + _SHARE])
        for place, plan in enumerate(plans)
        for chosen in (choice.of(plan),)
        for first in range(0, len(chosen), _SHARE)
    ]
    campaign = Campaign([Row(plan) for plan in plans])
    total, done = sum(len(chosen) for _, _, chosen in shares), 0
    count = processes_for(shares=len(shares), points=total, wanted=processes)
    for place, outcomes in _worked_off(shares, count):
        campaign.rows[place].outcomes += outcomes
        done += len(outcomes)
        if progress is not None:
            progress(done, total)
    campaign.wall = time.monotonic() - begin
    return campaign


def processes_for(*, shares: int, points: int, wanted: int | None) -> int:
    """Over how many processes so much work is spread: as many as are wanted, but none without a share of it."""
    count = wanted or ((os.cpu_count() or 1) if points >= _WORTH_PROCESSES else 1)
    return max(1, min(count, shares))


Share = tuple[int, AnyPlan, list[Moment]]


def _worked_off(shares: Sequence[Share], processes: int) -> Iterator[tuple[int, list[Outcome]]]:
    if processes == 1:
        yield from ((place, _cut_all(plan, chosen)) for place, plan, chosen in shares)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: list[tuple[int, Future[list[Outcome]]]] = [
            (place, pool.submit(_cut_all, plan, chosen)) for place, plan, chosen in shares
        ]
        try:
            for place, future in waiting:
                yield place, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _cut_all(plan: AnyPlan, chosen: Sequence[Moment]) -> list[Outcome]:
    return [kind_of(plan).cut(plan, moment) for moment in chosen]
