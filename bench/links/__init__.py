"""Links: the ways to reach a device, one file each, imported when a station needs it.

A link gives out one pymodbus client, which all devices on it share, and knows how to leave the line usable after a
mishap. The link entry of the station file is the whole difference between a simulated and a real device.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bench.links.link import Link

if TYPE_CHECKING:
    from bench.host import Host
    from bench.links.flag import FlagLine

#: Link type of the station file -> the module with its `make(entry, host)`.
KINDS: dict[str, str] = {
    "sim": "bench.links.sim",
    "serial": "bench.links.serial",
    "tcp": "bench.links.tcp",
    "rfc2217": "bench.links.rfc2217",
    "replay": "bench.links.replay",
}


def make_link(entry: Any, host: Host) -> Link:
    """The link of a station entry, not yet opened."""
    link: Link = import_module(KINDS[entry.type]).make(entry, host)
    return link


def make_flag_line(entry: Any, host: Host, kind: type[FlagLine] | None = None) -> FlagLine:
    """The line of a station entry as FLAG meters use it, not yet opened; of another kind for a careless tool."""
    line: FlagLine = import_module("bench.links.flag_entry").make(entry, host, *([] if kind is None else [kind]))
    return line


__all__ = ["KINDS", "Link", "make_flag_line", "make_link"]
