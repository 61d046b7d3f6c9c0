"""`meterbench profile`: a load profile as intervals, with what is to be said of them, as text, CSV or JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from bench.cli import json_option, show_json, station_option
from bench.commands.device import opened
from bench.errors import Exit, UsageError
from bench.procedures.head_end import HeadEnd
from bench.procedures.profile_intervals import ProfileInterval
from bench.procedures.profile_reading import Day, ProfileReading, read_profile
from bench.procedures.quality import Quality
from bench.run import Scenario

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])
_MINUTE = 60
_DAY = 86_400_000_000_000
#: Days that a virtual station lives.
_LONGEST = 39


@click.command()
@click.argument("device")
@station_option
@click.option(
    "--days", type=click.IntRange(1, 0xFFFE), metavar="N", help="The last N days, today included (default: all)."
)
@click.option(
    "--from", "start", type=_MOMENT, metavar="T", help="From this moment of the meter's clock, YYYY-MM-DDTHH:MM."
)
@click.option("--to", "end", type=_MOMENT, metavar="T", help="Up to this moment of the meter's clock.")
@click.option(
    "--short-records", type=click.Choice(["nominal", "actual"]), default="nominal", show_default=True,
    help="What a short record is a mean over: the whole period, or the time that it took.",
)  # fmt: skip
@click.option(
    "--csv", "table", type=click.Path(path_type=Path), metavar="FILE", help="Write the intervals to a new file."
)
@click.option(
    "--after",
    type=click.FloatRange(0, _LONGEST),
    metavar="DAYS",
    default=0,
    help="Let days pass first (in virtual time).",
)
@json_option
def command(
    device: str,
    station: str | None,
    days: int | None,
    start: datetime | None,
    end: datetime | None,
    short_records: str,
    table: Path | None,
    after: float,
    as_json: bool,
) -> int:
    """Read the load profile of an A1140 or A1700 and hold it against itself, its clock and its registers.

    Times are those that people read on the meter's clock. Ends with 1 if the data contradict themselves (a gap or a
    doubled interval that no marker accounts for, a sum that the registers do not show), with 5 if there are none.
    """
    if days is not None and (start is not None or end is not None):
        raise UsageError("--days and --from or --to say the same thing in two ways; give one of them")
    if table is not None and table.exists():
        raise UsageError("exists already; name a new file", table)
    if table is not None and not table.parent.is_dir():  # told before an hour of reading
        raise UsageError("is no folder to write into", table.parent)
    with opened(f"profile {device}", station, (device,)) as scenario:
        meter = scenario.bench.elster(device)
        _let_pass(scenario, after)
        found = read_profile(meter, days=days, start=start, end=end, weighted=short_records == "actual")
    if table is not None:
        _write(table, found)
    if as_json:
        show_json(facts(found))
    else:
        for line in lines(found, table):
            click.echo(line)
    if found.contradictions:
        return Exit.FAILED
    return Exit.VERIFIED if found.intervals else Exit.NOTHING


def _let_pass(scenario: Scenario, days: float) -> None:
    if days and not scenario.bench.clock.virtual:
        raise UsageError("--after lets virtual time pass; on real ports wait yourself")
    scenario.bench.clock.sleep(round(days * _DAY))


# -- JSON and CSV ------------------------------------------------------------------------------------------------------


def facts(found: ProfileReading) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {
        "device": found.device,
        "clock": found.clock.isoformat(sep=" "),
        "period_minutes": int(found.period.total_seconds()) // _MINUTE,
        "ok": not found.contradictions,
        "contradictions": found.contradictions,
        "days": [
            {"date": str(day.date), "intervals": len(day.intervals), "expected": day.expected} for day in _days(found)
        ],
        "findings": [
            {
                "kind": each.kind, "from": str(each.start), "to": str(each.end), "intervals": each.intervals,
                "explained": each.explained, "why": each.why,
            }
            for each in found.findings
        ],
        "comparisons": [
            {
                "source": each.source.value, "from": str(each.start), "to": str(each.end), "summed": str(each.summed),
                "advanced": str(each.advanced), "tolerance": str(each.tolerance), "unit": each.source.unit,
                "agrees": each.agrees,
            }
            for each in found.comparisons
        ],
        "intervals": [_interval(each) for each in found.intervals],
    }  # fmt: skip


def _interval(each: ProfileInterval) -> dict[str, Any]:
    return {
        "start": str(each.start + each.shift),
        "end": str(each.end + each.shift),
        "shift_minutes": int(each.shift.total_seconds()) // _MINUTE,
        "values": {
            source.value: {"value": str(value), "unit": source.unit}
            for source, value in zip(each.channels, each.energies, strict=True)
        },
        "records": len(each.pieces),
        "quality": list(each.quality.words),
    }


def _write(table: Path, found: ProfileReading) -> None:
    """A row for each interval; a column for each channel that any of them has."""
    channels = list(dict.fromkeys(source for each in found.intervals for source in each.channels))
    try:
        with table.open("x", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(
                [
                    "start",
                    "end",
                    "shift minutes",
                    *(f"{s.title} {s.unit}".rstrip() for s in channels),
                    "records",
                    "quality",
                ]
            )
            for each in found.intervals:
                values = dict(zip(each.channels, each.energies, strict=True))
                shift = int(each.shift.total_seconds()) // _MINUTE
                out.writerow([
                    each.start + each.shift, each.end + each.shift, shift, *(values.get(s, "") for s in channels),
                    len(each.pieces), "; ".join(each.quality.words),
                ])  # fmt: skip
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", table) from None


# -- for a person ------------------------------------------------------------------------------------------------------


def _days(found: ProfileReading) -> list[Day]:
    return found.days(HeadEnd())


def lines(found: ProfileReading, table: Path | None = None) -> Iterator[str]:
    """The reading in lines: its days, what is to be said of them, and the verdict."""
    minutes = int(found.period.total_seconds()) // _MINUTE
    yield f"{found.device}: {len(found.intervals)} intervals of {minutes} min, meter's clock {found.clock}"
    days = _days(found)
    for day in days:
        count = _count(day, edge=day in (days[0], days[-1]))
        yield f"  {day.date}  {count:<10}  {_sums(day)}{_quality(day)}".rstrip()
    for each in found.findings:
        yield f"  {each}"
    agreed = sum(each.agrees for each in found.comparisons)
    if found.comparisons:
        yield f"  {agreed} of {len(found.comparisons)} sums agree with the registers"
    elif found.intervals:
        yield "  no kept set of registers lies within it twice: its sums were held against nothing"
    for said in found.contradictions:
        yield f"  CONTRADICTS ITSELF: {said}"
    if not found.intervals:
        yield "  no interval is whole yet"
    if table is not None:
        yield f"intervals: {table}"


def _count(day: Day, *, edge: bool) -> str:
    """How many of how many; the first and the last day of a reading are seldom whole, and that is no gap."""
    count = len(day.intervals)
    return f"{count}, a part" if edge and count < day.expected else f"{count} of {day.expected}"


def _sums(day: Day) -> str:
    channels = day.intervals[0].channels
    alike = [each for each in day.intervals if each.channels == channels]
    sums = [sum((each[source] for each in alike), Decimal(0)) for source in channels]
    return ", ".join(f"{s.title} {value} {s.unit}".rstrip() for s, value in zip(channels, sums, strict=True))


def _quality(day: Day) -> str:
    found = Quality.NONE
    for each in day.intervals:
        found |= each.quality
    return f"  ({', '.join(found.words)})" if found else ""
