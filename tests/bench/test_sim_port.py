"""A `sim://` port on a line whose devices change their speed: it has the manners of an operating system."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import serial

from bench.links import protocol_sim
from protocols.conversation import Reply
from simulators.lines.character_line import CharacterLine
from simulators.world import MILLISECOND, SECOND, World

URL = "sim://1/optical"
SELECT = b"\x06051\r\n"


class Meter:
    """Goes to 9600 Bd when it has understood the option select message, and says where it is."""

    def __init__(self) -> None:
        self.line = (300, "7E1")
        self.heard = b""

    def receive(self, data: bytes, _now: int) -> list[Reply]:
        self.heard += data
        if self.heard != SELECT:
            return []
        self.line = (9600, "7E1")
        return [Reply(b"here", 200 * MILLISECOND)]

    def deadline(self) -> int | None:
        return None

    def wake(self, _now: int) -> list[Reply]:
        return []

    def lose(self, _now: int) -> None:
        self.line = (300, "7E1")


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    serial.protocol_handler_packages.append("bench.links")
    yield
    serial.protocol_handler_packages.remove("bench.links")
    protocol_sim.withdraw(URL)


@contextmanager
def port() -> Iterator[tuple[serial.SerialBase, Meter, World]]:
    world, meter = World(1), Meter()
    line = CharacterLine(world, "optical", "optical")
    line.attach(meter, name="meter")
    protocol_sim.publish(URL, line, lambda: None)
    client = serial.serial_for_url(URL, baudrate=300, bytesize=7, parity="E", timeout=2)
    with client:
        yield client, meter, world


def test_who_flushes_before_it_changes_its_speed_is_answered() -> None:
    with port() as (client, meter, world):
        client.write(SELECT)
        client.flush()
        assert world.now == 6 * 10 * SECOND // 300
        client.baudrate = 9600
        assert client.read(4) == b"here"
        assert meter.heard == SELECT


def test_who_does_not_flush_is_not_understood() -> None:
    """Defect 7: the speed was changed before the option select message had left the wire."""
    with port() as (client, meter, _):
        client.write(SELECT)
        client.baudrate = 9600
        assert client.read(4) == b""
        assert meter.heard != SELECT
        assert meter.line == (300, "7E1")


def test_setting_a_time_out_disturbs_nothing() -> None:
    with port() as (client, meter, _):
        client.write(SELECT)
        client.timeout = 3
        client.flush()
        assert meter.heard == SELECT
