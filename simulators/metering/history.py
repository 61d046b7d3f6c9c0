"""Sets of registers that are kept, at each billing reset or midnight: the newest first, the oldest gives way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredSet(Generic[T]):
    """Registers as they were at `at` (ns of standard time), and the bits of what triggered it."""

    at: int
    triggers: int
    registers: T


class RegisterHistory(Generic[T]):
    """The latest sets.

    Args:
        capacity: how many are kept.
    """

    __slots__ = ("sets",)

    def __init__(self, capacity: int) -> None:
        #: The newest first.
        self.sets: deque[StoredSet[T]] = deque(maxlen=capacity)

    def store(self, at: int, triggers: int, registers: T) -> None:
        """Keep a set of registers; the oldest gives way."""
        self.sets.appendleft(StoredSet(at, triggers, registers))


class ResetLock:
    """Locks manual billing resets for a while after one (A1140 manual p. 124: until midnight, or for a set time).

    Args:
        time: for how long (ns); None is until midnight, 0 never.
    """

    __slots__ = ("locked_until", "time")

    def __init__(self, time: int | None = 0) -> None:
        self.time = time
        #: Until when (ns of standard time) a reset is refused.
        self.locked_until = 0

    def locked(self, at: int) -> bool:
        """Whether a manual reset at `at` (ns of standard time) is refused."""
        return at < self.locked_until

    def lock(self, at: int, midnight: int) -> None:
        """A manual reset was carried out at `at`; the day ends at `midnight` (both ns of standard time)."""
        self.locked_until = midnight if self.time is None else at + self.time
