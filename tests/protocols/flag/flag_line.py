"""Conversations as a listener hears them: both sides say what a test lets them say, with the times of a real line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from protocols.flag.checker import Heard, Report, check
from protocols.flag.frames import checked
from protocols.flag.stream import StreamBlock, encode_block

MS = 1_000_000
SECOND = 1_000 * MS
START = (300, "7E1")
FAST = (9600, "7E1")
STREAM = (9600, "8N1")
IDENT = b"/GEC5120510070213@000\r\n"
SETS = b"0.0.0(094)\r\n1.8.0(0000123.4*kWh)\r\n"
P0 = checked(b"\x01P0\x02(FD04BE65D6157FA9)\x03")
P2 = checked(b"\x01P2\x02(669A287D6388D770)\x03")
R1 = checked(b"\x01R1\x02798001(10)\x03")
SERIAL = checked(b"\x02(30303030303030303035303734343934)\x03")
BREAK = checked(b"\x01B0\x03")
ACK, NAK, ESC = b"\x06", b"\x15", b"\x1b"


class Line:
    """Writes down who says what and when."""

    def __init__(self, line: tuple[int, str] = START) -> None:
        self.now = 0
        self.line = line
        self.pieces: list[Heard] = []

    def at(self, baud: int, framing: str = "7E1") -> Self:
        """The line has another speed from here on."""
        self.line = (baud, framing)
        return self

    def wait(self, ms: float) -> Self:
        self.now += int(ms * MS)
        return self

    def host(self, data: bytes, after: float = 300, **changed: object) -> Self:
        return self._say(data, after, to_device=True, **changed)

    def meter(self, data: bytes, after: float = 300, **changed: object) -> Self:
        return self._say(data, after, to_device=False, **changed)

    def _say(self, data: bytes, after: float, **changed: object) -> Self:
        start = self.now + int(after * MS)
        baud = self.line[0]
        end = start + (len(data) * 10 * SECOND // baud if baud else 0)
        values = {"baud": baud, "framing": self.line[1], **changed}
        self.pieces.append(Heard(start, end, data=data, **values))  # type: ignore[arg-type]  # what the test gives
        self.now = end
        return self

    def check(self, **arguments: object) -> Report:
        return check(self.pieces, **arguments)  # type: ignore[arg-type]  # what the test gives


def block(data: bytes) -> bytes:
    return checked(b"\x02" + data + b"\x03")


def part(data: bytes) -> bytes:
    """A partial block."""
    return checked(b"\x02" + data + b"\x04")


def command(name: bytes, data: bytes, end: bytes = b"\x03") -> bytes:
    return checked(b"\x01" + name + b"\x02" + data + end)


def readout(sets: bytes = SETS) -> bytes:
    return block(sets + b"!\r\n")


def signed_on(ident: bytes = IDENT, address: bytes = b"094") -> Line:
    """As far as the identification."""
    return Line().host(b"/?" + address + b"!\r\n", 0).meter(ident)


def selected(mode: bytes = b"1", ident: bytes = IDENT, line: tuple[int, str] = FAST) -> Line:
    """As far as the option select, and at the speed that follows."""
    return signed_on(ident).host(b"\x06" + b"0" + ident[4:5] + mode + b"\r\n").at(*line)


def visit(mode: bytes = b"1", line: tuple[int, str] = FAST) -> Line:
    """As far as the accepted password."""
    return selected(mode, line=line).meter(P0).host(P2).meter(ACK)


def streaming(count: bytes = b"02") -> Line:
    """As far as the request of the data stream."""
    return visit(b"6", STREAM).host(command(b"RD", b"550001(" + count + b")"))


def stream(*sizes: int, first: int = 1) -> Iterable[bytes]:
    """Blocks of a data stream; the last one is marked as such."""
    for index, size in enumerate(sizes):
        yield encode_block(StreamBlock(first + index, bytes(range(256))[:size], index == len(sizes) - 1))


def joined(line: Line, blocks: Iterable[bytes]) -> Line:
    """The device says these blocks one after another."""
    for data in blocks:
        line.meter(data, 150 if line.pieces[-1].to_device is False else 300)
    return line


def spoilt(frame: bytes, check_character: int) -> bytes:
    """The frame with another check character."""
    return frame[:-1] + bytes((check_character,))
