"""What a scenario changes on the way is afterwards what it was: a clock, a set-up, a programmed object.

A scenario that writes what a meter must refuse, or that changes something for a while, runs inside one of these. They
look when it is over, whatever happened meanwhile, and write only if something is not what it was: a meter that refuses
is left alone, and one that obeys is found by the verdict and not harmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bench.errors import CallLost, DeviceError, NotRestored
from bench.procedures.journal import Journal
from bench.safety import Armed

if TYPE_CHECKING:
    from bench.clock import Clock
    from bench.drivers.driver import Driver
    from bench.drivers.elster import Elster
    from bench.drivers.powerlogic import Series

#: By how much a clock may seem to be off that was left alone: whole seconds, and readings that take their time.
_SLACK = timedelta(seconds=5)
#: How long (ns) a meter that starts may be silent.
_RETURN = 120_000_000_000


class KeptClock:
    """A meter's clock as it was, and as it would be now."""

    def __init__(self, meter: Driver, armed: Armed, clock: Clock, journal: Journal) -> None:
        self._meter = meter
        self._armed = armed
        self._clock = clock
        self._journal = journal
        self.before = meter.read_clock()
        self._since = clock.now()

    @property
    def passed(self) -> timedelta:
        """How much time has passed since it was looked at."""
        return timedelta(microseconds=(self._clock.now() - self._since) // 1000)

    @property
    def now(self) -> datetime:
        """What it would show now."""
        return self.before + self.passed

    def restore(self) -> None:
        """Set it to what it would show now."""
        self._journal.audit("restore clock", device=self._meter.name, value=self.now)
        self._meter.set_clock(self._armed, self.now)

    def is_off(self) -> bool:
        """Whether it shows something else, or no time at all.

        Raises:
            CallLost: nobody can tell.
        """
        try:
            return abs(self._meter.read_clock() - self.now) > _SLACK
        except CallLost:
            raise
        except DeviceError:
            return True


@contextmanager
def bringing_back(device: str, what: str) -> Iterator[None]:
    """Whatever goes wrong in here leaves a device changed: a lost call is no excuse that nobody needs to hear.

    Raises:
        NotRestored: it was the call that was lost.
    """
    try:
        yield
    except CallLost as error:
        raise NotRestored(f"{error.reason}; {what} was not brought back", device=device) from None


@contextmanager
def clock_kept(meter: Driver, armed: Armed, clock: Clock, journal: Journal) -> Iterator[KeptClock]:
    """Do something to a clock; afterwards it goes on from what it was, set only if it does not."""
    kept = KeptClock(meter, armed, clock, journal)
    try:
        yield kept
    finally:
        with bringing_back(meter.name, "the clock"):
            if kept.is_off():
                kept.restore()


@contextmanager
def setup_kept(meter: Series, armed: Armed, journal: Journal, names: Sequence[str]) -> Iterator[dict[str, int]]:
    """Do something to registers of a set-up, which are given; afterwards they are programmed again if they differ."""

    def shown() -> dict[str, int]:
        return {name: int(str(value)) for name, value in meter.values(names).items()}

    def differs() -> bool:
        try:
            return shown() != before
        except DeviceError:  # it may be starting
            meter.wait_until_it_answers(_RETURN)
            return shown() != before

    before = shown()
    try:
        yield before
    finally:
        if differs():
            journal.audit("restore set-up", device=meter.name, **before)
            with suppress(DeviceError):  # where a session is still open, which would let no other begin
                meter.discard_setup(armed)
            if differs():
                meter.program(armed, before)


@contextmanager
def object_kept(meter: Elster, armed: Armed, journal: Journal, number: int, size: int) -> Iterator[bytes]:
    """Do something to an object, whose bytes are given; afterwards they are written back if others stand there."""
    before = meter.read_object(number, size)
    try:
        yield before
    finally:
        with bringing_back(meter.name, f"identity {number}"):
            if _other_bytes(meter, number, before):
                journal.audit("restore", device=meter.name, identity=number, data=before)
                meter.log_in(armed, 3)
                meter.write_object(armed, number, before)
                meter.log_out()


def _other_bytes(meter: Elster, number: int, before: bytes) -> bool:
    """Whether an object holds something else, or cannot be read: what it held may be written back in any case."""
    try:
        return meter.read_object(number, len(before)) != before
    except DeviceError:
        return True
