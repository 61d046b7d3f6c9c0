"""Frames as registers: which a request asks for, and what an answer shows of each."""

from __future__ import annotations

from dataclasses import dataclass

from bench.replay.exchanges import MBAP, UNIT_AT, Exchange
from protocols.modbus.frames import FrameError, decode_mbap, decode_rtu
from protocols.modbus.pdu import EXCEPTION_BIT, FunctionCode
from protocols.powerlogic.energy import decode
from protocols.powerlogic.tables import Register, register_map
from protocols.powerlogic.words import signed, unpack_words

READS = (FunctionCode.READ_HOLDING_REGISTERS, FunctionCode.READ_INPUT_REGISTERS)
_REQUEST = 5  # function, start, count


@dataclass(frozen=True, slots=True)
class Read:
    """A block of registers with the words that were answered."""

    start: int
    words: tuple[int, ...]

    def of(self, row: Register) -> list[int] | None:
        """The words of a whole register row; None where the block does not hold all of it."""
        first = row.number - self.start
        return list(self.words[first : first + row.count]) if 0 <= first <= len(self.words) - row.count else None


def unit_of(request: bytes, frames: str) -> int:
    """The unit that a request is for."""
    return request[UNIT_AT[frames]] if len(request) > UNIT_AT[frames] else 0


def pdu_of(data: bytes, frames: str) -> bytes | None:
    """The PDU of a whole frame; None if it is none."""
    try:
        return decode_mbap(data)[2] if frames == MBAP else decode_rtu(data)[1]
    except FrameError:
        return None


def asked_registers(exchange: Exchange) -> range | None:
    """The registers that a read asks for, as the manuals number them; None for another request."""
    pdu = pdu_of(exchange.request.data, exchange.frames)
    if pdu is None or pdu[0] not in READS or len(pdu) != _REQUEST:
        return None
    start = int.from_bytes(pdu[1:3], "big") + 1
    return range(start, start + int.from_bytes(pdu[3:5], "big"))


def answered(asked: range, answer: bytes, frames: str) -> Read | None:
    """What a sound answer to a read shows; None for a refusal, or for no answer to that."""
    pdu = pdu_of(answer, frames)
    if pdu is None or pdu[0] & EXCEPTION_BIT or pdu[0] not in READS or len(pdu) != 2 + 2 * len(asked):
        return None
    return Read(asked.start, tuple(unpack_words(pdu[2:])))


def rows_of(family: str, registers: range) -> list[Register]:
    """The register rows that lie wholly or partly in a range."""
    return [row for row in register_map(family) if row.number < registers.stop and registers.start < row.end]


def value_text(row: Register, words: list[int]) -> str:
    """The words of a row as its value reads: energies as one number, everything else word by word."""
    numbers = [signed(word) for word in words]
    if row.kind == "energy" and len(words) == row.count:
        return f"{decode(numbers)} {row.unit}"
    return " ".join(map(str, numbers))
