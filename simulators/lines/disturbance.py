"""What can befall a frame on its way: the seam through which a line fault acts on a serial line or a network.

A medium without a fault has None in its place and pays one comparison a frame. A fault is told of every frame when it
sets out and says what comes of it: nothing, another frame, several, or the same later. Whatever else a fault does
(switch the echo on, speak itself, cut the line) it does through the medium it was put on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from simulators.lines.framing import Framing


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes that set out in one direction.

    Attributes:
        data: the bytes.
        start: the instant (ns) of the first start bit; on a network the instant of arrival.
        to_device: whether it is a request; else it is an answer.
        framing: speed and framing of who sends it, None on a network.
    """

    data: bytes
    start: int
    to_device: bool
    framing: Framing | None = None

    def time_of(self, characters: int) -> int:
        """How long (ns) so many characters take: none at all on a network."""
        return 0 if self.framing is None else self.framing.time_of(characters)

    @property
    def end(self) -> int:
        """The instant (ns) at which the last byte is there."""
        return self.start + self.time_of(len(self.data))


class Effect(Protocol):
    """One fault that is switched on."""

    def pass_on(self, frame: Frame) -> Iterable[Frame]:
        """What comes of a frame."""

    def end(self) -> None:
        """The fault is over: undo what is not a matter of single frames."""


class Disturbance:
    """The faults of one medium, in the order in which they were switched on."""

    __slots__ = ("effects",)

    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def pass_on(self, frame: Frame) -> list[Frame]:
        """What comes of a frame after all of them."""
        frames = [frame]
        for effect in self.effects:
            frames = [after for before in frames for after in effect.pass_on(before)]
        return [found for found in frames if found.data]


class Death:
    """When a medium was cut, and until when nobody gets through."""

    __slots__ = ("at", "until")

    def __init__(self) -> None:
        self.at: int | None = None
        self.until = 0

    def strike(self, at: int, duration: int) -> None:
        """Cut the medium at an instant (ns) for a time (ns)."""
        self.at, self.until = at, at + duration

    def took(self, opened: int, now: int) -> bool:
        """Whether what was opened at an instant (ns) is dead by `now`: it does not come back, a new one may."""
        return self.at is not None and now >= self.at and opened < self.until


class LinkDied(ConnectionError):
    """The link was cut under a connection."""

    def __init__(self) -> None:
        super().__init__("the link died")
