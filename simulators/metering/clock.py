"""A meter's clock: local time without a zone, with a drift, kept by a battery through power cuts."""

from __future__ import annotations

from datetime import datetime, timedelta

#: Parts of a million.
MILLION = 1_000_000


class MeterClock:
    """A clock that drifts.

    What happened before the clock was set keeps the time that it showed then, so old settings are remembered.

    Args:
        epoch: the local time at the world's instant 0.
        drift_ppm: how much too fast (positive) or too slow it runs, in parts per million.
    """

    __slots__ = ("_drift_ppm", "_earlier", "_reference", "_since")

    def __init__(self, epoch: datetime, drift_ppm: int = 0) -> None:
        self._reference = epoch
        self._since = 0
        self._drift_ppm = drift_ppm
        self._earlier: list[tuple[int, datetime]] = []

    def read(self, now: int) -> datetime:
        """What the clock shows, or showed, at the instant `now` (ns), to the microsecond."""
        since, reference = self._since, self._reference
        if now < since and self._earlier:
            since, reference = self._setting_at(now)
        elapsed = now - since
        shown = elapsed + elapsed * self._drift_ppm // MILLION
        return reference + timedelta(microseconds=shown // 1000)

    def _setting_at(self, then: int) -> tuple[int, datetime]:
        return next((setting for setting in reversed(self._earlier) if setting[0] <= then), self._earlier[0])

    def instant(self, moment: datetime) -> int:
        """The first instant (ns) at which the clock, as it runs now, shows `moment` or later."""
        ahead = (moment - self._reference) // timedelta(microseconds=1) * 1000
        return self._since - (-ahead * MILLION // (MILLION + self._drift_ppm))

    def set(self, now: int, moment: datetime) -> None:
        """Set the clock at the instant `now` (ns)."""
        self._earlier.append((self._since, self._reference))
        self._reference = moment
        self._since = now
