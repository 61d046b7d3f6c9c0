"""A serial gateway: Modbus TCP on one side, an RS-485 line with meters on the other, one request on the line at a time.

It behaves as an EGX does: what arrives is queued, a unit that does not answer in time is reported with exception 0B,
and an answer that is damaged or comes from another unit counts as none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from simpy.events import Event

from protocols.conversation import Reply
from protocols.modbus.frames import FrameError, MbapSplitter, decode_mbap, decode_rtu, encode_mbap, encode_rtu
from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode
from protocols.modbus.rules import rtu_answer_end
from simulators.lines.burst import Burst
from simulators.lines.serial_line import Port, SerialLine
from simulators.world import SECOND

BROADCAST = 0
#: How long (ns) a gateway waits for a meter before it reports exception 0B (assumed; EGX100 leaves it to its set-up).
TIMEOUT = SECOND // 2


class Gateway:
    """The serial side of a gateway, shared by all of its connections.

    Args:
        line: the line with the meters.
        timeout: how long to wait for an answer, ns.
    """

    def __init__(self, line: SerialLine, *, timeout: int = TIMEOUT) -> None:
        self._line = line
        self._world = line.world
        self._timeout = timeout
        self._port: Port = line.open()
        self._queue: deque[tuple[bytes, Callable[[bytes], None]]] = deque()
        self._busy = False
        self._port.on_burst = self._overhear

    def _overhear(self, burst: Burst) -> None:  # noqa: ARG002  # what it is does not matter
        """What others say while nothing is asked is nobody's answer, and must not pile up."""
        if not self._busy:
            self._port.inbox.clear(self._world.now)

    def connection(self, answer: Callable[[bytes], None]) -> GatewayConnection:
        """The far end of a new TCP connection; answers are handed to `answer` when they are there."""
        return GatewayConnection(self, answer)

    def ask(self, frame: bytes, answer: Callable[[bytes], None]) -> None:
        """Queue one Modbus TCP request."""
        self._queue.append((frame, answer))
        if not self._busy:
            self._busy = True
            self._world.process(self._work())

    def waiting(self, answer: Callable[[bytes], None]) -> int:
        """How many requests of the connection that is answered by `answer` are queued or on the line."""
        return sum(asker is answer for _, asker in self._queue)

    def _work(self) -> Generator[Event, Any, None]:
        while self._queue:
            frame, answer = self._queue[0]
            transaction, unit, pdu = decode_mbap(frame)
            found = yield from self._transact(unit, pdu)
            if found is not None:
                answer(encode_mbap(transaction, unit, found))
            self._queue.popleft()
        self._busy = False

    def _transact(self, unit: int, pdu: bytes) -> Generator[Event, Any, bytes | None]:
        """Put one request on the line and wait for the answer; None after a broadcast."""
        inbox, env = self._port.inbox, self._world.env
        inbox.clear(self._world.now)
        sent = self._port.write(encode_rtu(unit, pdu))
        deadline = sent + self._timeout
        if unit == BROADCAST:
            yield env.timeout(sent + self._line.turnaround - self._world.now)
            return None
        received = b""
        while self._world.now < deadline:
            due = inbox.due(1)
            wait = (
                min(deadline, due) if due is not None else min(deadline, self._world.now + self._line.framing.silence)
            )
            yield env.timeout(max(1, wait - self._world.now))
            received += inbox.take(inbox.available(self._world.now), self._world.now)
            end = rtu_answer_end(received)
            if end is not None and len(received) >= end:
                found = _answer_of(received[:end], unit)
                yield env.timeout(self._line.framing.silence)
                if found is not None:
                    return found
                received = b""
        return bytes([pdu[0] | EXCEPTION_BIT, ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND])


def _answer_of(frame: bytes, unit: int) -> bytes | None:
    try:
        sender, pdu = decode_rtu(frame)
    except FrameError:
        return None
    return pdu if sender == unit else None


class GatewayConnection:
    """One TCP connection to a gateway: a server whose answers come later."""

    def __init__(self, gateway: Gateway, answer: Callable[[bytes], None]) -> None:
        self._gateway = gateway
        self._answer = answer
        self._splitter = MbapSplitter()

    @property
    def broken(self) -> FrameError | None:
        """Why the connection is to be closed, or None."""
        return self._splitter.broken

    @property
    def waiting(self) -> int:
        """How many requests of this connection are queued or on the line."""
        return self._gateway.waiting(self._answer)

    def receive(self, data: bytes, _now: int) -> list[Reply]:
        """Queue the requests that `data` completes; their answers come by the call-back."""
        try:
            frames = self._splitter.feed(data)
        except FrameError:
            return []
        for frame in frames:
            self._gateway.ask(frame, self._answer)
        return []
