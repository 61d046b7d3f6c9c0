"""A world kept in pace with the wall clock by an asyncio loop. Nothing in the world knows of it.

One timer is armed, for the next event. Whatever comes from outside first brings the world to the instant that the wall
clock stands for, so a late wake-up shifts nothing: events happen at their own instants, and only the moment at which
their bytes reach a real port is late. How late is measured. ::

    bytes on a port  ->  act(...)  catch_up, inject, arm
    timer            ->  catch_up, arm

An exception from inside the world ends :meth:`RealTime.run` and comes out whole. A loop from :func:`new_loop` wakes up
within a fraction of a millisecond, where asyncio's own would be up to a whole one late.
"""

from __future__ import annotations

import asyncio
import select
import selectors
import sys
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, TypeVar

from simulators.world import SECOND, World

T = TypeVar("T")

#: How many wake-ups the statistics look back on.
_REMEMBERED = 10_000
#: The end of a wait (s) that is timed finely; the rest of a longer one is waited for at no extra cost.
_FINE = 0.05
#: The highest descriptor that `select` takes, plus one.
_SELECTABLE = 1024

if sys.platform == "linux":

    class _FineSelector(selectors.EpollSelector):
        """Epoll with a fine clock: on its own it waits for whole milliseconds, rounded up.

        Its descriptor can itself be waited for, by a system call that counts in microseconds.
        """

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is None or timeout <= 0 or self.fileno() >= _SELECTABLE:
                return super().select(timeout)
            if timeout > _FINE:
                return super().select(timeout - _FINE / 2)  # too early, and the loop asks again
            select.select([self.fileno()], [], [], timeout)
            return super().select(0)

    def new_loop() -> asyncio.AbstractEventLoop:
        """An event loop for a paced world, as fine as the platform has it."""
        return asyncio.SelectorEventLoop(_FineSelector())

else:
    new_loop = asyncio.new_event_loop


class Lateness:
    """How late (wall ns) the timer woke the world for its events."""

    __slots__ = ("_recent", "count", "worst")

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_REMEMBERED)
        self.count = 0
        self.worst = 0

    def note(self, late: int) -> None:
        """One wake-up was so late."""
        self._recent.append(late)
        self.count += 1
        self.worst = max(self.worst, late)

    def percentile(self, percent: int) -> int:
        """The lateness that so many percent of the recent wake-ups did not exceed; 0 before the first."""
        ranked = sorted(self._recent)
        return ranked[max(0, -(-len(ranked) * percent // 100) - 1)] if ranked else 0

    def summary(self) -> dict[str, int]:
        """Count, median, 99th percentile and maximum, in ns of the wall clock."""
        return {"count": self.count, "p50": self.percentile(50), "p99": self.percentile(99), "max": self.worst}


class RealTime:
    """Keeps a world in pace, from inside a running asyncio loop.

    Args:
        world: whose instant 0 is the present moment.
        speed: how many world seconds pass in one second of the wall clock.

    Raises:
        ValueError: a speed that is not above zero.
    """

    def __init__(self, world: World, *, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"a speed of {speed:g} does not exist: it is above 0")
        self.world = world
        self.speed = speed
        self.lateness = Lateness()
        self.loop = asyncio.get_running_loop()
        self._start = perf_counter_ns() - round(world.now / speed)
        self._timer: asyncio.TimerHandle | None = None
        self._armed: int | None = None
        self._failure: asyncio.Future[None] = self.loop.create_future()
        self.loop.set_exception_handler(self._failed)
        self.arm()

    def wall(self) -> int:
        """The world's instant (ns) that the wall clock stands for."""
        elapsed = perf_counter_ns() - self._start
        return elapsed if self.speed == 1 else round(elapsed * self.speed)

    def catch_up(self) -> int:
        """Let happen what was to happen by now; returns the instant (ns) reached."""
        world = self.world
        now = self.wall()
        behind = now - world.now
        if behind <= 0:
            return world.now
        world.sleep(behind)
        return now

    def act(self, action: Callable[[], T]) -> T:
        """Do something to the world from outside: at this instant, after all that came before."""
        now = self.catch_up()
        result = action()
        due = self.world.env.peek_ns()
        if due is not None and due <= now:
            self.world.advance_to(now)
        self.arm()
        return result

    def arm(self) -> None:
        """See that the timer stands at the next event. Needed after everything that may have added one."""
        due = self.world.env.peek_ns()
        if due == self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = due
        if due is not None:
            self._timer = self.loop.call_later(max(0, due - self.wall()) / self.speed / SECOND, self._wake, due)

    def _wake(self, due: int) -> None:
        self._armed = self._timer = None
        late = self.wall() - due
        if late >= 0:  # a coarse clock may wake a little early; then the timer is armed again
            self.lateness.note(round(late / self.speed))
            self.catch_up()
        self.arm()

    async def run(self, until: asyncio.Event) -> None:
        """Keep pace until the event is set; raises what was raised in the world or at its doors."""
        ended: asyncio.Future[Any] = asyncio.ensure_future(until.wait())
        await asyncio.wait({ended, self._failure}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if self._failure.done():
            self._failure.result()

    def close(self) -> None:
        """Let go of the wall clock: the world stands still."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.loop.set_exception_handler(None)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Asyncio hands over what a call-back raised. Trouble of one socket is not the world's."""
        error = context.get("exception")
        if not isinstance(error, BaseException) or isinstance(error, OSError):
            loop.default_exception_handler(context)
        elif not self._failure.done():
            self._failure.set_exception(error)
