"""A tap on every line of a world: what went over the wire and when, read without the help of the bench."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.wire import pdu_of
from protocols.modbus.pdu import FunctionCode
from protocols.powerlogic.words import unpack_words
from simulators.world import Digest

_REQUEST_LENGTH = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes that somebody began to send at an instant (ns) on a line or network."""

    at: int
    line: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Words:
    """Words that were written to a register or shown by it, and when the message began (ns)."""

    at: int
    register: int
    words: tuple[int, ...]

    @property
    def registers(self) -> range:
        """All of them."""
        return range(self.register, self.register + len(self.words))


class Tap(Digest):
    """The fingerprint of a world that keeps what it is made of."""

    __slots__ = ("frames",)

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []

    def note(self, now: int, what: str, data: bytes = b"") -> None:
        """Add one happening."""
        super().note(now, what, data)
        if data:
            self.frames.append(Frame(now, what, data))


def writes_to(frames: Sequence[Frame], unit: int) -> Iterator[Words]:
    """What was written to a unit; the echo of a single write is the same write once more."""
    for frame in frames:
        pdu = _pdu_of(frame, unit)
        if pdu[:1] == bytes((FunctionCode.WRITE_SINGLE_REGISTER,)):
            yield Words(frame.at, _register(pdu), tuple(unpack_words(pdu[3:5])))
        elif pdu[:1] == bytes((FunctionCode.WRITE_MULTIPLE_REGISTERS,)) and len(pdu) > _REQUEST_LENGTH:
            yield Words(frame.at, _register(pdu), tuple(unpack_words(pdu[6:])))


def shown_by(frames: Sequence[Frame], unit: int) -> Iterator[Words]:
    """What registers of a unit showed when they were read."""
    asked: int | None = None
    for frame in frames:
        pdu = _pdu_of(frame, unit)
        if pdu[:1] != bytes((FunctionCode.READ_HOLDING_REGISTERS,)):
            continue
        if len(pdu) == _REQUEST_LENGTH:
            asked = _register(pdu)
        elif asked is not None:
            yield Words(frame.at, asked, tuple(unpack_words(pdu[2:])))
            asked = None


def _register(pdu: bytes) -> int:
    return int.from_bytes(pdu[1:3], "big") + 1


def _pdu_of(frame: Frame, unit: int) -> bytes:
    found = pdu_of(frame.data)
    return found[1] if found is not None and found[0] == unit else b""
