"""A serial line: RS-485 with many devices on one pair of wires, or RS-232 with one.

Every station hears every other. A device is asked when the line has been silent for 3.5 characters after what it heard;
its answer begins a turnaround later. Two talkers at once garble each other for as long as they overlap. A station whose
speed or framing is not the sender's hears garbage, and so its device stays silent. Where characters have seven bits the
eighth is lost. One event per burst, none per byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protocols.conversation import Reply
from simulators.lines.burst import Burst, Inbox
from simulators.lines.framing import Framing
from simulators.world import MILLISECOND, World

_BYTE = 8


class Listener(Protocol):
    """A device on the line: a server that gets what came between two silences."""

    def receive(self, frame: bytes, now: int) -> list[Reply]:
        """The answers to a frame, each with its own delay (ns) beyond the turnaround."""


class Port:
    """A master's end of the line: what it writes is sent, what the others send arrives in its inbox."""

    __slots__ = ("_line", "framing", "inbox", "on_burst")

    def __init__(self, line: SerialLine, framing: Framing) -> None:
        self._line = line
        self.framing = framing
        self.inbox = Inbox()
        #: Called with every burst on its way to this port; a served port passes it on in pace.
        self.on_burst: Callable[[Burst], None] | None = None

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

    def __init__(
        self, world: World, name: str, framing: Framing, *, turnaround: int = 20 * MILLISECOND, echo: bool = False
    ) -> None:
        self.world = world
        self.name = name
        self.framing = framing
        self.turnaround = turnaround
        self.echo = echo
        self._devices: list[tuple[Listener, Framing]] = []
        self._ports: list[Port] = []
        self._heard: list[Burst] = []
        self._free_at: dict[int, int] = {}
        #: Bursts that have been handed to the line, until the silence after them.
        self._sent: list[Burst] = []
        self._noise = world.stream(f"line:{name}", "collision")

    def attach(self, device: Listener, framing: Framing | None = None) -> None:
        """Put a device on the line; with a framing of its own it may misunderstand the others."""
        self._devices.append((device, framing or self.framing))

    def open(self, framing: Framing | None = None) -> Port:
        """A new master's port on the line."""
        port = Port(self, framing or self.framing)
        self._ports.append(port)
        return port

    def close(self, port: Port) -> None:
        """Take a port off the line."""
        self._ports.remove(port)
        self._free_at.pop(id(port), None)

    def send(self, sender: object, data: bytes, earliest: int) -> int:
        """Send bytes from a station at the earliest instant; returns the instant (ns) at which the last bit is out."""
        framing = sender.framing if isinstance(sender, Port) else self._framing_of(sender)
        start = max(earliest, self._free_at.get(id(sender), 0))
        burst = Burst(start, _carried(data, framing), framing, sender)
        self._free_at[id(sender)] = burst.end
        self._sent.append(burst)
        if start > self.world.now:
            self.world.call_at(start, lambda: self._begin(burst))
        else:
            self._begin(burst)
        return burst.end

    def break_off(self, speaks: Callable[[Burst], bool]) -> None:
        """Who has lost its supply falls silent now: characters that are not whole by now never come."""
        now = self.world.now
        for burst in self._sent:
            if burst.end > now and speaks(burst):
                burst.cut(now)
                self._free_at[id(burst.sender)] = now
                silence = max(burst.end, now) + burst.framing.silence
                self.world.call_at(silence, lambda at=silence: self._silence(at))  # type: ignore[misc]  # a default binds it

    def _framing_of(self, sender: object) -> Framing:
        return next(framing for device, framing in self._devices if device is sender)

    def _begin(self, burst: Burst) -> None:
        """The first start bit: from now on the burst can collide, and the ports know when its bytes will be there."""
        if not burst.data:  # its sender has lost its supply meanwhile
            return
        for other in self._heard:
            if other.end > burst.start and other.sender is not burst.sender:
                self._collide(other, burst)
        self._heard.append(burst)
        self.world.digest.note(burst.start, self.name, burst.data)
        for port in self._ports:
            if port is not burst.sender or self.echo:
                port.deliver(self._as_heard(burst, port.framing))
        silence = burst.end + burst.framing.silence
        self.world.call_at(silence, lambda: self._silence(silence))

    def _collide(self, earlier: Burst, later: Burst) -> None:
        """Garble what two talkers send at the same time, for both of them; what has gone by before stays."""
        for burst, start, end in ((earlier, later.start, later.end), (later, earlier.start, earlier.end)):
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
            return
        heard, self._heard = self._heard, []
        self._sent = [burst for burst in self._sent if burst.end > at]
        for device, framing in self._devices:
            frame = b"".join(burst.data for burst in heard if burst.sender is not device and burst.framing == framing)
            if not frame:
                continue
            for reply in device.receive(frame, at):
                self.send(device, reply.data, at + self.turnaround + reply.delay)


def _carried(data: bytes, framing: Framing) -> bytes:
    """What is left of the bytes in characters of the framing's size."""
    return data if framing.data_bits == _BYTE else bytes(byte & 0x7F for byte in data)
