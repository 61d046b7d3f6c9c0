"""Doors on real ports in this process: a loop on a thread of its own, clients on the test's."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from protocols.modbus.frames import encode_mbap
from simulators.lines.framing import Framing
from simulators.power.feeder import Load
from simulators.realtime import RealTime, new_loop
from simulators.stage import DevicePlan, LinkPlan, Stage
from simulators.world import MILLISECOND, World

T = TypeVar("T")
UNIT = 7
#: Reads the 28 words of the accumulated energies of a PM850.
READ = bytes([3]) + struct.pack(">HH", 1699, 28)


def request(transaction: int, pdu: bytes = READ, unit: int = UNIT) -> bytes:
    return encode_mbap(transaction, unit, pdu)


class Served:
    """A stage in pace on a thread: one meter on an Ethernet or on an RS-485 line."""

    def __init__(self) -> None:
        self.loop = new_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._doors: list[Any] = []
        self.realtime: RealTime
        self.stage: Stage

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def body() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(body(), self.loop).result(10)

    def begin(self, medium: str, *, framing: str = "8N1", turnaround: int = 20 * MILLISECOND, delay: int = 0) -> None:
        async def make() -> None:
            link = LinkPlan("link", medium, Framing(9600, framing), turnaround=turnaround, delay=delay)
            meter = DevicePlan("meter", "PM850", "link", UNIT, load=Load(48_000_000, 20_000_000))
            self.stage = Stage(World(1), [link], [meter])
            self.realtime = RealTime(self.stage.world)

        self.run(make)

    def open(self, make: Callable[[], Awaitable[T]]) -> T:
        """Open a door on the loop; it is closed at the end."""
        door = self.run(make)
        self._doors.append(door)
        return door

    def act(self, action: Callable[[], T]) -> T:
        """Do something to the world, on its own thread."""

        async def body() -> T:
            return self.realtime.act(action)

        return self.run(body)

    def close(self) -> None:
        for door in self._doors:
            self.run(door.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


def connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def take(client: socket.socket, count: int) -> bytes:
    """So many bytes, fewer if the other side closes."""
    data = b""
    while len(data) < count and (more := client.recv(count - len(data))):
        data += more
    return data
