"""The load profile (550): markers and intervals as one stream of bytes, and the channel mask (777).

A reading starts with a day marker, which says what is recorded and how often. An interval is a status byte and three
bytes a channel: five BCD digits and a digit for the exponent, in the order they are read (public A1140 reader), in
milli-units of power. Digits are lost above 99999: a value is rounded here, if a meter has not cut it before. FF ends
the data; the rest of its block is filling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag

from protocols.elster.bcd import DIGITS
from protocols.elster.errors import DataError
from protocols.elster.moments import EPOCH, encode_time, moment_of, period_code, period_minutes
from protocols.elster.tables import Source, model

#: The largest number of five digits and the largest exponent.
MANTISSA_LIMIT, EXPONENT_LIMIT = 99_999, 9
VALUE_BYTES, MARKER_BYTES, SETUP_BYTES = 3, 5, 3
_DST = 0x80
_FILLING = b"\xff\xff\xff\xff"


class MarkerKind(IntEnum):
    """What stands between intervals."""

    EXTERNAL_DATA = 0xE2
    NEW_DAY = 0xE4
    POWER_UP = 0xE5
    POWER_DOWN = 0xE6
    CONFIGURATION_CHANGE = 0xE8
    FORCED_END = 0xE9
    TIME_CHANGE = 0xEA
    CLEARED = 0xEB
    DAYLIGHT_SAVING = 0xED
    END = 0xFF


#: The markers that say what is recorded from here on.
WITH_SETUP = frozenset({MarkerKind.NEW_DAY, MarkerKind.CONFIGURATION_CHANGE})


class IntervalStatus(IntFlag):
    """The status byte of an interval; bit 80 is never set, which tells it from a marker."""

    TRANSIENT_RESET = 0x01
    TIME_SYNC = 0x02
    DATA_CHANGE = 0x04
    BATTERY = 0x08
    CT_CHANGE = 0x10
    REVERSE_RUN = 0x20
    PHASE_FAIL = 0x40


class ExtendedStatus(IntFlag):
    """The second status byte that some firmware has."""

    TERMINAL_COVER = 0x01
    MAIN_COVER = 0x02


@dataclass(frozen=True, slots=True)
class Setup:
    """The channels in the order of an interval's values, the period in minutes, and whether DST is in force."""

    channels: tuple[Source, ...]
    period: int
    dst: bool = False


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker with its time; `setup` comes with a new day and with a configuration change only."""

    kind: MarkerKind
    time: datetime | None = None
    setup: Setup | None = None


@dataclass(slots=True)
class Interval:
    """One interval: status bits and milli-units of power by channel; `extended` is -1 where firmware has no such byte.

    Not frozen like the rest: thousands are made in one reading, and a frozen one takes three times as long to make.
    """

    status: int
    values: tuple[int, ...]
    extended: int = -1


Record = Marker | Interval


def encode_value(value: int) -> bytes:
    """Three bytes of a value, rounded to five digits, half up.

    Raises:
        DataError: negative, or beyond 99999e9.
    """
    if value < 0:
        raise DataError(f"a load profile holds no {value}")
    mantissa, exponent = value, 0
    if value > MANTISSA_LIMIT:
        exponent = len(str(value)) - len(str(MANTISSA_LIMIT))
        mantissa = (value + 10**exponent // 2) // 10**exponent
        if mantissa > MANTISSA_LIMIT:
            mantissa, exponent = mantissa // 10, exponent + 1
    if exponent > EXPONENT_LIMIT:
        raise DataError(f"{value} is beyond 99999e9")
    return bytes.fromhex(f"{mantissa:05d}{exponent}")


def decode_value(data: bytes) -> int:
    """The value of three bytes.

    Raises:
        DataError: not three bytes, or a digit above 9.
    """
    digits = data.hex()
    if len(data) != VALUE_BYTES or not digits.isdecimal():
        raise DataError(f"{digits or 'nothing'} is no value of a load profile")
    return int(digits[:5]) * _TENS[int(digits[5])]


def encode_mask(name: str, channels: Sequence[Source]) -> bytes:
    """Identity 777: two bytes, the high one first.

    Raises:
        DataError: the model cannot record one of them.
    """
    bits = {source: bit for bit, source in _channels(name).items()}
    unknown = [source.value for source in channels if source not in bits]
    if unknown:
        raise DataError(f"the {name} records no {', '.join(unknown)}")
    return sum({1 << bits[source] for source in channels}).to_bytes(2, "big")


def decode_mask(name: str, data: bytes) -> tuple[Source, ...]:
    """The channels of a mask in the order of an interval's values; the DST bit of an A1700 is no channel.

    Raises:
        DataError: not two bytes, or a bit that is no channel of the model.
    """
    if len(data) != 2:  # noqa: PLR2004  # the mask is a word
        raise DataError(f"a channel mask has 2 bytes, not {len(data)}")
    mask = int.from_bytes(data, "big")
    if model(name)["dst_flag"] == "mask":
        mask &= ~_DST
    known = _channels(name)
    unknown = [bit for bit in range(16) if mask >> bit & 1 and bit not in known]
    if unknown:
        raise DataError(f"bit {unknown[0]} of the mask {data.hex()} is no channel of the {name}")
    return tuple(source for bit, source in known.items() if mask >> bit & 1)


def _channels(name: str) -> dict[int, Source]:
    return {bit: Source(text) for bit, text in sorted(model(name)["channels"].items())}


def encode_setup(name: str, setup: Setup) -> bytes:
    """The three bytes behind a day or configuration marker: mask, and period with or without the DST bit.

    Raises:
        DataError: a channel or a period that the model has not.
    """
    high, low = encode_mask(name, setup.channels)
    flag = _DST if setup.dst else 0
    if model(name)["dst_flag"] == "mask":
        return bytes((high, low | flag, period_code(setup.period)))
    return bytes((high, low, period_code(setup.period) | flag))


def decode_setup(name: str, data: bytes) -> Setup:
    """What a day or configuration marker says.

    Raises:
        DataError: not three bytes, a channel or a period that the model has not.
    """
    if len(data) != SETUP_BYTES:
        raise DataError(f"a setup has {SETUP_BYTES} bytes, not {len(data)}")
    flags = data[1] if model(name)["dst_flag"] == "mask" else data[2]
    return Setup(decode_mask(name, data[:2]), period_minutes(data[2] & 0x0F), bool(flags & _DST))


def encode_records(name: str, records: Iterable[Record]) -> bytes:
    """The stream of a model; a marker END ends it, with its time if it has one.

    Raises:
        DataError: a value that does not fit, a marker without what it must carry, an interval of another width.
    """
    out: list[bytes] = []
    width: int | None = None
    for record in records:
        if isinstance(record, Marker):
            width = len(record.setup.channels) if record.setup else width
            out.append(_encode_marker(name, record))
        elif width is None:
            raise DataError("the stream must start with a day marker")
        elif len(record.values) != width:
            raise DataError(f"an interval of {len(record.values)} values where {width} channels are recorded")
        else:
            out.append(_encode_interval(record))
    return b"".join(out)


def _encode_marker(name: str, marker: Marker) -> bytes:
    if (marker.setup is None) is (marker.kind in WITH_SETUP):
        raise DataError(f"a marker {marker.kind:02X} {'lacks' if marker.setup is None else 'carries'} a setup")
    if marker.kind is MarkerKind.END and marker.time is None:
        return bytes((marker.kind,))
    return (
        bytes((marker.kind,)) + encode_time(marker.time) + (encode_setup(name, marker.setup) if marker.setup else b"")
    )


def _encode_interval(interval: Interval) -> bytes:
    if not 0 <= interval.status < _DST:
        raise DataError(f"a status of {interval.status} would read as a marker")
    extended = bytes((interval.extended,)) if interval.extended >= 0 else b""
    return bytes((interval.status,)) + extended + b"".join(map(encode_value, interval.values))


def decode_records(name: str, data: bytes, *, extended: bool = False) -> list[Record]:
    """The markers and intervals of a stream up to its end mark, or all of `data` if it has none (see `ended`).

    Args:
        name: the model.
        data: the stream, with the filling of its last block or without.
        extended: the firmware writes a second status byte.

    Raises:
        DataError: cut inside a record, no day marker first, an unknown marker, a digit above 9.
    """
    records: list[Record] = []
    at, width, end = 0, -1, len(data)
    while at < end:
        head = data[at]
        if head == MarkerKind.END:
            records.append(_end(data[at + 1 : at + MARKER_BYTES]))
            return records
        if head & _DST:
            marker, at = _marker(name, data, at)
            width = len(marker.setup.channels) if marker.setup else width
            records.append(marker)
            continue
        if width < 0:
            raise DataError(f"the stream starts with {head:02X} and not with a day marker")
        after = at + 1 + extended + VALUE_BYTES * width
        if after > end:
            raise DataError(f"byte {at}: an interval is cut after {end - at} of {after - at} bytes")
        records.append(Interval(head, _values(data, at + 1 + extended, after), data[at + 1] if extended else -1))
        at = after
    return records


def ended(records: Sequence[Record]) -> bool:
    """Whether a stream came to its end mark: without one something may be missing."""
    return bool(records) and isinstance(records[-1], Marker) and records[-1].kind is MarkerKind.END


def _end(rest: bytes) -> Marker:
    return Marker(MarkerKind.END, _time(rest) if len(rest) == len(_FILLING) and rest != _FILLING else None)


def _marker(name: str, data: bytes, at: int) -> tuple[Marker, int]:
    try:
        kind = MarkerKind(data[at])
    except ValueError:
        raise DataError(f"byte {at}: no marker {data[at]:02X}") from None
    after = at + MARKER_BYTES + (SETUP_BYTES if kind in WITH_SETUP else 0)
    if after > len(data):
        raise DataError(f"byte {at}: a marker {kind:02X} is cut after {len(data) - at} of {after - at} bytes")
    setup = decode_setup(name, data[at + MARKER_BYTES : after]) if kind in WITH_SETUP else None
    return Marker(kind, _time(data[at + 1 : at + MARKER_BYTES]), setup), after


def _time(data: bytes) -> datetime | None:
    moment = moment_of(int.from_bytes(data, "little"))
    return None if moment == EPOCH else moment


_TENS = tuple(10**digit if digit <= EXPONENT_LIMIT else 0 for digit in range(16))


def _values(data: bytes, at: int, end: int) -> tuple[int, ...]:
    """The values of one interval, by table: a month of eight channels holds 35,000 of them."""
    values = []
    for place in range(at, end, VALUE_BYTES):
        high, low, last = DIGITS[data[place]], DIGITS[data[place + 1]], data[place + 2]
        if high < 0 or low < 0 or DIGITS[last] < 0:
            raise DataError(f"byte {place}: {data[place : place + 3].hex()} holds a digit above 9")
        values.append(((high * 100 + low) * 10 + (last >> 4)) * _TENS[last & 15])
    return tuple(values)
