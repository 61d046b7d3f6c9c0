"""The identities that a scheme programs, read once from `fixtures/elster`, and how lists of entries lie in them.

Those that a public source names stand in the family's table, `identities.csv`. The others, in `configuration.csv`, have
an assumed number and an assumed layout (mark A): the simulated meters follow it, and a real one overrules it by another
row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from protocols.elster.errors import DataError
from protocols.elster.tables import identities

_FOLDER = files("fixtures") / "elster"

#: The sections of the identities that the family's table has.
_KNOWN = {
    "user": "user",
    "scheme_id": "scheme",
    "tou_sources": "sources",
    "demand_sources": "sources",
    "current_transformer": "transformers",
    "voltage_transformer": "transformers",
    "profile_mask": "profile",
    "demand_period": "demand",
    "profile_dst": "daylight_saving",
}

#: Fills what is not used of a list of entries.
UNUSED = 0xFF


class ConfigurationError(DataError):
    """Bytes that are no configuration of the model, or a configuration that does not fit into the model's bytes."""


@dataclass(frozen=True, slots=True)
class Item:
    """One identity: `size` bytes, readable from `read_level`, writable from `write_level`; access `rw` or `w`."""

    number: int
    name: str
    section: str
    size: int
    access: str
    read_level: int
    write_level: int
    source: str
    confidence: str

    @property
    def readable(self) -> bool:
        """Whether it can be read back; a password cannot."""
        return "r" in self.access


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything a model has room for."""

    rates: int
    seasons: int
    day_types: int
    switching_times: int
    special_days: int
    display_items: int
    pulse_outputs: int
    billing_dates: int
    demand_registers: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What a scheme programs into one model: its identities by name, and how much it has room for."""

    model: str
    items: Mapping[str, Item]
    limits: Limits

    def of(self, section: str) -> tuple[Item, ...]:
        """The identities of a section, none where the model has no such section."""
        return tuple(item for item in self.items.values() if item.section == section)


@cache
def layout(model: str) -> Layout:
    """The layout of a model: A1120, A1140 or A1700.

    Raises:
        KeyError: no such model.
    """
    rows = [row for row in _read("configuration.csv") if model in row["models"].split()]
    if not rows:
        raise KeyError(model)
    known = [
        Item(
            row.number, row.name, _KNOWN[row.name], row.size, row.access,
            row.read_level or 0, row.write_level or 0, row.source, row.confidence,
        )
        for row in identities(model).values()
        if row.name in _KNOWN
    ]  # fmt: skip
    items = {item.name: item for item in [*known, *map(_item, rows)]}
    limits = {
        row["name"]: int(row["value"]) for row in _read("configuration_limits.csv") if model in row["models"].split()
    }
    return Layout(model, items, Limits(**limits))


def configurable_models() -> tuple[str, ...]:
    """The models that take a scheme."""
    return tuple(sorted({model for row in _read("configuration.csv") for model in row["models"].split()}))


def _read(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((_FOLDER / name).read_text(encoding="utf-8").splitlines()))


def _item(row: dict[str, str]) -> Item:
    return Item(
        int(row["number"]), row["name"], row["section"], int(row["size"]), row["access"],
        int(row["read_level"]), int(row["write_level"]), row["source"], row["confidence"],
    )  # fmt: skip


def pack_entries(entries: Iterable[bytes], size: int, what: str) -> bytes:
    """Entries one behind the other, filled up to `size` bytes with `UNUSED`.

    Raises:
        ConfigurationError: they do not fit.
    """
    packed = b"".join(entries)
    if len(packed) > size:
        raise ConfigurationError(f"{what}: {len(packed)} bytes do not fit into {size}")
    return packed.ljust(size, bytes([UNUSED]))


def unpack_entries(data: bytes, width: int, what: str) -> list[bytes]:
    """The used entries of `width` bytes each; the first unused one ends the list.

    Raises:
        ConfigurationError: a rest that is no entry, or something behind the end of the list.
    """
    if len(data) % width:
        raise ConfigurationError(f"{what}: {len(data)} bytes are not whole entries of {width}")
    entries = [data[k : k + width] for k in range(0, len(data), width)]
    unused = bytes([UNUSED]) * width
    used = entries.index(unused) if unused in entries else len(entries)
    if any(entry != unused for entry in entries[used:]):
        raise ConfigurationError(f"{what}: entry {used + 1} is empty, and not all behind it are")
    return entries[:used]


def sized(objects: Mapping[str, bytes], item: Item) -> bytes:
    """The bytes of an identity.

    Raises:
        ConfigurationError: they are missing, or not as many as it has.
    """
    data = objects.get(item.name)
    if data is None:
        raise ConfigurationError(f"{item.name} ({item.number}) is missing")
    if len(data) != item.size:
        raise ConfigurationError(f"{item.name} ({item.number}) has {len(data)} bytes instead of {item.size}")
    return data
