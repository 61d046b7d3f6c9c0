"""`meterbench defects`: what can be switched on to see a scenario fail, and whether the scenarios see it."""

from __future__ import annotations

from dataclasses import fields

import click

from bench.cli import json_option, show_json
from bench.defects import Matrix, faults, kill_matrix
from bench.errors import Exit
from simulators.faults.gateway import GatewayDefect
from simulators.faults.registry import Fault


@click.group()
def command() -> None:
    """List the defects and mistakes that can be switched on, or run the scenarios against all of them."""


@command.command("list")
@click.option("--family", help="Only those of this family of meters.")
@json_option
def show(family: str | None, as_json: bool) -> int:
    """Firmware defects (run --defect DEVICE:ID) and operator mistakes (run --mistake ID)."""
    rows = list(faults(family).values())
    if as_json:
        show_json([_facts(fault) for fault in rows])
        return Exit.VERIFIED
    for fault in rows:
        click.echo(f"{fault.id}  {_kind(fault):<8} {fault.severity:<9} {fault.title}: {fault.symptom}")
    return Exit.VERIFIED


@command.command("run")
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option("--family", help="Only those of this family of meters.")
@click.option("--only", "ids", multiple=True, metavar="ID", help="Only these defects and mistakes.")
@click.option("--seeds", default=10, show_default=True, type=click.IntRange(0), help="Healthy runs for false alarms.")
@json_option
def run(scenarios: tuple[str, ...], family: str | None, ids: tuple[str, ...], seeds: int, as_json: bool) -> int:
    """The kill matrix: every defect and mistake against every scenario, in virtual time.

    A defect is killed when a scenario fails about its symptom. Exit code 1: one survived, something failed that is not
    about the symptom, a scenario that must catch one does not, or a healthy device failed. 5: no scenario was run.
    """
    found = kill_matrix(scenarios, faults(family, ids), seeds)
    if as_json:
        show_json(found.facts())
    else:
        _tell(found)
    if not found.runs:
        click.echo("no scenario was run: only those that ask for a device (meter, target, new ...) are", err=True)
        return Exit.NOTHING
    return Exit.VERIFIED if found.flawless else Exit.FAILED


def _kind(fault: Fault) -> str:
    return "gateway" if isinstance(fault, GatewayDefect) else type(fault).__name__.lower()


def _facts(fault: Fault) -> dict[str, object]:
    hidden = ("install", "operator", "session", "client", "line", "head_end", "call")
    told = {field.name: getattr(fault, field.name) for field in fields(fault) if field.name not in hidden}
    return {"id": told.pop("id"), "kind": _kind(fault), **told}


def _tell(found: Matrix) -> None:
    for id_, killers in found.matrix.items():
        click.echo(f"{id_}  {'killed by ' + ', '.join(killers) if killers else 'SURVIVED'}")
    for word, lines in (("accident", found.accidental), ("missed", found.missed), ("false alarm", found.false_alarms)):
        for line in lines:
            click.echo(f"{word}: {line}")
    click.echo(
        f"{found.killed} of {found.total} killed, {len(found.survivors)} survived, {len(found.accidental)} accidents, "
        f"{len(found.missed)} promises not kept, "
        f"{len(found.false_alarms)} false alarms over {found.healthy_seeds} seeds; {found.runs} scenarios run"
    )
