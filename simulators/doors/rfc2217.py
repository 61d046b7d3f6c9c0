"""A serial server of RFC 2217: the bytes of a line over Telnet, and with them speed, size, parity and stop bits.

The Telnet side is pyserial's; what it sets goes into the framing of the caller's port, so a client with the wrong
parity is not understood, as on a wire. Every caller is a master of his own on the line, so one that has vanished
without hanging up keeps nobody out.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from serial.rfc2217 import IAC, IAC_DOUBLED, PortManager

from simulators.doors.pacing import SLICE, PacedPort
from simulators.doors.raw_tcp import SerialCaller
from simulators.doors.tcp import RECEIVE_BUFFER, TcpDoor
from simulators.lines.framing import Framing
from simulators.lines.serial_line import SerialLine
from simulators.realtime import RealTime

#: The longest subnegotiation of RFC 2217 has seven bytes; a signature may be longer.
_LONGEST_SUBNEGOTIATION = 256


class SerialSettings:
    """The serial port that pyserial's manager believes to set: a framing and DTR; the rest changes nothing.

    Args:
        port: whose framing is set.
        before_change: called before every change: what came earlier is to be sent as it was.
    """

    cts = dsr = cd = True
    ri = False

    def __init__(self, port: PacedPort, before_change: Callable[[], None]) -> None:
        self._port = port
        self._before_change = before_change
        self.xonxoff = self.rtscts = False
        self.rts = True
        self._dtr = True
        self.break_condition = False

    @property
    def dtr(self) -> bool:
        """Whether the client is there: a modem hangs up when it drops."""
        return self._dtr

    @dtr.setter
    def dtr(self, on: bool) -> None:
        if on != self._dtr:
            self._before_change()
            self._dtr = on
            self._port.set_ready(ready=on)

    @property
    def baudrate(self) -> int:
        """Speed in Bd. Here and below, setting what does not exist raises ValueError, and the manager refuses it."""
        return self._port.framing.baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._change(Framing(baud, self._port.framing.frame))

    @property
    def bytesize(self) -> int:
        """Data bits."""
        return self._port.framing.data_bits

    @bytesize.setter
    def bytesize(self, bits: int) -> None:
        self._reframe(str(bits), 0)

    @property
    def parity(self) -> str:
        """N, E or O."""
        return self._port.framing.parity

    @parity.setter
    def parity(self, parity: str) -> None:
        self._reframe(parity, 1)

    @property
    def stopbits(self) -> int:
        """1 or 2."""
        return self._port.framing.stop_bits

    @stopbits.setter
    def stopbits(self, bits: float) -> None:
        self._reframe(f"{bits:g}", 2)

    def reset_input_buffer(self) -> None:
        """Throw away what has arrived."""
        self._port.forget()

    def reset_output_buffer(self) -> None:
        """Throw away what is not sent yet: there is nothing, the line has it all."""

    def _reframe(self, value: str, position: int) -> None:
        frame = self._port.framing.frame
        self._change(Framing(self._port.framing.baud, frame[:position] + value + frame[position + 1 :]))

    def _change(self, framing: Framing) -> None:
        self._before_change()
        self._port.framing = framing


class Rfc2217Caller(SerialCaller):
    """One connection of an RFC 2217 client."""

    follows = "nothing"  # the client sets everything
    portion = RECEIVE_BUFFER  # a negotiation that breaks is answered by an end, and not by a reset over unread bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: somebody has connected; the Telnet options are offered."""
        super().connection_made(transport)
        self._plain = bytearray()
        self._manager = PortManager(SerialSettings(self.port, self._send), self)

    def received(self, data: bytes) -> None:
        """Telnet: settings take effect where they stand between the bytes for the line."""
        try:
            for byte in self._manager.filter(data):
                self._plain += byte
        except (TypeError, LookupError, struct.error):  # what pyserial's manager raises on a damaged subnegotiation
            self.transport.close()
            return
        self._send()
        if len(self._manager.suboption or b"") > _LONGEST_SUBNEGOTIATION:
            self.transport.close()

    def write(self, data: bytes) -> None:
        """Telnet's own answers, as pyserial's manager writes them."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def wrapped(self, data: bytes) -> bytes:
        """Bytes of the line with Telnet's escape character doubled."""
        return data.replace(IAC, IAC_DOUBLED)

    def _send(self) -> None:
        if self._plain:
            data = bytes(self._plain)
            self._plain.clear()
            self.port.send(data)


async def open_rfc2217(
    realtime: RealTime, line: SerialLine, host: str = "127.0.0.1", port: int = 0, *, slice_time: int = SLICE
) -> TcpDoor:
    """Serve a line on a port; 0 lets the system choose one.

    Raises:
        OSError: the port is taken, or the host is not one of this machine.
    """
    door = TcpDoor(lambda door: Rfc2217Caller(door, realtime, line, slice_time=slice_time))
    await door.open(host, port)
    return door
