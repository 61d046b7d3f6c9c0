"""Whether the intervals of a load profile have one status byte or two.

Some firmware writes a second status byte, and no identity says so: the stream itself tells. Read with the wrong width
it soon comes to a digit above 9 or to a record that is cut; where by chance it does not, a whole day has not the
intervals of a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from protocols.elster.errors import DataError
from protocols.elster.profile import Interval, Marker, MarkerKind, Record, decode_records

_MINUTE = timedelta(minutes=1)
#: A day may begin in the midst of a period, and the period that was over just now be in the stream or not.
_ONE = 1


def decode_either(
    name: str, data: bytes, *, known: bool | None, now: Callable[[], datetime | None]
) -> tuple[list[Record], bool]:
    """The records of a stream, and whether its intervals have a second status byte.

    Args:
        name: the model.
        data: as `decode_records` takes it.
        known: what an earlier stream of this meter has shown; None if there was none.
        now: the meter's time in seconds as its markers count them, asked for only if nothing else tells; None if it
            is not known.

    Raises:
        DataError: the stream makes sense in neither way.
    """
    found: dict[bool, list[Record]] = {}
    first: DataError | None = None
    for extended in (known or False, not known):
        try:
            found[extended] = decode_records(name, data, extended=extended)
        except DataError as error:
            first = first or error
        else:
            if fits(found[extended]):
                return found[extended], extended
    if not found:
        assert first is not None
        raise first
    if len(found) == 1:
        ((extended, records),) = found.items()
        return records, extended
    until = now()
    best = next((each for each, records in found.items() if until and fits(records, until)), known or False)
    return found[best], best


def fits(records: Sequence[Record], until: datetime | None = None) -> bool:
    """Whether there are whole days, each with the intervals of one: from one day marker to the next without another.

    Args:
        records: of a stream.
        until: the moment at which it was read; then the day that is under way counts too.
    """
    spans = [abs((last - first) / _MINUTE / period - count) < _ONE for first, last, period, count in _spans(records)]
    if until is not None and (open_ := _open(records)) is not None:
        first, period, count = open_
        spans.append(abs((until - first) / _MINUTE / period - count) <= _ONE)
    return bool(spans) and all(spans)


def _spans(records: Sequence[Record]) -> list[tuple[datetime, datetime, int, int]]:
    """From one day marker to the next: both moments, the period in minutes, and how many intervals lie between."""
    found = []
    begin: Marker | None = None
    count = 0
    for record in records:
        if isinstance(record, Interval):
            count += 1
            continue
        day = record.kind is MarkerKind.NEW_DAY and record.time is not None
        if begin is not None and begin.time is not None and begin.setup is not None and day:
            assert record.time is not None
            found.append((begin.time, record.time, begin.setup.period, count))
        begin, count = (record if day else None), 0
    return found


def _open(records: Sequence[Record]) -> tuple[datetime, int, int] | None:
    """The day that is under way: its moment, period, and how many intervals it has so far."""
    count = 0
    for record in reversed(records):
        if isinstance(record, Interval):
            count += 1
        elif record.kind is not MarkerKind.END:
            if record.kind is not MarkerKind.NEW_DAY or record.time is None or record.setup is None:
                return None
            return record.time, record.setup.period, count
    return None
