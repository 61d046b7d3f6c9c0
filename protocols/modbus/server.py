"""Servers: a device on a serial line, and the devices behind one TCP connection.

Neither ever raises because of what it receives: a line answers damage with silence, a connection is to be closed.
"""

from __future__ import annotations

from itertools import groupby
from struct import Struct
from typing import TYPE_CHECKING

from protocols.conversation import Reply
from protocols.modbus.frames import FrameError, MbapSplitter, decode_rtu, encode_rtu
from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode
from protocols.modbus.responder import DataModel, Responder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BROADCAST = 0
NON_SIGNIFICANT = 0xFF  #: the unit that addresses a device directly on TCP (TCP 4.4.1.2); 0 is accepted too
_ANSWER_HEADER = Struct(">4sHB").pack  # transaction and protocol id as asked, length, unit


class RtuServer:
    """One device on a serial line; on a multi-drop line there are many, and each hears every frame."""

    __slots__ = ("address", "responder")

    def __init__(self, address: int, model: DataModel) -> None:
        self.address = address
        self.responder = Responder(model)

    def receive(self, frame: bytes, now: int) -> list[Reply]:
        """The answer to what came between two silences: one, or none if the frame is damaged or for somebody else."""
        try:
            unit, pdu = decode_rtu(frame)
        except FrameError:
            if self.responder.model.listening(now):
                self.responder.diagnostics.communication_errors += 1
            return []
        return self.hear(unit, pdu, now)

    def hear(self, unit: int, pdu: bytes, now: int) -> list[Reply]:
        """The same for a frame that is decoded already: a line of many devices needs to check its CRC only once."""
        if unit == BROADCAST:
            self.responder.broadcast(pdu, now)
        elif not self.responder.model.listening(now):
            return []
        elif unit == self.address:
            return [Reply(encode_rtu(unit, self.responder.respond(pdu, now)))]
        else:
            self.responder.diagnostics.overheard += 1
        return []


class RtuBus:
    """All the devices of one serial line: each hears every frame, and its CRC is checked once for all of them."""

    __slots__ = ("_servers",)

    def __init__(self, servers: Iterable[RtuServer]) -> None:
        self._servers = tuple(servers)

    def receive(self, frame: bytes, now: int) -> list[Reply]:
        """The answers to what came between two silences: one where the address exists, or none."""
        try:
            unit, pdu = decode_rtu(frame)
        except FrameError:
            return [reply for server in self._servers for reply in server.receive(frame, now)]
        return [reply for server in self._servers for reply in server.hear(unit, pdu, now)]


class TcpServer:
    """One Modbus TCP connection to a device, or to a gateway with devices behind it. One object per connection.

    Args:
        units: what answers under which unit. Connections that are given the same `Responder` share the diagnostic
            counters of that device. Where there is exactly one, units 0 and 255 address it as well.
        absent: the exception in the name of a unit that does not exist or does not listen; None is silence.
        gateway_timeout: how long (ns) the gateway waits for such a unit before it says so. It asks one unit after the
            other, so what was asked behind waits too.
    """

    __slots__ = ("_absent", "_busy_until", "_gateway_timeout", "_responders", "_splitter", "waiting")

    def __init__(
        self,
        units: Mapping[int, DataModel | Responder],
        *,
        absent: ExceptionCode | None = ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND,
        gateway_timeout: int = 0,
    ) -> None:
        known = {unit: it if isinstance(it, Responder) else Responder(it) for unit, it in units.items()}
        if len(known) == 1:
            (only,) = known.values()
            known = {BROADCAST: only, NON_SIGNIFICANT: only, **known}
        self._responders: dict[int, Responder] = known
        self._absent = absent
        self._gateway_timeout = gateway_timeout
        self._busy_until = 0
        #: Requests that wait for their turn: none, each is answered as it comes.
        self.waiting = 0
        self._splitter = MbapSplitter()

    @property
    def broken(self) -> FrameError | None:
        """Why the connection is to be closed once what was answered is sent, or None."""
        return self._splitter.broken

    def receive(self, data: bytes | memoryview, now: int) -> list[Reply]:
        """The answers to all requests that `data` completes, in their order; those for one instant are one Reply."""
        try:
            frames = self._splitter.feed(data)
        except FrameError:
            return []
        if len(frames) == 1:  # nearly always
            answer = self._answer(frames[0], now)
            return [] if answer is None else [answer]
        answers = [answer for frame in frames if (answer := self._answer(frame, now)) is not None]
        return answers if len(answers) < 2 else _together(answers)  # noqa: PLR2004  # one has nothing to be joined with

    def _answer(self, frame: bytes, now: int) -> Reply | None:
        unit = frame[6]
        responder = self._responders.get(unit)
        if responder is None or not responder.model.listening(now):
            return self._answer_for_absent(frame, now)
        answer = responder.respond(frame[7:], now)
        delay = self._busy_until - now
        return Reply(_ANSWER_HEADER(frame[:4], len(answer) + 1, unit) + answer, max(0, delay))

    def _answer_for_absent(self, frame: bytes, now: int) -> Reply | None:
        unit = frame[6]
        if unit == BROADCAST and unit not in self._responders:
            for responder in self._responders.values():
                responder.broadcast(frame[7:], now)
            return None
        self._busy_until = max(self._busy_until, now) + self._gateway_timeout
        if self._absent is None:
            return None
        refusal = bytes((frame[7] | EXCEPTION_BIT, self._absent))
        return Reply(_ANSWER_HEADER(frame[:4], len(refusal) + 1, unit) + refusal, self._busy_until - now)


def _together(answers: list[Reply]) -> list[Reply]:
    return [
        Reply(b"".join(answer.data for answer in group), delay)
        for delay, group in groupby(answers, key=lambda answer: answer.delay)
    ]
