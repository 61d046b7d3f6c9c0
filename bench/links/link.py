"""What every link is: a pymodbus client with a name, its settings, and a record of what goes over it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pymodbus.client.base import ModbusBaseSyncClient
from pymodbus.exceptions import ModbusException

from bench.clock import Clock
from bench.errors import StationError
from bench.links.hearing import Hearing, bytes_wait

# What pymodbus would print on its own is told by the bench's errors; who wants its log lowers its level.
_PYMODBUS_LOG = logging.getLogger("pymodbus")
_PYMODBUS_LOG.addHandler(logging.NullHandler())
_PYMODBUS_LOG.setLevel(logging.CRITICAL)

#: After so many late pieces the line is taken for one that never falls silent.
_LATE_PIECES = 8
#: Hears of every piece of traffic: "tx" or "rx", and the bytes.
Listener = Callable[[str, bytes], None]
#: Makes the client of a link; given the hook that pymodbus calls with every packet.
ClientMaker = Callable[[Callable[[bool, bytes], bytes]], ModbusBaseSyncClient]


class Link:
    """One way to one or more devices.

    Args:
        name: as in the station file.
        target: where it leads, for messages: a port, a URL, host:port.
        settings: what the evidence says of it.
        make_client: makes its pymodbus client.
        clock: the bench's clock.
        timeout: how long an answer may take, ns.
        stream: whether bytes of an unfinished answer stay in the connection, so that it must be closed after a mishap.
        mbap: whether frames are those of Modbus TCP: they bear a number, so a late answer is known as such.
    """

    def __init__(
        self,
        name: str,
        target: str,
        settings: dict[str, Any],
        make_client: ClientMaker,
        clock: Clock,
        *,
        timeout: int,
        stream: bool,
        mbap: bool = False,
    ) -> None:
        self.name = name
        self.target = target
        self.settings = settings
        self.clock = clock
        self.timeout = timeout
        self.listener: Listener | None = None
        #: What was received since the last request, to tell a foreign answer from none.
        self.received = b""
        #: The frame that was taken for the answer, or all that was received.
        self.answer = b""
        #: Where in a received frame the PDU begins.
        self.pdu_offset = 7 if mbap else 1
        self._stream = stream
        #: Whether frames are those of Modbus TCP.
        self.mbap = mbap
        #: What is believed on a line whose frames bear no number; None for Modbus TCP.
        self.hearing = None if mbap else Hearing(name, clock, timeout)
        self._client = make_client(self._packet)

    def client(self) -> ModbusBaseSyncClient:
        """The client, connected.

        Raises:
            StationError: the port or connection cannot be opened.
        """
        if not self._client.connect():
            raise StationError(f"link {self.name}: cannot open {self.target}")
        return self._client

    def after_mishap(self) -> None:
        """Leave the line usable: nothing of a late or damaged answer may be read as the next one.

        An RTU frame does not say which request it answers, so a late one is waited for, for one more time-out; if none
        comes even then, it is remembered as owed.
        """
        if self.hearing is not None:
            self._listen_for_the_late_one(self.hearing)
        if self._stream:
            self._close()

    def _listen_for_the_late_one(self, hearing: Hearing) -> None:
        late = self._listen_out()
        hearing.owe()
        hearing.settle(self.received + late)

    def silence(self) -> str:
        """Before a request: hear out what nobody has asked for; returns what is to be told of it.

        Raises:
            StationError: it is a second answer to the last request, and another one.
        """
        if self.hearing is None or not self._waiting():
            return ""
        stray = self._listen_out()
        self.hearing.settle(stray)
        self.hearing.refute(stray)
        return f"{len(stray)} bytes that nobody asked for cleared away" if stray else ""

    def confirm(self) -> None:
        """Behind an answer: if another of its shape is still owed, hear the line out, and see that it is the only one.

        Raises:
            ModbusException: it is not, and which of the two is the answer cannot be told.
        """
        if self.hearing is not None and self.hearing.in_doubt:
            self.hearing.confirm(self.received, self._listen_out())

    def _waiting(self) -> bool:
        try:
            return bytes_wait(getattr(self._client, "socket", None))
        except OSError:  # the port is gone, which the request will tell
            return False

    def _wait_out(self, hearing: Hearing, request: bytes) -> None:
        """Before a request: wait for the answer of its shape that is owed to another, or until it no longer is."""
        with suppress(ModbusException, OSError):
            while self.clock.now() < hearing.owed_until(request):
                late = self._client.recv(None)
                self._tell("rx", late)
                hearing.settle(late)

    def _listen_out(self) -> bytes:
        """Listen until the line has been silent for a time-out, but not to a babbling device for ever."""
        heard = b""
        with suppress(ModbusException, OSError):
            for _ in range(_LATE_PIECES):
                late = self._client.recv(None)
                if not late:
                    break
                self._tell("rx", late)
                heard += late
        return heard

    def close(self) -> None:
        """Close the port or connection."""
        self._close()

    def _close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped

    def _packet(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001  # pymodbus calls it so
        """See what pymodbus sends, and what it has gathered so far each time something came."""
        if sending:
            if self.hearing is not None:
                self._wait_out(self.hearing, data)
                self.hearing.ask(data)
            self.received = b""
            self._tell("tx", data)
            return data
        fresh = data[_overlap(self.received, data) :]
        self.received = data
        self._tell("rx", fresh)
        taken = data if self.hearing is None else self.hearing.take(data)
        self.answer = taken or data
        return taken

    def _tell(self, direction: str, data: bytes) -> None:
        if self.listener is not None and data:
            self.listener(direction, data)


def _overlap(before: bytes, data: bytes) -> int:
    """How much of what pymodbus shows it has shown before: it drops foreign frames in front and adds at the end."""
    longest = min(len(before), len(data) - 1)  # it shows something when something came, so one byte at least is new
    return next((size for size in range(longest, 0, -1) if before.endswith(data[:size])), 0)
