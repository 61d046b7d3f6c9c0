"""The intervals of a load profile held against the registers: what they sum up to, and what the registers advanced.

Registers are known exactly at the ends of kept sets: midnights (545) and billing resets (543). Between two of them the
profile must come to the same, but for the fifth digit of each of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from bench.procedures.head_end import HeadEnd
from bench.procedures.profile_findings import Finding
from bench.procedures.profile_intervals import Piece, ProfileInterval
from protocols.elster.tables import Source

#: A register shows whole mWh: two readings lose up to one of them together.
_LAST_DIGIT = Decimal("0.001")
#: After these, times do not tell any more which records lie between two others.
_BREAKS_TIME = {"clock set", "duplicate"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What registers read at a moment of the meter's standard time, Wh (varh, VAh) by source."""

    at: datetime
    registers: Mapping[Source, Decimal]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sum of a profile against the advance of a register, both in Wh (varh, VAh).

    Attributes:
        source: what was counted.
        start, end: between which moments (the meter's standard time).
        summed: what the intervals say.
        advanced: what the register says.
        tolerance: by how much the rounding of the profile can make them differ.
    """

    source: Source
    start: datetime
    end: datetime
    summed: Decimal
    advanced: Decimal
    tolerance: Decimal

    @property
    def agrees(self) -> bool:
        """Whether rounding explains the difference."""
        return abs(self.summed - self.advanced) <= self.tolerance

    def __str__(self) -> str:
        verdict = "agrees" if self.agrees else "DOES NOT AGREE"
        return (
            f"{self.source.title} {self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}: the intervals sum up to "
            f"{self.summed} {self.source.unit}, the register advanced {self.advanced} {self.source.unit} "
            f"(rounding {self.tolerance}): {verdict}"
        )


def summed(pieces: Iterable[Piece], channel: int) -> tuple[Decimal, Decimal]:
    """The sum of a channel over records, and by how much rounding can make it wrong."""
    energies, rounding = Decimal(0), Decimal(0)
    for piece in pieces:
        energies += piece.energies[channel]
        rounding += piece.rounding[channel]
    return energies, rounding


def compare_with_registers(
    intervals: Sequence[ProfileInterval],
    standings: Iterable[Standing],
    findings: Iterable[Finding],
    head_end: HeadEnd,
) -> list[Comparison]:
    """Each span between two standings of the registers that the intervals cover, source by source.

    A span in which the clock was set is left out: its times do not say what lies in it.
    """
    found: list[Comparison] = []
    if not intervals:
        return found
    first, last = intervals[0].pieces[0].start, intervals[-1].pieces[-1].end
    known = sorted((each for each in standings if first <= each.at <= last), key=lambda each: each.at)
    moved = [each for each in findings if each.kind in _BREAKS_TIME]
    for before, after in pairwise(known):
        if before.at == after.at or any(each.start < after.at and before.at < each.end for each in moved):
            continue
        if any(before.at <= each.start <= after.at for each in moved):
            continue
        found += _span(intervals, before, after, head_end)
    return found


def _span(
    intervals: Sequence[ProfileInterval], before: Standing, after: Standing, head_end: HeadEnd
) -> list[Comparison]:
    found = [each for each in intervals if before.at < each.end and each.start < after.at]
    sets = {each.channels for each in found}
    if len(sets) != 1:  # another set-up in the middle: no channel goes all the way through
        return []
    (channels,) = sets
    pieces = [piece for each in found for piece in each.pieces if before.at <= piece.start and piece.end <= after.at]
    return [
        Comparison(
            source, before.at, after.at, sums,
            head_end.advance(before.registers[source], after.registers[source]), rounding + _LAST_DIGIT,
        )
        for channel, source in enumerate(channels)
        if source in before.registers and source in after.registers
        for sums, rounding in (summed(pieces, channel),)
    ]  # fmt: skip
