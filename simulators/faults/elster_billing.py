"""Defects of Elster meters in billing: what a reset stores and clears, maximum demand, sets at midnight."""

from __future__ import annotations

from dataclasses import replace

from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_STORES = "test_a_billing_reset_stores_what_was"
_DAILY = 545


@defect("E38", "a billing reset clears the energies", "the registers begin at zero with each billing period",
        shows="^(import|export|Q[1-4]|VA( import| export)?)( after the reset)?$", caught_by=_STORES,
        family=_FAMILY)  # fmt: skip
def clears_energies(meter: Meter) -> None:
    """Whatever the reset stores, it clears."""
    decide(meter, after_store=lambda sick, now: sick.registers.accumulators.preset(now, [0] * 16))


@defect("E39", "a second billing reset is carried out within the lock-out", "two sets a few seconds apart",
        shows="^second reset", caught_by="test_a_second_reset_is_locked_out", family=_FAMILY)  # fmt: skip
def never_locked_out(meter: Meter) -> None:
    """The lock is set and not looked at."""
    decide(meter, locked_out=lambda _lock, _at: False)


@defect("E83", "a billing reset stores its set before the interval closes", "the maximum of the last minutes is lost",
        why="the reset and the end of the demand period are two tasks, and the wrong one comes first",
        shows="^maximum in set 0", caught_by=_STORES, family=_FAMILY)  # fmt: skip
def stores_too_early(meter: Meter) -> None:
    """The demand under way is not closed."""
    decide(meter, closes_demand=False)


@defect("E84", "a billing reset forgets the moments of the maxima", "the maximum of set 0 has the moment of no demand",
        why="the moments lie in another block, which is cleared before the set is copied",
        shows="^maximum in set 0 is of", caught_by=_STORES, family=_FAMILY)  # fmt: skip
def forgets_moments(meter: Meter) -> None:
    """Every maximum is dated 1970 before it is stored."""

    def forget(sick: Meter, now: int) -> None:
        sick.end_demand_period(now)
        demand = sick.registers.demand
        demand.maxima = [[replace(each, at=0) for each in ranked] for ranked in demand.maxima]

    decide(meter, before_billing=forget, closes_demand=False)


@defect("E85", "the cumulative maximum demand is not raised", "a reset takes the maximum away and adds it nowhere",
        why="it is worked out from the maxima after they are cleared",
        shows="^added to the cumulative", caught_by="test_a_reset_adds_to_the_cumulative_maximum",
        family=_FAMILY)  # fmt: skip
def cumulates_nothing(meter: Meter) -> None:
    """The sums are put back after the reset."""
    kept: list[int] = []

    def note(sick: Meter, _now: int) -> None:
        kept[:] = sick.registers.demand.cumulative

    def put_back(sick: Meter, _now: int) -> None:
        sick.registers.demand.cumulative = list(kept)

    decide(meter, after_store=note, after_billing=put_back)


@defect("E86", "a maximum is dated by the beginning of its period", "the moment is a period too early",
        why="profile records are dated by their beginning, demands by their end",
        shows="^(moment of the maximum|maximum in set 0 is of)",
        caught_by="test_the_maximum_names_its_moment_and_its_source", family=_FAMILY)  # fmt: skip
def dated_by_beginning(meter: Meter) -> None:
    """The stamp is taken when the period begins."""
    decide(meter, demand_stamp=lambda end, length: end - length)


@defect("E87", "a billing date without supply is forgotten", "a month is missing in the billing history",
        why="billing dates are compared when the minute changes, and at power-up nobody looks back",
        shows="^billing date in an outage", caught_by="test_a_billing_date_without_supply_is_made_up",
        family=_FAMILY)  # fmt: skip
def forgets_billing_date(meter: Meter) -> None:
    """Nothing is made up for."""
    decide(meter, makes_up_billing=False)


@defect("E88", "daily sets are shown one place late", "the set of the last midnight is missing",
        why="an index that counts from one: set 0 is read where set 1 lies",
        shows="^midnights kept", caught_by="test_every_midnight_keeps_a_set", model="A1140",
        family=_FAMILY)  # fmt: skip
def daily_sets_late(meter: Meter) -> None:
    """The first set of 545 is skipped."""
    row = meter.entry("daily_history")
    decide(meter, image=lambda number, data: data[row.size :] + bytes(row.size) if number == _DAILY else data)
