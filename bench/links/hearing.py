"""Listening on a line whose frames bear no number: what is taken for the answer, and what is held against it.

Three rules, for RTU only (Modbus TCP numbers its frames):

* Only a frame that fits the request is an answer. What else is heard is skipped while the time-out keeps running.
* Before a request the line must be silent: bytes that wait are somebody's, so they are heard out and told.
* Where an answer to a request of the same shape is still owed, one answer is not enough: the line is heard out for
  another time-out, and two answers that differ are none. A debt is remembered for ten time-outs. What comes later than
  that, exactly between a request of the same shape and its answer, is taken for it; nothing in RTU tells it.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from pymodbus.exceptions import ModbusIOException

from bench.clock import Clock
from bench.errors import StationError
from protocols.modbus.heard import Heard, hear, why_none

#: For how many time-outs an answer that never came is reckoned with.
_OWED = 10
#: Unit, function and the number that implies the length of the answer.
_Shape = tuple[int, int, bytes]


class _NotBelieved(ModbusIOException):
    """What was heard speaks against every answer in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Hearing:
    """What is heard on one unnumbered line.

    Args:
        name: of the link, for messages.
        clock: the bench's clock.
        timeout: how long an answer may take, ns.
    """

    def __init__(self, name: str, clock: Clock, timeout: int) -> None:
        self._name = name
        self._clock = clock
        self._timeout = timeout
        #: Makes out the answer; a tool that takes anything for one puts something else here.
        self.make_out: Callable[[bytes, bytes], Heard] = hear
        self.request = b""
        self._owed: dict[_Shape, int] = {}
        self._remarks: list[str] = []

    def ask(self, request: bytes) -> None:
        """A request goes out."""
        self.request = request
        self._remarks = []

    def take(self, data: bytes) -> bytes:
        """Of all that was heard since the request, the answer; empty while there is none.

        Raises:
            ModbusException: what was heard can have no answer in it.
            StationError: the line gives back what is sent.
        """
        found = self.make_out(self.request, data)
        if found.request == self.request and not found.answer:
            raise StationError(
                f"link {self._name}: what is sent comes back; write echo: true for this link in the station file"
            )
        if found.request:
            raise _NotBelieved(f"another master asks on this line: {found.request.hex(' ')}")
        if found.second:
            raise _NotBelieved(f"two answers came that differ: {found.answer.hex(' ')} and {found.second.hex(' ')}")
        if found.answer and found.skipped:
            self._remarks = [f"{found.skipped} bytes in front of an answer skipped"]
        return found.answer

    def owe(self) -> None:
        """The answer to the last request never came: it may still."""
        if self.request:
            self._owed[_shape(self.request)] = self._clock.now() + _OWED * self._timeout

    @property
    def in_doubt(self) -> bool:
        """Whether an answer of the shape that the last request asks for is still owed to an earlier one."""
        return self._owed.get(_shape(self.request), 0) > self._clock.now() if self.request else False

    def confirm(self, heard: bytes, later: bytes) -> None:
        """An answer was taken while another was owed, and the line was heard out: is it the only one?

        Raises:
            ModbusException: another one came, and they differ.
        """
        self.take(heard + later)

    def why_none(self, data: bytes, error: Exception) -> str:
        """Why there is no answer in what was heard, if that can be said."""
        if isinstance(error, _NotBelieved):
            return error.reason
        return why_none(self.request, data) if self.request else ""

    def take_remarks(self) -> list[str]:
        """What is to be told of the last answer, once."""
        found, self._remarks = self._remarks, []
        return found


def _shape(request: bytes) -> _Shape:
    return request[0], request[1], request[4:6]


def bytes_wait(port: Any) -> bool:
    """Whether bytes that nobody asked for wait on a serial port or a socket; None is not open."""
    if port is None:
        return False
    if hasattr(port, "in_waiting"):
        return bool(port.in_waiting)
    return bool(select.select([port], [], [], 0)[0])
