"""What is asked of the profile before it is read: by days (551) or from one moment to another (554)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from protocols.elster.errors import DataError, exactly
from protocols.elster.moments import TIME_BYTES, decode_time, encode_time

ALL_DAYS = 0xFFFF
DAYS_BYTES, COUNTS_BYTES, RANGE_BYTES = 2, 4, 8
SMALL_BLOCK, LARGE_BLOCK = 64, 256


def encode_days(days: int) -> bytes:
    """What is written to 551: days, least significant byte first; FFFF are all.

    Raises:
        DataError: not 0..65535.
    """
    if not 0 <= days <= ALL_DAYS:
        raise DataError(f"{days} days do not fit into two bytes")
    return days.to_bytes(DAYS_BYTES, "little")


def decode_days(data: bytes) -> int:
    """The days that are asked for.

    Raises:
        DataError: not two bytes.
    """
    return int.from_bytes(exactly(data, DAYS_BYTES, "a number of days"), "little")


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """What 551 answers: how many blocks of 64 bytes (read with R1) and of 256 bytes (by stream) the reading has."""

    small: int
    large: int

    def encode(self) -> bytes:
        """Four bytes; here the high byte comes first (public A1140 reader).

        Raises:
            DataError: a count beyond 16 bits.
        """
        if not (0 <= self.small <= ALL_DAYS and 0 <= self.large <= ALL_DAYS):
            raise DataError(f"{self} does not fit into four bytes")
        return self.small.to_bytes(2, "big") + self.large.to_bytes(2, "big")


def decode_counts(data: bytes) -> BlockCounts:
    """What 551 answers.

    Raises:
        DataError: not four bytes.
    """
    exactly(data, COUNTS_BYTES, "the block counts")
    return BlockCounts(int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big"))


def counts_of(size: int) -> BlockCounts:
    """The block counts of a reading of `size` bytes."""
    return BlockCounts(-(-size // SMALL_BLOCK), -(-size // LARGE_BLOCK))


@dataclass(frozen=True, slots=True)
class ProfileRange:
    """What is written to 554: from and to, either of which may be open (zero; inference)."""

    start: datetime | None
    end: datetime | None

    def encode(self) -> bytes:
        """Eight bytes."""
        return encode_time(self.start) + encode_time(self.end)


def decode_range(data: bytes) -> ProfileRange:
    """Identity 554.

    Raises:
        DataError: not eight bytes.
    """
    exactly(data, RANGE_BYTES, "a range")
    return ProfileRange(decode_time(data[:TIME_BYTES]), decode_time(data[TIME_BYTES:]))
