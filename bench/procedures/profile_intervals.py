"""An interval of a load profile with a start, an end, energies and quality, and the records that make it.

All times are the meter's standard time. A value of a record is a mean power, so that an energy is as exact as the five
digits that the profile keeps of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal

from bench.procedures.profile_findings import Finding
from bench.procedures.quality import Quality
from protocols.elster.profile import MANTISSA_LIMIT
from protocols.elster.tables import Source

_HALF_A_MILLIWATT, _LAST_DIGIT = Decimal("0.5"), Decimal("0.001")
#: In a Wh.
_MILLIWATT_MINUTES = 60_000
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """One record: from when to when as far as is known, and its energies by channel."""

    start: datetime
    end: datetime
    energies: tuple[Decimal, ...]
    rounding: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class ProfileInterval:
    """One interval of a load profile.

    Attributes:
        start, end: of the whole period, in the meter's standard time.
        channels: what was recorded.
        energies: by channel, Wh (varh, VAh).
        rounding: by channel, by how much that can differ from what the registers counted.
        quality: why it is not simply a whole undisturbed interval.
        shift: what daylight saving added to standard time.
        pieces: the records that make it.
    """

    start: datetime
    end: datetime
    channels: tuple[Source, ...]
    energies: tuple[Decimal, ...]
    rounding: tuple[Decimal, ...]
    quality: Quality
    shift: timedelta
    pieces: tuple[Piece, ...] = field(repr=False)

    def __getitem__(self, source: Source) -> Decimal:
        return self.energies[self.channels.index(source)]

    @property
    def key(self) -> object:
        """What makes it the same interval when it is read again: its pieces tell a doubled one apart."""
        return (self.start, self.pieces[0].start, self.pieces[-1].end, Quality.DUPLICATE in self.quality)

    def power(self, source: Source) -> Decimal:
        """The mean power over the whole period, in W (var, VA)."""
        hours = Decimal((self.end - self.start) // _MINUTE) / 60
        return (self[source] / hours).quantize(Decimal("0.001"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the records of a profile come to.

    Attributes:
        intervals: in the order of the stream.
        findings: where their row is not a plain row.
        end: up to where records have been met (standard time); None without a day.
        period: of the last of them.
        summer: whether it is summer time at the end.
        touched: the last record since a marker that the clock was touched in, None if there was none.
        whole: whether the stream came to its end mark.
    """

    intervals: tuple[ProfileInterval, ...]
    findings: tuple[Finding, ...]
    end: datetime | None
    period: timedelta
    summer: bool
    touched: datetime | None
    whole: bool


def rounding_of(milliwatts: int, minutes: Decimal) -> Decimal:
    """By how much (Wh) the energy of a record can be off: its fifth digit, which may be cut, and half a mW."""
    exponent = max(0, len(str(milliwatts)) - len(str(MANTISSA_LIMIT)))
    power: Decimal = Decimal(10) ** exponent + _HALF_A_MILLIWATT
    return (power * minutes / _MILLIWATT_MINUTES + _LAST_DIGIT).quantize(_LAST_DIGIT, ROUND_UP)
