"""A Modbus frame in words, for the wire traces of a report."""

from __future__ import annotations

from protocols.modbus.frames import FrameError, decode_mbap, decode_rtu
from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode, FunctionCode
from protocols.powerlogic.words import signed, unpack_words

_READS = (3, 4)
_MOST_WORDS = 8


def in_words(_model: str, direction: str, data: bytes) -> str:
    """What a frame says, empty where it is none. Registers are numbered as in the manuals (PDU address + 1)."""
    found = pdu_of(data)
    if found is None:
        return ""
    unit, pdu = found
    function = pdu[0]
    if function & EXCEPTION_BIT:
        return f"unit {unit}: exception {pdu[1]:02X} ({_name(ExceptionCode, pdu[1])})" if len(pdu) > 1 else ""
    text = _asked(pdu) if direction == "tx" else _answered(pdu)
    return f"unit {unit}: {text}" if text else f"unit {unit}: {_name(FunctionCode, function)}"


def pdu_of(data: bytes) -> tuple[int, bytes] | None:
    """Unit and PDU of a whole frame, RTU or Modbus TCP; None where the bytes are neither."""
    try:
        return decode_rtu(data)
    except FrameError:
        pass
    try:
        _, unit, pdu = decode_mbap(data)
    except FrameError:
        return None
    return unit, pdu


def _asked(pdu: bytes) -> str:
    register = int.from_bytes(pdu[1:3], "big") + 1
    value = int.from_bytes(pdu[3:5], "big")
    if pdu[0] in _READS:
        return f"read {value} from {register}"
    if pdu[0] == FunctionCode.WRITE_SINGLE_REGISTER:
        return f"write {register} := {signed(value)}"
    if pdu[0] == FunctionCode.WRITE_MULTIPLE_REGISTERS:
        return f"write {value} from {register}: {_words(pdu[6:])}"
    return ""


def _answered(pdu: bytes) -> str:
    if pdu[0] in _READS:
        return _words(pdu[2:])
    if pdu[0] in (FunctionCode.WRITE_SINGLE_REGISTER, FunctionCode.WRITE_MULTIPLE_REGISTERS):
        return f"echo of {int.from_bytes(pdu[1:3], 'big') + 1}"
    return ""


def _words(data: bytes) -> str:
    words = [str(signed(word)) for word in unpack_words(data[: len(data) // 2 * 2])]
    return " ".join(words[:_MOST_WORDS]) + (f" ... ({len(words)})" if len(words) > _MOST_WORDS else "")


def _name(kind: type[ExceptionCode | FunctionCode], code: int) -> str:
    try:
        return kind(code).name.lower().replace("_", " ")
    except ValueError:
        return f"function {code}"
