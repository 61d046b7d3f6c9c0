"""What a simulated Elster meter really holds, section by section, read from inside and not over its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.scheme.model import UNFINISHED
from bench.scheme.plan import Plan, Write
from simulators.meters.elster.meter import Meter
from simulators.meters.elster.state import state_of

Held = Mapping[str, bytes]
Side = Literal["old", "new", "between", "mixture"]


@dataclass(frozen=True, slots=True)
class Truth:
    """A meter at an instant (ns): what each identity of a plan holds, and everything else that it keeps."""

    at: int
    held: Held
    state: dict[str, Any]


def truth_of(meter: Meter, plan: Plan, now: int) -> Truth:
    """What a meter holds: what is in force, not what has been written and is no whole yet."""
    return Truth(now, held_by(meter, plan), state_of(meter, now))


def held_by(meter: Meter, plan: Plan) -> Held:
    """The bytes of every identity of a plan, passwords among them, by name."""
    return {write.item.name: _bytes(meter, write) for write in (*plan.writes, plan.scheme_id)}


def _bytes(meter: Meter, write: Write) -> bytes:
    name = write.item.name
    if write.item.section == "passwords":
        return meter.security.passwords[int(name[-1])]
    return meter.configuration.objects[name] if name in meter.configuration.objects else meter.memory[name]


def items(plan: Plan, before: Held, now: Held) -> dict[str, str]:
    """Of every identity whether it is what it was, what it is to be, both or neither."""
    found = {}
    for write in (*plan.writes, plan.scheme_id):
        name = write.item.name
        old, new = now[name] == before[name], now[name] == write.data
        found[name] = "unchanged" if old and new else "new" if new else "old" if old else "mixed"
    return found


def sections(plan: Plan, before: Held, now: Held) -> dict[str, str]:
    """Of every section what its identities come to; what is as it was and as it is to be agrees with either."""
    found: dict[str, set[str]] = {}
    states = items(plan, before, now)
    for write in (*plan.writes, plan.scheme_id):
        found.setdefault(write.item.section, set()).add(states[write.item.name])
    return {name: _together(states) for name, states in found.items()}


def _together(states: set[str]) -> str:
    moved = states - {"unchanged"}
    return "unchanged" if not moved else moved.pop() if len(moved) == 1 else "mixed"


def side(plan: Plan, before: Held, now: Held) -> Side:
    """On which side of a programming the meter is: wholly, or between the two and saying so, or in a silent mixture."""
    states = set(items(plan, before, now).values()) - {"unchanged"}
    if states in (set(), {"old"}):
        return "old"
    if states == {"new"}:
        return "new"
    return "between" if now["scheme_id"].rstrip() == UNFINISHED.encode("ascii") else "mixture"
