"""A transparent serial server: what is on the line is on the TCP connection, and nothing else.

Speed and framing are the line's own, whatever its devices make of them. Every caller is a master of his own on the
line, so one that has vanished without hanging up keeps nobody out. But a line has one serial server, however many doors
lead to it, and that has one UART: a caller's first words wait for the last ones of whoever has hung up just before.
"""

from __future__ import annotations

import asyncio
import socket

from simulators.doors.pacing import SLICE, PacedPort
from simulators.doors.tcp import Caller, TcpDoor
from simulators.lines.serial_line import Follows, SerialLine
from simulators.realtime import RealTime

#: How often (s) a caller is looked at who is not read from, and how long what he has left behind is kept for the line.
LOOK, CLOSING_WAIT = 1.0, 30.0
#: States of a connection in Linux's TCP_INFO: closed, and closed by the other side.
_CLOSED = (7, 8)


class SerialCaller(Caller):
    """One connection to a line."""

    #: Two frames' worth: who floods a line waits for it, and what is on it stays small enough to be garbled cheaply.
    portion = 512
    #: Nothing but bytes comes through a TCP connection, so speed and framing are those of the line.
    follows: Follows = "line"

    def __init__(self, door: TcpDoor, realtime: RealTime, line: SerialLine, *, slice_time: int = SLICE) -> None:
        super().__init__(door)
        self._realtime = realtime
        self._line = line
        self._slice_time = slice_time
        self._watch: asyncio.TimerHandle | None = None
        self._gone_since: float | None = None
        self.port: PacedPort

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: somebody has connected, and from now on he is on the line."""
        super().connection_made(transport)
        self._realtime.catch_up()  # whether the line is cut is a matter of now
        self.port = PacedPort(
            self._realtime,
            self._line,
            self._deliver,
            self._wait,
            slice_time=self._slice_time,
            on_death=transport.close,
            follows=self.follows,
            uart=self._line,
        )
        if self._line.cut_off:
            transport.close()

    def received(self, data: bytes) -> None:
        """Bytes for the line."""
        self.port.send(data)

    def left(self) -> None:
        """Off the line."""
        self._stop_looking()
        self.port.close()

    def wrapped(self, data: bytes) -> bytes:
        """Bytes of the line as they are written to the connection."""
        return data

    def _deliver(self, data: bytes) -> None:
        if self.hears and not self.transport.is_closing():  # an adapter whose buffer is full loses what comes next
            self.transport.write(self.wrapped(data))

    def _wait(self, wait: bool) -> None:  # noqa: FBT001  # a switch
        if wait:
            self.hold("line")
            self._stop_looking()
            self._watch = self._realtime.loop.call_later(LOOK, self._look)
        else:
            self._stop_looking()
            self.go_on("line")

    def _look(self) -> None:
        """Who is not read from is not heard leaving; at 1 Bd a few characters would keep him on the line for hours."""
        loop = self._realtime.loop
        if self._gone_since is None and _has_left(self.transport):
            self._gone_since = loop.time()
        if self._gone_since is not None and loop.time() - self._gone_since >= CLOSING_WAIT:
            self.transport.abort()
        else:
            self._watch = loop.call_later(LOOK, self._look)

    def _stop_looking(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


def _has_left(transport: asyncio.Transport) -> bool:
    """Whether the other side has hung up; only Linux tells."""
    connected: socket.socket | None = transport.get_extra_info("socket")
    if connected is None or not hasattr(socket, "TCP_INFO"):
        return False
    return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _CLOSED


async def open_raw_tcp(
    realtime: RealTime, line: SerialLine, host: str = "127.0.0.1", port: int = 0, *, slice_time: int = SLICE
) -> TcpDoor:
    """Serve a line on a port; 0 lets the system choose one.

    Raises:
        OSError: the port is taken, or the host is not one of this machine.
    """
    door = TcpDoor(lambda door: SerialCaller(door, realtime, line, slice_time=slice_time))
    await door.open(host, port)
    return door
