"""The load profile as text: what `R5 P.01(from;to)` is answered with, where the profile says that the meter knows it.

No public source says whether an A1140 or A1700 answers a formatted read; that it does, its columns (average demands,
`1.5.0` in kW with five digits and three decimals) and that an interval belongs to a range by its end are assumed. It
makes 11.5 characters a value, about what a meter of another make was measured with (links-concentrators 1.2: 11.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from protocols.elster.tables import Source, obis
from protocols.flag.device import Refusal, Session
from protocols.flag.frames import Command
from protocols.flag.profile_text import Channel, Run, decode_request, encode_profile
from simulators.metering.demand import MINUTE
from simulators.metering.profile_recorder import Marker, ProfileRecorder, Record, Setup
from simulators.meters.elster.load_profile import interval_of
from simulators.meters.elster.measuring import SOURCES
from simulators.meters.elster.packets import BAD_COMMAND, UNKNOWN, readable

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

#: The C group of what the head-end mapping numbers and no readout shows (elster-flag 5).
_UNSHOWN = {
    Source.VA: ("9", "kVA"),
    **{source: (str(128 + number), "") for number, source in enumerate(
        (Source.CUSTOMER_1, Source.CUSTOMER_2, Source.CUSTOMER_3, Source.INPUT_1, Source.INPUT_2, Source.INPUT_3,
         Source.INPUT_4))},
}  # fmt: skip
_LIMIT = 10**8


@dataclass(frozen=True, slots=True)
class _Interval:
    """A record with the set-up that it was made under, its end (ns of standard time), and whether that is in summer."""

    record: Record
    setup: Setup
    end: int
    summer: bool


def read_text(meter: Meter, session: Session, command: Command, now: int) -> bytes:
    """R5: a part of the profile as text.

    Raises:
        Refusal: ERR1 not known, or no request for a profile; ERR2 the model has none; ERR5 the level is too low.
    """
    if not meter.profile.formatted_profile:
        raise Refusal(BAD_COMMAND)
    if meter.recorder is None:
        raise Refusal(UNKNOWN)
    readable(meter, session, meter.entry("profile"), now)
    try:
        start, end = decode_request(command.data or b"")
    except ValueError:
        raise Refusal(BAD_COMMAND) from None
    wanted = (each for each in _intervals(meter, meter.recorder) if _within(meter, each, start, end))
    return encode_profile(_runs(meter, wanted))


def _within(meter: Meter, interval: _Interval, start: datetime | None, end: datetime | None) -> bool:
    moment = meter.local_moment(interval.end)
    return (start is None or start <= moment) and (end is None or moment <= end)


def _intervals(meter: Meter, recorder: ProfileRecorder) -> Iterator[_Interval]:
    """Every record with its time, counted on from the marker before it."""
    setup = recorder.setup
    for day in recorder.days:
        at = day.at
        for entry in day.entries:
            if isinstance(entry, Marker):
                at, setup = entry.at, entry.setup
                continue
            at += entry.length
            yield _Interval(entry, setup, at, meter.clock.daylight_saving.offset(at) > 0)


def _runs(meter: Meter, intervals: Iterator[_Interval]) -> Iterator[Run]:
    """Rows of whole periods that follow one another under one status; whatever breaks the row begins a new header."""
    row: list[_Interval] = []
    for each in intervals:
        if row and not _follows(row[-1], each):
            yield _run(meter, row)
            row = []
        row.append(each)
    if row:
        yield _run(meter, row)


def _follows(before: _Interval, each: _Interval) -> bool:
    whole = each.record.length == each.setup.period and each.end == before.end + each.setup.period
    alike = (before.setup, before.summer, before.record.status) == (each.setup, each.summer, each.record.status)
    return whole and alike


def _run(meter: Meter, row: list[_Interval]) -> Run:
    first = row[0]
    setup = first.setup
    return Run(
        meter.local_moment(first.end),
        first.summer,
        first.record.status,
        setup.period // MINUTE,
        tuple(_channel(SOURCES[source]) for source in setup.sources),
        tuple(tuple(map(_text, interval_of(meter, each.record, setup.period).values)) for each in row),
    )


def _channel(source: Source) -> Channel:
    group, unit = _UNSHOWN.get(source, ("", ""))
    if not group:
        row = obis()[source.value]
        group, unit = row.code.partition(".")[0], row.unit.removesuffix("h")
    return Channel(f"{group}.5.0", unit)


def _text(milliwatt: int) -> str:
    """A power in thousands of its unit: cut behind the third decimal, and over beyond five digits."""
    watt = milliwatt // 1000 % _LIMIT
    return f"{watt // 1000:05d}.{watt % 1000:03d}"
