"""`meterbench faults`: what can go wrong between the bench and a meter, and what the bench must make of it."""

from __future__ import annotations

from typing import Any

import click

from bench.cli import json_option, show_json
from bench.errors import Exit
from simulators.faults.line_registry import LineFault, load_line_faults


@click.group()
def command() -> None:
    """List the line faults that can be put on a simulated link: run --fault LINK:FAULT, serve --fault LINK:FAULT."""


@command.command("list")
@json_option
def show(as_json: bool) -> int:
    """Every line fault with its parameters and what a reading system must make of it."""
    faults = list(load_line_faults().values())
    if as_json:
        show_json([facts(fault) for fault in faults])
        return Exit.VERIFIED
    for fault in faults:
        click.echo(f"{fault.id:<5} {call_of(fault)}  [{', '.join(fault.media)}]")
        click.echo(f"      {fault.title}")
        click.echo(f"      must: {fault.behaviour}")
    return Exit.VERIFIED


def call_of(fault: LineFault) -> str:
    """The fault as it is written with every parameter at its default."""
    told = ", ".join(f"{p.name}={p.default}" for p in fault.parameters if p.default)
    return f"{fault.name}({told})" if told else fault.name


def facts(fault: LineFault) -> dict[str, Any]:
    """The fault, ready for JSON."""
    return {
        "id": fault.id,
        "name": fault.name,
        "title": fault.title,
        "behaviour": fault.behaviour,
        "source": fault.source,
        "media": list(fault.media),
        "parameters": [{"name": p.name, "default": p.default, "meaning": p.meaning} for p in fault.parameters],
    }
