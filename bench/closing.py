"""What a run says at its end: the verdict table, what was not verified, what broke, and where the evidence is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.characterisation.session import overwritten
from bench.reports.terminal import ansi_paint, no_paint, verdict_table

if TYPE_CHECKING:
    import pytest

    from bench.run import Run

#: So many differences from a recorded run are told one by one.
_SHOWN = 10


def summary(terminal: pytest.TerminalReporter, run: Run, *, looks_only: bool) -> None:
    """Write the end of a run to a terminal; a session that only lists what it could run has no verdict."""
    if run.records:
        paint = ansi_paint if terminal.hasmarkup else no_paint
        terminal.section(f"station {run.station.name}, {run.kind} host", sep="-")
        terminal.write_line(verdict_table(run.records, run.measurements, paint))
    for line in closing_lines(run):
        terminal.write_line(line)
    if not run.verified and not looks_only:
        terminal.write_line("nothing was verified")


def closing_lines(run: Run) -> Iterator[str]:
    """What a reader must know beside the table."""
    yield from remarks(run)
    for link, calls in run.options.faults.items():
        yield f"line faults on {link}: {', '.join(map(str, calls))}"
    for name in run.unexercised():
        yield f"required and not verified: {name}"
    if run.compared is not None:
        yield from (f"not as recorded: {difference}" for difference in run.compared.differences[:_SHOWN])
        yield str(run.compared)
    for link, reason in run.broken.items():
        yield f"station broken: {link}: {reason}"
    yield from overwritten(run)
    if run.profile_line:
        yield run.profile_line
    if run.options.evidence is not None:
        sealed = f"seal {run.evidence.seal[:16]}" if run.evidence.seal else "NOT SEALED"
        yield f"evidence: {run.options.evidence}  {sealed}"


def remarks(run: Run) -> list[str]:
    """What the line did to readings that count all the same, by device and kind, over the whole run."""
    found: Counter[str] = Counter()
    for record in run.records:
        for remark in record.remarks:
            device, _, what = remark.partition(": ")
            kind = what.partition(":")[0].partition(" (")[0].lstrip("0123456789 ")
            found[f"{device}: {kind}"] += 1
    return [f"told: {text}, in {count} scenario{'s' if count > 1 else ''}" for text, count in sorted(found.items())]
