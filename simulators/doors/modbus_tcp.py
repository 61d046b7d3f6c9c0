"""Modbus TCP on a real port: to the devices of an Ethernet, or through the gateway in front of a line.

Where the network takes no time the answer is written in the same call that brought the request, with no event in the
world. Otherwise request and answer travel through the world with its delays. Every request of a pipeline is answered,
in order. A stream that is no Modbus TCP is closed behind the answers to what came before the damage, and so is one
whose sender has shut down his side.
"""

from __future__ import annotations

from simulators.doors.tcp import Caller, TcpDoor
from simulators.lines.burst import Burst
from simulators.lines.network import Network
from simulators.realtime import RealTime
from simulators.world import MILLISECOND

#: With more messages than this on their way nothing more is read from a connection.
_BACKLOG = 64
#: How often a connection with a backlog, or one about to be closed, is looked at again (ns).
_LOOK_AGAIN = 20 * MILLISECOND


class ModbusTcpCaller(Caller):
    """One connection of a Modbus TCP client."""

    def __init__(self, door: TcpDoor, realtime: RealTime, network: Network) -> None:
        super().__init__(door)
        self._realtime = realtime
        self._world = realtime.world
        self._network = network
        self._immediate = network.immediate
        realtime.catch_up()  # whether the network is cut is a matter of now
        self._connection = network.connect()
        self._connection.on_burst = self._on_burst
        self._coming = 0
        self._ending = False
        self._watched = False

    def received(self, data: bytes) -> None:
        """Requests, or parts of them."""
        if not self._immediate or self._network.disturbance is not None:
            self._realtime.act(lambda: self._send(data))
            return
        answer = self._connection.exchange(data, self._realtime.catch_up())
        if answer:
            self.send_now(answer)
        if not self._connection.calm:
            self._look()
        self._realtime.arm()

    def _send(self, data: bytes) -> None:
        self._world.call_at(self._connection.write(data), self._look)

    def _on_burst(self, burst: Burst) -> None:
        self._coming += 1
        self._world.call_at(burst.end, self._pass_on)
        if self._connection.dies_at is not None:
            self._world.call_at(max(self._world.now, self._connection.dies_at), self._look)

    def _pass_on(self) -> None:
        self._coming -= 1
        inbox, now = self._connection.inbox, self._world.now
        answer = inbox.take(inbox.available(now), now)
        if not self.transport.is_closing():
            self.transport.write(answer)
            self._look()

    def _look(self) -> None:
        """Whether to read on, and whether it is time to close."""
        backlog = self._connection.backlog
        if self._connection.broken is not None:
            self._ending = True
            self.hold("over")
        if self._ending and not backlog and not self._coming:
            self.transport.close()
            return
        if backlog > _BACKLOG:
            self.hold("backlog")
        else:
            self.go_on("backlog")
        if not self._watched and (self._ending or backlog > _BACKLOG):
            self._watched = True
            self._world.call_at(self._world.now + _LOOK_AGAIN, self._look_again)

    def _look_again(self) -> None:
        self._watched = False
        if not self.transport.is_closing():
            self._look()

    def eof_received(self) -> bool:
        """Asyncio: the other side has said its last word, but it may still wait for answers."""
        self._ending = True
        self.hold("over")
        self._realtime.act(self._look)
        return True

    def left(self) -> None:
        """Answers that are still under way go nowhere."""
        self._connection.on_burst = None


async def open_modbus_tcp(realtime: RealTime, network: Network, host: str = "127.0.0.1", port: int = 0) -> TcpDoor:
    """Serve a network on a port; 0 lets the system choose one.

    Raises:
        OSError: the port is taken, or the host is not one of this machine.
    """
    door = TcpDoor(lambda door: ModbusTcpCaller(door, realtime, network))
    await door.open(host, port)
    return door
