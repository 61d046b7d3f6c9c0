"""`meterbench scheme program` and `restore`: what writes a scheme into a meter."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from bench.cli import allow_option, evidence_option, json_option, show_json, station_option
from bench.commands.device import exit_of, opened
from bench.commands.run import default_folder
from bench.errors import BenchError, StationError, UsageError
from bench.host import host_kind
from bench.measurement import plain
from bench.run import Scenario
from bench.safety import Safety
from bench.scheme.load import load_scheme
from bench.scheme.plan import Plan, plan_of
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport, judge_scheme
from bench.scheme.snapshot import read_snapshot, write_snapshot
from bench.scheme.station import meter_of, refuse_assumed, takes_none, wall_of
from bench.selection import capabilities_of
from bench.station import find_station, station_from_environment

_USER_LENGTH = 12

scheme_argument = click.argument("file", type=click.Path(path_type=Path))
on_option = click.option("--on", metavar="DATE", help="Check as if it were this day, YYYY-MM-DD (default: today).")
user_option = click.option("--user", metavar="NAME", help="Who programs, up to 12 characters (default: your login).")
snapshot_option = click.option(
    "--snapshot", "snapshot_file", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to keep what the meter held (default: in the evidence folder).",
)  # fmt: skip
assumed_option = click.option(
    "--write-assumed", is_flag=True,
    help="Write identities whose number and layout no public document gives into a real meter too.",
)  # fmt: skip


@click.command()
@scheme_argument
@click.argument("meter")
@station_option
@allow_option
@user_option
@click.option("--resume", type=click.Path(path_type=Path), metavar="SNAPSHOT",
              help="Take up a programming that was broken off, from its snapshot.")  # fmt: skip
@snapshot_option
@assumed_option
@evidence_option
@on_option
@json_option
def program(
    file: Path,
    meter: str,
    station: str | None,
    allowed: tuple[str, ...],
    user: str | None,
    resume: Path | None,
    snapshot_file: Path | None,
    write_assumed: bool,
    evidence: Path | None,
    on: str | None,
    as_json: bool,
) -> int:
    """Program the scheme in FILE into METER, read every section back, and prove the programming log.

    What the meter held is kept in a snapshot first. If it is broken off, it says which sections are old, new or mixed,
    and 795 says so too, until it is resumed (--resume) or the old state is brought back (scheme restore).
    """
    scheme = load_scheme(file, day_of(on))
    resumed = read_snapshot(resume) if resume is not None else None
    return _programmed(
        f"scheme program {file.name} into {meter}", meter, station, allowed, evidence, as_json,
        lambda model: plan_of(scheme, model, os.environ),
        {"user": user_name(user), "resumed": resumed}, resume or snapshot_file,
        write_assumed=write_assumed,
    )  # fmt: skip


@click.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("meter")
@station_option
@allow_option
@user_option
@snapshot_option
@assumed_option
@evidence_option
@json_option
def restore(
    snapshot: Path,
    meter: str,
    station: str | None,
    allowed: tuple[str, ...],
    user: str | None,
    snapshot_file: Path | None,
    write_assumed: bool,
    evidence: Path | None,
    as_json: bool,
) -> int:
    """Bring METER back to what SNAPSHOT kept of it; passwords stay as they are."""
    found = read_snapshot(snapshot)

    def plan(model: str) -> Plan:
        if model != found.model:
            raise UsageError(f"is of an {found.model}, not of an {model}", snapshot)
        return found.restoring()

    return _programmed(
        f"scheme restore {snapshot.name} into {meter}", meter, station, allowed, evidence, as_json, plan,
        {"user": user_name(user), "restoring": found}, snapshot_file,
        write_assumed=write_assumed,
    )  # fmt: skip


def _programmed(
    what: str,
    meter: str,
    station: str | None,
    allowed: tuple[str, ...],
    evidence: Path | None,
    as_json: bool,
    make_plan: Callable[[str], Plan],
    options: dict[str, Any],
    snapshot_file: Path | None,
    *,
    write_assumed: bool,
) -> int:
    known = find_station(station or station_from_environment())
    entry = known.device(meter)
    if "program-scheme" not in capabilities_of(entry):
        raise takes_none(entry)
    Safety(known, allowed).arm(meter, what)
    folder = evidence or default_folder(known.name)
    path = snapshot_file or folder / f"{meter}.snapshot.json"
    if options.get("resumed") is None:
        _refuse_place(path, folder)
    argv = (*what.split(), *(("--station", station) if station else ()))
    found: dict[str, Any] = {}
    try:
        with opened(what, station, (meter,), reason=what, allowed=allowed, evidence=folder, argv=argv) as scenario:
            report = _transaction(scenario, meter, what, make_plan, options, path, write_assumed=write_assumed)
            judge_scheme(report, scenario.measure)
            found = _found(report, scenario, path, folder)
    except StationError:
        if found:  # whoever has programmed a meter must know it, though it cannot be proved
            states = ", ".join(f"{name} {state}" for name, state in found["sections"].items())
            click.echo(f"{meter}: {states}; and the evidence of it is not complete", err=True)
        raise
    if as_json:
        show_json(found)
    else:
        _show(found)
    return int(found["exit"])


def _transaction(
    scenario: Scenario,
    meter: str,
    what: str,
    make_plan: Callable[[str], Plan],
    options: dict[str, Any],
    path: Path,
    *,
    write_assumed: bool,
) -> SchemeReport:
    driver, station = meter_of(scenario, meter), scenario.bench.station
    plan = make_plan(driver.model)
    if host_kind(station) == "real" and not write_assumed:
        refuse_assumed(plan, meter)
    if write_assumed:
        driver.write_assumed()
    reports: list[SchemeReport] = []
    scenario.device_trace(meter)
    programming = Programming(
        driver, plan, armed=scenario.run.safety.arm(meter, what), journal=scenario.bench.journal,
        serial=station.device(meter).serial, keep=lambda snapshot: write_snapshot(snapshot, path),
        wall=wall_of(scenario), on_report=reports.append, **options,
    )  # fmt: skip
    try:
        return programming.run()
    except (BenchError, KeyboardInterrupt):
        click.echo(f"{meter}: {_left_behind(reports[0], path)}", err=True)
        raise


def _refuse_place(path: Path, folder: Path) -> None:
    """Refuse a place of a snapshot before the meter is asked anything; `folder` is made when the evidence begins.

    Raises:
        UsageError: there is such a file, or no such folder.
    """
    if path.exists():
        raise UsageError("exists already; a snapshot is not overwritten, name a new file", path)
    if path.parent != folder and not path.parent.is_dir():
        raise UsageError("cannot be written here: there is no such folder", path)


def _left_behind(report: SchemeReport, path: Path) -> str:
    if not report.written:
        return "nothing was written"
    return f"{report.told}; what it held before is in {path}: scheme program ... --resume, or scheme restore"


def _found(report: SchemeReport, scenario: Scenario, path: Path, folder: Path) -> dict[str, Any]:
    rows = [
        {"name": m.name, "value": plain(m.value), "limits": m.limits, "verdict": m.verdict.value, "note": m.note}
        for m in scenario.measure.records
    ]
    return {
        "meter": report.meter,
        "scheme": report.plan.name,
        "verdict": scenario.measure.worst.value,
        "exit": int(exit_of(scenario)),
        "already": report.already,
        "stopped": report.stopped,
        "found": {name: state.value for name, state in report.found.items()},
        "sections": {name: state.value for name, state in report.sections.items()},
        "unconfirmed": report.unconfirmed,
        "snapshot": str(path) if path.exists() else None,
        "evidence": str(folder),
        "measurements": rows,
    }


def _show(found: dict[str, Any]) -> None:
    if set(found["found"].values()) - {"old", "unchanged"}:
        states = ", ".join(f"{name} {state}" for name, state in found["found"].items())
        click.echo(f"  taken up where it held: {states}")
    for row in found["measurements"]:
        text = f"  {row['verdict'].replace('_', ' ').upper():<16} {row['name']:<42} {row['value']}".rstrip()
        click.echo(
            text + (f"   {row['limits']}" if row["limits"] else "") + (f"   ({row['note']})" if row["note"] else "")
        )
    if found["stopped"]:
        click.echo(f"  stopped: {found['stopped']}")
    done = "held it already" if found["already"] else found["verdict"].replace("_", " ")
    click.echo(f"{found['meter']}, scheme {found['scheme']}: {done}")
    click.echo(f"evidence: {found['evidence']}")


def day_of(text: str | None) -> date:
    """The day that `--on` names, else today.

    Raises:
        UsageError: no date.
    """
    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--on {text} is no date; write it as in 2027-03-28") from None


def user_name(name: str | None) -> str:
    """Who programs: as given, else METERBENCH_USER, else the login.

    Raises:
        UsageError: the name is empty, or none that a meter can keep, or nobody knows it.
    """
    found = name if name is not None else os.environ.get("METERBENCH_USER") or _login()[:_USER_LENGTH]
    if not found.strip():
        raise UsageError("--user must not be empty: the meter's programming log names who programs")
    if len(found) > _USER_LENGTH or not (found.isascii() and found.isprintable()):
        raise UsageError(f"--user {found!r} is no user name for a meter: up to {_USER_LENGTH} ASCII characters")
    return found


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, or no pwd module on Windows
        raise UsageError("whoever runs this has no login name; name one with --user") from None
