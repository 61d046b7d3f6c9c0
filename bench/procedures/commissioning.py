"""Bringing a sacrificial meter into a known state before a scenario."""

from __future__ import annotations

from bench.drivers.powerlogic import Series
from bench.procedures.journal import Journal
from bench.safety import Armed


def clear_as_new(meter: Series, armed: Armed, journal: Journal) -> None:
    """Clear all energies of a meter, so that it is as a replacement comes: command 6210, told in the audit."""
    with journal.step(f"clear {meter.name}, as a replacement comes"):
        before = meter.read_energies()
        facts = {quantity.value: value for quantity, value in before.values.items()}
        journal.audit("clear energies", device=meter.name, register=8000, code=6210, before=facts)
        meter.command(armed, "clear_energies")
