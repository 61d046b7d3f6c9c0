"""What a meter makes of the commands of one visit: whole messages in, whole messages out, and no times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from protocols.flag import stream
from protocols.flag.device import STREAM, Ack, Blocks, Data, Device, Nak, Refusal, Result, Session
from protocols.flag.frames import (
    ACK,
    EOT,
    ETX,
    NAK,
    SOH,
    STX,
    Command,
    FrameError,
    decode_command,
)
from protocols.flag.login import encode_digits

#: Error texts that a server itself needs; the source of ERR1 is single (confidence HE?).
BAD_COMMAND = "ERR1"
_OPERAND_ENDS = (b"(", b")")
_PARTIAL_WRITES = ("W3", "W4")


class Visit:
    """One visit at a meter.

    Args:
        device: the meter.
        session: what it knows of the visit.
    """

    def __init__(self, device: Device, session: Session) -> None:
        self._device = device
        self.session = session
        #: What was said last, which is what a NAK asks to be repeated: data, an ACK, the challenge, whatever it was.
        self._last = b""
        self._parts: list[bytes] = []
        self._gathered: Command | None = None
        #: The blocks of a data stream that are to be sent one after another.
        self.blocks: list[bytes] = []
        self.over = ""

    def greeting(self) -> bytes:
        """P0 with the challenge."""
        operand = b"(" + encode_digits(self.session.seed) + b")"
        return self._keep(self._framed(SOH + b"P0" + STX + operand + ETX))

    def hear(self, message: bytes, now: int) -> bytes:
        """The answer to a message: a command, an ACK or a NAK; empty where none is due."""
        if message == NAK:
            return self._last
        answer = self._next_part() if message == ACK else self._commanded(message, now)
        return self._keep(answer) if answer else answer

    def _commanded(self, message: bytes, now: int) -> bytes:
        try:
            command = self._decoded(message)
        except FrameError:
            if self._device.habits.obeys_damaged:
                self._obey_anyway(message, now)
            return NAK
        return self._obey(command, now)

    def _obey_anyway(self, message: bytes, now: int) -> None:
        """What a firmware does that looks at the check character too late."""
        body = bytes(byte & 0x7F for byte in message[:-1])
        with suppress(FrameError):
            self._obey(decode_command(body + bytes((_check_of(body),))), now)

    def _decoded(self, message: bytes) -> Command:
        """A command whose check character is right, by this firmware's reckoning."""
        habits = self._device.habits
        if habits.parity and any(byte & 0x80 for byte in message):
            raise FrameError("a character with a parity error")
        right = message[-1] == habits.command_check(message[:-1])
        if habits.checks and not right:
            raise FrameError("wrong block check character")
        body = message[:-1]
        return decode_command(body + bytes((_check_of(body),)))

    def _obey(self, command: Command, now: int) -> bytes:
        self._parts.clear()
        if command.letter == "B":
            return self._break(command)
        if command.more or self._gathered is not None:
            return self._gather(command, now)
        return self._run(command, now)

    def _break(self, command: Command) -> bytes:
        self.over = "break"
        return ACK if command.number == "1" else self._device.habits.break_answer  # B1: devices with fast wake-up (B.2)

    def _gather(self, command: Command, now: int) -> bytes:
        """A write in partial blocks: the address comes in the first one only, the command is obeyed with the last."""
        if command.name not in _PARTIAL_WRITES:
            self._gathered = None
            return self._error(BAD_COMMAND) if command.more else self._run(command, now)
        before, self._gathered = self._gathered, None
        if before is not None and before.name == command.name:
            data = command.data or b""
            if self._device.habits.address_in_each:
                data = data.partition(b"(")[2]
            command = Command(command.letter, command.number, (before.data or b"") + data, command.more)
        if command.more:
            self._gathered = command
            return ACK
        return self._run(command, now)

    def _run(self, command: Command, now: int) -> bytes:
        try:
            if command.name == "RD" and self.session.mode == STREAM:
                self.blocks = self._streamed(self._device.stream(self.session, command, now))
                self._last = b"".join(self.blocks[-1:])
                return b""
            result = self._execute(command, now)
            return NAK if result == Ack() and self._device.habits.denies(command) else self._told(result)
        except Refusal as refusal:
            return self._error(refusal.text)

    def _execute(self, command: Command, now: int) -> Result:
        if command.letter == "P":
            data = command.data or b""
            if (data[:1], data[-1:]) != _OPERAND_ENDS or command.number not in "12":
                return Nak()
            result = self._device.password(self.session, int(command.number), data[1:-1], now)
            return Data(data) if result == Ack() and self._device.habits.repeats_reply else result
        if command.letter not in "RWE":
            raise Refusal(BAD_COMMAND)
        return self._device.execute(self.session, command, now)

    def _told(self, result: Result) -> bytes:
        match result:
            case Ack():
                return ACK
            case Nak():
                return NAK
            case Data(data):
                return self._framed(STX + data + ETX)
            case Blocks(parts):
                self._parts = self._partial(parts)
                return self._next_part()

    def _partial(self, parts: Sequence[bytes]) -> list[bytes]:
        more = EOT if self._device.habits.more_mark else ETX
        ends = [more] * (len(parts) - 1) + [ETX]
        return [self._framed(STX + part + end) for part, end in zip(parts, ends, strict=True)]

    def _next_part(self) -> bytes:
        return self._parts.pop(0) if self._parts else b""

    def _streamed(self, data: bytes) -> list[bytes]:
        habits = self._device.habits
        more, last = habits.stream_marks
        frames = [
            stream.encode_block(block, more=more, last=last)[:-2] for block in stream.split(habits.stream_data(data))
        ]
        return [frame + habits.stream_check(frame).to_bytes(2, "little") for frame in frames]

    def _error(self, text: str) -> bytes:
        habits = self._device.habits
        if habits.error_as_nak:
            return NAK
        frame = STX + b"(" + habits.error_text(text).encode("ascii") + b")" + ETX
        return self._framed(frame) if habits.error_check else frame

    def _keep(self, message: bytes) -> bytes:
        self._last = message
        return message

    def _framed(self, frame: bytes) -> bytes:
        return frame + bytes((self._device.habits.answer_check(frame),))


def _check_of(body: bytes) -> int:
    """The check character with which the shared decoder takes a message that this firmware has already accepted."""
    value = 0
    for byte in body[1:]:
        value ^= byte
    return value & 0x7F
