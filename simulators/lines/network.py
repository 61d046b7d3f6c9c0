"""A network connection: what is sent arrives whole, in order, after a delay in each direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protocols.conversation import Reply
from simulators.lines.burst import Burst, Inbox
from simulators.lines.framing import Framing
from simulators.world import MILLISECOND, World

#: A network has no characters; at this speed a burst of any length arrives within its last nanosecond.
_AT_ONCE = Framing(10**18, "8N1")


class Server(Protocol):
    """The far end of one connection."""

    @property
    def broken(self) -> Exception | None:
        """Why the connection is to be closed once what was answered is sent, or None."""

    def receive(self, data: bytes, now: int) -> list[Reply]:
        """The answers to what has arrived, each with a delay (ns)."""


class Connection:
    """One open connection: bytes go to the far end's server and its answers come into the inbox."""

    __slots__ = ("_arrived_at", "_network", "_server", "_under_way", "inbox", "on_burst")

    def __init__(self, network: Network) -> None:
        self._network = network
        self.inbox = Inbox()
        self.on_burst: Callable[[Burst], None] | None = None
        self._arrived_at = 0
        self._under_way = 0
        self._server = network.serve(self._answer)

    @property
    def broken(self) -> Exception | None:
        """Why the far end wants to close the connection, or None."""
        return self._server.broken

    @property
    def backlog(self) -> int:
        """How many messages are under way or wait at the far end; only a gateway has a queue of its own."""
        return self._under_way + int(getattr(self._server, "waiting", 0))

    @property
    def calm(self) -> bool:
        """Whether nothing is under way or waits, and nothing is broken."""
        return not self._under_way and self._server.broken is None and not self.backlog

    def write(self, data: bytes) -> int:
        """Send bytes to the far end; returns the instant (ns) at which they arrive there."""
        world = self._network.world
        world.digest.note(world.now, self._network.name, data)
        arrival = max(world.now + self._network.delay, self._arrived_at)
        self._arrived_at = arrival
        self._under_way += 1
        world.call_at(arrival, lambda: self._arrive(data))
        return arrival

    def exchange(self, data: bytes) -> bytes:
        """On an immediate network: the answers that are there at once, without an event and without a digest.

        What the far end answers later goes into the inbox.
        """
        replies = self._server.receive(data, self._network.world.now)
        if len(replies) == 1 and not replies[0].delay:
            return replies[0].data
        for reply in replies:
            if reply.delay:
                self._leave_after(reply.delay, reply.data)
        return b"".join(reply.data for reply in replies if not reply.delay)

    def _arrive(self, data: bytes) -> None:
        self._under_way -= 1
        for reply in self._server.receive(data, self._network.world.now):
            self._leave_after(self._network.turnaround + reply.delay, reply.data)

    def _leave_after(self, delay: int, data: bytes) -> None:
        def leave() -> None:
            self._under_way -= 1
            if self._network.supplied(data):
                self._answer(data)

        self._under_way += 1
        self._network.world.call_at(self._network.world.now + delay, leave)

    def _answer(self, data: bytes) -> None:
        world = self._network.world
        world.digest.note(world.now, self._network.name, data)
        burst = Burst(world.now + self._network.delay, data, _AT_ONCE)
        self.inbox.put(burst)
        if self.on_burst is not None:
            self.on_burst(burst)


class Network:
    """A network between the bench and devices.

    Args:
        world: whose time holds.
        name: names it in the digest.
        serve: makes the far end of each new connection; given a call-back for answers that come later.
        delay: one way, ns.
        turnaround: how long the device takes to answer, ns.
        supplied: whether whoever answers so still has its supply when the answer is to leave.
    """

    def __init__(
        self,
        world: World,
        name: str,
        serve: Callable[[Callable[[bytes], None]], Server],
        *,
        delay: int = MILLISECOND,
        turnaround: int = 20 * MILLISECOND,
        supplied: Callable[[bytes], bool] = lambda _answer: True,
    ) -> None:
        self.world = world
        self.name = name
        self.delay = delay
        self.turnaround = turnaround
        self.serve = serve
        self.supplied = supplied

    @property
    def immediate(self) -> bool:
        """Whether nothing takes any time here, so that an answer needs no event."""
        return self.delay == 0 and self.turnaround == 0

    def connect(self) -> Connection:
        """Open a connection."""
        return Connection(self)
