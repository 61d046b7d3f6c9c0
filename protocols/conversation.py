"""Conversations: the asking side of a protocol as a generator without a port and without a clock.

A client yields what it wants done and is resumed with what came of it; whoever runs it owns the port and the time.
One source therefore serves a blocking port, a simulated bus and a test that joins it to a server with no line at all::

    def ask() -> Conversation[bytes]:
        yield Send(request)
        return (yield Receive(until_complete, timeout=1_500_000_000))

All times are integer nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: Given the bytes received so far, the length of the first complete message, or None while it is incomplete.
Rule = Callable[[bytes], "int | None"]


class ProtocolError(Exception):
    """The bytes of the other side break the protocol; the head of the family that every protocol's errors belong to."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put `data` on the line. Resumed with b"" when the line has taken it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for one message. Resumed with its bytes, or with what had come when `timeout` (ns) ran out.

    With a `gap` the time-out holds for the first character, and the gap (ns) for each one after it.
    """

    rule: Rule
    timeout: int
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Let `time` (ns) pass. Resumed with b""."""

    time: int


@dataclass(frozen=True, slots=True)
class SetLine:
    """Change the speed (Bd) and the character framing ("7E1", "8N1" ...) of the line. Resumed with b""."""

    baud: int
    framing: str


Step = Send | Receive | Wait | SetLine
Conversation = Generator[Step, bytes, T]


@dataclass(slots=True)
class Reply:
    """What a server answers: `data` to be sent `delay` (ns) after the instant it was asked.

    Not frozen like the rest: one is made for every answer, and a frozen one takes three times as long to make.
    """

    data: bytes
    delay: int = 0
