"""A tap: somebody who hears what a device hears and what it says, at its end of the line and at the exact instant."""

from __future__ import annotations

from typing import Protocol


class Tap(Protocol):
    """Told of each request when a device has it whole, and of each answer when its first bit leaves the device."""

    def __call__(self, where: object, way: str, t: int, data: bytes) -> None:
        """Hear something.

        Args:
            where: the line, or the connection: the stream of bytes that this is a part of.
            way: "tx" towards the device, "rx" from it.
            t: the instant (ns).
            data: a whole frame on a line, any part of the stream on a connection.
        """
