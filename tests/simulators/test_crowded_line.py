"""A line on which everybody talks at once and never stops: nothing is understood, and the world stays affordable."""

from __future__ import annotations

from protocols.modbus.frames import encode_rtu
from simulators.lines.framing import Framing
from simulators.lines.serial_line import SerialLine
from simulators.world import SECOND, World


class Deaf:
    """A device that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def receive(self, _frame: bytes, _now: int) -> list[object]:
        self.asked += 1
        return []


def test_a_crowd_costs_no_more_than_it_says() -> None:
    world = World(1)
    line = SerialLine(world, "crowded", Framing(9600, "8N1"))
    device = Deaf()
    line.attach(device)  # type: ignore[arg-type]  # it never answers
    ports = [line.open() for _ in range(60)]
    for _ in range(20):
        for port in ports:
            port.write(bytes(512))
            port.inbox.clear(world.now)
        world.sleep(SECOND // 4)
    assert max(burst.garbled for burst in line._heard) == 4, "garbling the garbage of a crowd for ever is quadratic"
    assert device.asked == 0
    assert len(line._heard) <= 1024 + len(ports)
    world.sleep(60 * SECOND)
    ports[0].write(encode_rtu(1, b"\x03\x00\x00\x00\x01"))
    world.sleep(SECOND)
    assert device.asked >= 1, "the line is usable again"
