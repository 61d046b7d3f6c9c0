"""The words of Modbus: function codes, exception codes, limits, the errors of this room, and every request as bytes.

Addresses are PDU addresses: register N of a manual is address N - 1. Registers are unsigned 16-bit words.
Source of all codes and limits: "MODBUS Application Protocol Specification V1.1b3" (AP below), sections 6 and 7.
"""

from __future__ import annotations

from enum import IntEnum
from struct import error as struct_error
from struct import pack
from typing import TYPE_CHECKING

from protocols.conversation import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Sequence


class FunctionCode(IntEnum):
    """The function codes that this room speaks (AP 6)."""

    READ_COILS = 1
    READ_DISCRETE_INPUTS = 2
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4
    WRITE_SINGLE_COIL = 5
    WRITE_SINGLE_REGISTER = 6
    DIAGNOSTICS = 8
    GET_COMM_EVENT_COUNTER = 11
    WRITE_MULTIPLE_COILS = 15
    WRITE_MULTIPLE_REGISTERS = 16
    REPORT_SERVER_ID = 17
    MASK_WRITE_REGISTER = 22
    READ_WRITE_MULTIPLE_REGISTERS = 23
    ENCAPSULATED_INTERFACE = 43


class ExceptionCode(IntEnum):
    """Why a server refuses (AP 7); 07 is of the older PI-MBUS-300 and still has its counter in function 08."""

    ILLEGAL_FUNCTION = 0x01
    ILLEGAL_DATA_ADDRESS = 0x02
    ILLEGAL_DATA_VALUE = 0x03
    SERVER_DEVICE_FAILURE = 0x04
    ACKNOWLEDGE = 0x05
    SERVER_DEVICE_BUSY = 0x06
    NEGATIVE_ACKNOWLEDGE = 0x07
    MEMORY_PARITY_ERROR = 0x08
    GATEWAY_PATH_UNAVAILABLE = 0x0A
    GATEWAY_TARGET_FAILED_TO_RESPOND = 0x0B


class ModbusException(ProtocolError):
    """The server understood and refused. `code` is the exception code, of the standard or the maker's own."""

    def __init__(self, code: int) -> None:
        known = code in ExceptionCode.__members__.values()
        name = ExceptionCode(code).name.lower().replace("_", " ") if known else "not in the standard"
        super().__init__(f"exception {code:02X}: {name}")
        self.code = code


class ForeignAnswer(ProtocolError):
    """A sound frame that is no answer to the request: another unit, function, address, value or length."""


class NoAnswer(ProtocolError):
    """Nothing came before the time was up."""


EXCEPTION_BIT = 0x80  #: set in the function code of a refusal
MEI_READ_DEVICE_IDENTIFICATION = 0x0E  #: AP 6.21
COIL_ON, COIL_OFF = 0xFF00, 0x0000  #: AP 6.5
ADDRESSES = 0x10000

MAX_READ_BITS = 2000  #: AP 6.1
MAX_WRITE_BITS = 1968  #: AP 6.11
MAX_READ_REGISTERS = 125  #: AP 6.3
MAX_WRITE_REGISTERS = 123  #: AP 6.12
MAX_READ_WRITE_REGISTERS = 121  #: AP 6.17, the writing half; the reading half may have 125

#: What may be sent to unit 0: "the broadcast requests are necessarily writing commands" (SL 2.1).
BROADCAST_CODES = frozenset((5, 6, 15, 16, 22))


def read_bits(start: int, count: int, function: int = FunctionCode.READ_COILS) -> bytes:
    """Request `count` (1..2000) coils (function 1) or discrete inputs (function 2) from `start` on."""
    _within("bits", count, MAX_READ_BITS)
    return _request(">BHH", function, start, count)


def read_registers(start: int, count: int, function: int = FunctionCode.READ_HOLDING_REGISTERS) -> bytes:
    """Request `count` (1..125) holding registers (function 3) or input registers (function 4) from `start` on."""
    _within("registers", count, MAX_READ_REGISTERS)
    return _request(">BHH", function, start, count)


