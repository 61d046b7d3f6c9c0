"""The visits of one programming: in each of them who programs is named before anything is written.

A meter forgets with a visit who programs and what has not become a whole, and a password is good for some minutes only,
so a long scheme takes several visits. They are planned: one is begun anew before it expires in the middle of a write.
Each in which something was written counts once in the programming log.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.safety import Armed
from bench.scheme.meter import SchemeMeter


class Visits:
    """The visits of one programming.

    Args:
        meter: its driver.
        armed: permission to write to it.
        level: what everything in the plan needs.
        begin: done at the beginning of each, when it is open: naming who programs.
    """

    def __init__(self, meter: SchemeMeter, armed: Armed, level: int, begin: Callable[[], None]) -> None:
        self._meter = meter
        self._armed = armed
        self._level = level
        self._begin = begin
        self._begun: int | None = None
        #: The visits in which something was written, and those in which a write was confirmed.
        self.tried: set[int] = set()
        self.confirmed: set[int] = set()

    def enter(self) -> int:
        """See to a visit that lasts for one more object; returns its number."""
        visit = self._meter.ready(self._armed, self._level)
        if visit != self._begun:
            self._begin()
            self._begun = visit
        return visit

    def write(self, identity: int, data: bytes, tell: Callable[[], None]) -> int:
        """Write an object; returns the number of the visit.

        Args:
            identity: its number.
            data: all of it.
            tell: writes it down, just before it is sent.
        """
        visit = self.enter()
        tell()
        self.tried.add(visit)
        self._meter.write_object(self._armed, identity, data)
        self.confirmed.add(visit)
        return visit
