"""The kernel: one discrete-event world in integer nanoseconds, and the only place that moves its time.

A SimPy environment holds the events; this module drives it. Three rules make it safe to hang blocking clients on it:

* :meth:`World.run_until` is the only door through which time moves, and it refuses to be entered twice: plain SimPy
  allows a nested ``run`` silently and then the order of events is no longer defined.
* What happens inside is never lost: the original exception of a process or call-back stops the run and comes out whole.
* A wait that nothing can ever end raises :class:`Deadlock` at once instead of hanging.

Bytes on a line cost no event each: a waiter tells *when* its condition will hold as far as is known now, and the world
runs the events that come before.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Generator
from heapq import heappush
from typing import Any

import simpy
from simpy.events import NORMAL, Event

#: One second in the world's unit.
SECOND = 1_000_000_000
MILLISECOND = 1_000_000

#: How many happenings the digest gathers before it hashes them.
_FOLD_AFTER = 256

#: Tells the instant (ns) at which a condition holds as far as is known now; None while nothing is known.
Due = Callable[[], "int | None"]


class WorldError(Exception):
    """The world was used in a way that would make its time meaningless.

    ::

        WorldError
        +-- Reentrancy   time was to be moved from inside the world, or from a second thread
        +-- Deadlock     a wait without a deadline that no scheduled event can end
        +-- OutOfTime    the virtual-time budget of a run is used up
    """


class Reentrancy(WorldError):
    """Time was to be moved from inside an event or from a second thread."""


class Deadlock(WorldError):
    """A wait without a deadline, and nothing is scheduled that could end it."""


class OutOfTime(WorldError):
    """The virtual-time budget of this world is used up."""


class _Environment(simpy.Environment):
    """SimPy's environment, with its clock set by the world between two events.

    Touches the private `_now` and `_queue`; tests/simulators/test_world.py holds the contract with SimPy 4.
    """

    _now: int

    def peek_ns(self) -> int | None:
        queue = self._queue
        return queue[0][0] if queue else None  # type: ignore[return-value]  # delays are integers: call_at sees to it

    def set_now(self, now: int) -> None:
        self._now = now


class Digest:
    """A running fingerprint of everything that happened on the lines and in the meters of a world."""

    __slots__ = ("_hash", "_pending")

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._pending: list[bytes] = []

    def note(self, now: int, what: str, data: bytes = b"") -> None:
        """Add one happening: the instant (ns), a short word for it, and its bytes."""
        self._pending.append(b"%d %s %s\n" % (now, what.encode(), data.hex().encode()))
        if len(self._pending) > _FOLD_AFTER:
            self._fold()

    def _fold(self) -> None:
        self._hash.update(b"".join(self._pending))
        self._pending.clear()

    def hexdigest(self) -> str:
        """The fingerprint so far: 32 hexadecimal digits."""
        self._fold()
        return self._hash.hexdigest()


class World:
    """One simulated world: a clock, its events, named random streams and a digest of what happened.

    Args:
        seed: the root of every random stream; equal seeds give equal digests on every machine.
        budget: the virtual time (ns) this world may live, None for no limit. Recurring events defeat the deadlock
            check, so a test gives its world a budget.
    """

    def __init__(self, seed: int = 0, *, budget: int | None = None) -> None:
        self.seed = seed
        self._end = budget if budget is not None else 1 << 63
        self.env = _Environment(0)
        self.digest = Digest()
        #: Called with the instant (ns) that time is about to move to; a paced world waits here for the wall clock.
        self.pace: Callable[[int], None] | None = None
        self._moving = False
        self._owner: int | None = None
        self._failure: BaseException | None = None

    @property
    def now(self) -> int:
        """The instant in nanoseconds since the world began."""
        return self.env._now

    def stream(self, entity: str, occasion: str | int = "") -> random.Random:
        """The random stream of an entity on an occasion: the same alone, in a fleet and in any order of calls."""
        key = f"{self.seed}\0{entity}\0{occasion}".encode()
        return random.Random(int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big"))  # noqa: S311  # a simulation

    def call_at(self, when: int, action: Callable[[], None]) -> Event:
        """Run `action` at the instant `when` (ns); those of one instant in the order of asking."""
        now = self.env._now
        if when < now:
            raise WorldError(f"an action was asked for at {when} ns, but it is already {now} ns")
        event = Event(self.env)
        event._ok = True
        event._value = None
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._guarded(action))
        heappush(self.env._queue, (when, NORMAL, next(self.env._eid), event))
        return event

    def process(self, generator: Generator[Event, Any, Any]) -> simpy.Process:
        """Start a SimPy process; what it raises comes out of the run that was going on, unchanged."""
        return self.env.process(self._guarded_process(generator))

    def _guarded(self, action: Callable[[], None]) -> None:
        if self._failure is None:
            try:
                action()
            except BaseException as error:  # noqa: BLE001  # kept and raised whole by run_until
                self._failure = error

    def _guarded_process(self, generator: Generator[Event, Any, Any]) -> Generator[Event, Any, Any]:
        try:
            return (yield from generator)
        except GeneratorExit:  # nobody can resume it any more: it is thrown away, it has not failed
            raise
        except BaseException as error:  # noqa: BLE001  # SimPy would rebuild it from its args and may lose it
            self._failure = error
            return None

    def run_until(self, due: Due, deadline: int | None) -> bool:
        """Move time until `due` says its condition holds, or to `deadline` (ns). The only place that moves time.

        What happens exactly at the deadline still counts. Events that lie at the reached instant have run.

        Returns:
            True if the condition holds, False if the deadline came first.

        Raises:
            Reentrancy: called from inside an event, or from a second thread.
            Deadlock: no deadline, and nothing scheduled can end the wait.
            OutOfTime: the world's budget is used up.
        """
        self._enter()
        try:
            return self._run(due, deadline)
        finally:
            self._moving = False

    def _enter(self) -> None:
        if self._moving:
            raise Reentrancy("time is already being moved: what happens in the world must not block on it")
        thread = threading.get_ident()
        if self._owner is None:
            self._owner = thread
        elif self._owner != thread:
            raise Reentrancy("a second thread tried to move the time of this world")
        self._moving = True

    def _run(self, due: Due, deadline: int | None) -> bool:
        env = self.env
        if deadline is not None:
            deadline = max(deadline, env._now)
        while True:
            ready = due()
            following = env.peek_ns()
            if ready is not None and ready <= env._now:
                if following is None or following > env._now:
                    return True
                ready = env._now
            limit = ready if deadline is None else deadline if ready is None else min(ready, deadline)
            if limit is None and following is None:
                raise Deadlock("waiting without a deadline for something that nothing scheduled can bring about")
            if following is not None and (limit is None or following <= limit):
                self._step(following)
                continue
            assert limit is not None
            self._move(limit)
            return ready is not None and ready <= limit

    def _step(self, when: int) -> None:
        if when > self.env._now:
            self._move(when)
        self.env.step()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _move(self, when: int) -> None:
        if when > self._end:
            raise OutOfTime(f"the budget of {self._end / SECOND:g} s of virtual time is used up")
        if self.pace is not None:
            self.pace(when)
        if when > self.env._now:
            self.env.set_now(when)

    def advance_to(self, when: int) -> None:
        """Let everything up to and including the instant `when` (ns) happen; does nothing if it has passed."""
        if when >= self.now:
            self.run_until(_never, when)

    def sleep(self, duration: int) -> None:
        """Let `duration` (ns) pass.

        Polling clients live here, so the common case (nothing scheduled in between) takes no detour.
        """
        env = self.env
        when = env._now + duration
        queue = env._queue
        if (
            (not queue or queue[0][0] > when)
            and self.pace is None
            and not self._moving
            and duration >= 0
            and when <= self._end
            and self._owner == threading.get_ident()
        ):
            env._now = when
            return
        self.advance_to(when)


def _never() -> int | None:
    return None
