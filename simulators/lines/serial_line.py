"""A serial line: RS-485 with many devices on one pair of wires, or RS-232 with one.

Every station hears every other. A device is asked when the line has been silent for 3.5 characters after what it heard;
its answer begins a turnaround later. More than 1.5 characters of silence inside a frame spoil it for the devices. Two
talkers at once garble each other for as long as they overlap. A station whose speed or framing is not the sender's
hears garbage, and so its device stays silent. Where characters have seven bits the eighth is lost. One event per burst,
none per byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, Protocol

from protocols.conversation import Reply
from simulators.lines.burst import Burst, Inbox
from simulators.lines.disturbance import Death, Disturbance, Frame
from simulators.lines.framing import Framing
from simulators.lines.tap import Tap
from simulators.world import MILLISECOND, World

#: What of the line's framing a port takes over by itself: nothing, all but the speed, everything.
Follows = Literal["nothing", "frame", "line"]

_BYTE = 8
#: A burst that so many others have talked into is garbage for good.
_GARBAGE = 4
#: So many bursts are remembered while the line does not fall silent: a frame of 256 bytes sent byte by byte, and more.
_MOST_HEARD = 1024


class Listener(Protocol):
    """A device on the line: a server that gets what came between two silences."""

    def receive(self, frame: bytes, now: int) -> list[Reply]:
        """The answers to a frame, each with its own delay (ns) beyond the turnaround."""


class Stranger:
    """Somebody who talks on the line and is neither a device nor one of our masters: a second master, or noise."""

    __slots__ = ("framing",)

    def __init__(self, framing: Framing) -> None:
        self.framing = framing


class Port:
    """A master's end of the line: what it writes is sent, what the others send arrives in its inbox."""

    __slots__ = ("_line", "_opened", "framing", "inbox", "on_burst", "on_death", "uart")

    def __init__(self, line: SerialLine, framing: Framing) -> None:
        self._line = line
        self._opened = line.world.now
        #: What sends for this port: callers of one serial server share its UART, and wait for each other's characters.
        self.uart: object = self
        self.framing = framing
        self.inbox = Inbox()
        #: Called with every burst on its way to this port; a served port passes it on in pace.
        self.on_burst: Callable[[Burst], None] | None = None
        #: Called when the line is cut under this port.
        self.on_death: Callable[[], None] | None = None

    @property
    def dead(self) -> bool:
        """Whether the line was cut under this port; to go on it must be closed and opened again."""
        return self._line.death.took(self._opened, self._line.world.now)

    def write(self, data: bytes) -> int:
        """Send bytes as soon as this port's earlier ones are out; returns the instant (ns) at which they are."""
        return self._line.send(self, data, self._line.world.now)

    def deliver(self, burst: Burst) -> None:
        """A burst of somebody else is on its way."""
        self.inbox.put(burst)
        if self.on_burst is not None:
            self.on_burst(burst)


