"""Read Device Identification, function 43/14, as both sides need it (AP 6.21).

A device shows objects by id: 0..2 basic (vendor, product code, revision), 3..127 regular, 128..255 extended. Codes 1..3
stream a category and all below it, in pages of at most one PDU; code 4 asks for one object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protocols.modbus.frames import MAX_PDU
from protocols.modbus.pdu import (
    MEI_READ_DEVICE_IDENTIFICATION,
    ExceptionCode,
    ForeignAnswer,
    FunctionCode,
    ModbusException,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

BASIC, REGULAR, EXTENDED, SPECIFIC = 1, 2, 3, 4  #: read device id codes
INDIVIDUAL_ACCESS = 0x80  #: set in the conformity level of a device that answers code 4
MORE_FOLLOWS = 0xFF
_ENDS = {BASIC: 0x03, REGULAR: 0x80, EXTENDED: 0x100}  # first object id beyond each category
_HEAD = 7  # bytes of an answer before its objects
_LONGEST_OBJECT = MAX_PDU - _HEAD - 2


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its objects, the device's conformity level, and the object to ask for next (None: this was all)."""

    objects: dict[int, bytes]
    conformity_level: int
    next_object: int | None


def conformity_of(objects: Mapping[int, bytes]) -> int:
    """The conformity level of a device that shows `objects` and answers individual access too."""
    highest = max(objects, default=0)
    return INDIVIDUAL_ACCESS | next(level for level, end in _ENDS.items() if highest < end)


def encode_page(objects: Mapping[int, bytes], conformity_level: int, read_code: int, object_id: int) -> bytes:
    """The answer PDU of a device that has `objects`.

    Raises:
        ModbusException: 03 for a read code that the device does not know, 02 for an individual object it does not have,
            01 where it has none to show at all.
    """
    individual = read_code == SPECIFIC and conformity_level & INDIVIDUAL_ACCESS
    if individual and object_id not in objects:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    if not individual and read_code not in _ENDS:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
    asked = [object_id] if individual else _stream(objects, min(read_code, conformity_level & 0x7F), object_id)
    body, sent = _fill(objects, asked)
    more = (MORE_FOLLOWS, asked[sent]) if sent < len(asked) else (0, 0)
    head = (FunctionCode.ENCAPSULATED_INTERFACE, MEI_READ_DEVICE_IDENTIFICATION, read_code, conformity_level)
    return bytes((*head, *more, sent)) + body


def _stream(objects: Mapping[int, bytes], level: int, object_id: int) -> list[int]:
    """The ids from `object_id` on; an unknown one starts again at the beginning, as the standard asks."""
    shown = sorted(key for key in objects if key < _ENDS[level])
    if not shown:
        raise ModbusException(ExceptionCode.ILLEGAL_FUNCTION)
    return shown[shown.index(object_id) :] if object_id in shown else shown


def _fill(objects: Mapping[int, bytes], asked: list[int]) -> tuple[bytes, int]:
    """As many of the objects as one PDU holds, and how many these are."""
    body = b""
    for sent, key in enumerate(asked):
        value = objects[key][:_LONGEST_OBJECT]
        if _HEAD + len(body) + 2 + len(value) > MAX_PDU:
            return body, sent
        body += bytes((key, len(value))) + value
    return body, len(asked)


def decode_page(request: bytes, answer: bytes) -> Page:
    """The page in an answer PDU whose function code is right already.

    Raises:
        ForeignAnswer: another MEI type or read code, or lengths that do not add up.
    """
    if len(answer) < _HEAD or answer[:3] != request[:3]:
        raise ForeignAnswer(f"device identification {answer.hex()} does not answer {request.hex()}")
    objects: dict[int, bytes] = {}
    rest = answer[_HEAD:]
    for _ in range(answer[6]):
        if len(rest) < 2 or len(rest) < 2 + rest[1]:  # noqa: PLR2004  # id and length of an object
            raise ForeignAnswer(f"device identification {answer.hex()} ends inside an object")
        objects[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    if rest:
        raise ForeignAnswer(f"device identification {answer.hex()} has {len(rest)} bytes behind its last object")
    return Page(objects, answer[3], answer[5] if answer[4] == MORE_FOLLOWS else None)
