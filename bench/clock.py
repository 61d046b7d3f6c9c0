"""The bench's clock: virtual or wall, and the scoped shim that lets third-party clients live in virtual time.

A client library that reads the wall clock in a virtual run does not merely cost time, it hides defects: its waits do
not exist for the meter. So for as long as a virtual station is open, the names bound to clock functions *inside the
listed modules only* are replaced; pytest, Allure and logging keep the wall clock. Meanwhile `time.sleep` itself is an
error on the thread that opened the station: whoever still sleeps on the wall is not in the table.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from simulators.world import SECOND, World

#: Which names of which modules a virtual run binds anew, by library. tests/bench/test_clock.py holds the contract.
SHIMMED: dict[str, tuple[tuple[str, str], ...]] = {
    "pymodbus": (("pymodbus.client.serial", "time"), ("pymodbus.transaction.transaction", "monotonic")),
}
#: A wall sleep shorter than this (s) in a virtual run is let pass: threads yielding, not clients waiting.
_TOLERATED = 0.0005


class WallClockLeak(AssertionError):
    """Something in a virtual run slept on the wall clock; its defects would be invisible."""


class Clock(Protocol):
    """Time as the bench sees it: ns since the station was opened, and a way to let time pass."""

    virtual: bool

    def now(self) -> int:
        """Nanoseconds since the station was opened."""

    def sleep(self, duration: int) -> None:
        """Let `duration` (ns) pass."""


class WallClock:
    """The clock of real and served stations."""

    virtual = False

    def __init__(self) -> None:
        self._start = time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since the station was opened."""
        return time.monotonic_ns() - self._start

    def sleep(self, duration: int) -> None:
        """Let `duration` (ns) pass on the wall."""
        time.sleep(max(0, duration) / SECOND)


class VirtualClock:
    """The clock of a station whose links are all simulated: the world's."""

    virtual = True

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> int:
        """The world's instant in ns."""
        return self._world.now

    def sleep(self, duration: int) -> None:
        """Let `duration` (ns) pass in the world."""
        self._world.sleep(max(0, duration))


class _VirtualTime:
    """What a shimmed module finds under the name `time`: seconds of the world, and a sleep that moves it."""

    __slots__ = ("_env", "_sleep")

    def __init__(self, world: World) -> None:
        self._sleep = world.sleep
        self._env = world.env

    def time(self) -> float:
        return self._env._now / SECOND  # noqa: SLF001  # polling clients ask this more often than anything else

    monotonic = time
    perf_counter = time

    def sleep(self, seconds: float) -> None:
        self._sleep(round(seconds * SECOND))


@contextmanager
def virtual_time(world: World) -> Iterator[None]:
    """Let the listed client libraries live in a world's time, and nobody sleep on the wall meanwhile."""
    stand_in = _VirtualTime(world)
    kept: list[tuple[object, str, object]] = []

    def bind(module: object, name: str, value: object) -> None:
        kept.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    for names in SHIMMED.values():
        for module_name, name in names:
            bind(import_module(module_name), name, stand_in if name == "time" else getattr(stand_in, name))
    bind(time, "sleep", _guarded(time.sleep))
    try:
        yield
    finally:
        for module, name, value in reversed(kept):
            setattr(module, name, value)


def _guarded(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """A `time.sleep` that refuses the thread of the open station and lets every other one sleep.

    Python 3.13 has an audit event for this; before, there is only the name.
    """
    thread = threading.get_ident()

    def guarded(seconds: float) -> None:
        if seconds > _TOLERATED and threading.get_ident() == thread:
            raise WallClockLeak(f"a client slept {seconds:g} s on the wall clock in a virtual run; see bench/clock.py")
        sleep(seconds)

    return guarded
