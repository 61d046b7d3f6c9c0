"""Reading a load profile as a head-end does it, with judgement: by days or by dates, and held against itself.

A profile is contradicted by its own markers (`profile_walk`), by the meter's clock at its end, by the days that
daylight saving makes shorter or longer, and by the registers (`register_check`). What contradicts itself is told with
its time; a value keeps its unit, its quality and the meter's time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bench.errors import Refused, UsageError
from bench.procedures.daylight_shift import DaylightShift, read_daylight_shift
from bench.procedures.head_end import HeadEnd
from bench.procedures.profile_findings import Finding
from bench.procedures.profile_intervals import Decoded, ProfileInterval
from bench.procedures.profile_walk import decode_profile, likely
from bench.procedures.register_check import Comparison, Standing, compare_with_registers
from protocols.elster import moments
from protocols.elster.history import HistoricalSet
from protocols.elster.profile import Record
from protocols.elster.tables import Source, model

if TYPE_CHECKING:
    from bench.drivers.elster import Elster


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the clock that people read: its intervals, and how many a day of its length has."""

    date: date
    intervals: tuple[ProfileInterval, ...]
    expected: int


@dataclass(frozen=True, slots=True)
class ProfileReading:
    """A load profile with all that is to be said of it.

    Attributes:
        device: whose.
        clock: what the meter's clock showed before it was read.
        period: of its intervals.
        intervals: in the order in which they were recorded.
        findings: where the row is not a plain row.
        comparisons: sums against registers.
        whole: whether the stream came to its end mark.
    """

    device: str
    clock: datetime
    period: timedelta
    intervals: tuple[ProfileInterval, ...]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    whole: bool

    @property
    def contradictions(self) -> list[str]:
        """What no marker accounts for, in words; empty where the data are of one piece."""
        found = [str(each) for each in self.findings if not each.explained]
        found += [] if self.whole else ["the stream has no end mark: something may be missing"]
        return found + [str(each) for each in self.comparisons if not each.agrees]

    @property
    def gaps(self) -> tuple[Finding, ...]:
        """Intervals that are missing and that no marker accounts for."""
        return tuple(each for each in self.findings if each.kind == "gap")

    @property
    def duplicates(self) -> tuple[Finding, ...]:
        """Intervals that stand twice, for whatever reason."""
        return tuple(each for each in self.findings if each.kind == "duplicate")

    def days(self, head_end: HeadEnd) -> list[Day]:
        """The days that people read, each with its intervals: one that daylight saving begins on has fewer."""
        found: dict[date, list[ProfileInterval]] = defaultdict(list)
        for each in self.intervals:
            found[head_end.people_read(each.start, each.shift).date()].append(each)
        return [Day(day, tuple(inside), self._expected(inside)) for day, inside in sorted(found.items())]

    def _expected(self, inside: Sequence[ProfileInterval]) -> int:
        longer = inside[0].shift - inside[-1].shift
        return (timedelta(days=1) + longer) // self.period


def read_profile(
    meter: Elster,
    *,
    days: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    head_end: HeadEnd | None = None,
    weighted: bool = False,
    against_registers: bool = True,
) -> ProfileReading:
    """Read a load profile and hold it against itself, the clock and the registers.

    Args:
        meter: an A1140 or A1700.
        days: the last days, that of now included; all if neither days nor moments are given.
        start: from, as people read it; None for the oldest.
        end: to; None for now.
        head_end: who makes values of it.
        weighted: short records are means over their own time.
        against_registers: whether the kept sets are read as well.

    Raises:
        UsageError: days and moments together, an end before its start, or a model without a load profile.
        DeviceError: the meter's fault.
    """
    _check(meter, days, start, end)
    head_end = head_end or HeadEnd()
    zone = read_daylight_shift(meter)
    before = meter.read_clock()
    records = _records(meter, days, start, end, zone, before)
    after = meter.read_clock()
    decoded = decode_profile(records, head_end.interval_energy, shift=zone.shift, offset=zone.offset, weighted=weighted)
    findings = list(decoded.findings)
    if end is None:
        findings += _end(decoded, before, after, zone)
    intervals = tuple(each for each in decoded.intervals if _inside(each, start, end))
    known = decoded.intervals[0].start if decoded.intervals else None
    standings = read_standings(meter, head_end, zone, known) if against_registers and known else []
    comparisons = compare_with_registers(decoded.intervals, standings, findings, head_end)
    return ProfileReading(
        meter.name, before, decoded.period, intervals, tuple(findings), tuple(comparisons), decoded.whole
    )


