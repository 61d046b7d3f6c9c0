"""A master's end of a line whose bytes come from a real port and go back to one, at the line's pace.

What comes from outside comes faster than the line: it is sent as a burst, and the door is asked to wait while more than
a moment's worth is queued. What the line says is passed on in slices of line time, as an adapter with a small buffer
does; a slice holds whole characters, and the last one ends with the burst.

Several doors may lead to one line. Each hears the answers to what it asked; a conversation that another door has begun
is not its business. Two that talk at once collide like any two masters, unless one UART sends for both (`raw_tcp`).
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.lines.burst import Burst
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Follows, Port, SerialLine
from simulators.realtime import RealTime
from simulators.world import MILLISECOND

#: How much line time (ns) one slice holds: less costs wake-ups, more is a silence to a client that listens closely.
SLICE = 4 * MILLISECOND
#: How much line time (ns) may be queued before the door reads no further.
_AHEAD = 500 * MILLISECOND
#: How long (ns) what a port had queued goes on being sent when it is closed, as Linux has it.
CLOSING_WAIT = 30_000 * MILLISECOND


class PacedPort:
    """One door's port on a line.

    Args:
        realtime: the line's world, kept in pace.
        line: the line.
        deliver: takes the bytes that have arrived.
        wait: told True when the door should read no further for now, and False when it may again.
        slice_time: how much line time (ns) to gather before it is delivered.
        on_death: told that the line was cut under this port.
        follows: what of the line's framing the port takes over by itself.
        uart: what sends for this port, if it does so for others as well: the characters of all follow one another.
    """

    def __init__(
        self,
        realtime: RealTime,
        line: SerialLine,
        deliver: Callable[[bytes], None],
        wait: Callable[[bool], None],
        *,
        slice_time: int = SLICE,
        on_death: Callable[[], None] | None = None,
        follows: Follows = "nothing",
        uart: object = None,
    ) -> None:
        self._realtime = realtime
        self._world = realtime.world
        self._line = line
        self._deliver = deliver
        self._wait = wait
        self._slice = slice_time
        self._asked = False
        self._open = True
        self._port = line.open(follows=follows)
        self._port.uart = uart or self._port
        self._port.on_burst = self._on_burst
        self._port.on_death = on_death

    @property
    def framing(self) -> Framing:
        """Speed and framing at which this end sends and listens."""
        return self._port.framing

    @framing.setter
    def framing(self, framing: Framing) -> None:
        self._port.framing = framing

    def set_ready(self, *, ready: bool) -> None:
        """Set DTR, or drop it."""
        self._realtime.act(lambda: self._line.set_ready(self._port, ready=ready))

    def send(self, data: bytes) -> None:
        """Put bytes from outside on the line, now or behind those that are still queued."""
        self._realtime.act(lambda: self._send(data))

    def close(self) -> None:
        """Leave the line; what is queued is still sent, for some time."""
        self._open = False
        self._port.on_burst = None
        self._realtime.act(self._leave)

    def forget(self) -> None:
        """Throw away what has arrived and was not delivered yet."""
        self._port.inbox.clear(self._world.now)

    def _leave(self) -> None:
        line, port, give_up = self._line, self._port, self._world.now + CLOSING_WAIT
        if line.out_at(port) > give_up:  # at 1 Bd, which a client may set, a few characters would keep a line for hours
            self._world.call_at(give_up, lambda: line.break_off(lambda burst: burst.sender is port))
        line.close(port)

    def _send(self, data: bytes) -> None:
        self._asked = True
        out = self._port.write(data)
        if out - self._world.now > _AHEAD:
            self._wait(True)
            self._world.call_at(out - _AHEAD, self._go_on)

    def _go_on(self) -> None:
        if self._open:
            self._wait(False)

    def _on_burst(self, burst: Burst) -> None:
        """A burst begins: look in as often as its slices demand."""
        if isinstance(burst.sender, Port) and burst.sender is not self._port:
            self._asked = False
        if self._asked:
            step = max(self._slice, burst.framing.time_of(1))
            for instant in range(burst.start + step, burst.end, step):
                self._world.call_at(instant, self._pass_on)
        self._world.call_at(burst.end, self._pass_on)

    def _pass_on(self) -> None:
        now = self._world.now
        data = self._port.inbox.take(self._port.inbox.available(now), now)
        if data and self._asked and self._open:
            self._deliver(data)
