"""What a master hears on a serial line between its request and an answer, and which part of it may be believed.

An RTU frame bears no number. What tells an answer is the unit, the function and the shape that the request implies; the
rest is noise, the answer of another unit, a late answer to something else, one's own echo or another master's request.
Two answers that fit and differ cannot both be the answer, so neither is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocols.modbus.frames import crc16
from protocols.modbus.pdu import EXCEPTION_BIT, FunctionCode
from protocols.modbus.rules import rtu_answer_end, rtu_request_end

_READS = (FunctionCode.READ_HOLDING_REGISTERS, FunctionCode.READ_INPUT_REGISTERS)
_BITS = (FunctionCode.READ_COILS, FunctionCode.READ_DISCRETE_INPUTS)
#: Function -> how many bytes of the request, unit included, its answer gives back.
_GIVEN_BACK: dict[int, int] = {
    FunctionCode.WRITE_SINGLE_COIL: 6,
    FunctionCode.WRITE_SINGLE_REGISTER: 6,
    FunctionCode.WRITE_MULTIPLE_COILS: 6,
    FunctionCode.WRITE_MULTIPLE_REGISTERS: 6,
    FunctionCode.MASK_WRITE_REGISTER: 8,
}
_SHORTEST = 4
_READ = 8


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made out of the bytes heard so far.

    Attributes:
        answer: the frame that fits the request; empty if there is none yet.
        skipped: how many bytes lay in front of it.
        second: another frame that fits and says something else.
        request: a whole request that somebody sent; one's own if the line echoes.
    """

    answer: bytes = b""
    skipped: int = 0
    second: bytes = b""
    request: bytes = b""


def hear(request: bytes, data: bytes) -> Heard:
    """Look for the answer to a request (a whole RTU frame) in what was heard since it was sent."""
    at, first = 0, Heard()
    while at < len(data):
        rest = data[at:]
        frame = _whole(rest, rtu_answer_end)
        if frame and fits(request, frame):
            if first.answer and frame != first.answer:
                return Heard(first.answer, first.skipped, second=frame)
            first = first if first.answer else Heard(frame, at)
        elif not frame and (asked := _whole(rest, rtu_request_end)):
            return Heard(first.answer, first.skipped, request=asked)
        at += len(frame) or 1
    return first


def fits(request: bytes, answer: bytes) -> bool:
    """Whether a sound answer is one to a request: its unit, its function, and the shape that the request implies."""
    return answer[0] == request[0] and not objection(request, answer)


def objection(request: bytes, answer: bytes) -> str:
    """What speaks against a sound answer of the right unit; empty if nothing does."""
    asked, function = request[1], answer[1]
    if function & ~EXCEPTION_BIT != asked:
        return f"function {asked} was answered as function {function & ~EXCEPTION_BIT}"
    if function & EXCEPTION_BIT:
        return ""
    if asked in _READS and len(request) == _READ:
        count = _word(request, 4)
        return "" if answer[2] == 2 * count else f"{answer[2] // 2} words where {count} were asked for"
    if asked in _BITS and len(request) == _READ:
        return "" if answer[2] == (_word(request, 4) + 7) // 8 else f"{answer[2]} bytes of bits are another number"
    given = _GIVEN_BACK.get(asked)
    return _wrong_echo(request, answer) if given is not None and answer[:given] != request[:given] else ""


def _wrong_echo(request: bytes, answer: bytes) -> str:
    register, value = _word(request, 2) + 1, _word(request, 4)
    asked = f"{value} words from {register} were" if request[1] in _SEVERAL else f"register {register} := {value} was"
    return f"{asked} echoed as {(_word(answer, 2), _word(answer, 4))}"


_SEVERAL = (FunctionCode.WRITE_MULTIPLE_COILS, FunctionCode.WRITE_MULTIPLE_REGISTERS)


def why_none(request: bytes, data: bytes) -> str:
    """Why nothing of what was heard is the answer, if that can be said: of the first sound frame in it."""
    for at in range(len(data)):
        frame = _whole(data[at:], rtu_answer_end)
        if frame and frame[0] != request[0]:
            return f"unit {frame[0]} answered where unit {request[0]} was asked"
        if frame:
            return objection(request, frame)
    return ""


def _whole(data: bytes, rule: Callable[[bytes], int | None]) -> bytes:
    """The sound frame at the head of `data`, empty if there is none."""
    end = rule(data)
    return data[:end] if end is not None and end >= _SHORTEST and not crc16(data[:end]) else b""


def _word(data: bytes, place: int) -> int:
    return data[place] << 8 | data[place + 1]
