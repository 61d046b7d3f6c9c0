"""Event logs: how often something happened, and when it did so the last three times.

The count has 16 bits and begins again at 0 (A1140 manual p. 28). Each time stamp has something with it: the phases that
failed, what triggered a billing reset, who programmed and from where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

#: How many occurrences keep their time.
REMEMBERED = 3
_COUNTS = 65_536


def counted(count: int) -> int:
    """The count after one more occurrence: 65535 is followed by 0."""
    return (count + 1) % _COUNTS


@dataclass(frozen=True, slots=True)
class Occurrence(Generic[T]):
    """When something happened (ns of standard time), and what goes with it."""

    at: int
    info: T


def pushed(before: tuple[Occurrence[T], ...], new: Occurrence[T]) -> tuple[Occurrence[T], ...]:
    """The occurrences that keep their time, the newest first: the oldest gives way."""
    return (new, *before)[:REMEMBERED]


@dataclass(frozen=True, slots=True)
class Programming:
    """Who programmed, and whether on the spot (optical) or from afar."""

    remote: bool
    user: bytes


class EventLog(Generic[T]):
    """A log of one kind of event.

    Args:
        before: how often it had happened when the log began.
    """

    __slots__ = ("count", "latest")

    def __init__(self, before: int = 0) -> None:
        self.count = before
        #: The latest occurrences, the newest first.
        self.latest: tuple[Occurrence[T], ...] = ()

    def note(
        self,
        at: int,
        info: T,
        *,
        count: Callable[[int], int] = counted,
        push: Callable[[tuple[Occurrence[T], ...], Occurrence[T]], tuple[Occurrence[T], ...]] = pushed,
    ) -> None:
        """It happened at `at` (ns of standard time); `count` and `push` are what a firmware may do differently."""
        self.count = count(self.count)
        self.latest = push(self.latest, Occurrence(at, info))

    def copy(self) -> EventLog[T]:
        """The same log, to be kept."""
        other: EventLog[T] = EventLog()
        other.count, other.latest = self.count, self.latest
        return other
