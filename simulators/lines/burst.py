"""A burst: bytes that follow one another without a gap, each with its own instant of arrival."""

from __future__ import annotations

from collections.abc import Callable

from simulators.lines.framing import Framing

#: What somebody hears of bytes that were sent.
Ear = Callable[[bytes], bytes]


def _as_sent(data: bytes) -> bytes:
    """The ear of who listens as it was spoken."""
    return data


class Burst:
    """Bytes that one station sends without a gap.

    Args:
        start: the instant (ns) at which the first start bit begins.
        data: the bytes.
        framing: the sender's speed and framing.
        sender: who speaks.
        ear: what becomes of the bytes where they are heard.
    """

    __slots__ = ("_ear", "_taken", "copies", "data", "end", "framing", "garbled", "sender", "start")

    def __init__(self, start: int, data: bytes, framing: Framing, sender: object = None, ear: Ear = _as_sent) -> None:
        self.start = start
        self.data = data
        self._ear = ear
        self.framing = framing
        self.sender = sender
        self.end = start + framing.time_of(len(data))
        self._taken = 0
        #: How many others have talked into it.
        self.garbled = 0
        #: The same burst on its way to further ports.
        self.copies: list[Burst] = []

    def garble(self, data: bytes) -> None:
        """The bytes turn out to be others, because somebody talks at the same time."""
        self.garbled += 1
        self.data = data
        for burst in self.copies:
            burst.data = burst._ear(data)  # noqa: SLF001  # a burst of the same kind

    def cut(self, now: int) -> None:
        """The sender falls silent: of what is not on its way yet, and of a character that is, nothing arrives."""
        for burst in (self, *self.copies):
            whole = len(burst.data) - burst.left + burst.arrived(now)
            burst.data = burst.data[:whole]
            burst.end = burst.start + burst.framing.time_of(whole)

    def copy(self, ear: Ear = _as_sent, framing: Framing | None = None) -> Burst:
        """The burst for one more port, which may hear other bytes, and another number of them in the same time."""
        self.copies.append(Burst(self.start, ear(self.data), framing or self.framing, self.sender, ear))
        return self.copies[-1]

    def arrived(self, now: int) -> int:
        """How many bytes have arrived whole by `now` and are not taken yet; a byte that ends exactly now counts."""
        if now >= self.end:
            return self.left
        if now <= self.start:
            return 0
        # The largest k with time_of(k) <= now - start, time_of rounding down: a client that polls asks this very often.
        return ((now - self.start + 1) * self.framing.baud - 1) // self.framing.character_scale - self._taken

    def arrival_of(self, index: int) -> int:
        """The instant at which the `index`-th byte not yet taken (from 1) has arrived."""
        return self.start + self.framing.time_of(self._taken + index)

    def take(self, count: int) -> bytes:
        """Take the next `count` bytes."""
        taken = self.data[self._taken : self._taken + count]
        self._taken += len(taken)
        return taken

    @property
    def left(self) -> int:
        """How many bytes are not taken yet; who hears at another speed may find fewer once they are garbled."""
        return max(0, len(self.data) - self._taken)


class Inbox:
    """The bytes on their way to one port, burst after burst."""

    __slots__ = ("bursts",)

    def __init__(self) -> None:
        #: The bursts that have bytes left, in order.
        self.bursts: list[Burst] = []

    def put(self, burst: Burst) -> None:
        """A burst is on its way."""
        self.bursts.append(burst)

    def available(self, now: int) -> int:
        """How many bytes can be read at `now`."""
        count = 0
        for burst in self.bursts:
            count += burst.arrived(now)
            if now < burst.end:  # a second talker's bytes wait behind the first one's
                break
        return count

    def due(self, count: int) -> int | None:
        """The instant at which `count` bytes will be there, None as long as fewer are on their way."""
        ahead = 0
        for burst in self.bursts:
            if count <= burst.left:
                return max(ahead, burst.arrival_of(count))
            count -= burst.left
            ahead = max(ahead, burst.end)
        return None

    def take(self, count: int, now: int) -> bytes:
        """Up to `count` bytes that have arrived by `now`."""
        parts = []
        while self.bursts and count:
            burst = self.bursts[0]
            part = burst.take(min(count, burst.arrived(now)))
            parts.append(part)
            count -= len(part)
            if burst.left:
                break
            self.bursts.pop(0)  # of one that was cut within its first character nothing ever comes
        return b"".join(parts)

    def clear(self, now: int) -> None:
        """Throw away what has arrived by `now`; what is still on its way arrives later."""
        self.take(self.available(now), now)
