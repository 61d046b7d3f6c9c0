"""What these tests stand a FLAG server upon: a meter that is nothing but memory, and a wire without a line."""

# ruff: noqa: ARG002 - the signatures are those of Device

from __future__ import annotations

from typing import TypeVar

from protocols.conversation import Conversation, Receive, Send, SetLine, Wait
from protocols.flag import login
from protocols.flag.device import Ack, Blocks, Data, Nak, Refusal, Result, Session
from protocols.flag.frames import Command
from protocols.flag.habits import Habits
from protocols.flag.server import FlagServer

T = TypeVar("T")

SEED = bytes.fromhex("FD04BE65D6157FA9")
PASSWORD = b"00000000"
READOUT = b"0.0.0(094)\r\n1.8.0(0000123.4*kWh)\r\n"
TENTH = 100_000_000


class MemoryMeter:
    """Objects by identity; R1 iii001(nn) reads, W1 writes at level 1 and above, R3 reads in partial blocks."""

    def __init__(self, ident: bytes = b"/GEC5120510070213@000", address: bytes = b"094") -> None:
        self.habits = Habits()
        self.ident = ident
        self.address = address
        self.supplied = True
        self.objects = {b"798": b"0000000005074494", b"550": bytes(range(256)) * 3}
        self.closed: list[str] = []
        self.written: list[bytes] = []

    def powered(self, now: int) -> bool:
        return self.supplied

    def identification(self, now: int) -> bytes:
        return self.ident

    def answers_to(self, address: bytes) -> bool:
        return not address or self.habits.same_address(self.address, address)

    def readout(self, now: int) -> bytes:
        return READOUT

    def open(self, via: str, mode: int, now: int) -> Session:
        return Session(via, mode, now, SEED)

    def password(self, session: Session, number: int, operand: bytes, now: int) -> Result:
        reply = login.decode_digits(operand)
        if reply not in {login.NO_PASSWORD, login.reply_to(session.seed, PASSWORD)}:
            return Nak()
        session.level = 0 if reply == login.NO_PASSWORD else 1
        return Ack()

    def execute(self, session: Session, command: Command, now: int) -> Result:
        data = command.data or b""
        found = self.objects.get(data[:3])
        if command.letter == "W":
            if session.level < 1:
                raise Refusal("ERR5")
            self.written.append(data)
            return Ack()
        if found is None:
            raise Refusal("ERR2")
        if command.name == "R3":
            return Blocks((b"(first ", b"second ", b"third)"))
        return Data(b"(" + found.hex().upper().encode() + b")")

    def stream(self, session: Session, command: Command, now: int) -> bytes:
        found = self.objects.get((command.data or b"")[:3])
        if found is None:
            raise Refusal("ERR2")
        return found

    def close(self, session: Session, why: str, now: int) -> None:
        self.closed.append(why)


class Wire:
    """A conversation and meters at the two ends of nothing: characters take their time, and no other.

    Attributes:
        log: what was said: who ("host", "meter"), when it began (ns), at what line, the bytes.
        spoil: replaces bytes on their way to the host, by the number of the answer.
    """

    def __init__(self, *meters: MemoryMeter, **server: object) -> None:
        self.servers = [FlagServer(meter, **server) for meter in meters]  # type: ignore[arg-type]  # what the test gives
        self.now = 0
        self.line: tuple[int, str] = (300, "7E1")
        self.log: list[tuple[str, int, tuple[int, str], bytes]] = []
        self.spoil: dict[int, bytes] = {}
        self._coming: list[tuple[int, bytes, int]] = []  # the instant, the character and its speed
        self._answers = 0

    def run(self, conversation: Conversation[T]) -> T:
        answer = b""
        try:
            step = next(conversation)
            while True:
                answer = self._do(step)
                step = conversation.send(answer)
        except StopIteration as end:
            return end.value

    def _do(self, step: object) -> bytes:
        match step:
            case Send(data):
                self.send(data)
            case Wait(time):
                self.pass_time(time)
            case SetLine(baud, framing):
                self.line = (baud, framing)
            case Receive(rule, timeout, gap):
                return self._receive(rule, timeout, gap)
        return b""

    def send(self, data: bytes) -> None:
        self.log.append(("host", self.now, self.line, data))
        self.pass_time(self._time(len(data)))
        for server in self.servers:
            heard = data if server.line[0] == self.line[0] else b"\xff" * len(data)
            self._take(server, server.receive(heard, self.now))

    def pass_time(self, time: int) -> None:
        end = self.now + time
        while due := [d for s in self.servers if (d := s.deadline()) is not None and d <= end]:
            self.now = max(self.now, min(due))
            for server in self.servers:
                self._take(server, server.wake(self.now))
        self.now = end

    def _take(self, server: FlagServer, replies: list) -> None:
        for reply in replies:
            data = self.spoil.get(self._answers, reply.data)
            self._answers += 1
            start = self.now + reply.delay
            self.log.append(("meter", start, server.line, reply.data))
            each = 10 * 1_000_000_000 // server.line[0]
            self._coming += [(start + each * (i + 1), data[i : i + 1], server.line[0]) for i in range(len(data))]

    def _receive(self, rule, timeout: int, gap: int | None) -> bytes:
        got = b""
        limit = self.now + timeout
        while True:
            due = [d for s in self.servers if (d := s.deadline()) is not None]
            if self._coming and self._coming[0][0] <= min([limit, *due]):
                at, byte, baud = self._coming.pop(0)
                self.now = max(self.now, at)
                got += byte if baud == self.line[0] else b"\xff"
                if rule(got):
                    return got
                limit = limit if gap is None else self.now + gap
            elif due and min(due) <= limit:
                self.pass_time(max(0, min(due) - self.now))
            else:
                self.now = limit
                return got

    def _time(self, characters: int) -> int:
        return characters * 10 * 1_000_000_000 // self.line[0]
