"""A simulated link: the same clients, on lines of a world in this process."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import serial
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException

from bench.host import Host
from bench.links import protocol_sim
from bench.links.link import Link
from bench.links.serial import serial_link
from bench.station import SimLink
from simulators.lines.network import Connection, Network
from simulators.stage import ETHERNET
from simulators.world import SECOND

_HANDLERS = "bench.links"
_numbers = count(1)


def make(entry: SimLink, host: Host) -> Link:
    """The link of a `type: sim` entry."""
    if entry.medium == ETHERNET:
        return _network_link(entry, host)
    return _serial_link(entry, host)


def _serial_link(entry: SimLink, host: Host) -> Link:
    if _HANDLERS not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(_HANDLERS)
    url = f"sim://{next(_numbers)}/{entry.id}"
    protocol_sim.publish(url, host.stage.line(entry.id), host.catch_up)
    host.on_close(lambda: protocol_sim.withdraw(url))
    settings = {"type": "sim", "medium": entry.medium, "baud": entry.baud, "framing": entry.framing}
    return serial_link(entry.id, url, settings, host, timeout=entry.timeout, echo=entry.echo)


def _network_link(entry: SimLink, host: Host) -> Link:
    network = host.stage.network(entry.id)

    def make_client(trace: Callable[[bool, bytes], bytes]) -> ModbusTcpClient:
        return SimTcpClient(network, host.catch_up, timeout=entry.timeout / SECOND, trace=trace)

    settings = {"type": "sim", "medium": entry.medium}
    return Link(
        entry.id, f"sim {entry.id}", settings, make_client, host.clock, timeout=entry.timeout, stream=True, mbap=True
    )


class SimTcpClient(ModbusTcpClient):
    """pymodbus's TCP client on a simulated connection: only where it touches its socket it is another."""

    def __init__(
        self, network: Network, catch_up: Callable[[], None], *, timeout: float, trace: Callable[[bool, bytes], bytes]
    ) -> None:
        super().__init__("sim", timeout=timeout, retries=0, trace_packet=trace)
        self._network = network
        self._catch_up = catch_up
        self._timeout = round(timeout * SECOND)
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._connection is not None

    def connect(self) -> bool:
        """Open the connection; nobody gets through while the network is cut."""
        if self._connection is None and self._network.cut_off:
            return False
        self._connection = self._connection or self._network.connect()
        return True

    def close(self) -> None:
        """Close the connection."""
        self._connection = None

    def send(self, request: Any, addr: tuple[Any, ...] | None = None) -> int:  # noqa: ARG002  # pymodbus's signature
        """Send a request."""
        if self._connection is None:
            raise ConnectionException(str(self))
        self._catch_up()
        if self._connection.dead:
            self._hang_up()
        self._connection.write(bytes(request))
        return len(request)

    def recv(self, size: int | None) -> bytes:  # noqa: ARG002  # pymodbus's signature
        """What has come, as soon as something has."""
        if self._connection is None:
            raise ConnectionException(str(self))
        connection, inbox, world = self._connection, self._connection.inbox, self._network.world
        world.run_until(lambda: _first(inbox.due(1), connection.dies_at), world.now + self._timeout)
        if connection.dead and not inbox.available(world.now):
            self._hang_up()
        return inbox.take(inbox.available(world.now), world.now)

    def _hang_up(self) -> None:
        """The connection was reset.

        Raises:
            ConnectionException: always, as from a socket.
        """
        self.close()
        raise ConnectionException(str(self))


def _first(one: int | None, other: int | None) -> int | None:
    return min((instant for instant in (one, other) if instant is not None), default=None)