def _check(meter: Elster, days: int | None, start: datetime | None, end: datetime | None) -> None:
    if not model(meter.device.model)["profile_channels"]:
        raise UsageError(f"{meter.name} is an {meter.device.model}: it keeps no load profile")
    if days is not None and days < 1:
        raise UsageError(f"{days} days of a load profile cannot be read")
    if start is not None and end is not None and end <= start:
        raise UsageError(f"{end} is not later than {start}")


def _records(
    meter: Elster, days: int | None, start: datetime | None, end: datetime | None, zone: DaylightShift, now: datetime
) -> Sequence[Record]:
    """The records that are asked for; a meter that knows no range (554 is of one source) is asked by days."""
    if start is None and end is None:
        return meter.read_profile(days)
    try:
        return meter.read_profile(start=_unix(start, zone), end=_unix(end, zone))
    except Refused:
        return meter.read_profile(None if start is None else max(1, (now.date() - start.date()).days + 1))


def _unix(moment: datetime | None, zone: DaylightShift) -> datetime | None:
    """The meter's own seconds when people read a moment."""
    return None if moment is None else zone.unix(moment)


def _inside(each: ProfileInterval, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or each.end + each.shift > start) and (end is None or each.start + each.shift < end)


def _end(decoded: Decoded, before: datetime, after: datetime, zone: DaylightShift) -> list[Finding]:
    """Hold the end of a profile against the clock: its last period is the one that was over just before now."""
    if decoded.end is None:
        return []
    first, last = (_floor(_standard(moment, zone, decoded), decoded.period) for moment in (before, after))
    reached = _floor(decoded.end, decoded.period)
    if reached < first:
        count = (first - reached) // decoded.period
        why = f"nothing up to the clock, which shows {before}{likely(decoded.touched)}, and no marker says why"
        return [Finding("gap", reached, first, count, False, why)]  # explained
    if reached > last:
        count = (reached - last) // decoded.period
        why = f"more records than time: the clock shows {after}{likely(decoded.touched)}, and no marker says why"
        return [Finding("duplicate", last, reached, count, False, why)]  # as above
    return []


def _standard(moment: datetime, zone: DaylightShift, decoded: Decoded) -> datetime:
    """The standard time of what people read; where the meter's rule is not known, as its profile has it."""
    if zone.change is None:
        return moment - (zone.shift if decoded.summer else timedelta(0))
    return zone.unix(moment) + zone.offset


def _floor(moment: datetime, period: timedelta) -> datetime:
    return moments.EPOCH + (moment - moments.EPOCH) // period * period


def read_standings(meter: Elster, head_end: HeadEnd, zone: DaylightShift, since: datetime) -> list[Standing]:
    """The registers at the ends of billing periods and of days since a moment, as far as the meter keeps them."""
    oldest = since - zone.offset
    kept = list(meter.read_billing(since=oldest))
    kept += list(meter.read_daily(since=oldest)) if model(meter.device.model)["daily_sets"] else []
    return [standing_of(each, head_end, zone) for each in kept]


def standing_of(kept: HistoricalSet, head_end: HeadEnd, zone: DaylightShift) -> Standing:
    """The registers of a kept set; its time is as the meter's seconds count."""
    assert kept.time is not None  # the driver leaves out sets that were never filled
    registers: dict[Source, Decimal] = {
        source: head_end.energy(value) for source, value in kept.totals.items() if source.unit
    }
    return Standing(kept.time + zone.offset, registers)
