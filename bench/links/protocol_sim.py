"""pyserial's handler for `sim://` URLs: a port on a simulated serial line, with pyserial's own face.

pyserial finds this module by its name once `bench.links` is among its handler packages. Reading moves the world; what
is waiting is computed, so there is no event per byte and yet short reads and inter-byte time-outs are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from serial.serialutil import PortNotOpenError, SerialBase, SerialException

from simulators.lines.burst import Inbox
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Port, SerialLine
from simulators.world import SECOND

#: URL -> (the line behind it, what brings a paced world up to date before it is looked at).
_LINES: dict[str, tuple[SerialLine, Callable[[], None]]] = {}


def publish(url: str, line: SerialLine, catch_up: Callable[[], None]) -> None:
    """Make a line reachable under a `sim://` URL."""
    _LINES[url] = (line, catch_up)


def withdraw(url: str) -> None:
    """Make the URL unknown again."""
    _LINES.pop(url, None)


class Serial(SerialBase):  # type: ignore[misc]  # pyserial is untyped
    """A port on a simulated line."""

    _sim_port: Port | None = None
    _inbox: Inbox | None = None
    _line: SerialLine
    _catch_up: Callable[[], None]

    def open(self) -> None:
        """Open the port; a URL that no station published does not exist."""
        found = _LINES.get(str(self._port))
        if found is None:
            raise SerialException(f"could not open port {self._port!r}: no simulated station has it")
        self._line, self._catch_up = found
        if self._line.cut_off:
            raise SerialException(f"could not open port {self._port!r}: it is not there")
        self._sim_port = self._line.open(self._framing())
        self._inbox = self._sim_port.inbox
        self.is_open = True

    def close(self) -> None:
        """Close the port."""
        if self._sim_port is not None:
            self._line.close(self._sim_port)
            self._sim_port = self._inbox = None
        self.is_open = False

    def _framing(self) -> Framing:
        return Framing(int(self._baudrate), f"{self._bytesize}{self._parity}{int(self._stopbits)}")

    def _reconfigure_port(self, *_args: Any, **_kwargs: Any) -> None:
        """As an operating system does it: at once, and what was written and is not out yet leaves otherwise."""
        if self._sim_port is not None and self._sim_port.framing != (framing := self._framing()):
            self._catch_up()
            self._line.retune(self._sim_port, framing)

    def _update_dtr_state(self) -> None:
        if self._sim_port is not None:
            self._catch_up()
            self._line.set_ready(self._sim_port, ready=bool(self._dtr_state))

    def _update_rts_state(self) -> None:
        """There is nothing at the other end of that wire."""

    def _open_port(self) -> Port:
        if self._sim_port is None:
            raise PortNotOpenError
        return self._sim_port

    def _living_port(self) -> Port:
        """The open port, unless the line was cut under it, as when an adapter is unplugged."""
        port = self._open_port()
        if port.dead:
            raise SerialException("the device reports readiness to read but returned no data: it was unplugged")
        return port

    @property
    def in_waiting(self) -> int:
        """How many bytes have arrived."""
        inbox = self._inbox  # looked at by a polling client more often than anything else: no detours
        if inbox is None:
            raise PortNotOpenError
        world = self._line.world
        if self._line.death.at is not None:
            self._living_port()
        if world.pace is not None:
            self._catch_up()
        return inbox.available(world.env._now) if inbox.bursts else 0  # noqa: SLF001  # as above

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes; moves the world until they are there or the time-out is over."""
        port, world = self._living_port(), self._line.world
        self._catch_up()
        deadline = None if self._timeout is None else world.now + round(self._timeout * SECOND)
        gap = self._inter_byte_timeout
        got = b""
        while len(got) < size:
            wanted = 1 if gap else size - len(got)
            limit = deadline
            if gap and got:
                silent = world.now + round(gap * SECOND)
                limit = silent if deadline is None else min(silent, deadline)
            came = world.run_until(lambda n=wanted: port.inbox.due(n), limit)  # type: ignore[misc]  # a default binds it
            got += port.inbox.take(size - len(got), world.now)
            if not came:
                break
        return got

    def write(self, data: bytes) -> int:
        """Send bytes; they leave one after another at the port's speed."""
        self._catch_up()
        port = self._living_port()
        port.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Wait until the last bit of what was written is out, as before a change of speed."""
        self._catch_up()
        self._line.world.advance_to(self._line.out_at(self._open_port()))

    def reset_input_buffer(self) -> None:
        """Throw away what has arrived."""
        self._open_port().inbox.clear(self._line.world.now)

    def reset_output_buffer(self) -> None:
        """Nothing to do: what was written is on the line already."""
