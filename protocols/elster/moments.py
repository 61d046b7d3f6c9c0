"""Moments and periods: Unix seconds, the clock (861), the clock block (863), the demand period (878).

A meter keeps naive time. Unix seconds count in that same time, so what zone they are in is a question of the meter's
profile (`unix_time`), not of the codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from protocols.elster.bcd import DIGITS, encode_bcd
from protocols.elster.errors import DataError, exactly, octet

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a meter keeps local time without a zone
LATEST = 0xFFFF_FFFF
TIME_BYTES, CLOCK_BYTES, BLOCK_BYTES, PERIOD_BYTES = 4, 7, 16, 3
CENTURY = 2000
#: Minutes of the period codes 0..10.
PERIODS = (1, 2, 3, 4, 5, 6, 10, 15, 20, 30, 60)


def seconds_of(moment: datetime) -> int:
    """Whole seconds since 1970 of a naive moment; fractions are cut."""
    return (moment - EPOCH) // timedelta(seconds=1)


def moment_of(seconds: int) -> datetime:
    """The naive moment of seconds since 1970."""
    return EPOCH + timedelta(seconds=seconds)


def encode_seconds(seconds: int) -> bytes:
    """Four bytes, least significant first.

    Raises:
        DataError: before 1970 or after 2106.
    """
    if not 0 <= seconds <= LATEST:
        raise DataError(f"{seconds} seconds since 1970 do not fit into four bytes")
    return seconds.to_bytes(TIME_BYTES, "little")


def encode_time(moment: datetime | None) -> bytes:
    """A time stamp of four bytes; None, an empty one, is zero."""
    return encode_seconds(0 if moment is None else seconds_of(moment))


def decode_time(data: bytes) -> datetime | None:
    """The moment of a time stamp; None where it is empty (all zero or all FF)."""
    seconds = int.from_bytes(exactly(data, TIME_BYTES, "a time stamp"), "little")
    return None if seconds in {0, LATEST} else moment_of(seconds)


def encode_clock(moment: datetime) -> bytes:
    """Identity 861: BCD ss mm hh dd mm 00 yy.

    Raises:
        DataError: a year outside 2000..2099.
    """
    if not CENTURY <= moment.year < CENTURY + 100:
        raise DataError(f"the year {moment.year} does not fit: 2000..2099")
    parts = (moment.second, moment.minute, moment.hour, moment.day, moment.month, 0, moment.year - CENTURY)
    return b"".join(encode_bcd(part, 1) for part in parts)


def decode_clock(data: bytes) -> datetime:
    """The moment of identity 861; the byte between month and year is not looked at, its meaning is unknown.

    Raises:
        DataError: not seven bytes, or no date.
    """
    second, minute, hour, day, month, _, year = (DIGITS[b] for b in exactly(data, CLOCK_BYTES, "the clock"))
    if year < 0:
        raise DataError(f"{data.hex()} is no date: the year is no number")
    try:
        return datetime(CENTURY + year, month, day, hour, minute, second)  # noqa: DTZ001  # as above
    except ValueError as error:
        raise DataError(f"{data.hex()} is no date: {error}") from None


@dataclass(frozen=True, slots=True)
class ClockBlock:
    """Identity 863: the time, and twelve bytes that no public source explains."""

    time: datetime
    rest: bytes = bytes(BLOCK_BYTES - TIME_BYTES)

    def encode(self) -> bytes:
        """16 bytes."""
        return encode_time(self.time) + exactly(self.rest, BLOCK_BYTES - TIME_BYTES, "the rest of the clock block")


def decode_clock_block(data: bytes) -> ClockBlock:
    """Identity 863.

    Raises:
        DataError: not 16 bytes.
    """
    exactly(data, BLOCK_BYTES, "the clock block")
    return ClockBlock(moment_of(int.from_bytes(data[:TIME_BYTES], "little")), data[TIME_BYTES:])


def period_code(minutes: int) -> int:
    """The code of a period.

    Raises:
        DataError: no period of these meters.
    """
    if minutes not in PERIODS:
        raise DataError(f"no period of {minutes} min; there are {', '.join(map(str, PERIODS))}")
    return PERIODS.index(minutes)


def period_minutes(code: int) -> int:
    """The minutes of a period code.

    Raises:
        DataError: a code above 10.
    """
    if not 0 <= code < len(PERIODS):
        raise DataError(f"no period has the code {code}")
    return PERIODS[code]


@dataclass(frozen=True, slots=True)
class DemandPeriod:
    """Identity 878: minutes of the demand period and of its sub-intervals, and how many (1 = block demand)."""

    period: int = 30
    sub_interval: int = 30
    count: int = 1

    def encode(self) -> bytes:
        """Three bytes: code, code, count."""
        return bytes((period_code(self.period), period_code(self.sub_interval), octet(self.count, "a count")))


def decode_demand_period(data: bytes) -> DemandPeriod:
    """Identity 878.

    Raises:
        DataError: not three bytes, or an unknown period code.
    """
    period, sub_interval, count = exactly(data, PERIOD_BYTES, "the demand period")
    return DemandPeriod(period_minutes(period), period_minutes(sub_interval), count)
