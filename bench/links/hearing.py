"""Listening on a line whose frames bear no number: what is taken for the answer, and what is held against it.

Three rules, for RTU only (Modbus TCP numbers its frames):

* Only a frame that fits the request is an answer. What else is heard is skipped while the time-out keeps running.
* Before a request the line must be silent: bytes that wait are somebody's, so they are heard out and told. If they are
  a second answer to the last request, and another one, the line cannot be trusted, and that is the station's fault.
* An answer that never came is owed for five time-outs. Meanwhile nothing else is asked whose answer would have its
  shape; the same question may be, but then the line is heard out behind the answer, and two that differ are none. What
  comes later than that, exactly between a request of the same shape and its answer, is taken for it: nothing in RTU
  tells it from the right one.
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
_OWED = 5
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
        self._owed: dict[_Shape, tuple[bytes, int]] = {}
        self._last_request = self._last_answer = b""
        #: How often in a row what was sent came back and no answer did.
        self._came_back = 0
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
            self._refuse_echo(found.request)
        if found.request:
            raise _NotBelieved(f"another master asks on this line: {found.request.hex(' ')}")
        if found.second:
            raise _NotBelieved(f"two answers came that differ: {found.answer.hex(' ')} and {found.second.hex(' ')}")
        if found.answer and found.skipped:
            if found.answer == self._last_answer and self.request != self._last_request:
                return b""  # the frame that was taken before, again
            self._remarks = [f"{found.skipped} bytes in front of an answer skipped"]
        if found.answer:
            self._last_request, self._last_answer = self.request, found.answer
            self._came_back = 0
        return found.answer

    def _refuse_echo(self, request: bytes) -> None:
        """What was sent came back: always on a line that echoes, once where another master asks the same."""
        self._came_back += 1
        if self._last_answer and self._came_back == 1:
            raise _NotBelieved(f"another master asks the same on this line, or it echoes: {request.hex(' ')}")
        raise StationError(
            f"link {self._name}: what is sent comes back; write echo: true for this link in the station file"
        )

    def owe(self) -> None:
        """The answer to the last request never came: it may still."""
        if self.request:
            self._owed[_shape(self.request)] = (self.request, self._clock.now() + _OWED * self._timeout)

    def refute(self, stray: bytes) -> None:
        """Bytes came behind the last answer: if they are another answer to its request, neither can be trusted.

        Raises:
            StationError: they are.
        """
        found = hear(self._last_request, stray).answer if self._last_request == self.request else b""
        if found not in (b"", self._last_answer):
            raise StationError(
                f"link {self._name}: a second answer came behind the last one, and it differs: frames are repeated or "
                "late, and what was read last may belong to an earlier question"
            )

    def settle(self, heard: bytes) -> None:
        """What was heard meanwhile may be what is owed."""
        self._owed = {shape: debt for shape, debt in self._owed.items() if not hear(debt[0], heard).answer}

    def owed_until(self, request: bytes) -> int:
        """The instant (ns) before which a request must not go out: another's answer of its shape may still come."""
        debt, until = self._owed.get(_shape(request), (request, 0))
        return until if debt != request else 0

    @property
    def in_doubt(self) -> bool:
        """Whether the answer to the same question, asked earlier, is still owed."""
        return bool(self.request) and self._owed.get(_shape(self.request), (b"", 0))[1] > self._clock.now()

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
