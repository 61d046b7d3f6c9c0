"""A TCP connection: Modbus TCP, or RTU frames as a transparent serial server carries them."""

from __future__ import annotations

from collections.abc import Callable

from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from bench.host import Host
from bench.links.link import Link
from bench.station import TcpLink
from simulators.world import SECOND

FRAMERS = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU}


def make(entry: TcpLink, host: Host) -> Link:
    """The link of a `type: tcp` entry."""
    settings = {"type": "tcp", "host": entry.host, "port": entry.port, "modbus": entry.modbus}

    def make_client(trace: Callable[[bool, bytes], bytes]) -> ModbusTcpClient:
        return ModbusTcpClient(
            entry.host,
            port=entry.port,
            framer=FRAMERS[entry.modbus],
            timeout=entry.timeout / SECOND,
            retries=0,
            trace_packet=trace,
        )

    target = f"{entry.host}:{entry.port}"
    return Link(
        entry.id,
        target,
        settings,
        make_client,
        host.clock,
        timeout=entry.timeout,
        stream=True,
        mbap=entry.modbus == "tcp",
    )
