"""A line whose devices understand single characters: an optical head, RS-232 with a splitter, RS-485.

No silence ends a frame here. A device gets what it has heard at the end of every burst, and before it acts on a
deadline of its own; it says itself when that is. Speed and framing are each device's own and change at any time, so
whoever listens otherwise than another one speaks hears what a UART makes of it (`uart.py`). Everything else is the
serial line's: echo, collisions, faults, a cut, taps. One event per burst, none per byte.

A device's answers leave with the framing that it has when it hands them over. ::

    port.write -> burst -> at its end: talker.receive(data, now) -> replies -> bursts
    talker.deadline() -> alarm -> what has come by then, then talker.wake(now) -> replies
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

from protocols.conversation import Reply
from simulators.lines.burst import Burst, Inbox
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Follows, Port, SerialLine
from simulators.lines.uart import heard
from simulators.world import World

_SEVEN_BITS = bytes(range(128)) * 2
#: What IEC 62056-21 devices speak before anything else is agreed (6.1).
START = Framing(300, "7E1")


_framing = cache(Framing)


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a medium joins those on it.

    Attributes:
        room: how many devices it carries (A1140 data sheet: 10 on RS-232, 32 on RS-485).
        shared: whether both directions share one pair of wires, so that masters and devices garble each other and
            devices hear one another.
    """

    room: int
    shared: bool


#: The media by name; behind a modem, a PAD or a TCP module the meters stand as on RS-485.
WIRINGS = {
    "optical": Wiring(1, shared=False),
    "rs232": Wiring(10, shared=False),
    "rs485": Wiring(32, shared=True),
    "network": Wiring(32, shared=False),
}


class Talker(Protocol):
    """A device: a server that is given bytes and says when it wants to act without any."""

    @property
    def line(self) -> tuple[int, str]:
        """Speed (Bd) and framing with which it listens and speaks now."""

    def receive(self, data: bytes, now: int) -> list[Reply]:
        """The answers to bytes whose last one was whole at `now` (ns); their delays count from there."""

    def deadline(self) -> int | None:
        """When (ns) it wants to be woken if nothing comes, or None."""

    def wake(self, now: int) -> list[Reply]:
        """What it says at its deadline, or behind it."""

    def lose(self, now: int) -> None:
        """Its supply is lost, or the line is."""


class Drop:
    """A device's place on the line; a tap is told of it as where something was heard or said.

    Attributes:
        line: the line.
        name: the device's name.
        talker: the device.
        forced: the framing that a fault has put on it, or None.
        inbox: what it hears.
        alarm: the instant (ns) for which it has an alarm, or None.
    """

    __slots__ = ("alarm", "forced", "inbox", "line", "name", "talker")

    def __init__(self, line: CharacterLine, name: str, talker: Talker) -> None:
        self.line = line
        self.name = name
        self.talker = talker
        self.forced: Framing | None = None
        self.inbox = Inbox()
        self.alarm: int | None = None

    @property
    def framing(self) -> Framing:
        """Speed and framing with which it listens and speaks now."""
        return self.forced or _framing(*self.talker.line)


class CharacterPort(Port):
    """A master's port, which may follow the framing of the line."""

    __slots__ = ("_character_line", "_follows", "_own")

    def __init__(self, line: CharacterLine, framing: Framing, follows: Follows) -> None:
        self._character_line = line
        self._follows = follows
        super().__init__(line, framing)

    @property
    def framing(self) -> Framing:
        """Speed and framing with which it sends and listens now."""
        if self._follows == "nothing":
            return self._own
        line = self._character_line.framing
        return line if self._follows == "line" else _framing(self._own.baud, line.frame)

    @framing.setter
    def framing(self, framing: Framing) -> None:
        self._own = framing


