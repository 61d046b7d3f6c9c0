"""The data identities of a model: what its registers show, and what a scheme programs; one table by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from protocols.elster.configuration import Item, layout
from protocols.elster.tables import Identity, identities

_PACKET = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One data identity.

    Attributes:
        number, name: as the tables have them.
        size: bytes of one set; 0 where it is as long as what was asked for.
        sets: how often the object repeats.
        read_level, write_level: the least level; None where it is not read, or not written.
        section: the section of a scheme that it belongs to, empty where none.
    """

    number: int
    name: str
    size: int
    sets: int
    read_level: int | None
    write_level: int | None
    section: str = ""

    @property
    def packets(self) -> int:
        """How many packets one set has."""
        return -(-self.size // _PACKET)


@cache
def catalogue(model: str) -> Mapping[int, Entry]:
    """The identities of a model by number."""
    found = {row.number: _of_identity(row) for row in identities(model).values()}
    for item in layout(model).items.values():
        found[item.number] = _of_item(item)
    return MappingProxyType(found)


def _of_identity(row: Identity) -> Entry:
    return Entry(row.number, row.name, row.size, row.sets, row.read_level, row.write_level)


def _of_item(item: Item) -> Entry:
    read_level = item.read_level if item.readable else None
    return Entry(item.number, item.name, item.size, 1, read_level, item.write_level, item.section)
