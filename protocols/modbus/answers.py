"""What the answer to a request says, after it has proved to be the answer to that very request.

Each function takes the request and the answer as PDUs and raises `ModbusException` for a refusal and `ForeignAnswer`
for everything that does not belong: masters of the field accept a wrong echo without a word, a test bench must not.
"""

from __future__ import annotations

from struct import unpack

from protocols.modbus.identification import Page, decode_page
from protocols.modbus.pdu import EXCEPTION_BIT, ForeignAnswer, FunctionCode, ModbusException, unpack_bits

_REFUSAL_BYTES = 2
_COUNTED_HEAD = 2  # function code and byte count
_ECHOED = 5  # function code, address and count: what functions 15 and 16 give back


def bits(request: bytes, answer: bytes) -> list[bool]:
    """The coils or inputs that functions 1 and 2 asked for."""
    count = int.from_bytes(request[3:5], "big")
    return unpack_bits(_counted(request, answer, (count + 7) // 8), count)


def registers(request: bytes, answer: bytes) -> list[int]:
    """The registers that functions 3, 4 and 23 asked for."""
    count = int.from_bytes(request[3:5], "big")
    return list(unpack(f">{count}H", _counted(request, answer, 2 * count)))


def echo(request: bytes, answer: bytes) -> None:
    """Prove that functions 5, 6 and 22 came back whole, and 15 and 16 with their address and count."""
    _accepted(request, answer)
    counted = request[0] in (FunctionCode.WRITE_MULTIPLE_COILS, FunctionCode.WRITE_MULTIPLE_REGISTERS)
    expected = request[:_ECHOED] if counted else request
    if answer != expected:
        raise ForeignAnswer(f"the write was echoed as {answer.hex()} instead of {expected.hex()}")


def diagnostic(request: bytes, answer: bytes) -> bytes:
    """The data field of function 8: for sub-functions 11..18 the counter, two bytes; for the others what was sent."""
    _accepted(request, answer)
    if answer[:3] != request[:3] or len(answer) != len(request):
        raise ForeignAnswer(f"diagnostic {answer.hex()} does not answer {request.hex()}")
    counter = int.from_bytes(request[1:3], "big") > 10  # noqa: PLR2004  # 11 is the first that reads something
    if not counter and answer != request:
        raise ForeignAnswer(f"diagnostic {request.hex()} was looped back as {answer.hex()}")
    return answer[3:]


def server_id(request: bytes, answer: bytes) -> bytes:
    """What function 17 tells behind its byte count: server id, run indicator and the maker's own data."""
    return _counted(request, answer, None)


def device_identification(request: bytes, answer: bytes) -> Page:
    """One page of function 43/14."""
    _accepted(request, answer)
    return decode_page(request, answer)


def _accepted(request: bytes, answer: bytes) -> None:
    """Return if `answer` is a positive one of the same function."""
    if not answer:
        raise ForeignAnswer("the answer is empty")
    if answer[0] == request[0] | EXCEPTION_BIT and len(answer) == _REFUSAL_BYTES:
        raise ModbusException(answer[1])
    if answer[0] != request[0]:
        raise ForeignAnswer(f"function {request[0]} was asked, {answer.hex()} answers another")


def _counted(request: bytes, answer: bytes, size: int | None) -> bytes:
    """The data behind the byte count, which must be true and, unless that is None, equal `size`."""
    _accepted(request, answer)
    data = answer[_COUNTED_HEAD:]
    if len(answer) < _COUNTED_HEAD or answer[1] != len(data):
        raise ForeignAnswer(f"the byte count of {answer.hex()} is not that of its data")
    if size is not None and len(data) != size:
        raise ForeignAnswer(f"{size} bytes were asked for, {len(data)} came")
    return data
