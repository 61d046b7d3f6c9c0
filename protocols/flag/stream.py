"""The data stream of A1140 and A1700: an object in blocks of up to 256 bytes, each with a CRC-16.

A block is `STX, packet number (two bytes, low first), length - 1, data, ETX or EOT, CRC (two bytes, low first)`. ETX
says that more blocks follow and EOT that this was the last: the reverse of the partial blocks of IEC 62056-21. The CRC
is the reflected 8005 with a start value of 0, over everything from STX to the end mark.

Source: a public reader written against a real meter; end marks from one source only (confidence HE?).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.conversation import ProtocolError

BLOCK = 256
_HEAD, _TAIL = 4, 3
_STX, _ETX, _EOT = 0x02, 0x03, 0x04


class StreamError(ProtocolError):
    """A block that is none, or that is out of order."""


class StreamCheckError(StreamError):
    """The CRC is not that of the block."""


@dataclass(frozen=True, slots=True)
class StreamBlock:
    """One block: its number (from 1, two bytes), its data and whether it is the last."""

    number: int
    data: bytes
    last: bool


def _table() -> tuple[int, ...]:
    def shifted(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        return value

    return tuple(map(shifted, range(256)))


_CRC = _table()


def crc16(data: bytes) -> int:
    """The reflected CRC-16 of polynomial 8005, start value 0; of b"123456789" it is BB3Dh."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value


def encode_block(block: StreamBlock, *, more: int = _ETX, last: int = _EOT) -> bytes:
    """A block on the wire; the marks can be swapped, as a wrong firmware does."""
    head = bytes((_STX, block.number & 0xFF, block.number >> 8 & 0xFF, len(block.data) - 1))
    body = head + block.data + bytes((last if block.last else more,))
    return body + crc16(body).to_bytes(2, "little")


def split(data: bytes, size: int = BLOCK) -> Iterator[StreamBlock]:
    """An object in blocks, numbered from 1; of an empty object there is nothing to send."""
    for start in range(0, len(data), size):
        yield StreamBlock(start // size + 1, data[start : start + size], start + size >= len(data))


def block_length(data: bytes) -> int | None:
    """The length of the first block, None while it is incomplete: a rule to receive by."""
    if data[:1] and data[0] != _STX:
        return _until_stx(data)
    if len(data) < _HEAD:
        return None
    length = _HEAD + data[3] + 1 + _TAIL
    return length if len(data) >= length else None


def _until_stx(data: bytes) -> int | None:
    """What is no block: a one-character answer, or rubbish up to the next STX."""
    found = data.find(_STX)
    return found if found > 0 else len(data)


def decode_block(data: bytes) -> StreamBlock:
    """One block.

    Raises:
        StreamCheckError: its CRC is wrong.
        StreamError: it is none.
    """
    if len(data) < _HEAD + 1 + _TAIL or data[0] != _STX or len(data) != _HEAD + data[3] + 1 + _TAIL:
        raise StreamError(f"{len(data)} bytes are no block of a data stream")
    if crc16(data[:-2]) != int.from_bytes(data[-2:], "little"):
        raise StreamCheckError(f"CRC of block {int.from_bytes(data[1:3], 'little')} is wrong")
    if data[-3] not in (_ETX, _EOT):
        raise StreamError(f"a block ends with ETX or EOT and not with {data[-3]:02X}")
    return StreamBlock(int.from_bytes(data[1:3], "little"), data[_HEAD:-_TAIL], data[-3] == _EOT)
