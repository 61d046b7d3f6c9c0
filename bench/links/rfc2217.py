"""A serial port of another machine (RFC 2217): speed, size and parity travel with it."""

from __future__ import annotations

from bench.host import Host
from bench.links.link import Link
from bench.links.serial import serial_link
from bench.station import Rfc2217Link


def make(entry: Rfc2217Link, host: Host) -> Link:
    """The link of a `type: rfc2217` entry."""
    settings = {"type": "rfc2217", "url": entry.target, "baud": entry.baud, "framing": entry.framing}
    return serial_link(entry.id, entry.target, settings, host, timeout=entry.timeout)
