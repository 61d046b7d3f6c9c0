"""Billing and daily sets held against one another and against the registers of now: a register never runs backwards.

A register that begins again behind its last digit has advanced; one that seems to have advanced by more than half of
what it holds has fallen back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.procedures.daylight_shift import DaylightShift
from bench.procedures.head_end import ROLL_OVER, HeadEnd, Totals
from bench.procedures.profile_reading import standing_of
from bench.procedures.register_check import Standing
from protocols.elster.history import HistoricalSet

if TYPE_CHECKING:
    from decimal import Decimal


def fallen(kept: Sequence[HistoricalSet], now: Totals, head_end: HeadEnd, zone: DaylightShift) -> list[str]:
    """Where a register fell from one kept set to the next, or to the registers of now, in words.

    Args:
        kept: billing and daily sets in any order.
        now: the registers, read after the sets.
        head_end: who makes values of them.
        zone: how the meter's times hang together.
    """
    standings = sorted((standing_of(each, head_end, zone) for each in kept), key=lambda each: each.at)
    standings.append(Standing(zone.unix(now.time) + zone.offset, now.values))
    return [said for before, after in pairwise(standings) for said in _between(before, after, head_end)]


def _between(before: Standing, after: Standing, head_end: HeadEnd) -> list[str]:
    return [
        f"{source.title} fell from {value} {source.unit} at {before.at:%Y-%m-%d %H:%M} "
        f"to {after.registers[source]} {source.unit} at {after.at:%Y-%m-%d %H:%M}"
        for source, value in before.registers.items()
        if source in after.registers and _fell(value, after.registers[source], head_end)
    ]


def _fell(before: Decimal, after: Decimal, head_end: HeadEnd) -> bool:
    return not 0 <= head_end.advance(before, after) <= ROLL_OVER / 2
