"""`meterbench list check`: whether a meter list is right, and how it is understood."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import json_option, show_json, station_option
from bench.commands.scheme_program import day_of, on_option
from bench.lists.load import load_list
from bench.station import find_station, station_from_environment


@click.group()
def command() -> None:
    """Check a meter list."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@station_option
@on_option
@json_option
def check(file: Path, station: str | None, on: str | None, as_json: bool) -> int:
    """Read a meter list (CSV or YAML) against a station; every mistake is one line `file:line: reason`, exit code 4."""
    found = load_list(file, find_station(station or station_from_environment()), day_of(on))
    if as_json:
        meters = [meter.model_dump(mode="json", exclude={"password"}) for meter in found.meters]
        show_json({"ok": True, "file": str(file), "name": found.name, "meters": meters})
        return 0
    click.echo(f"{file}: list {found.name}, {len(found.meters)} meters")
    for meter in found.meters:
        where = f"{meter.link} ({meter.medium})" + (f" outstation {meter.outstation}" if meter.outstation else "")
        click.echo(f"  {meter.name:<16} {meter.model:<6} {where:<36} {meter.scheme or ''}".rstrip())
    return 0