class CharacterLine(SerialLine):
    """A line and everybody on it.

    Args:
        world: whose time holds.
        name: names the line's random stream and its entries in the digest.
        medium: "optical", "rs232", "rs485" or "network".
        framing: what a port gets that asks for none, as long as there is no device.
        echo: whether a port hears what it sends, as behind an optical head or a two-wire adapter.

    Raises:
        KeyError: there is no such medium.
    """

    def __init__(
        self, world: World, name: str, medium: str = "rs485", framing: Framing = START, *, echo: bool = False
    ) -> None:
        self._wiring = WIRINGS[medium]
        self._drops: list[Drop] = []
        self._leading: Drop | None = None
        self._rest = framing
        super().__init__(world, name, framing, turnaround=0, echo=echo)
        self.medium = medium

    # -- who is on it ------------------------------------------------------------------------------------------------

    @property
    def framing(self) -> Framing:
        """What the devices speak now: the one that has changed last, for in a visit the others are at rest."""
        leading = self._leading or (self._drops[0] if self._drops else None)
        return leading.framing if leading is not None else self._rest

    @framing.setter
    def framing(self, framing: Framing) -> None:
        self._rest = framing

    def attach(self, device: Talker, framing: Framing | None = None, *, name: str = "") -> None:  # type: ignore[override]  # a device that is told of silences only would never be asked here
        """Put a device on the line; a framing is put on it in the place of its own.

        Raises:
            ValueError: the medium carries no more devices.
        """
        if len(self._drops) >= self._wiring.room:
            raise ValueError(f"{self.name}: {self.medium} carries {self._wiring.room} devices, not {name} as well")
        drop = Drop(self, name, device)
        drop.forced = framing
        self._drops.append(drop)
        self._watch(drop)

    @property
    def device_count(self) -> int:
        """How many devices are attached."""
        return len(self._drops)

    def open(self, framing: Framing | None = None, *, follows: Follows = "nothing") -> CharacterPort:
        """A new master's port on the line."""
        port = CharacterPort(self, framing or self.framing, follows)
        self._ports.append(port)
        return port

    def reframe(self, framings: Sequence[Framing | None]) -> Sequence[Framing | None]:
        """Put framings on the devices, or leave them (None) to their own; returns what was put on them before."""
        before = [drop.forced for drop in self._drops]
        for drop, framing in zip(self._drops, framings, strict=True):
            drop.forced = framing
        return before

    def _framing_of(self, sender: object) -> Framing:
        return next(drop.framing for drop in self._drops if drop.talker is sender)

    # -- who falls silent or changes its speed -----------------------------------------------------------------------

    def lose(self, name: str) -> None:
        """A device has lost its supply: it stops in the middle of a word and forgets the visit.

        Raises:
            KeyError: there is no such device.
        """
        found = [drop for drop in self._drops if drop.name == name]
        if not found:
            raise KeyError(f"{self.name} has no device {name}")
        for drop in found:
            self._silence_drop(drop)

    def lose_carrier(self) -> None:
        """The call that led here is over: every device falls silent and forgets the visit."""
        for drop in self._drops:
            self._silence_drop(drop)

    def _silence_drop(self, drop: Drop) -> None:
        self.break_off(partial(_speaks, drop))
        drop.inbox = Inbox()
        drop.talker.lose(self.world.now)
        self._watch(drop)

    def retune(self, port: Port, framing: Framing) -> None:
        """A master changes its port's speed or framing at once: what is not out yet leaves as the new one has it."""
        now = self.world.now
        waiting = [burst for burst in self._sent if burst.sender is port and burst.end > now]
        if framing == port.framing or not waiting:
            port.framing = framing
            return
        rest = b"".join(burst.data[burst.arrived(now) :] for burst in waiting)
        self.break_off(lambda burst: burst.sender is port)
        port.framing = framing
        self.send(port, rest, now)

    # -- what is heard -----------------------------------------------------------------------------------------------

    def _begin(self, burst: Burst) -> None:
        now = self.world.now
        if any(other.end <= now for other in self._heard):
            self._hand_over(now)  # what has ended may change how a device listens from now on
        super()._begin(burst)
        if burst not in self._heard:
            return
        for drop in self._drops:
            if drop.talker is not burst.sender and (self._wiring.shared or not self._of_a_device(burst)):
                drop.inbox.put(self._copy(burst, drop.framing, marks=True))

    def _of_a_device(self, burst: Burst) -> bool:
        return any(drop.talker is burst.sender for drop in self._drops)

    def _meet(self, earlier: Burst, later: Burst) -> bool:
        return self._wiring.shared or not isinstance(earlier.sender, Port) ^ isinstance(later.sender, Port)

    def _as_heard(self, burst: Burst, framing: Framing) -> Burst:
        return self._copy(burst, framing, marks=False)

    def _copy(self, burst: Burst, framing: Framing, *, marks: bool) -> Burst:
        """A burst as somebody hears it who listens with a framing; a port does not see marks of a wrong parity."""
        sent = burst.framing
        plain = framing.data_bits == 7 and not marks  # noqa: PLR2004  # bits

        def ear(data: bytes) -> bytes:
            found = heard(data, sent, framing)
            return found.translate(_SEVEN_BITS) if plain else found

        if sent.baud == framing.baud and sent.character_bits == framing.character_bits:
            return burst.copy(ear)
        count = max(1, len(ear(burst.data)))
        bits = count * framing.character_scale
        return burst.copy(ear, Framing(-(-bits // max(1, burst.end - burst.start)), framing.frame))

    def _hear_out(self, burst: Burst) -> None:
        at = max(burst.end, self.world.now)
        self.world.call_at(at, lambda: self._ended(at))

    def _ended(self, at: int) -> None:
        self._heard = [burst for burst in self._heard if burst.end > at]
        self._sent = [burst for burst in self._sent if burst.end > at]
        self._hand_over(at)

    def _hand_over(self, now: int) -> None:
        for drop in self._drops:
            self._hand_to(drop, now)

    def _hand_to(self, drop: Drop, now: int) -> None:
        """Give a device what has come; `now` is the end of a burst, or the device's own deadline."""
        count = drop.inbox.available(now)
        if not count:
            return
        at = min(now, drop.inbox.due(count) or now)
        data = drop.inbox.take(count, now)
        if self.tap is not None:
            self.tap(drop, "tx", at, data)
        self._act(drop, lambda: drop.talker.receive(data, at), at)

    # -- what is said ------------------------------------------------------------------------------------------------

    def _act(self, drop: Drop, act: Callable[[], list[Reply]], at: int) -> None:
        """Let a device do something, and send what it answers."""
        before = drop.talker.line
        replies = act()
        if drop.talker.line != before:
            self._leading = drop
        for reply in replies:
            start = max(at + reply.delay, self.world.now)
            if self.tap is not None:
                self.tap(drop, "rx", start, reply.data)
            self.send(drop.talker, reply.data, start)
        self._watch(drop)

    def _watch(self, drop: Drop) -> None:
        """See that a device's alarm stands at its deadline, or before it."""
        deadline = drop.talker.deadline()
        if deadline is None or (drop.alarm is not None and drop.alarm <= deadline):
            return
        drop.alarm = max(deadline, self.world.now)
        self.world.call_at(drop.alarm, partial(self._alarm, drop, drop.alarm))

    def _alarm(self, drop: Drop, at: int) -> None:
        """What has come by the deadline counts; if it has not moved, the device acts."""
        if drop.alarm != at:
            return  # an earlier one has been set since, and has seen to everything
        drop.alarm = None
        self._hand_to(drop, at)
        deadline = drop.talker.deadline()
        if deadline is not None and deadline <= at:
            self._act(drop, lambda: drop.talker.wake(at), at)
        else:
            self._watch(drop)


def _speaks(drop: Drop, burst: Burst) -> bool:
    return burst.sender is drop.talker
