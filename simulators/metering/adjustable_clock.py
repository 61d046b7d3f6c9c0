"""A clock that is set, or adjusted a little in every integration period, and that follows daylight saving.

Inside, time is ns of standard time since 1970 on the meter's own clock (`simulators/metering/clock.py` drifts it). An
adjustment moves at most five seconds in the middle of an integration period, at most 7.5 minutes in all (A1140 manual
p. 124; that it is the middle is assumed: so no end of a period is met twice or left out).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from simulators.metering.clock import MeterClock
from simulators.metering.daylight_saving import OFF, DaylightSaving, to_moment, to_ns
from simulators.metering.demand import MINUTE, SECOND

#: The most that one integration period takes of an adjustment, and the most that an adjustment may be.
STEP = 5 * SECOND
LIMIT = 15 * MINUTE // 2


def one_step(pending: int, step: int = STEP) -> int:
    """The part (ns) of a pending adjustment that one integration period takes: at most a step."""
    return max(-step, min(step, pending))


def within_limit(by: int) -> bool:
    """Whether an adjustment (ns) may be asked for at all."""
    return abs(by) <= LIMIT


class AdjustableClock:
    """A meter's clock.

    Args:
        epoch: the local time, as people read it, at the world's instant 0.
        drift_ppm: parts per million that it runs too fast.
        daylight_saving: the rule.
    """

    __slots__ = ("_clock", "daylight_saving", "pending")

    def __init__(self, epoch: datetime, drift_ppm: int = 0, daylight_saving: DaylightSaving = OFF) -> None:
        self.daylight_saving = daylight_saving
        self._clock = MeterClock(to_moment(daylight_saving.standard(to_ns(epoch))), drift_ppm)
        #: What is left (ns) of an adjustment.
        self.pending = 0

    def standard(self, now: int) -> int:
        """Standard time at the instant `now` (ns): ns since 1970, to the microsecond."""
        return to_ns(self._clock.read(now))

    def read(self, now: int) -> datetime:
        """What the clock shows at the instant `now` (ns), daylight saving included."""
        standard = self.standard(now)
        return to_moment(standard + self.daylight_saving.offset(standard))

    def summer(self, now: int) -> bool:
        """Whether daylight saving is in force."""
        return self.daylight_saving.offset(self.standard(now)) > 0

    def instant(self, standard: int) -> int:
        """The first instant (ns) at which standard time is `standard` (ns since 1970) or later."""
        return self._clock.instant(to_moment(standard))

    def next_multiple(self, now: int, period: int) -> int:
        """The first instant after `now` at which standard time is a multiple of `period` (ns)."""
        return self.instant((self.standard(now) // period + 1) * period)

    def next_midnight(self, now: int, day: int = 1440 * MINUTE) -> int:
        """The first instant after `now` at which a day begins on the clock that people read."""
        standard = self.standard(now)
        rule = self.daylight_saving
        return self.next_reading(now, ((standard + rule.offset(standard)) // day + 1) * day)

    def next_reading(self, now: int, local: int) -> int:
        """The first instant after `now` at which people read `local` (ns since 1970), which is later than they do now.

        Where daylight saving leaves it out, it is the instant at which an unchanged clock would show it.
        """
        standard = self.daylight_saving.standard(local)
        if standard <= self.standard(now):  # the hour that occurs twice, for the second time
            standard = local
        return self.instant(standard)

    def next_change(self, now: int) -> int | None:
        """The instant at which daylight saving begins or ends next."""
        change = self.daylight_saving.next_change(self.standard(now))
        return None if change is None else self.instant(change)

    def set(self, now: int, local: datetime) -> None:
        """Set the clock to what people read; an adjustment under way is forgotten."""
        self.put(now, self.daylight_saving.standard(to_ns(local)))
        self.pending = 0

    def put(self, now: int, standard: int) -> None:
        """Set the clock to standard time (ns since 1970)."""
        self._clock.set(now, to_moment(standard))

    def step(self, now: int, part: Callable[[int], int] = one_step) -> None:
        """Take the part of the pending adjustment that one integration period takes."""
        moved = part(self.pending)
        self.put(now, self.standard(now) + moved)
        self.pending -= moved
