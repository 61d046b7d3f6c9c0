"""`meterbench serve`: the simulated devices of a station on real ports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bench.cli import fault_option, json_option, show_json, station_option
from bench.faults import check_faults, faults_by_link
from bench.launch import defects_by_device
from bench.serving import serve
from bench.station import Station, find_station, station_from_environment
from bench.station.links import SimLink
from protocols.flag.habits import Habits
from simulators.world import SECOND


@click.command()
@station_option
@click.option(
    "--speed", default=1.0, show_default=True, type=click.FloatRange(0.001, 1000),
    help="World seconds a second. The devices' time-outs pass as fast: a FLAG meter waits 1.9 s / SPEED.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--base-port", type=click.IntRange(1, 65000), help="First TCP port; by default the system chooses.")
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="Keep the meters' memory in this file.")
@click.option("--seed", default=0, show_default=True, help="Seed of the simulation.")
@click.option("--defect", "defects", multiple=True, metavar="DEVICE:ID", help="Switch a firmware defect on.")
@fault_option
@click.option(
    "--write-station", type=click.Path(path_type=Path), metavar="FILE", help="Write a station file for these ports."
)
@click.option(
    "--via", type=click.Choice(["tcp", "pty", "rfc2217"]), default="tcp", show_default=True, help="By which ports."
)
@click.option(
    "--record", type=click.Path(path_type=Path), metavar="FOLDER", help="Record what each device hears and says."
)
@json_option
def command(
    station: str | None,
    speed: float,
    host: str,
    base_port: int | None,
    state: Path | None,
    seed: int,
    defects: tuple[str, ...],
    faults: tuple[str, ...],
    write_station: Path | None,
    via: str,
    record: Path | None,
    as_json: bool,
) -> int:
    """Serve every simulated device over Modbus TCP, RFC 2217, raw TCP and, where there are any, ptys.

    Prints one JSON line for each endpoint and {"ready": true}; ends on SIGTERM or Ctrl-C.
    """
    del as_json  # the endpoints are JSON lines either way: other programs read them
    found = find_station(station or station_from_environment())
    called = faults_by_link(faults)
    check_faults(found, called, served=True)
    _warn_of_haste(found, speed)
    serve(found, host=host, base_port=base_port, speed=speed, state=state, seed=seed, faults=called,
          defects=defects_by_device(list(defects)), emit=_emit, station_out=write_station, via=via,
          record=record)  # fmt: skip
    return 0


def _warn_of_haste(station: Station, speed: float) -> None:
    """The patience of a FLAG meter is world time: a client that is as slow as ever misses its windows."""
    meters = [
        device.id
        for device in station.devices.values()
        if device.protocol == "flag" and isinstance(station.links[device.link], SimLink)
    ]
    if speed > 1 and meters:
        wait = Habits().patience / speed / SECOND
        click.echo(
            f"--speed {speed:g}: the time-outs of {', '.join(meters)} pass {speed:g} times as fast too: {wait:.3f} s "
            "for an option select message instead of 1.9 s; whoever keeps to the times of IEC 62056-21 is too slow",
            err=True,
        )


def _emit(line: dict[str, Any]) -> None:
    show_json(line)
    sys.stdout.flush()
