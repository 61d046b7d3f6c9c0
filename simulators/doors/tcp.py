"""Listening on a TCP port: callers with a small fixed buffer, and back-pressure in both directions."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

#: What one call of the operating system may bring (bytes). asyncio's own 256 KiB are allocated anew for every receive.
RECEIVE_BUFFER = 8192
#: Whether a socket can be written to like a file; on Windows it is none.
_DIRECT = os.name == "posix"


class Caller(asyncio.BufferedProtocol):
    """One TCP connection at a door."""

    #: How much is read at once (bytes).
    portion = RECEIVE_BUFFER

    def __init__(self, door: TcpDoor) -> None:
        self._door = door
        self._buffer = memoryview(bytearray(self.portion))
        self._reasons: set[str] = set()
        self._fd = -1
        self.transport: asyncio.Transport

    @property
    def hears(self) -> bool:
        """Whether the other side takes what is sent to it; a slow one has its answers waiting here."""
        return "slow" not in self._reasons

    def received(self, data: bytes) -> None:
        """Bytes have come."""
        raise NotImplementedError

    def left(self) -> None:
        """The connection is gone, for whatever reason."""

    def hold(self, reason: str) -> None:
        """Read nothing for a reason."""
        if not self._reasons:
            self.transport.pause_reading()
        self._reasons.add(reason)

    def go_on(self, reason: str) -> None:
        """The reason has gone; reading goes on when there is no other."""
        if reason in self._reasons:
            self._reasons.remove(reason)
            if not self._reasons:
                self.transport.resume_reading()

    def send_now(self, data: bytes) -> None:
        """Send from within `received`, where the connection is known to be there.

        Past asyncio, which is behind it for whatever the system does not take at once: that is a fifth of the cost of
        an answer.
        """
        taken = 0
        if _DIRECT and not self.transport.get_write_buffer_size():
            with suppress(OSError):  # asyncio meets it too, and sees to it
                taken = os.write(self._fd, data)
        if taken < len(data):
            self.transport.write(data[taken:])

    # -- asyncio's side ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: somebody has connected."""
        self.transport = cast("asyncio.Transport", transport)
        connected: socket.socket | None = transport.get_extra_info("socket")
        self._fd = -1 if connected is None else connected.fileno()
        if connected is not None:  # who vanishes without a word is found out one day
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._door.callers.add(self)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self._door.told(f"connected from {host}:{port}")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Asyncio: it is over."""
        self._door.callers.discard(self)
        self._door.told("connection closed")
        self.left()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's signature
        """Asyncio: where to put what comes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Asyncio: so much has come."""
        self.received(bytes(self._buffer[:nbytes]))

    def pause_writing(self) -> None:
        """Asyncio: too much waits to be taken by the other side, so nothing more is read from it."""
        self.hold("slow")

    def resume_writing(self) -> None:
        """Asyncio: it has been taken."""
        self.go_on("slow")


def _nobody(_text: str) -> None:
    """Nobody wants to know."""


class TcpDoor:
    """A listening port.

    Args:
        answer: makes the caller for each new connection.
    """

    def __init__(self, answer: Callable[[TcpDoor], Caller]) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self.callers: set[Caller] = set()
        self.port = 0
        #: Told in words of every connection and of its end.
        self.told: Callable[[str], None] = _nobody

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen on one address; returns the port, which the system chooses for 0.

        Raises:
            OSError: the port is taken, or the host is not one of this machine.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        address = str(found[0][4][0])  # a name may stand for several: one of them has the port that is told
        self._server = await loop.create_server(lambda: self._answer(self), address, port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def close(self) -> None:
        """Listen no longer, and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for caller in list(self.callers):
            caller.transport.abort()
        await asyncio.sleep(0)  # for asyncio to tell them
