"""Single registers of the family: two's complement, sign-magnitude power factor, compressed dates, not-available marks.

Sources: PM800 user guide 63230-500-225A2 p. 80-81 (power factor, date/time), CM4000 manual 63230-300-212 p. 129 (the
fourth date word), Siemens ACCESS 9340 manual (the -32768 mark). "Register N is PDU address N-1" for the whole family.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from datetime import datetime

from protocols.conversation import ProtocolError

#: What a register that does not apply reads (as an unsigned word).
NOT_AVAILABLE = 0x8000
LAGGING = 0x8000
UNITY = 1000
#: The years that a compressed date can carry.
FIRST_YEAR, LAST_YEAR = 1900, 2099


class WordError(ProtocolError):
    """A register whose bits are not a value of its kind."""


def pdu_address(register: int) -> int:
    """The address on the wire of a register as the manuals number it."""
    return register - 1


def signed(word: int) -> int:
    """A 16-bit word as a two's complement number."""
    return word - 0x10000 if word & 0x8000 else word


def unsigned(value: int) -> int:
    """A number -32768..65535 as a 16-bit word."""
    return value & 0xFFFF


def pack_words(words: Sequence[int]) -> bytes:
    """Unsigned 16-bit words as big-endian bytes."""
    packed = array("H", words)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def unpack_words(data: bytes) -> list[int]:
    """Big-endian bytes as unsigned 16-bit words."""
    unpacked = array("H", data)
    if sys.byteorder == "little":
        unpacked.byteswap()
    return unpacked.tolist()


def encode_power_factor(thousandths: int, *, lagging: bool) -> int:
    """A power factor 0..1000 thousandths as a sign-magnitude word: bit 15 set means lagging.

    A lagging zero is bit for bit the not-available mark; that ambiguity is the meter's own.
    """
    if not 0 <= thousandths <= UNITY:
        raise WordError(f"a power factor of {thousandths} thousandths does not exist")
    return thousandths | (LAGGING if lagging else 0)


def decode_power_factor(word: int) -> tuple[int, bool]:
    """(thousandths, lagging) of a sign-magnitude word; the vendor's example 0x83CE (-31,794) is 0.974 lagging."""
    magnitude = word & 0x7FFF
    if magnitude > UNITY:
        raise WordError(f"0x{word:04X} is no power factor: {magnitude} thousandths")
    return magnitude, bool(word & LAGGING)


def encode_date(moment: datetime, words: int) -> tuple[int, ...]:
    """A compressed date of three words (PM800, CM2) or four (CM3, CM4: the fourth in milliseconds)."""
    year = moment.year - FIRST_YEAR
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise WordError(f"the year {moment.year} does not fit: {FIRST_YEAR}..{LAST_YEAR}")
    compressed = (moment.month << 8 | moment.day, year << 8 | moment.hour, moment.minute << 8 | moment.second)
    return compressed if words == len(compressed) else (*compressed, moment.microsecond // 1000)


def decode_date(words: Sequence[int]) -> datetime | None:
    """The moment of three or four compressed words; None where the meter shows none (all zero, or not available).

    Raises:
        WordError: words that are no date (31 February, second 60, a year above 2099, 1000 ms ...).
    """
    if all(word == 0 for word in words) or all(word == NOT_AVAILABLE for word in words):
        return None
    first, second, third = words[:3]
    milliseconds = words[3] if len(words) > 3 and words[3] != NOT_AVAILABLE else 0  # noqa: PLR2004  # the fourth word
    try:
        moment = datetime(  # noqa: DTZ001  # a meter keeps local time without a zone
            FIRST_YEAR + (second >> 8), first >> 8, first & 0xFF, second & 0xFF, third >> 8, third & 0xFF
        )
        moment = moment.replace(microsecond=milliseconds * 1000)
    except ValueError as error:
        raise WordError(f"{[f'{word:04X}' for word in words]} is no date: {error}") from None
    if moment.year > LAST_YEAR:
        raise WordError(f"the year {moment.year} does not exist: {FIRST_YEAR}..{LAST_YEAR}")
    return moment
