"""Characters as they were heard, and the messages they make, for the checker.

A lenient reader looks for the message it hopes for; this one cuts a stream of characters wherever the standard ends a
message, and keeps what was wrong with them: parity, pauses, a change of speed, a missing end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

MS = 1_000_000
#: The longest silence inside a message (ta, 6.4.3).
TA = 1_500 * MS
_NUL, _SOH, _STX, _ETX, _EOT, _ACK, _NAK, _ESC, _LF, _SLASH = 0, 1, 2, 3, 4, 6, 0x15, 0x1B, 0x0A, 0x2F
_BIT_7 = 0x80
_SHOWN, _SHOWN_OF_COMMAND = 24, 3
#: A silence that ends a burst of NULs: below the two characters and 20 ms that a host listens behind a fast one (B.2).
_NEW_BURST = 60 * MS
_STREAM_HEAD, _STREAM_FRAME = 4, 8
_PLAIN_END = b"!\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of what was on the line.

    Attributes:
        start: the instant (ns) at which its first character began.
        end: the instant (ns) at which its last character was whole.
        to_device: whether the host said it.
        data: its characters; in a framing of 7 data bits a set bit 7 marks a wrong parity.
        baud: the speed it was said at, 0 where the line has none (TCP).
        framing: "7E1", "8N1" ...; empty where nobody knows, as behind a pty.
        masked: secrets were cut out of it, so its contents cannot be judged.
    """

    start: int
    end: int
    to_device: bool
    data: bytes
    baud: int = 0
    framing: str = ""
    masked: bool = False


class Kind(Enum):
    """What a message is, told from its first character."""

    NULS = "wake-up"
    SLASH = "request or identification"
    OPTION = "option select"
    ACK = "ACK"
    NAK = "NAK"
    ESCAPE = "ESC"
    COMMAND = "command"
    BLOCK = "block"
    STREAM = "data stream block"
    PLAIN = "characters"


@dataclass(slots=True)
class Message:
    """A message, or as much as came of it.

    Attributes:
        kind: what it is.
        to_device: whether the host said it.
        start: the instant (ns) at which it began.
        end: the instant (ns) at which it was whole.
        data: its characters without parity.
        raw: its characters as they were heard.
        whole: whether it has its end.
        sound: whether whoever heard it had reason to believe it: parity, check character, form.
        masked: secrets were cut out of it.
        pause: the longest silence (ns) inside.
        parity: the place of the first character with a wrong parity, -1 if there is none.
        lines: speed and framing, more than one if they changed inside.
    """

    kind: Kind
    to_device: bool
    start: int
    end: int
    data: bytearray = field(default_factory=bytearray)
    raw: bytearray = field(default_factory=bytearray)
    whole: bool = False
    sound: bool = True
    masked: bool = False
    pause: int = 0
    parity: int = -1
    lines: list[tuple[int, str]] = field(default_factory=list)

    def add(self, byte: int, piece: Heard, start: int, end: int) -> None:
        """One character more."""
        self.pause = max(self.pause, start - self.end)
        self.end = end
        self.masked |= piece.masked
        if piece.framing.startswith("7") and byte & _BIT_7 and self.parity < 0:
            self.parity = len(self.data)
        self.raw.append(byte)
        self.data.append(byte & 0x7F if piece.framing.startswith("7") else byte)
        if (line := (piece.baud, piece.framing)) not in self.lines:
            self.lines.append(line)

    @property
    def text(self) -> str:
        """The beginning of it, for people; of what a host sends in a visit less, because a password may follow."""
        open_ = not self.to_device or self.kind in {Kind.SLASH, Kind.OPTION}
        shown = bytes(self.data[: _SHOWN if open_ else _SHOWN_OF_COMMAND])
        return repr(shown)[1:] + ("..." if len(self.data) > len(shown) else "")


@dataclass(slots=True)
class Context:
    """What the conversation so far says of the next characters."""

    option: bool = False
    stream: bool = False
    plain: bool = False


class Cutter:
    """Cuts what one side says into messages."""

    def __init__(self, *, to_device: bool, context: Context) -> None:
        self._to_device = to_device
        self._context = context
        self._open: Message | None = None

    @property
    def until(self) -> int | None:
        """The end (ns) of the last character of a message that is not whole; None if there is none."""
        return self._open.end if self._open else None

    def take(self, byte: int, piece: Heard, start: int, end: int) -> list[Message]:
        """The messages that one character more completes: the one before it too, where only a new one ends it."""
        done = []
        if self._open and self._begins_anew(byte, start):
            done += self.flush()
        if self._open is None:
            self._open = Message(self._kind(byte & 0x7F if piece.framing.startswith("7") else byte), self._to_device,
                                 start, start)  # fmt: skip
        self._open.add(byte, piece, start, end)
        if self._ended(self._open):
            self._open.whole = True
            done.append(self._open)
            self._open = None
        return done

    def flush(self) -> list[Message]:
        """What has no end will not get one; NULs and stray characters need none."""
        found, self._open = self._open, None
        if found is None:
            return []
        found.whole = found.kind in {Kind.NULS, Kind.PLAIN}
        return [found]

    def _begins_anew(self, byte: int, start: int) -> bool:
        message = self._open
        assert message is not None
        if message.kind is Kind.NULS:
            return byte != _NUL or start - message.end >= _NEW_BURST
        beginner = byte in (_NUL, _SOH, _STX, _SLASH, _ACK, _NAK)
        if message.kind is Kind.PLAIN:
            return beginner and not self._context.plain
        return beginner and start - message.end >= TA

    def _kind(self, byte: int) -> Kind:
        if byte == _ACK and self._to_device and self._context.option:
            return Kind.OPTION
        if byte == _STX and self._context.stream and not self._to_device:
            return Kind.STREAM
        if self._context.plain and not self._to_device and byte != _SLASH:
            return Kind.PLAIN
        return _KINDS.get(byte, Kind.PLAIN)

    def _ended(self, message: Message) -> bool:
        data = message.data
        match message.kind:
            case Kind.ACK | Kind.NAK | Kind.ESCAPE:
                return True
            case Kind.SLASH | Kind.OPTION:
                return data[-1] == _LF
            case Kind.COMMAND | Kind.BLOCK:
                return _block_ended(data)
            case Kind.STREAM:
                return self._stream_ended(message)
            case Kind.PLAIN:
                return self._context.plain and data.endswith(_PLAIN_END)
            case _:
                return False

    def _stream_ended(self, message: Message) -> bool:
        """A block as long as it says, unless it is a refusal, which looks like an ordinary block."""
        data = message.data
        if len(data) < _STREAM_HEAD - 1:
            return False
        if data[1] == ord("(") and data[2]:
            message.kind = Kind.BLOCK
            return _block_ended(data)
        return len(data) >= _STREAM_HEAD and len(data) == _STREAM_FRAME + data[_STREAM_HEAD - 1]


def _block_ended(data: bytearray) -> bool:
    """Whether one character follows the first ETX or EOT: that is the check character, whatever it looks like."""
    return len(data) > 2 and data[-2] in (_ETX, _EOT)  # noqa: PLR2004  # start, end mark and check character


_KINDS = {
    _NUL: Kind.NULS,
    _SOH: Kind.COMMAND,
    _STX: Kind.BLOCK,
    _ACK: Kind.ACK,
    _NAK: Kind.NAK,
    _ESC: Kind.ESCAPE,
    _SLASH: Kind.SLASH,
}