def write_bit(address: int, *, value: bool) -> bytes:
    """Request that one coil be switched."""
    return _request(">BHH", FunctionCode.WRITE_SINGLE_COIL, address, COIL_ON if value else COIL_OFF)


def write_register(address: int, value: int) -> bytes:
    """Request that one register be set to `value` (0..65535)."""
    return _request(">BHH", FunctionCode.WRITE_SINGLE_REGISTER, address, value)


def write_bits(start: int, values: Sequence[bool]) -> bytes:
    """Request that 1..1968 coils from `start` on be set."""
    _within("bits", len(values), MAX_WRITE_BITS)
    data = pack_bits(values)
    return _request(">BHHB", FunctionCode.WRITE_MULTIPLE_COILS, start, len(values), len(data)) + data


def write_registers(start: int, values: Sequence[int]) -> bytes:
    """Request that 1..123 registers from `start` on be set."""
    _within("registers", len(values), MAX_WRITE_REGISTERS)
    data = pack_registers(values)
    return _request(">BHHB", FunctionCode.WRITE_MULTIPLE_REGISTERS, start, len(values), len(data)) + data


def mask_write_register(address: int, and_mask: int, or_mask: int) -> bytes:
    """Request that a register become (register AND and_mask) OR (or_mask AND NOT and_mask)."""
    return _request(">BHHH", FunctionCode.MASK_WRITE_REGISTER, address, and_mask, or_mask)


def read_write_registers(read_start: int, read_count: int, write_start: int, values: Sequence[int]) -> bytes:
    """Request that 1..121 registers be written and then 1..125 be read."""
    _within("registers", read_count, MAX_READ_REGISTERS)
    _within("registers", len(values), MAX_READ_WRITE_REGISTERS)
    data = pack_registers(values)
    function = FunctionCode.READ_WRITE_MULTIPLE_REGISTERS
    return _request(">BHHHHB", function, read_start, read_count, write_start, len(values), len(data)) + data


def diagnose(sub_function: int, data: bytes = b"\x00\x00") -> bytes:
    """Request a diagnostic: 0 loops `data` back, 1 restarts, 10 clears the counters, 11..18 read one (AP 6.8)."""
    return _request(">BH", FunctionCode.DIAGNOSTICS, sub_function) + data


def report_server_id() -> bytes:
    """Request what the device says of itself in its own words (AP 6.13)."""
    return bytes((FunctionCode.REPORT_SERVER_ID,))


def read_device_identification(read_code: int, object_id: int = 0) -> bytes:
    """Request identification objects: read code 1 basic, 2 regular, 3 extended, 4 the one object (AP 6.21)."""
    mei = MEI_READ_DEVICE_IDENTIFICATION
    return _request(">BBBB", FunctionCode.ENCAPSULATED_INTERFACE, mei, read_code, object_id)


def pack_bits(values: Sequence[bool]) -> bytes:
    """Eight bits a byte, the first in the lowest place, the last byte filled up with zeros (AP 6.1)."""
    number = sum(1 << place for place, value in enumerate(values) if value)
    return number.to_bytes((len(values) + 7) // 8, "little")


def unpack_bits(data: bytes, count: int) -> list[bool]:
    """The first `count` bits of `data`."""
    number = int.from_bytes(data, "little")
    return [bool(number >> place & 1) for place in range(count)]


def pack_registers(values: Sequence[int]) -> bytes:
    """Two bytes a register, the high one first (AP 4.2).

    Raises:
        ValueError: a value is no unsigned 16-bit word.
    """
    return _request(f">{len(values)}H", *values)


def _request(layout: str, *fields: int) -> bytes:
    try:
        return pack(layout, *fields)
    except struct_error as reason:
        raise ValueError(f"{fields} do not fit the fields of a Modbus request: {reason}") from None


def _within(what: str, count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise ValueError(f"one request carries 1 to {most} {what}, not {count}")
