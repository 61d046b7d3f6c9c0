"""The real ports of a served station: every device has one of each kind, and behind each is its whole link."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bench.errors import UsageError
from simulators.doors.modbus_tcp import open_modbus_tcp
from simulators.doors.raw_tcp import open_raw_tcp
from simulators.doors.rfc2217 import open_rfc2217
from simulators.lines.framing import PTY_FRAME, Framing

if TYPE_CHECKING:
    from simulators.doors.tcp import TcpDoor
    from simulators.realtime import RealTime
    from simulators.stage import DevicePlan, Stage

#: Whether ptys are served on this platform.
HAS_PTYS = sys.platform == "linux"
_LAST_PORT = 65_535
_SCHEMES = {"modbus-tcp": "tcp", "rfc2217": "rfc2217", "raw-tcp": "socket"}
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class Door(Protocol):
    """What is open and can be closed."""

    async def close(self) -> None:
        """Close it, and hang up on everybody."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to one device. `framing` is None where there are no characters: on Modbus TCP.

    A FLAG meter has an `outstation` and no `address`, and its framing is that of a sign-on.
    """

    device: str
    model: str
    address: int
    link: str
    kind: str
    url: str
    framing: Framing | None = None
    outstation: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it is told to the outside."""
        told: dict[str, Any] = {"device": self.device, "model": self.model}
        told |= {"address": self.address} if self.outstation is None else {"outstation": self.outstation}
        told |= {"kind": self.kind, "url": self.url}
        if self.framing is not None:
            told.update(baud=self.framing.baud, framing=self.framing.frame, link=self.link)
        return told

    @property
    def target(self) -> str:
        """As a link of a station file names it: host:port, or the name of the pty."""
        return self.url.partition("://")[2] or self.url

    @property
    def host(self) -> str:
        """The host to connect to, without the brackets of an IPv6 address."""
        return self.target.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self.target.rpartition(":")[2])


def ports_from(base: int | None) -> Iterator[int]:
    """The ports to open one after the other: counting up from a base, or each chosen by the system (0).

    Raises:
        UsageError: the base is no port, or the ports above it are used up.
    """
    if base is None:
        while True:
            yield 0
    if not 0 < base <= _LAST_PORT:
        raise UsageError(f"{base} is no port: 1 to {_LAST_PORT}")
    yield from range(base, _LAST_PORT + 1)
    raise UsageError(f"the ports from {base} to {_LAST_PORT} are not enough for this station")


class Doors:
    """Opens the doors of a stage and keeps them until they are closed.

    Args:
        stage: what is served.
        realtime: its world, kept in pace.
        host: the address to listen on.
        ports: the ports to take.
        note: told of every connection to a device.
    """

    def __init__(
        self, stage: Stage, realtime: RealTime, host: str, ports: Iterator[int], note: Callable[[str, str], None]
    ) -> None:
        self._note = note
        self._stage = stage
        self._realtime = realtime
        self._host = host
        self._ports = ports
        self._open: list[Door] = []
        self.endpoints: list[Endpoint] = []

    async def open(self) -> None:
        """Open every door of every device.

        Raises:
            UsageError: a port is taken, the host is not one of this machine, or something else the system refuses.
        """
        for device in self._stage.devices.values():
            await self._open_tcp(device)
            if HAS_PTYS:
                self._open_pty(device)

    async def close(self) -> None:
        """Close them all."""
        while self._open:
            await self._open.pop().close()

    async def _open_tcp(self, device: DevicePlan) -> None:
        realtime, host = self._realtime, self._host
        line = self._stage.line(device.link)
        openers: dict[str, Callable[[int], Awaitable[TcpDoor]]] = {}
        if not device.flag:
            network = self._stage.network(device.link)
            openers["modbus-tcp"] = lambda port: open_modbus_tcp(realtime, network, host, port)
        openers |= {
            "rfc2217": lambda port: open_rfc2217(realtime, line, host, port),
            "raw-tcp": lambda port: open_raw_tcp(realtime, line, host, port),
        }
        for kind, opener in openers.items():
            port = next(self._ports)
            try:
                door = await opener(port)
            except OSError as error:
                raise UsageError(f"cannot serve {device.name} on {at(host, port)}: {reason_of(error)}") from None
            door.told = partial(self._connection, device.name, kind)
            self._open.append(door)
            url = f"{_SCHEMES[kind]}://{at(reachable(host), door.port)}"
            self._tell(device, kind, url, None if kind == "modbus-tcp" else line.framing)

    def _connection(self, device: str, kind: str, text: str) -> None:
        self._note(device, f"{kind}: {text}")

    def _open_pty(self, device: DevicePlan) -> None:
        from simulators.doors.pty import PtyDoor  # noqa: PLC0415  # cannot be imported on every platform

        line = self._stage.line(device.link)
        try:
            door = PtyDoor(self._realtime, line)
        except OSError as error:
            raise UsageError(f"cannot serve {device.name} on a pty: {reason_of(error)}") from None
        self._open.append(door)
        self._tell(device, "pty", door.path, Framing(line.framing.baud, PTY_FRAME))

    def _tell(self, device: DevicePlan, kind: str, url: str, framing: Framing | None) -> None:
        outstation = device.outstation if device.flag else None
        self.endpoints.append(
            Endpoint(device.name, device.model, device.address, device.link, kind, url, framing, outstation)
        )


def reachable(host: str) -> str:
    """The host under which this machine reaches what listens on `host`: loopback for "all interfaces"."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return _LOOPBACK[address.version] if address.is_unspecified else host


def at(host: str, port: int) -> str:
    """host:port, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reason_of(error: OSError) -> str:
    """What the operating system says, in one line; asyncio wraps it in a sentence with the address."""
    return str(error.strerror or error).rpartition(": ")[2]
