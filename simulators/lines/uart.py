"""What a UART makes of characters that were sent at another speed or with another framing.

A character is a start bit (0), the data bits from the lowest, a parity bit if there is one, and stop bits (1). A
receiver waits for a falling edge and then looks at the middle of each of its own bits. So everything follows from the
bits on the wire: 7E1 heard as 8N1 has the parity in bit 7, and 300 Bd heard at 9600 is a heap of zeros and breaks.

Where characters have seven data bits, the top bit of a byte marks a wrong parity, on both sides of this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from simulators.lines.framing import Framing

_SEVEN = 7
#: The mark of a wrong parity, in a byte that carries seven bits.
MARK = 0x80


def heard(data: bytes, sent: Framing, listening: Framing) -> bytes:
    """What a UART with one framing receives of what was sent with another."""
    table = _table(sent, listening)
    return bytes(_received(_levels(data, sent), sent.baud, listening)) if table is None else data.translate(table)


@cache
def _table(sent: Framing, listening: Framing) -> bytes | None:
    """Byte for byte, where a character of the one takes as long as one of the other; else None."""
    if sent.baud != listening.baud or sent.character_bits != listening.character_bits:
        return None
    return bytes(next(_received(_levels(bytes([byte]), sent), sent.baud, listening)) for byte in range(256))


def _levels(data: bytes, sent: Framing) -> list[int]:
    """The bits on the wire, one after the other; where they end the line is 1."""
    bits: list[int] = []
    for byte in data:
        bits.append(0)
        bits += (byte >> index & 1 for index in range(sent.data_bits))
        if sent.parity != "N":
            bits.append(_parity(byte, sent))
        bits += [1] * sent.stop_bits
    return bits


def _parity(byte: int, framing: Framing) -> int:
    """The parity bit of a byte; with seven data bits the mark turns it over, because it takes part in the sum."""
    return (byte.bit_count() + (framing.parity == "O")) % 2


def _received(bits: list[int], baud: int, listening: Framing) -> Iterator[int]:
    """The bytes that a receiver finds. Time is counted so that a bit of either side is a whole number of units."""
    theirs, ours = 2 * listening.baud, 2 * baud

    def level(at: int) -> int:
        index = at // theirs
        return bits[index] if index < len(bits) else 1

    now = 0
    while (edge := _next(bits, 0, now, theirs)) is not None:
        middle = edge + ours // 2
        if level(middle):  # too short for a start bit
            now = middle
            continue
        byte = sum(level(middle + (1 + index) * ours) << index for index in range(listening.data_bits))
        stop = middle + (listening.character_bits - listening.stop_bits) * ours
        whole = level(stop) == 1
        parity = listening.parity == "N" or level(stop - ours) == _parity(byte, listening)
        yield byte | MARK if listening.data_bits == _SEVEN and not (whole and parity) else byte
        after = stop if whole else _next(bits, 1, stop, theirs)
        now = after if after is not None else len(bits) * theirs


def _next(bits: list[int], wanted: int, since: int, width: int) -> int | None:
    """The first instant from `since` on at which the line has a level, None if it never has while bits are sent."""
    begin = since // width
    for index in range(begin, len(bits)):
        if bits[index] == wanted:
            return max(since, index * width)
    return None
