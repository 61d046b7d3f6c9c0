"""`meterbench scheme`: check, compare, export, program and verify what is programmed into a meter."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import click

from bench.cli import allow_option, evidence_option, json_option, show_json, station_option
from bench.commands.device import exit_of, opened
from bench.commands.run import default_folder
from bench.errors import BenchError, Exit, UsageError
from bench.measurement import plain
from bench.run import Scenario
from bench.safety import Safety
from bench.scheme.difference import Difference, as_lines, as_rows, differences, scheme_differences
from bench.scheme.export import Held, read_held, scheme_text
from bench.scheme.load import load_scheme
from bench.scheme.meter import SchemeMeter
from bench.scheme.model import Scheme
from bench.scheme.plan import UNFINISHED, Plan, plan_of
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport, judge_scheme
from bench.scheme.schema import schema_text
from bench.scheme.sections import sections_of
from bench.scheme.snapshot import read_snapshot, write_snapshot
from bench.station import find_station, station_from_environment

_TEMPLATES = {"A1120": "tariff_only", "A1140": "industrial", "A1700": "grid_supply_point"}
_USER_LENGTH = 12

scheme_argument = click.argument("file", type=click.Path(path_type=Path))
on_option = click.option("--on", metavar="DATE", help="Check as if it were this day, YYYY-MM-DD (default: today).")
user_option = click.option("--user", metavar="NAME", help="Who programs, up to 12 characters (default: your login).")
snapshot_option = click.option(
    "--snapshot", "snapshot_file", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to keep what the meter held (default: in the evidence folder).",
)  # fmt: skip


@click.group()
def command() -> None:
    """Check a scheme, compare schemes, bring one into a meter."""


@command.command()
@scheme_argument
@on_option
@json_option
def check(file: Path, on: str | None, as_json: bool) -> int:
    """Read a scheme and say how it is understood; every mistake is one line `file:line: reason`, exit code 4."""
    scheme = load_scheme(file, _day(on))
    sections = sections_of(scheme)
    if as_json:
        show_json({
            "ok": True, "file": str(file), "id": scheme.id, "version": scheme.version, "models": list(scheme.models),
            "firmware": list(scheme.firmware), "sections": list(sections), "passwords": sorted(scheme.passwords),
            "sets_clock": bool(scheme.clock and scheme.clock.set),
        })  # fmt: skip
        return 0
    firmware = f", firmware {', '.join(scheme.firmware)}" if scheme.firmware else ""
    click.echo(f"{file}: scheme {scheme.id}, version {scheme.version}, for {', '.join(scheme.models)}{firmware}")
    for line in _told(scheme):
        click.echo(f"  {line}")
    return 0


def _told(scheme: Scheme) -> list[str]:
    lines = [f"programs {', '.join(name.replace('_', ' ') for name in sections_of(scheme)) or 'no section'}"]
    if scheme.tariff is not None:
        tariff = scheme.tariff
        lines.append(f"tariff: {len(tariff.seasons)} seasons, {len(tariff.day_types)} day types, "
                     f"{len(tariff.special_days)} special days")  # fmt: skip
    if scheme.clock is not None and scheme.clock.set:
        lines.append("sets the clock to the bench's time")
    if scheme.passwords:
        lines.append(f"passwords of level {', '.join(sorted(scheme.passwords))}, from the environment")
    return lines


@command.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path), required=False)
@click.option("--meter", metavar="ID", help="Compare with what this meter holds instead of with a second file.")
@station_option
@json_option
def diff(first: Path, second: Path | None, meter: str | None, station: str | None, as_json: bool) -> int:
    """Say what two schemes, or a scheme and a meter, do differently; exit code 1 if they do.

    What is called or ordered otherwise and means the same is no difference.
    """
    if (second is None) == (meter is None):
        raise UsageError("name either a second file or --meter ID")
    one = load_scheme(first)
    if second is not None:
        found = scheme_differences(one, load_scheme(second))
    else:
        assert meter is not None
        found = _against(one, _held(f"scheme diff {first}", station, meter, lambda model: _refuse_other(one, model)))
    if as_json:
        show_json(
            {"first": str(first), "second": str(second or meter), "same": not found, "differences": as_rows(found)}
        )
    else:
        for line in as_lines(found):
            click.echo(line)
        click.echo(f"{first} and {second or meter} {f'differ in {len(found)} facts' if found else 'mean the same'}")
    return Exit.FAILED if found else Exit.VERIFIED


@command.command()
@click.argument("meter")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A new file to write it to.")
@station_option
@json_option
def export(meter: str, output: Path | None, station: str | None, as_json: bool) -> int:
    """Write what METER holds as a scheme; exit code 1 if a part of it means nothing. Passwords cannot be read."""
    if output is not None and output.exists():
        raise UsageError("exists already; name a new file", output)
    held = _held(f"scheme export {meter}", station, meter)
    text = scheme_text(held)
    if held.scheme_id == UNFINISHED:
        click.echo(f"{meter}: 795 reads {UNFINISHED}: a programming was broken off, this is a mixture", err=True)
    for name, problem in held.problems.items():
        click.echo(f"{meter}: {name} cannot be understood: {problem}", err=True)
    if output is not None:
        try:
            output.write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", output) from None
    if as_json:
        show_json({
            "meter": meter, "id": held.scheme_id, "sections": list(held.sections), "problems": dict(held.problems),
            "file": str(output) if output else None, "scheme": text,
        })  # fmt: skip
    elif output is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"{meter}: {len(held.sections)} sections written to {output}")
    return Exit.FAILED if held.problems else Exit.VERIFIED


@command.command()
@scheme_argument
@click.argument("meter")
@station_option
@json_option
def verify(file: Path, meter: str, station: str | None, as_json: bool) -> int:
    """Whether METER holds what the scheme programs; sections that it leaves out are not looked at. Writes nothing."""
    scheme = load_scheme(file)
    held = _held(f"scheme verify {file}", station, meter, lambda model: _refuse_other(scheme, model))
    found = [row for row in _against(scheme, held) if row.first is not None or row.section in sections_of(scheme)]
    if as_json:
        show_json({"meter": meter, "scheme": scheme.id, "ok": not found, "differences": as_rows(found),
                   "not_verified": sorted(f"password {level}" for level in scheme.passwords)})  # fmt: skip
    else:
        for line in as_lines(found):
            click.echo(line)
        if scheme.passwords:
            click.echo("  passwords are not verified: a meter does not show them")
        click.echo(f"{meter} {'does not hold' if found else 'holds'} scheme {scheme.id}")
    return Exit.FAILED if found else Exit.VERIFIED


def _refuse_other(scheme: Scheme, model: str) -> None:
    """Refuse a scheme for another model before the meter is asked anything."""
    plan_of(scheme.without_passwords(), model, {})


def _against(scheme: Scheme, held: Held) -> list[Difference]:
    found = differences(sections_of(scheme), held.sections)
    if held.scheme_id != scheme.id:
        found.insert(0, Difference("scheme", "id (795)", scheme.id, held.scheme_id))
    return found


@command.command()
@scheme_argument
@click.argument("meter")
@station_option
@allow_option
@user_option
@click.option("--resume", type=click.Path(path_type=Path), metavar="SNAPSHOT",
              help="Take up a programming that was broken off, from its snapshot.")  # fmt: skip
@snapshot_option
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
    evidence: Path | None,
    on: str | None,
    as_json: bool,
) -> int:
    """Program the scheme in FILE into METER, read every section back, and prove the programming log.

    What the meter held is kept in a snapshot first. If it is broken off, it says which sections are old, new or mixed,
    and 795 says so too, until it is resumed (--resume) or the old state is brought back (scheme restore).
    """
    scheme = load_scheme(file, _day(on))
    resumed = read_snapshot(resume) if resume is not None else None
    return _programmed(
        f"scheme program {file.name} into {meter}", meter, station, allowed, evidence, as_json,
        lambda model: plan_of(scheme, model, os.environ),
        {"user": _user(user), "resumed": resumed}, snapshot_file,
    )  # fmt: skip


@command.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("meter")
@station_option
@allow_option
@user_option
@snapshot_option
@evidence_option
@json_option
def restore(
    snapshot: Path,
    meter: str,
    station: str | None,
    allowed: tuple[str, ...],
    user: str | None,
    snapshot_file: Path | None,
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
        {"user": _user(user), "restoring": found}, snapshot_file,
    )  # fmt: skip


@command.command()
@click.option("--model", type=click.Choice(sorted(_TEMPLATES)), default="A1140", help="For which model.")
@click.option("--schema", is_flag=True, help="Print the JSON schema for editors instead.")
def template(model: str, schema: bool) -> int:
    """Print a scheme to begin with."""
    if schema:
        click.echo(schema_text(), nl=False)
        return 0
    file = resources.files("fixtures").joinpath("schemes", f"{_TEMPLATES[model]}.yaml")
    click.echo(file.read_text("utf-8"), nl=False)
    return 0


# -- meters ------------------------------------------------------------------------------------------------------------


def _meter(scenario: Scenario, name: str) -> SchemeMeter:
    driver: object = scenario.bench.device(name)
    if not isinstance(driver, SchemeMeter):
        model = scenario.bench.station.device(name).model
        raise UsageError(f"{name} is a {model}: it takes no scheme; A1120, A1140 and A1700 do")
    return driver


def _held(what: str, station: str | None, meter: str, fits: Callable[[str], object] = lambda _model: None) -> Held:
    with opened(what, station, (meter,)) as scenario:
        driver = _meter(scenario, meter)
        fits(driver.model)
        driver.identify()
        driver.log_in(None, 0, "")
        try:
            return read_held(driver)
        finally:
            driver.log_out()


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
) -> int:
    known = find_station(station or station_from_environment())
    Safety(known, allowed).arm(known.device(meter).id, what)
    folder = evidence or default_folder(known.name)
    path = snapshot_file or folder / f"{meter}.snapshot.json"
    argv = (*what.split(), *(("--station", station) if station else ()))
    with opened(what, station, (meter,), reason=what, allowed=allowed, evidence=folder, argv=argv) as scenario:
        driver = _meter(scenario, meter)
        plan = make_plan(driver.model)
        clock, start = scenario.bench.clock, datetime.now(UTC).astimezone().replace(tzinfo=None)
        begun = clock.now()
        reports: list[SchemeReport] = []
        scenario.device_trace(meter)
        programming = Programming(
            driver, plan, armed=scenario.run.safety.arm(meter, what), journal=scenario.bench.journal,
            serial=known.device(meter).serial, keep=lambda snapshot: write_snapshot(snapshot, path),
            wall=lambda: start + timedelta(microseconds=(clock.now() - begun) // 1000),
            on_report=reports.append, **options,
        )  # fmt: skip
        try:
            report = programming.run()
        except (BenchError, KeyboardInterrupt):
            click.echo(f"{meter}: {_left_behind(reports[0], path)}", err=True)
            raise
        judge_scheme(report, scenario.measure)
        found = _found(report, scenario, path, folder)
    if as_json:
        show_json(found)
    else:
        _show(found)
    return int(found["exit"])


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
        "sections": {name: state.value for name, state in report.sections.items()},
        "unconfirmed": report.unconfirmed,
        "snapshot": str(path) if path.exists() else None,
        "evidence": str(folder),
        "measurements": rows,
    }


def _show(found: dict[str, Any]) -> None:
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


# -- options -----------------------------------------------------------------------------------------------------------


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--on {text} is no date; write it as in 2027-03-28") from None


def _user(name: str | None) -> str:
    found = name if name is not None else os.environ.get("METERBENCH_USER") or getpass.getuser()[:_USER_LENGTH]
    if not found.strip():
        raise UsageError("--user must not be empty: the meter's programming log names who programs")
    return found
