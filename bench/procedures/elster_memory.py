"""What is programmed in an Elster meter, read as a whole, to see whether something has changed that should not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from protocols.elster.configuration import layout
from protocols.elster.tables import identities

if TYPE_CHECKING:
    from bench.drivers.elster import Elster

#: What is written to say what is to be read, or goes on by itself: no part of what is programmed.
_PASSING = frozenset({"clock", "profile_days", "instantaneous_request"})
#: The log of programmings rises with everything that is programmed.
_LOG = "programming_log"


def programmed(meter: Elster) -> dict[str, bytes]:
    """Every object that can be programmed and read, and the log of programmings, by name."""
    name = meter.model.name
    rows = {
        row.name: (row.number, row.size)
        for row in identities(name).values()
        if row.name == _LOG or (row.access == "rw" and row.size and row.name not in _PASSING)
    }
    items = {item.name: (item.number, item.size) for item in layout(name).items.values() if item.readable}
    return {title: meter.read_object(*place) for title, place in {**rows, **items}.items() if title not in _PASSING}


def changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """The objects that are not what they were, "nothing" if there are none."""
    found = [name.replace("_", " ") for name in before if before[name] != after.get(name)]
    return ", ".join(found) or "nothing"
