"""The meter's own time as a scenario needs it: wait until its clock comes to the end of a period, or to a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from bench.clock import Clock
from bench.errors import Undeterminable

_SECOND = 1_000_000_000
#: Beyond the moment that is waited for: a clock shows whole seconds.
_BEYOND = timedelta(seconds=1)
#: A reading of the clock that took no longer (ns) says when it was; how many are tried.
_QUICK, _READINGS = 2 * _SECOND, 4


class HasClock(Protocol):
    """A meter whose clock can be read."""

    def read_clock(self) -> datetime:
        """Its clock."""


def let_time_pass(clock: Clock, check: str) -> None:
    """Refuse to wait for hours or days where time is not virtual.

    Raises:
        Undeterminable: the clock is that of the wall.
    """
    if not clock.virtual:
        raise Undeterminable(check, "hours and days that cost nothing: virtual time")


def sleep_until(meter: HasClock, clock: Clock, moment: datetime) -> None:
    """Sleep until the meter's clock has come to a moment, and a second or two longer."""
    left = moment - meter.read_clock() + _BEYOND
    clock.sleep(int(left.total_seconds() * _SECOND))


def sleep_to_end_of(meter: HasClock, clock: Clock, period: timedelta) -> datetime:
    """Sleep until a period of the day has just ended on the meter's clock; returns that moment."""
    now = meter.read_clock()
    midnight = now.replace(hour=0, minute=0, second=0)
    end = midnight + ((now - midnight) // period + 1) * period
    clock.sleep(int((end - now + _BEYOND).total_seconds() * _SECOND))
    return end


def ahead(meter: HasClock, clock: Clock) -> Decimal:
    """By how many seconds the meter's clock is ahead of the bench's, which began at 2000; only differences say much.

    The first reading may have to dial, to sign on or to ask again, and nobody knows when in all that time the meter
    was read; so of several readings the quickest counts.
    """
    quickest: tuple[int, int, datetime] | None = None
    for _ in range(_READINGS):
        before, shown, after = clock.now(), meter.read_clock(), clock.now()
        found = (after - before, before + after, shown)
        quickest = min(quickest or found, found)
        if quickest[0] <= _QUICK:
            break
    assert quickest is not None
    own = (quickest[2] - datetime(2000, 1, 1)).total_seconds()  # noqa: DTZ001  # a meter keeps local time without a zone
    return Decimal(str(own)) - Decimal(quickest[1]) / 2 / _SECOND
