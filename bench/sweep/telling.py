"""What a sweep came to, as a table for people and as an object for programs."""

from __future__ import annotations

import sys

import click

from bench.sweep.campaign import Campaign, Row
from bench.sweep.kinds import command_for, kind_of


def progress(done: int, total: int) -> None:
    """How far a sweep is, on a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r  {done} of {total} cuts", err=True, nl=done == total)


def facts(found: Campaign) -> dict[str, object]:
    """The object that `--json` prints."""
    return {
        "points": found.points,
        "violations": found.violations,
        "wall_s": round(found.wall, 1),
        "points_per_s": round(found.points / found.wall, 1) if found.wall else None,
        "rows": [_row_facts(row) for row in found.rows],
    }


def _row_facts(row: Row) -> dict[str, object]:
    return {
        **kind_of(row.plan).facts(row.plan),
        **row.counts(),
        "broken": [
            {"invariant": name, "times": count, "at": outcome.moment, "what": outcome.what, "run": outcome.run,
             "found": next(v.found for v in outcome.violations if v.invariant == name),
             "command": command_for(row.plan, outcome.moment)}
            for name, count, outcome in row.first_of_each()
        ],
    }  # fmt: skip


def tell(found: Campaign, *, alone: bool) -> None:
    """Print the table; `alone` is one cut, of which more is told."""
    width = max(len(row.plan.title) for row in found.rows)
    heads = {"points": "points", **kind_of(found.rows[0].plan).heads, "violations": "violations"}
    click.echo(" " * width + "".join(f"{head:>11}" for head in heads.values()))
    for row in found.rows:
        counts = row.counts()
        click.echo(f"{row.plan.title:<{width}}" + "".join(f"{counts[name]:>11}" for name in heads))
        if alone:
            _tell_alone(row)
        for name, count, outcome in row.first_of_each():
            said = next(v.found for v in outcome.violations if v.invariant == name)
            click.echo(f"  {name}: {count} times, first {outcome.what}\n    {said}")
            click.echo(f"    {command_for(row.plan, outcome.moment)}")
    click.echo(
        f"{found.points} cuts, {found.violations} violations, {found.wall:.0f} s"
        + (f", {found.points / found.wall:.0f} cuts a second" if found.wall >= 1 else "")
    )


def _tell_alone(row: Row) -> None:
    for outcome in row.outcomes:
        click.echo(f"  the procedure: {outcome.run or 'nothing'}")
        click.echo(f"  afterwards: the {outcome.side or 'unknown'} set; a second run: {outcome.again or 'none'}")
