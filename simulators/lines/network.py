"""A network connection: what is sent arrives whole, in order, after a delay in each direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protocols.conversation import Reply
from simulators.lines.burst import Burst, Inbox
from simulators.lines.disturbance import Death, Disturbance, Frame, LinkDied
from simulators.lines.framing import Framing
from simulators.lines.tap import Tap
from simulators.world import MILLISECOND, World

#: A network has no characters; at this speed a burst of any length arrives within its last nanosecond.
_AT_ONCE = Framing(10**18, "8N1")


class Server(Protocol):
    """The far end of one connection."""

    @property
    def broken(self) -> Exception | None:
        """Why the connection is to be closed once what was answered is sent, or None."""

    @property
    def waiting(self) -> int:
        """How many requests are queued for the devices."""

    def receive(self, data: bytes, now: int) -> list[Reply]:
        """The answers to what has arrived, each with a delay (ns)."""


class Connection:
    """One open connection: bytes go to the far end's server and its answers come into the inbox."""

    __slots__ = ("__weakref__", "_answered_at", "_arrived_at", "_network", "_opened", "_server", "_under_way", "inbox",
                 "on_burst")  # fmt: skip

    def __init__(self, network: Network) -> None:
        self._network = network
        self._opened = network.world.now
        self.inbox = Inbox()
        self.on_burst: Callable[[Burst], None] | None = None
        self._arrived_at = 0
        self._answered_at = 0
        self._under_way = 0
        self._server = network.serve(self._answer)

    @property
    def broken(self) -> Exception | None:
        """Why the connection is to be closed, or None."""
        return LinkDied() if self.dead else self._server.broken

    @property
    def dead(self) -> bool:
        """Whether the network was cut under this connection."""
        death = self._network.death
        return death.at is not None and death.took(self._opened, self._network.world.now)

    @property
    def dies_at(self) -> int | None:
        """The instant (ns) at which the network is cut under this connection, None if it is not."""
        death = self._network.death
        return death.at if death.at is not None and self._opened < death.until else None

    @property
    def backlog(self) -> int:
        """How many messages are under way or wait at the far end; only a gateway has a queue of its own."""
        return self._under_way + self._server.waiting

    @property
    def calm(self) -> bool:
        """Whether nothing is under way or waits, and nothing is broken."""
        server = self._server
        return not self._under_way and server.broken is None and not server.waiting and not self.dead

    def write(self, data: bytes) -> int:
        """Send bytes to the far end; returns the instant (ns) at which they arrive there."""
        world = self._network.world
        world.digest.note(world.now, self._network.name, data)
        arrival = max(world.now + self._network.delay, self._arrived_at)
        self._arrived_at = arrival
        if self._network.disturbance is None:
            self._under_way += 1
            world.call_at(arrival, lambda: self._arrive(data))
        else:
            self._write_disturbed(Frame(data, arrival, to_device=True), self._network.disturbance)
        return arrival

    def _write_disturbed(self, whole: Frame, disturbance: Disturbance) -> None:
        """What the faults make of a request; a connection keeps the order of its bytes."""
        for frame in disturbance.pass_on(whole):
            self._arrived_at = max(frame.start, self._arrived_at)
            self._under_way += 1
            self._network.world.call_at(self._arrived_at, lambda data=frame.data: self._arrive(data))  # type: ignore[misc]  # a default binds it

    def exchange(self, data: bytes, now: int) -> bytes:
        """On an immediate network: the answers that are there at once (ns), without an event and without a digest.

        What the far end answers later goes into the inbox.
        """
        tap = self._network.tap
        replies = self._server.receive(data, now)
        if tap is not None:
            tap(self, "tx", now, data)
            for reply in replies:
                tap(self, "rx", now + reply.delay, reply.data)
        if len(replies) == 1 and not replies[0].delay:
            return replies[0].data
        for reply in replies:
            if reply.delay:
                self._leave_after(reply.delay, reply.data)
        return b"".join(reply.data for reply in replies if not reply.delay)

    def _arrive(self, data: bytes) -> None:
        self._under_way -= 1
        if self.dead:
            return
        now, tap, turnaround = self._network.world.now, self._network.tap, self._network.turnaround
        if tap is not None:
            tap(self, "tx", now, data)
        for reply in self._server.receive(data, now):
            if tap is not None:
                tap(self, "rx", now + turnaround + reply.delay, reply.data)
            self._leave_after(turnaround + reply.delay, reply.data)

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
        arrival = world.now + self._network.delay
        if self._network.disturbance is None:
            self._come_in(data, arrival)
            return
        for frame in self._network.disturbance.pass_on(Frame(data, arrival, to_device=False)):
            self._answered_at = max(frame.start, self._answered_at)
            self._come_in(frame.data, self._answered_at)

    def _come_in(self, data: bytes, arrival: int) -> None:
        if self._network.death.took(self._opened, arrival):
            return
        burst = Burst(arrival, data, _AT_ONCE)
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
        #: Hears what devices on the network hear and say; not asked behind a gateway, whose line has a tap of its own.
        self.tap: Tap | None = None
        #: The faults of this network, None as long as there are none.
        self.disturbance: Disturbance | None = None
        self.death = Death()
        self.supplied = supplied

    @property
    def immediate(self) -> bool:
        """Whether nothing takes any time here, so that an answer needs no event."""
        return self.delay == 0 and self.turnaround == 0 and self.disturbance is None

    @property
    def cut_off(self) -> bool:
        """Whether nobody gets through now."""
        return self.death.took(self.world.now, self.world.now)

    def cut(self, at: int, duration: int) -> None:
        """Cut the network at an instant (ns) for a time (ns): connections that are open then are dead for good."""
        self.death.strike(at, duration)

    def connect(self) -> Connection:
        """Open a connection."""
        return Connection(self)
