"""From the records of a load profile to intervals: counting along its stream, held against the times of its markers.

The stream has no time in its intervals: each is a period on from the one before, and the markers say where that row
begins and breaks. So whoever reads it counts along and holds the count against every marker's time; where they do not
meet, intervals are missing or doubled, whether or not a marker says so.

A period that was broken off (clock set, power cut, billing reset) has left a short record, and the short records of a
period are one interval. A value is a mean power over the whole period, so energies add up; with `weighted` it is one
over the time that the record took, and each record counts for as long as it lasted (elster-flag 3.5: both are read).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from bench.procedures.profile_findings import Finding, Kind
from bench.procedures.profile_intervals import Decoded, Piece, ProfileInterval, rounding_of
from bench.procedures.quality import MARKED, Quality, quality_of
from protocols.elster.moments import EPOCH
from protocols.elster.profile import Interval, Marker, MarkerKind, Record, Setup
from protocols.elster.tables import Source

#: The energy (Wh) of a mean power (mW) over some minutes.
EnergyOf = Callable[[int, Decimal], Decimal]
_MINUTE = timedelta(minutes=1)
#: Markers at which a period that is under way is broken off, at the marker's time.
_ENDS = frozenset(
    {
        MarkerKind.POWER_DOWN,
        MarkerKind.CONFIGURATION_CHANGE,
        MarkerKind.FORCED_END,
        MarkerKind.NEW_DAY,
        MarkerKind.DAYLIGHT_SAVING,
    }
)


def decode_profile(
    records: Sequence[Record],
    energy_of: EnergyOf,
    *,
    shift: timedelta = timedelta(hours=1),
    offset: timedelta = timedelta(0),
    weighted: bool = False,
) -> Decoded:
    """The intervals of a load profile, with everything that is to be said of their row.

    Args:
        records: as read, the first of them a day marker.
        energy_of: what a mean power (mW) over some minutes comes to.
        shift: what daylight saving adds in summer.
        offset: what is added to the meter's Unix seconds to have its standard time.
        weighted: a short record is a mean over its own time.
    """
    walk = _Walk(energy_of, shift, offset, weighted)
    for place, record in enumerate(records):
        if isinstance(record, Interval):
            walk.interval(record, records[place + 1] if place + 1 < len(records) else None)
        elif record.kind is MarkerKind.END:
            break
        else:
            walk.marker(record)
    walk.flush()
    ended = bool(records) and isinstance(records[-1], Marker) and records[-1].kind is MarkerKind.END
    return Decoded(
        tuple(walk.intervals), tuple(walk.findings), walk.cursor, walk.period, walk.summer, walk.touched, ended
    )


def likely(touched: datetime | None) -> str:
    """Where an unmarked setting of the clock most likely was, in words."""
    return "" if touched is None else f", most likely from {touched:%Y-%m-%d %H:%M} on, where the clock was touched"


class _Walk:
    """Counts along a stream."""

    def __init__(self, energy_of: EnergyOf, shift: timedelta, offset: timedelta, weighted: bool) -> None:  # noqa: FBT001  # private
        self.intervals: list[ProfileInterval] = []
        self.findings: list[Finding] = []
        #: The standard time up to which records have been met.
        self.cursor: datetime | None = None
        self.period = 30 * _MINUTE
        self.summer = False
        self._energy_of, self._shift, self._offset, self._weighted = energy_of, shift, offset, weighted
        self._channels: tuple[Source, ...] = ()
        self._off: datetime | None = None
        #: Where intervals begin that have been met.
        self._met: set[datetime] = set()
        #: Whether the last record was broken off and nothing of its period has followed.
        self._broken = False
        #: How many intervals there were when the row began anew, so that the next day marker need not be midnight and
        #: may be in another season; None once there was one.
        self._anew: int | None = 0
        self._quality = Quality.NONE
        self._pieces: list[Piece] = []
        #: The last record that the clock was touched in: where an unmarked setting most likely was.
        self.touched: datetime | None = None

    # -- intervals ---------------------------------------------------------------------------------------------------

    def interval(self, record: Interval, following: Record | None) -> None:
        """One record: from the count to the end of its period, or to where a marker breaks it off."""
        assert self.cursor is not None  # the codec lets no stream begin without a day marker
        if self._off is not None:
            failed = f"records after the supply failed at {self._off:%H:%M:%S}, and no marker of its return"
            self._wrong(self._off, failed)
            self._off = None
        start = self.cursor
        end, broken = self._end(start, record, following)
        if self._pieces and self._slot(self._pieces[0].start) != self._slot(start):
            self.flush()
        minutes = Decimal(((end - start) if self._weighted else self.period) / _MINUTE)
        found = [self._energy_of(value, minutes) for value in record.values]
        rounding = tuple(rounding_of(value, minutes) for value in record.values)
        self._pieces.append(Piece(start, end, tuple(found), rounding))
        self._quality |= quality_of(record.status, record.extended)
        if Quality.CLOCK_TOUCHED in quality_of(record.status):
            self.touched = start
        self._broken = broken
        if not broken:
            self.cursor = end
            if end == self._slot(start) + self.period:
                self.flush()

    def _end(self, start: datetime, record: Interval, following: Record | None) -> tuple[datetime, bool]:
        """Where a record ends, and whether it was broken off at a time that nobody tells."""
        end = self._slot(start) + self.period
        if isinstance(following, Marker) and following.time is not None:
            time = following.time + self._offset
            if following.kind in _ENDS:
                return (time if start < time < end else end), False
            if following.kind is MarkerKind.TIME_CHANGE:
                self._quality |= Quality.CLOCK_SET
                return (time if start < time < end else end), True
        return end, Quality.TRANSIENT_RESET in quality_of(record.status)

    def _slot(self, moment: datetime) -> datetime:
        return EPOCH + (moment - EPOCH) // self.period * self.period

    def flush(self) -> None:
        """The records so far make an interval."""
        if not self._pieces:
            return
        start, pieces = self._slot(self._pieces[0].start), tuple(self._pieces)
        whole = pieces[0].start == start and pieces[-1].end == start + self.period and not self._broken
        quality = self._quality | (Quality.NONE if whole else Quality.SHORT)
        quality |= Quality.DUPLICATE if start in self._met else Quality.NONE
        self._met.add(start)
        self.intervals.append(
            ProfileInterval(
                start, start + self.period, self._channels,
                tuple(map(_total, zip(*(piece.energies for piece in pieces), strict=True))),
                tuple(map(_total, zip(*(piece.rounding for piece in pieces), strict=True))),
                quality, self._shift_now(), pieces,
            )
        )  # fmt: skip
        self._pieces, self._quality, self._broken = [], Quality.NONE, False

    # -- markers -----------------------------------------------------------------------------------------------------

    def marker(self, marker: Marker) -> None:
        """One marker: the count is held against its time, and goes on from there."""
        if marker.time is None or marker.kind is MarkerKind.EXTERNAL_DATA:
            return
        time = marker.time + self._offset
        match marker.kind:
            case MarkerKind.NEW_DAY:
                self._new_day(time, marker.setup)
            case MarkerKind.POWER_UP:
                self._power_up(time)
            case MarkerKind.TIME_CHANGE:
                self._time_change(time)
            case MarkerKind.CLEARED:
                self._say("cleared", time, time, 0, "what was recorded before is gone")
            case _:
                self._goes_on(time, marker)
        self._quality |= MARKED.get(marker.kind, Quality.NONE)

    def _goes_on(self, time: datetime, marker: Marker) -> None:
        """A marker in a row that goes on."""
        self._expect(time, marker.kind)
        if marker.kind is MarkerKind.POWER_DOWN:
            self._off = time
        elif marker.kind is MarkerKind.DAYLIGHT_SAVING:
            self._say("daylight saving", time, time, 0, "ends" if self.summer else "begins")
            self.summer = not self.summer
        elif marker.kind is MarkerKind.CONFIGURATION_CHANGE and marker.setup is not None:
            self.flush()
            self._take(marker.setup)
            self._say("configuration change", time, time, 0, f"{marker.setup.period} min from here")

    def _expect(self, time: datetime, kind: MarkerKind) -> None:
        """Hold the count against a marker's time."""
        assert self.cursor is not None
        if time > self.cursor:
            self.flush()
            count = self._slots(self.cursor, time)
            self._say("gap", self.cursor, time, count, f"{self._hint(kind)}, and no marker says why", explained=False)
        elif time < self.cursor:
            self.flush()
            count = self._doubled(time)
            why = f"{self._hint(kind)}: more records than time, and no marker says why"
            self._say("duplicate", time, self.cursor, count, why, explained=False)
        self.cursor = time

    def _hint(self, kind: MarkerKind) -> str:
        return f"before the marker {kind.name.lower().replace('_', ' ')}{likely(self.touched)}"

    def _new_day(self, time: datetime, setup: Setup | None) -> None:
        assert setup is not None  # the codec gives every day marker one
        if self.cursor is None or self._off is not None:
            self.cursor = time
            self._begin_anew()
        else:
            self._expect(time, MarkerKind.NEW_DAY)
        self.flush()
        if setup.dst != self.summer:
            self._other_season(time, summer=setup.dst)
        local = time + self._shift_now()
        if self._anew is None and local.time() != EPOCH.time():
            self._wrong(time, f"a day begins at {local:%H:%M:%S}")
        self._anew = self.touched = None
        self._take(setup)

    def _shift_now(self) -> timedelta:
        return self._shift if self.summer else timedelta(0)

    def _begin_anew(self) -> None:
        if self._anew is None:
            self._anew = len(self.intervals)

    def _other_season(self, time: datetime, *, summer: bool) -> None:
        """A day marker of another season: only where the row has begun anew may that come without a marker."""
        self.summer = summer
        if self._anew is None:
            season = "summer" if summer else "standard"
            self._wrong(time, f"the day marker says {season} time, and no marker that it came")
            return
        for place in range(self._anew, len(self.intervals)):
            self.intervals[place] = replace(self.intervals[place], shift=self._shift_now())

    def _take(self, setup: Setup) -> None:
        self._channels, self.period = setup.channels, setup.period * _MINUTE

    def _power_up(self, time: datetime) -> None:
        assert self.cursor is not None
        if self._off is None:
            self._wrong(time, "the supply returned, and no marker says that it had failed")
        else:
            missing = self._slots(self._next(self._off), self._slot(time))
            self._say("outage", self._off, time, missing, "there was no supply")
        if self._slot(self.cursor) != self._slot(time):
            self._quality |= Quality.POWER_FAIL if self._pieces else Quality.NONE
            self.flush()
        self.cursor, self._off = time, None
        self._begin_anew()

    def _time_change(self, time: datetime) -> None:
        assert self.cursor is not None
        before, same = self.cursor, self._slot(self.cursor) == self._slot(time)
        if time < self._slot(before):
            self.flush()
            self._say("duplicate", time, before, self._doubled(time), "the clock was set back")
        elif not same:
            since = self._slot(before) + self.period if self._pieces else self._next(before)
            missing = self._slots(since, self._slot(time))
            self.flush()
            self._say("clock set", before, time, missing, "forward")
        else:
            self._say("clock set", time, time, 0, "within an interval")
        self.cursor, self.touched = time, None
        self._begin_anew()

    def _next(self, moment: datetime) -> datetime:
        """The first period that begins at a moment or later."""
        return -((EPOCH - moment) // self.period) * self.period + EPOCH

    def _doubled(self, since: datetime) -> int:
        """How many intervals have been met that begin in the period of a moment or later."""
        return sum(start >= self._slot(since) for start in self._met)

    def _slots(self, start: datetime, end: datetime) -> int:
        """How many periods have something of a span."""
        return max(0, -(-(end - self._slot(start)) // self.period))

    def _wrong(self, time: datetime, why: str) -> None:
        self._say("contradiction", time, time, 0, why, explained=False)

    def _say(
        self, kind: Kind, start: datetime, end: datetime, intervals: int, why: str, *, explained: bool = True
    ) -> None:
        self.findings.append(Finding(kind, start, end, intervals, explained, why))


def _total(values: tuple[Decimal, ...]) -> Decimal:
    return sum(values, Decimal(0))
