"""`meterbench read`: what a device says of itself and shows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from bench.cli import json_option, show_json, station_option
from bench.commands import read_elster
from bench.commands.device import opened
from bench.drivers.elster import Elster
from bench.drivers.powerlogic import PowerLogic
from bench.drivers.powerlogic.values import PowerFactor
from bench.errors import Exit
from bench.procedures.reading import growth_of, read_twice
from protocols.powerlogic.energy import Quantity

REALTIME = (
    "current_average", "voltage_ll_average", "voltage_ln_average", "real_power_total", "reactive_power_total",
    "apparent_power_total", "power_factor_total", "frequency",
)  # fmt: skip
_SETS = 3


@click.command()
@click.argument("device")
@station_option
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE", help="Record the wire in a new file.")
@click.option(
    "--sets", type=click.IntRange(0, 24), default=_SETS, show_default=True,
    help="How many billing and daily sets of a FLAG meter.",
)  # fmt: skip
@json_option
def command(device: str, station: str | None, record: Path | None, sets: int, as_json: bool) -> int:
    """Read a device: identity, clock, energies, and what else its family shows. Nothing is written.

    Of a PowerLogic meter power and ratios; of a FLAG meter rates, demand, billing and daily sets, logs and status.

    Ends with 1 if another model answers than the station promises, or if registers have fallen back since a kept set.
    """
    with opened(f"read {device}", station, (device,), record=record) as scenario:
        driver: Elster | PowerLogic = scenario.bench.device(device)
        found = read_elster.read(driver, sets=sets) if isinstance(driver, Elster) else read(driver)
    if as_json:
        show_json(found)
    else:
        for line in lines(found):
            click.echo(line)
    agrees = all(row["agrees"] or row["assumed"] for row in found["identity"])
    return Exit.VERIFIED if agrees and not found.get("contradictions") else Exit.FAILED


def read(driver: PowerLogic) -> dict[str, Any]:
    """Everything that `meterbench read` shows of a PowerLogic meter, ready for JSON."""
    identification, findings = driver.identify()
    energies = read_twice(driver, growth_of(driver))
    realtime = driver.values(REALTIME)
    return {
        "device": driver.name,
        "model": driver.device.model,
        "identification": str(identification),
        "identity": [
            {"what": f.what, "expected": f.expected, "found": f.found, "assumed": f.assumed, "agrees": f.agrees}
            for f in findings
        ],
        "clock": driver.read_clock().isoformat(sep=" "),
        "ratios": str(driver.ratios()),
        "accumulation": "signed" if driver.signed_mode() else "absolute",
        "energies": {quantity.value: {"value": energies[quantity], "unit": quantity.unit} for quantity in Quantity},
        "realtime": {name: {"value": _plain(realtime[name]), "unit": driver.map[name].unit} for name in REALTIME},
    }


def _plain(value: object) -> object:
    if isinstance(value, PowerFactor):
        return f"{value.magnitude} {'lagging' if value.lagging else 'leading'}"
    return str(value) if isinstance(value, Decimal) else value


def lines(found: dict[str, Any]) -> list[str]:
    """The same for a person."""
    rows = [("model", found["model"]), ("identification", found["identification"])]
    for finding in found["identity"]:
        if not finding["agrees"]:
            kind = "not verified (assumed)" if finding["assumed"] else "DOES NOT AGREE"
            rows.append((finding["what"], f"found {finding['found']}, expected {finding['expected']}: {kind}"))
    rows.append(("clock", found["clock"]))
    rows += read_elster.rows(found) if "totals" in found else _powerlogic_rows(found)
    width = max(len(name) for name, _ in rows)
    return [found["device"], *(f"  {name:<{width}}  {value}" for name, value in rows)]


def _powerlogic_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("ratios", found["ratios"]), ("accumulation", found["accumulation"])]
    for group in ("energies", "realtime"):
        for name, row in found[group].items():
            rows.append((name.replace("_", " "), f"{row['value']} {row['unit']}".removesuffix(" 1")))
    return rows
