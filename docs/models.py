"""Writes docs/models.md from the tables that the simulator and the drivers use: `python docs/models.py`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from protocols.powerlogic.tables import RegisterMap, models, register_map

HEAD = """# What is simulated, and on what authority

Written by `python docs/models.py` from `fixtures/powerlogic`; a test keeps it current. Confidence: **V** tried and seen
or checked row by row, **S** a document says so, **I** inferred from neighbouring facts, **A** assumed: a value that no
public document gives, which a real meter may overrule (`simulate: {profile: ...}` changes it for one simulated device).

## Models
"""
FAMILIES = ("CM2", "CM3", "CM4", "PM8")


def page() -> str:
    """The whole page."""
    parts = [HEAD, "| model | family | date words | preset | documented | assumed |", "|---|---|---|---|---|---|"]
    for model in models().values():
        told = sorted(set(model.profile) - model.assumed)
        preset = "target and source" if model.preset_target else "source only"
        parts.append(
            f"| {model.name} | {model.title} | {model.date_words} | {preset} | {', '.join(told) or '-'} "
            f"| {', '.join(sorted(model.assumed))} |"
        )
    for family in FAMILIES:
        table = register_map(family)
        parts += ["", f"## {family}: {len(table.rows)} entries, {_marks(table)}", ""]
        parts += [
            "| register | words | name | kind | unit | scale | access | confidence | source |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for r in table:
            cells = (r.number, r.count, r.name, r.kind, r.unit, r.scale, r.access, r.confidence, r.source)
            parts.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(parts) + "\n"


def _marks(table: RegisterMap) -> str:
    found = Counter(row.confidence for row in table)
    return ", ".join(f"{count} {mark}" for mark, count in sorted(found.items()))


if __name__ == "__main__":
    (Path(__file__).parent / "models.md").write_text(page(), encoding="utf-8")
