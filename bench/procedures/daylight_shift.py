"""How an Elster meter's times hang together: its Unix seconds, its standard time, and what people read on its clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bench.errors import Refused
from protocols.elster import configuration, moments
from protocols.elster.configuration import ClockChange, layout

if TYPE_CHECKING:
    from bench.drivers.elster import Elster

_HOUR, _NOTHING = timedelta(hours=1), timedelta(0)
#: Clocks of people are whole quarters of an hour from standard time.
_ZONE = timedelta(minutes=15)
#: Two readings of one clock, one after the other, are less apart than this.
_VISIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class DaylightShift:
    """What a meter's times need to become one another.

    Attributes:
        shift: what daylight saving adds in summer.
        offset: what is added to Unix seconds to have standard time.
        change: when it does; None where that is not known.
    """

    shift: timedelta
    offset: timedelta
    change: ClockChange | None

    def people_read(self, unix: datetime) -> datetime:
        """What people read at a moment of the meter's Unix seconds."""
        standard = unix + self.offset
        return standard + (self.shift if self._summer(standard) else _NOTHING)

    def unix(self, local: datetime) -> datetime:
        """The meter's Unix seconds when people read this; in the hour that occurs twice, the first time."""
        summer = local - self.shift
        return (summer if self._summer(summer) else local) - self.offset

    def _summer(self, standard: datetime) -> bool:
        """Whether daylight saving is in force at a moment of standard time."""
        return _in_force(self.change, standard, standard_time=True)


def _in_force(change: ClockChange | None, moment: datetime, *, standard_time: bool) -> bool:
    """Whether daylight saving is in force at a moment of standard time, or of the clock that people read."""
    if change is None:
        return False
    found = []
    for year in (moment.year - 1, moment.year):
        for at, added in change.changes_in(year):
            found.append((at + added if standard_time and added < _NOTHING else at, added))
    past = [added for at, added in sorted(found) if at <= moment]
    return bool(past) and past[-1] > _NOTHING


def read_daylight_shift(meter: Elster) -> DaylightShift:
    """How the meter's times hang together: its daylight saving (901), and its clock (861) beside its seconds (863).

    Where a meter has no such identity (the number of 901 is assumed), daylight saving is taken to be an hour and the
    seconds to be standard time.
    """
    change = _clock_change(meter)
    shift = change.shift * _HOUR if change is not None else _HOUR
    local = meter.read_clock()
    try:
        block = meter.image("clock_block")
    except Refused:
        return DaylightShift(shift, _NOTHING, change)
    unix = meter.decoded("clock block", lambda: moments.decode_clock_block(block)).time
    summer = _in_force(change, local, standard_time=False)
    ahead = (local - unix + _VISIT) // _ZONE * _ZONE
    return DaylightShift(shift, ahead - (shift if summer else _NOTHING), change)


def _clock_change(meter: Elster) -> ClockChange | None:
    room = layout(meter.device.model)
    try:
        objects = {item.name: meter.read_object(item.number, item.size) for item in room.of("daylight_saving")}
        return ClockChange.decode(objects, room)
    except (Refused, configuration.ConfigurationError):
        return None
