"""A pseudo-terminal as the port of a line: the one module that only POSIX has, and as it stands only Linux.

Four habits of a Linux pty shape it.

* It keeps the speed that a client sets and drops parity and seven bits. So the client's speed is compared with the
  line's, and the framing is always the line's own: a wrong parity shows over RFC 2217 only.
* It does not tell whether bytes were written before or after a change of speed that comes with them, and it makes no
  client wait until they are out. So they are sent with whichever of the two speeds the line's devices have.
* The C library refuses (EINVAL) settings with parity or seven bits that change nothing the pty keeps, so the second
  client with the speed of the first could not open it. So it is *parked*: as soon as a client's settings are read, the
  speed is set to one that nobody uses, and every client changes something. A client that sets parity twice within
  microseconds, as pymodbus does on connecting, is quicker than any server: on a pty it is to use 8N1, which is what
  the pty carries.
* Its master reads an error when the last client leaves. So the other end is kept open here.

Packet mode tells of every change of settings when it happens, not at the next byte; unless a client has first thrown
away the flag for it with settings that keep our speed, as Node's serialport does. Then the flush that follows tells.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
import tty
from contextlib import suppress
from itertools import cycle

from simulators.doors.pacing import SLICE, PacedPort
from simulators.lines.framing import Framing
from simulators.lines.serial_line import SerialLine
from simulators.realtime import RealTime
from simulators.world import SECOND

#: The local flag that makes the kernel report changes of settings in packet mode (asm-generic/termbits.h).
_EXTPROC = 0o200000
#: Control byte of packet mode: bytes follow. Any other one tells that the settings have changed, or may have.
_DATA = termios.TIOCPKT_DATA
#: Settings with their speeds as numbers, also those without a constant (asm-generic/termbits.h, struct termios2):
#: input, output, control and local flags, line discipline, control characters, input and output speed.
_TCGETS2, _TCSETS2, _TERMIOS2 = 0x802C542A, 0x402C542B, struct.Struct("4IB19s2I")
_SPEED_BITS = 0o010017
#: Speeds that no client uses, and their flags.
_PARKED = {134: termios.B134, 200: termios.B200}
_CHUNK = 4096
#: What nobody has read for so long (ns) when a port is opened was meant for a client that has left.
_STALE = SECOND


class PtyDoor:
    """A pty that leads to a line.

    Args:
        realtime: the line's world, kept in pace.
        line: the line.
        slice_time: how much line time (ns) to gather before it is delivered.

    Raises:
        OSError: there is no pty left.
    """

    def __init__(self, realtime: RealTime, line: SerialLine, *, slice_time: int = SLICE) -> None:
        self._realtime = realtime
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._parking = cycle(_PARKED)
        self._park()
        fcntl.ioctl(self._master, termios.TIOCPKT, struct.pack("i", 1))
        os.set_blocking(self._master, False)
        #: The name under which clients open it.
        self.path = os.ttyname(self._slave)
        self._delivered_at = 0
        self._port = PacedPort(realtime, line, self._deliver, self._wait, slice_time=slice_time, follows="frame")
        self._loop.add_reader(self._master, self._readable)

    @property
    def framing(self) -> Framing:
        """The client's speed with the line's framing."""
        return self._port.framing

    async def close(self) -> None:
        """Take it away."""
        self._loop.remove_reader(self._master)
        self._port.close()
        os.close(self._master)
        os.close(self._slave)

    def _readable(self) -> None:
        packet = os.read(self._master, _CHUNK)
        if packet[0] != _DATA:
            self._settings_changed()
        elif len(packet) > 1:
            self._port.send(packet[1:])

    def _settings_changed(self) -> None:
        """A client has opened the port or changed its speed, or it was us who parked it."""
        baud = self._park()
        if baud in _PARKED:
            return
        if baud:  # 0 hangs up and is no speed
            self._change_to(baud)
        if self._realtime.wall() - self._delivered_at > _STALE:
            termios.tcflush(self._slave, termios.TCIFLUSH)

    def _change_to(self, baud: int) -> None:
        """Bytes that lie there are sent at the old speed if it is the devices', and else at the new one."""
        spoken = self._realtime.act(lambda: self._line.framing)
        again = False
        if self._port.framing.baud == spoken.baud != baud and not self._line.adapts:
            written, again = self._pending()
            if written:
                self._port.send(written)
        self._port.framing = Framing(baud, spoken.frame)
        if again:
            self._settings_changed()

    def _pending(self) -> tuple[bytes, bool]:
        """What lies there to be read, and whether word of a change of settings (ours or another) was in front of it."""
        again = False
        with suppress(BlockingIOError):
            packet = os.read(self._master, _CHUNK)
            if packet[0] != _DATA:
                again = True
                packet = os.read(self._master, _CHUNK)
            if packet[0] == _DATA:
                return packet[1:], again
        return b"", again

    def _park(self) -> int:
        """Put a speed that nobody uses in place, and return the one that was there.

        What a client sets between the two system calls is lost, so nothing else stands between them. The speeds take
        turns: when we are so quick that a client finds the pty parked again while it looks whether its settings were
        taken, it still finds a change.
        """
        found = fcntl.ioctl(self._slave, _TCGETS2, bytes(_TERMIOS2.size))
        put, get, control, local, line, characters, _, baud = _TERMIOS2.unpack(found)
        if baud not in _PARKED:
            speed = next(self._parking)
            control = control & ~_SPEED_BITS | _PARKED[speed]
            wanted = _TERMIOS2.pack(put, get, control, local | _EXTPROC, line, characters, speed, speed)
            fcntl.ioctl(self._slave, _TCSETS2, wanted)
        return int(baud)

    def _deliver(self, data: bytes) -> None:
        self._delivered_at = self._realtime.wall()
        with suppress(BlockingIOError):  # nobody reads: a port whose buffer is full loses what comes next
            os.write(self._master, data)

    def _wait(self, wait: bool) -> None:  # noqa: FBT001  # a switch
        self._loop.remove_reader(self._master)
        if not wait:
            self._loop.add_reader(self._master, self._readable)
