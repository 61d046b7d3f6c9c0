"""What the commands that work with devices share: an opened bench outside pytest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench.cli import progress
from bench.commands.report import write_page_beside
from bench.errors import BenchError, Exit, UsageError
from bench.run import Options, Run, Scenario
from bench.station import find_station, station_from_environment
from bench.verdicts import Verdict


@contextmanager
def opened(
    what: str,
    station: str | None,
    devices: tuple[str, ...],
    *,
    reason: str | None = None,
    allowed: tuple[str, ...] = (),
    evidence: Path | None = None,
    argv: tuple[str, ...] = (),
    record: Path | None = None,
) -> Iterator[Scenario]:
    """A bench for one command; its evidence is closed with the exit code that it comes to.

    Raises:
        UsageError: the station or a device does not exist, or the file to record into does.
    """
    if record is not None and record.exists():
        raise UsageError("exists already; name a new file to record into", record)
    found = find_station(station or station_from_environment())
    for device in devices:
        found.device(device)
    run = Run(found, Options(allowed=allowed, evidence=evidence, argv=("meterbench", *argv)))
    scenario = Scenario(run, what, what, reason, devices, ())
    scenario.bench.journal.progress = progress
    scenario.bench.record = record
    code: Exit = Exit.FAILED
    outcome, why = "error", "broken off"
    try:
        yield scenario
        code = exit_of(scenario)
        outcome, why = (
            ("passed", "") if code in (Exit.VERIFIED, Exit.NOTHING) else ("failed", scenario.measure.failure_text())
        )
    except KeyboardInterrupt:
        code, why = Exit.INTERRUPTED, "interrupted by the operator"
        raise
    except BenchError as error:
        code, why = error.exit, str(error)
        raise
    finally:
        try:
            scenario.finish()
            kept = run.keep(scenario.record(outcome, why), scenario.measure.flush())
            for remark in kept.remarks:
                click.echo(f"told: {remark}", err=True)
            run.close(code)
        finally:
            run.abandon()  # a full disk: what is left of the evidence is that of a run that was killed
        if evidence is not None:
            write_page_beside(evidence)
            if outcome == "error":
                click.echo(f"evidence: {evidence}", err=True)


def exit_of(scenario: Scenario) -> Exit:
    """What the measurements of a command come to; one that only looks measures nothing, and has nothing to fail.

    A command is about one thing, a transfer or a programming: what it could not determine is missing from that, so it
    has not verified it, whatever else passed.
    """
    measure = scenario.measure
    if measure.worst >= Verdict.INCONCLUSIVE:
        return Exit.FAILED
    whole = measure.verified and measure.worst is not Verdict.NOT_DETERMINABLE
    return Exit.VERIFIED if whole or not measure.records else Exit.NOTHING