class SerialLine:
    """One pair of wires and everybody on it.

    Args:
        world: whose time holds.
        name: names the line's random stream and its entries in the digest.
        framing: speed and framing of the devices.
        turnaround: from the silence that ends a request to the first start bit of the answer, ns.
        echo: whether a port hears what it sends, as behind an optical head or a two-wire adapter.
    """

    #: Whether the other end takes over whatever speed a master has, as a modem does.
    adapts = False

    def __init__(
        self, world: World, name: str, framing: Framing, *, turnaround: int = 20 * MILLISECOND, echo: bool = False
    ) -> None:
        self.world = world
        self.name = name
        self.framing = framing
        self.turnaround = turnaround
        self.echo = echo
        #: Hears what the devices hear and say, at their end of the line.
        self.tap: Tap | None = None
        #: The faults of this line, None as long as there are none.
        self.disturbance: Disturbance | None = None
        self.death = Death()
        self._devices: list[tuple[Listener, Framing]] = []
        self._out_at: dict[int, int] = {}
        self._ports: list[Port] = []
        self._heard: list[Burst] = []
        self._free_at: dict[int, int] = {}
        #: Bursts that have been handed to the line, until the silence after them.
        self._sent: list[Burst] = []
        self._noise = world.stream(f"line:{name}", "collision")

    def attach(self, device: Listener, framing: Framing | None = None) -> None:
        """Put a device on the line; with a framing of its own it may misunderstand the others."""
        self._devices.append((device, framing or self.framing))

    def open(self, framing: Framing | None = None, *, follows: Follows = "nothing") -> Port:  # noqa: ARG002  # the framing of these lines is always the same
        """A new master's port on the line; it may follow the line's framing where that changes."""
        port = Port(self, framing or self.framing)
        self._ports.append(port)
        return port

    def retune(self, port: Port, framing: Framing) -> None:
        """A master gives its port another speed or framing, as an operating system does it: at once."""
        port.framing = framing

    def set_ready(self, port: Port, *, ready: bool) -> None:
        """A master sets DTR, or drops it: devices on a line have no such wire, a modem has."""

    def out_at(self, port: Port) -> int:
        """The instant (ns) at which the last bit of what a port was given is out."""
        return self._free_at.get(id(port.uart), 0)

    def close(self, port: Port) -> None:
        """Take a port off the line."""
        self._ports.remove(port)
        self._free_at.pop(id(port), None)
        self._out_at.pop(id(port), None)

    def send(self, sender: object, data: bytes, earliest: int) -> int:
        """Send bytes from a station at the earliest instant; returns the instant (ns) at which the last bit is out."""
        framing = sender.framing if isinstance(sender, Port | Stranger) else self._framing_of(sender)
        voice = _voice(sender)
        start = max(earliest, self._free_at.get(voice, 0))
        burst = Burst(start, _carried(data, framing), framing, sender)
        self._free_at[voice] = burst.end
        if self.disturbance is None or isinstance(sender, Stranger):
            self._set_out(burst)
        else:
            self._set_out_disturbed(burst, self.disturbance)
        return burst.end

    def break_off(self, speaks: Callable[[Burst], bool]) -> None:
        """Who has lost its supply falls silent now: characters that are not whole by now never come."""
        now = self.world.now
        for burst in self._sent:
            if burst.end > now and speaks(burst):
                burst.cut(now)
                voice = _voice(burst.sender)
                left = (each.end for each in self._sent if _voice(each.sender) == voice)
                self._free_at[voice] = max(left, default=now)
                self._out_at.pop(voice, None)
                self._hear_out(burst)

    def _framing_of(self, sender: object) -> Framing:
        return next(framing for device, framing in self._devices if device is sender)

    @property
    def device_count(self) -> int:
        """How many devices (or buses of them) are attached."""
        return len(self._devices)

    @property
    def cut_off(self) -> bool:
        """Whether nobody can open the line now."""
        return self.death.took(self.world.now, self.world.now)

    def reframe(self, framings: Sequence[Framing | None]) -> Sequence[Framing | None]:
        """Give the devices, in the order of their being attached, other framings; returns those they had.

        None is the framing that a device has chosen itself, where devices do.
        """
        before = [framing for _, framing in self._devices]
        self._devices = [(device, new or old) for (device, old), new in zip(self._devices, framings, strict=True)]
        return before

    def cut(self, at: int, duration: int) -> None:
        """Cut the line at an instant (ns) for a time (ns): ports that are open then are dead for good."""
        self.death.strike(at, duration)
        self.world.call_at(at, self._tell_the_dead)

    def _tell_the_dead(self) -> None:
        for port in list(self._ports):
            if port.on_death is not None:
                port.on_death()

    def _set_out(self, burst: Burst) -> None:
        self._sent.append(burst)
        if burst.start > self.world.now:
            self.world.call_at(burst.start, lambda: self._begin(burst))
        else:
            self._begin(burst)

    def _set_out_disturbed(self, burst: Burst, disturbance: Disturbance) -> None:
        """What the faults make of a burst; what one station sends keeps its order and does not overlap."""
        sender, framing = burst.sender, burst.framing
        frames = disturbance.pass_on(Frame(burst.data, burst.start, isinstance(sender, Port), framing))
        if not frames:
            self.world.digest.note(burst.start, f"{self.name} lost", burst.data)
        for frame in frames:
            start = max(frame.start, self._out_at.get(_voice(sender), 0))
            found = Burst(start, frame.data, framing, sender)
            self._out_at[_voice(sender)] = found.end
            self._set_out(found)

    def _begin(self, burst: Burst) -> None:
        """The first start bit: from now on the burst can collide, and the ports know when its bytes will be there."""
        if not burst.data or self.death.took(burst.start, burst.start):  # or its sender has lost its supply meanwhile
            return
        for other in self._heard:
            if other.end > burst.start and other.sender is not burst.sender and self._meet(other, burst):
                self._collide(other, burst)
        self._heard.append(burst)
        self.world.digest.note(burst.start, self.name, burst.data)
        for port in self._ports:
            if port is not burst.sender or self.echo:
                port.deliver(self._as_heard(burst, port.framing))
        self._hear_out(burst)

    def _meet(self, earlier: Burst, later: Burst) -> bool:  # noqa: ARG002  # where there is one pair of wires, all do
        """Whether two talkers are on the same pair of wires."""
        return True

    def _hear_out(self, burst: Burst) -> None:
        """Ask the devices when the line has been silent after a burst."""
        silence = max(burst.end, self.world.now) + burst.framing.silence
        self.world.call_at(silence, lambda: self._silence(silence))

    def _collide(self, earlier: Burst, later: Burst) -> None:
        """Garble what two talkers send at the same time, for both of them; what has gone by before stays."""
        for burst, start, end in ((earlier, later.start, later.end), (later, earlier.start, earlier.end)):
            if burst.garbled >= _GARBAGE:
                continue  # one more talker makes no difference, and a crowd of them would cost all the time there is
            data = bytearray(burst.data)
            for index in range(len(data)):
                begin = burst.start + burst.framing.time_of(index)
                if begin < end and burst.start + burst.framing.time_of(index + 1) > start:
                    data[index] ^= self._noise.randrange(1, 256)
            burst.garble(bytes(data))
        self.world.digest.note(later.start, f"{self.name} collision")

    def _as_heard(self, burst: Burst, framing: Framing) -> Burst:
        if framing == burst.framing:
            return burst if len(self._ports) == 1 else burst.copy()
        garbage = bytes(byte ^ self._noise.randrange(1, 256) for byte in burst.data)
        return Burst(burst.start, garbage, burst.framing, burst.sender)

    def _silence(self, at: int) -> None:
        """3.5 characters after a burst: if nobody has spoken since, what was heard is one frame."""
        if any(burst.end + burst.framing.silence > at for burst in self._heard):
            del self._heard[:-_MOST_HEARD]  # more bursts without a silence are no frame, and nobody waits for its end
            del self._sent[:-_MOST_HEARD]
            return
        heard, self._heard = self._heard, []
        self._sent = [burst for burst in self._sent if burst.end > at]
        for device, framing in self._devices:
            frame = _one_frame([b for b in heard if b.sender is not device and b.framing == framing])
            if not frame:
                continue
            if self.tap is not None:
                self.tap(self, "tx", at, frame)
            for reply in device.receive(frame, at):
                start = at + self.turnaround + reply.delay
                if self.tap is not None:
                    self.tap(self, "rx", start, reply.data)
                self.send(device, reply.data, start)


def _voice(sender: object) -> int:
    """Who never talks into its own words: a device, a stranger, or the UART that sends for a port."""
    return id(sender.uart if isinstance(sender, Port) else sender)


def _one_frame(heard: Sequence[Burst]) -> bytes:
    """What came between two silences; nothing if more than 1.5 characters of silence lie inside (SL 2.5.1.1)."""
    if len(heard) == 1:
        return heard[0].data
    if any(after.start - before.end > before.framing.gap for before, after in pairwise(heard)):
        return b""
    return b"".join(burst.data for burst in heard)


def _carried(data: bytes, framing: Framing) -> bytes:
    """What is left of the bytes in characters of the framing's size."""
    return data if framing.data_bits == _BYTE else bytes(byte & 0x7F for byte in data)
