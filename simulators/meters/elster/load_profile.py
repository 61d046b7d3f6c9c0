"""The load profile as the bytes of identity 550: days that were asked for, ended with FF and filled to whole blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from protocols.elster.profile import EXPONENT_LIMIT, MANTISSA_LIMIT, Interval, MarkerKind, encode_records
from protocols.elster.profile import Marker as WireMarker
from protocols.elster.profile import Setup as WireSetup
from protocols.elster.requests import SMALL_BLOCK, ProfileRange
from simulators.metering.daylight_saving import to_moment, to_ns
from simulators.metering.demand import MINUTE
from simulators.metering.profile_recorder import Day, Mark, Marker, Record, Setup
from simulators.meters.elster.measuring import SOURCES

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

_KINDS = {
    Mark.DAY: MarkerKind.NEW_DAY,
    Mark.POWER_UP: MarkerKind.POWER_UP,
    Mark.POWER_DOWN: MarkerKind.POWER_DOWN,
    Mark.CONFIGURATION: MarkerKind.CONFIGURATION_CHANGE,
    Mark.FORCED_DEMAND_END: MarkerKind.FORCED_END,
    Mark.TIME_CHANGE: MarkerKind.TIME_CHANGE,
    Mark.CLEARED: MarkerKind.CLEARED,
    Mark.DAYLIGHT_SAVING: MarkerKind.DAYLIGHT_SAVING,
}
_WITH_SETUP = {Mark.DAY, Mark.CONFIGURATION}
_LOW_BYTE = 0x7F
_ALL = 0xFFFF
_FOREVER = 1 << 63
_LARGEST: int = MANTISSA_LIMIT * 10**EXPONENT_LIMIT


def profile_bytes(meter: Meter, days: int = _ALL) -> bytes:
    """The latest days."""
    return _encoded(meter, [] if meter.recorder is None else meter.recorder.latest(days))


def profile_range_bytes(meter: Meter, asked: ProfileRange) -> bytes:
    """The days that have something of a range; either end may be open."""
    if meter.recorder is None:
        return _encoded(meter, [])
    offset = meter.profile.utc_offset * MINUTE if meter.profile.unix_time == "utc" else 0
    first = 0 if asked.start is None else to_ns(asked.start) + offset
    last = _FOREVER if asked.end is None else to_ns(asked.end) + offset
    return _encoded(meter, meter.recorder.between(first, last))


def _encoded(meter: Meter, days: Iterable[Day]) -> bytes:
    data = encode_records(meter.model.name, [*_records(meter, days), WireMarker(MarkerKind.END)])
    return data.ljust(-(-len(data) // SMALL_BLOCK) * SMALL_BLOCK, b"\xff")


def _records(meter: Meter, days: Iterable[Day]) -> Iterator[WireMarker | Interval]:
    offset = meter.profile.utc_offset * MINUTE if meter.profile.unix_time == "utc" else 0
    for day in days:
        period = 0
        for entry in day.entries:
            if isinstance(entry, Record):
                yield interval_of(meter, entry, period)
                continue
            period = entry.setup.period
            yield _marker(entry, offset)


def _marker(marker: Marker, offset: int) -> WireMarker:
    setup = _setup(marker.setup, dst=marker.summer) if marker.kind in _WITH_SETUP else None
    return WireMarker(_KINDS[marker.kind], to_moment(marker.at - offset), setup)


def _setup(setup: Setup, *, dst: bool) -> WireSetup:
    return WireSetup(tuple(SOURCES[source] for source in setup.sources), setup.period // MINUTE, dst)


def _power(energy: int, length: int) -> int:
    """Energy over time, rounded; a register that went back has no power, and five digits go so far only."""
    return max(0, min((2 * energy + length) // (2 * length), _LARGEST))


def _cut(power: int) -> int:
    """What lies behind the fifth digit is dropped."""
    scale: int = 10 ** max(0, len(str(power)) - len(str(MANTISSA_LIMIT)))
    return power // scale * scale


def _whole(power: int) -> int:
    """As it is: it is rounded on the wire."""
    return power


def interval_of(meter: Meter, record: Record, period: int) -> Interval:
    """A record as powers: over the whole period, so that short records add up, or over the time that they took."""
    length = record.length if meter.profile.short_records == "actual" else period
    change = meter.firmware.profile_value
    kept = _cut if meter.profile.profile_digits == "cut" else _whole
    values = tuple(kept(change(_power(energy, length))) for energy in record.energies)
    extended = record.status >> 8 if meter.profile.extended_status else -1
    return Interval(record.status & _LOW_BYTE, values, extended)
