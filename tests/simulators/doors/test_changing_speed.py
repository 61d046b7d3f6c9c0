"""Doors to a line whose devices change their speed and framing within a visit."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import pytest
import serial
from served_stage import Served, connect, take

from protocols.conversation import Reply
from simulators.doors.raw_tcp import open_raw_tcp
from simulators.doors.rfc2217 import open_rfc2217
from simulators.lines.character_line import CharacterLine
from simulators.realtime import RealTime
from simulators.world import MILLISECOND, World

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

REQUEST, IDENTIFICATION = b"/?!\r\n", b"/GEC5A\r\n"
SELECT, GREETING = b"\x06056\r\n", b"\x01P0\x02(\xe4)\x03"
BREAK = b"\x01B0\x03q"


class Meter:
    """300 7E1, then 9600 8N1, and back."""

    TABLE = {  # noqa: RUF012  # it is not changed
        REQUEST: (IDENTIFICATION, (300, "7E1")),
        SELECT: (GREETING, (9600, "8N1")),
        BREAK: (b"", (300, "7E1")),
    }

    def __init__(self) -> None:
        self.line = (300, "7E1")
        self.heard = b""

    def receive(self, data: bytes, _now: int) -> list[Reply]:
        self.heard += data
        for message, (answer, line) in self.TABLE.items():
            if self.heard.endswith(message):
                self.heard, self.line = b"", line
                return [Reply(answer, 300 * MILLISECOND)]
        return []

    def deadline(self) -> int | None:
        return None

    def wake(self, _now: int) -> list[Reply]:
        return []

    def lose(self, _now: int) -> None:
        self.line = (300, "7E1")


@pytest.fixture
def line(served: Served) -> CharacterLine:
    made: list[CharacterLine] = []

    async def make() -> None:
        world = World(1)
        made.append(CharacterLine(world, "optical", "optical"))
        made[0].attach(Meter(), name="meter")
        served.realtime = RealTime(world)

    served.run(make)
    return made[0]


def at_rest(served: Served, line: CharacterLine) -> None:
    """Wait until the meter has heard the break."""
    deadline = perf_counter() + 5
    while served.act(lambda: line.framing.baud) != 300:
        assert perf_counter() < deadline


@contextmanager
def opened(url: str, **settings: Any) -> Iterator[serial.SerialBase]:
    client = serial.serial_for_url(url, timeout=3, **settings)
    try:
        yield client
    finally:
        client.close()


def test_over_rfc2217_framing_and_speed_are_the_clients_and_keep_their_place_between_the_bytes(
    served: Served, line: CharacterLine
) -> None:
    door = served.open(lambda: open_rfc2217(served.realtime, line))
    with opened(f"rfc2217://127.0.0.1:{door.port}", baudrate=300, bytesize=7, parity="E") as client:
        for _ in range(2):
            client.write(REQUEST)
            assert client.read(len(IDENTIFICATION)) == IDENTIFICATION
            client.write(SELECT)
            client.apply_settings({"baudrate": 9600, "bytesize": 8, "parity": "N"})
            assert client.read(len(GREETING)) == GREETING, "all eight bits of it"
            client.write(BREAK)
            client.apply_settings({"baudrate": 300, "bytesize": 7, "parity": "E"})


def test_over_rfc2217_who_forgets_the_parity_sees_it_in_bit_7(served: Served, line: CharacterLine) -> None:
    door = served.open(lambda: open_rfc2217(served.realtime, line))
    with opened(f"rfc2217://127.0.0.1:{door.port}", baudrate=300) as client:
        client.write(bytes(byte | 0x80 if byte.bit_count() % 2 else byte for byte in REQUEST))
        heard = client.read(len(IDENTIFICATION))
        assert heard != IDENTIFICATION
        assert bytes(byte & 0x7F for byte in heard) == IDENTIFICATION


def test_over_raw_tcp_there_is_no_speed_and_the_door_follows_the_devices(served: Served, line: CharacterLine) -> None:
    door = served.open(lambda: open_raw_tcp(served.realtime, line))
    with connect(door.port) as client:
        for message, answer in ((REQUEST, IDENTIFICATION), (SELECT, GREETING)):
            client.sendall(message)
            assert take(client, len(answer)) == answer
        client.sendall(BREAK)
        at_rest(served, line)
        client.sendall(REQUEST)
        assert take(client, len(IDENTIFICATION)) == IDENTIFICATION


@pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")
@pytest.mark.parametrize("flush", [True, False])
def test_on_a_pty_the_speed_is_the_clients_and_the_framing_the_devices(
    served: Served, line: CharacterLine, *, flush: bool
) -> None:
    async def make() -> Any:
        from simulators.doors.pty import PtyDoor  # noqa: PLC0415  # cannot be imported on every platform

        return PtyDoor(served.realtime, line)

    door = served.open(make)
    for _ in range(3):
        with opened(door.path, baudrate=300) as client:
            client.write(REQUEST)
            assert client.read(len(IDENTIFICATION)) == IDENTIFICATION
            client.write(SELECT)
            if flush:
                client.flush()
            client.baudrate = 9600
            assert client.read(len(GREETING)) == GREETING
            client.write(BREAK)
            at_rest(served, line)


@pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")
def test_on_a_pty_who_stays_at_300_hears_garbage(served: Served, line: CharacterLine) -> None:
    async def make() -> Any:
        from simulators.doors.pty import PtyDoor  # noqa: PLC0415  # cannot be imported on every platform

        return PtyDoor(served.realtime, line)

    with opened(served.open(make).path, baudrate=300) as client:
        client.write(SELECT)
        client.timeout = 0.5
        heard = client.read(len(GREETING))
        assert b"P0" not in heard
        assert len(heard) < 3
