"""`meterbench defects`: what can be switched on to see a scenario fail."""

from __future__ import annotations

import click

from bench.cli import json_option, show_json
from bench.procedures.mistakes import MISTAKES
from simulators.faults.registry import load


@click.group()
def command() -> None:
    """List the defects and mistakes that can be switched on."""


@command.command("list")
@json_option
def show(as_json: bool) -> int:
    """Firmware defects (run --defect DEVICE:ID) and operator mistakes (run --mistake ID)."""
    defects = [{"id": d.id, "kind": "defect", "title": d.title, "symptom": d.symptom} for d in load().values()]
    mistakes = [
        {
            "id": id_,
            "kind": "mistake",
            "title": (kind.__doc__ or "").split(":", 1)[-1].strip().rstrip("."),
            "symptom": "",
        }
        for id_, kind in MISTAKES.items()
    ]
    rows = sorted(defects, key=lambda row: row["id"]) + mistakes
    if as_json:
        show_json(rows)
        return 0
    for row in rows:
        click.echo(f"{row['id']}  {row['kind']:<8} {row['title']}" + (f": {row['symptom']}" if row["symptom"] else ""))
    return 0
