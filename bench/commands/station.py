"""`meterbench station check`: whether a station file is right, and how it is understood."""

from __future__ import annotations

import click

from bench.cli import json_option, show_json
from bench.errors import NotArmed
from bench.host import host_kind
from bench.safety import Safety
from bench.station import Station, find_station


@click.group()
def command() -> None:
    """Check a station file."""


@command.command()
@click.argument("file")
@json_option
def check(file: str, as_json: bool) -> int:
    """Read FILE (or "sim") and say how it is understood; every mistake is one line `file:line: reason`, exit code 4."""
    station = find_station(file)
    if as_json:
        show_json({"ok": True, "file": station.file, "host": host_kind(station), "station": station.resolved()})
        return 0
    click.echo(f"{station.file}: station {station.name}, {host_kind(station)} host")
    for device in station.devices.values():
        link = station.link_of(device)
        where = f"unit {device.address:<4} {link.id} ({link.type})"
        click.echo(f"  {device.id:<14} {device.model:<7} {where:<24} {_writable(station, device.id)}")
    return 0


def _writable(station: Station, device: str) -> str:
    entry = station.devices[device]
    if not entry.sacrificial and not station.builtin:
        return "read-only"
    try:
        Safety(station).arm(device, "check")
    except NotArmed:
        return f"sacrificial, with --allow-destructive {device}"
    return "sacrificial"
