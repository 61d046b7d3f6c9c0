"""`meterbench handheld`: load the simulated hand-held unit, send it round, unload it, look into its files."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.cli import allow_option, evidence_option, json_option, show_json, station_option
from bench.commands.device import exit_of, opened
from bench.commands.run import default_folder
from bench.commands.scheme_program import assumed_option, day_of, user_name, user_option
from bench.errors import Exit, UsageError
from bench.handheld.memory import LOAD, READINGS, VISITS
from bench.handheld.preparation import plans_of, refuse_assumed_plans, refuse_contradictions
from bench.handheld.records import Contents, Record, decode_records
from bench.handheld.station_programmer import REASON, station_programmer
from bench.handheld.station_reader import station_reader
from bench.handheld.unit import DONE, READ, HandheldUnit, Interrupted, Visit
from bench.host import host_kind
from bench.lists.load import load_list
from bench.lists.model import MeterEntry
from bench.measure import Measure
from bench.safety import Safety
from bench.scheme.plan import Plan
from bench.station import Station, find_station, station_from_environment

unit_argument = click.argument("unit", type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """Load the simulated hand-held unit, send it round, unload it. UNIT is the folder that is its memory."""


@command.command()
@unit_argument
@click.argument("file", metavar="LIST", type=click.Path(path_type=Path))
@station_option
@json_option
def load(unit: Path, file: Path, station: str | None, as_json: bool) -> int:
    """Load a meter list and the schemes that it names into UNIT; a unit that holds readings is unloaded first."""
    meters = load_list(file, find_station(station or station_from_environment()), day_of(None))
    forgotten = HandheldUnit(unit).load(meters, _now())
    schemes = sorted({meter.scheme for meter in meters.meters if meter.scheme})
    if as_json:
        told = {"unit": str(unit), "list": meters.name, "meters": len(meters.meters), "schemes": schemes}
        show_json(told | _unfinished(forgotten))
    else:
        click.echo(f"{unit}: list {meters.name}, {len(meters.meters)} meters, {len(schemes)} schemes")
        for name, copy in forgotten.items():
            click.echo(f"{name}: its programming is unfinished; to take it up: {_resuming(name, copy)}", err=True)
    return 0


@command.command()
@unit_argument
@click.argument("meters", nargs=-1)
@station_option
@click.option("--read-only", is_flag=True, help="Program nothing, whatever the list says.")
@allow_option
@user_option
@assumed_option
@evidence_option
@json_option
def visit(
    unit: Path,
    meters: tuple[str, ...],
    station: str | None,
    read_only: bool,
    allowed: tuple[str, ...],
    user: str | None,
    write_assumed: bool,
    evidence: Path | None,
    as_json: bool,
) -> int:
    """Read the meters of the loaded list, or METERS, and program the schemes that it says.

    A meter of the list is the device of the same name in the station, and both must say the same of it. Where the list
    says `program: true`, its scheme is programmed after it was read; that needs the three keys, as for `scheme
    program`. Exit code 1 if a meter could not be read or programmed, 5 if a programming could not be proved.
    """
    carried = HandheldUnit(unit)
    known = find_station(station or station_from_environment())
    entries = carried.entries(meters)
    plans = _prepared(carried, entries, known, allowed, read_only=read_only, write_assumed=write_assumed)
    who = user_name(user) if plans else ""
    folder = evidence or (default_folder(known.name) if plans else None)
    what, names = f"handheld visit {unit.name}", tuple(entry.name for entry in entries)
    with opened(what, station, names, reason=REASON if plans else None, allowed=allowed, evidence=folder,
                argv=tuple(what.split())) as scenario:  # fmt: skip
        programmer = station_programmer(scenario, carried.memory, plans, who, write_assumed=write_assumed)
        reader = station_reader(scenario.bench.device, _now)

        def tell(visit: Visit) -> None:
            _measure(scenario.measure, visit)
            if not as_json:
                _tell(visit)

        try:
            made = carried.visit(reader, _now, meters, programmer if plans else None, tell)
        except Interrupted as broken:
            made_of = f"scheme {broken.programmed.scheme}: {broken.programmed.result}"
            click.echo(f"{broken.meter}: {made_of}; the next visit takes it up", err=True)
            raise
        code = exit_of(scenario)
    if as_json:
        told = {"unit": str(unit), "visits": [visit.as_record() for visit in made]}
        show_json(told | ({"evidence": str(folder)} if folder else {}))
    elif folder:
        click.echo(f"evidence: {folder}")
    return code


def _prepared(
    carried: HandheldUnit,
    entries: Collection[MeterEntry],
    known: Station,
    allowed: tuple[str, ...],
    *,
    read_only: bool,
    write_assumed: bool,
) -> dict[str, Plan]:
    """Everything that can be refused before anybody sets out; what is programmed into which meter."""
    refuse_contradictions(carried.memory, entries, known)
    to_program = [entry for entry in entries if entry.program and not read_only]
    for entry in to_program:
        Safety(known, allowed).arm(entry.name, REASON)
    plans = plans_of(carried.memory, to_program, known, os.environ, day_of(None))
    if host_kind(known) == "real" and not write_assumed:
        refuse_assumed_plans(plans)
    return plans


def _measure(measure: Measure, visit: Visit) -> None:
    """What became of a visit, so that the evidence comes to what the command comes to."""
    measure("visit", visit.outcome, device=visit.meter).is_(READ)
    done = visit.programmed
    if done is not None and done.undetermined:
        measure.not_determinable("programming", done.result, device=visit.meter)
    elif done is not None:
        measure("programming", done.result, device=visit.meter).is_(DONE)


def _tell(visit: Visit) -> None:
    told = f"{visit.readings} readings" if visit.outcome == READ else f"NOT READ: {visit.outcome}"
    done = visit.programmed
    if done is not None and done.before:
        told += f", scheme {done.scheme} was programmed at {done.before} and is not once more"
    elif done is not None:
        failed = "NOT PROVED" if done.undetermined else "FAILED"
        told += f", scheme {done.scheme} " + ("programmed" if done.result == DONE else f"{failed}: {done.result}")
    click.echo(f"  {visit.meter:<16} {told}")


@command.command()
@unit_argument
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--append/--overwrite", default=True, help="Add to the files in FOLDER, or put new ones in their place.")
@json_option
def unload(unit: Path, folder: Path, append: bool, as_json: bool) -> int:
    """Bring readings (.RES) and visits (.BUD) into FOLDER and empty UNIT.

    What UNIT needs to take up a programming that broke off stays in it as well, until it is loaded anew.
    Appending never makes a reading stand twice. Overwriting keeps the old file beside the new one.
    """
    carried = HandheldUnit(unit)
    path, held, added = carried.unload(folder, overwrite=not append)
    unfinished = {name: folder / file.name for name, file in carried.memory.unfinished().items()}
    if as_json:
        show_json({"file": str(path), "readings": held, "new": added} | _unfinished(unfinished))
    else:
        click.echo(f"{path}: {held} readings, {added} of them new")
        for name, file in unfinished.items():
            taken_up = f"the next visit takes it up, or {_resuming(name, file)}"
            click.echo(f"{name}: its programming is unfinished; {taken_up}", err=True)
    return 0


def _unfinished(files: Mapping[str, Path]) -> dict[str, Any]:
    return {"unfinished": {name: str(file) for name, file in files.items()}} if files else {}


def _resuming(name: str, file: Path) -> str:
    return f"meterbench scheme program SCHEME {name} --resume {file}"


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def show(path: Path, as_json: bool) -> int:
    """Show what a .RES or .BUD file, or a unit, holds; a damaged file as far as it is whole, with exit code 1."""
    paths = [path / name for name in (LOAD, READINGS, VISITS) if (path / name).exists()] if path.is_dir() else [path]
    if not paths:
        raise UsageError("holds no file of a hand-held unit", path)
    found = {str(file): _contents(file) for file in paths}
    if as_json:
        show_json({file: _as_json(contents) for file, contents in found.items()})
    for file, contents in {} if as_json else found.items():
        click.echo(f"{file}: {contents.kind or 'unknown'}, {len(contents.records)} records")
        for record in contents.records:
            click.echo(f"  {_line(contents.kind, record)}".rstrip())
        for line, reason in contents.problems:
            click.echo(f"{file}:{line}: {reason}", err=True)
    return Exit.FAILED if any(contents.problems for contents in found.values()) else Exit.VERIFIED


#: What is shown of a record, by kind of file: entry and width.
_SHOWN = {
    "RES": (("meter", 16), ("quantity", 12), ("value", 20), ("unit", 6), ("meter_time", 20)),
    "BUD": (("meter", 16), ("at", 34), ("readings", 4), ("outcome", 8), ("scheme", 8), ("result", 0)),
    "HHU": (("name", 16), ("model", 6), ("medium", 8), ("link", 12), ("outstation", 10), ("scheme", 0)),
}


def _line(kind: str, record: Record) -> str:
    return " ".join(f"{record.get(name, '')!s:<{width}}" for name, width in _SHOWN.get(kind, ()))


def _contents(path: Path) -> Contents:
    try:
        return decode_records(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path) from None


def _as_json(contents: Contents) -> dict[str, Any]:
    records = [{k: v for k, v in record.items() if k != "password"} for record in contents.records]
    problems = [{"line": line, "reason": reason} for line, reason in contents.problems]
    return {"kind": contents.kind, "records": records, "problems": problems}


def _now() -> datetime:
    return datetime.now(UTC)
