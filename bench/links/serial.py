"""A serial port, by any URL that pyserial opens."""

from __future__ import annotations

import os
from collections.abc import Callable

from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient

from bench.host import Host
from bench.links.link import Link
from bench.station import SerialLink
from simulators.lines.framing import PTY_FRAME
from simulators.world import SECOND

_PTYS = "/dev/pts/"


def make(entry: SerialLink, host: Host) -> Link:
    """The link of a `type: serial` entry."""
    settings: dict[str, object] = {
        "type": "serial",
        "port": entry.port,
        "baud": entry.baud,
        "framing": carried(entry.port, entry.framing),
    }
    return serial_link(entry.id, entry.port, settings, host, timeout=entry.timeout, echo=entry.echo)


def carried(port: str, framing: str) -> str:
    """The framing that a port is opened with: the one asked for, or what a pty makes of it."""
    return PTY_FRAME if os.path.realpath(port).startswith(_PTYS) else framing


def serial_link(
    name: str,
    url: str,
    settings: dict[str, object],
    host: Host,
    *,
    timeout: int,
    echo: bool = False,
    client: type[ModbusSerialClient] = ModbusSerialClient,
) -> Link:
    """A link over pymodbus's serial client, or a kind of it; `settings` say speed ("baud") and framing."""
    framing = str(settings["framing"])
    baud = int(str(settings["baud"]))

    def make_client(trace: Callable[[bool, bytes], bytes]) -> ModbusSerialClient:
        return client(
            url,
            framer=FramerType.RTU,
            baudrate=baud,
            bytesize=int(framing[0]),
            parity=framing[1],
            stopbits=int(framing[2]),
            handle_local_echo=echo,
            timeout=timeout / SECOND,
            retries=0,
            trace_packet=trace,
        )

    return Link(name, url, settings, make_client, host.clock, timeout=timeout, stream=False)
