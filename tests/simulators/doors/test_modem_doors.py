"""A modem behind real ports: what a client sees is a serial port that answers AT."""

import socket
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
from simulators.lines.exchange import Exchange
from simulators.lines.modem import Modem, ModemPlan, State
from simulators.realtime import RealTime
from simulators.world import World

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")
CONNECT = b"\r\nCONNECT 9600\r\n"


class Parrot:
    """A meter that says what it hears."""

    line = (9600, "8N1")

    def receive(self, data: bytes, _now: int) -> list[Reply]:
        return [Reply(data)]

    def deadline(self) -> int | None:
        return None

    def wake(self, _now: int) -> list[Reply]:
        return []

    def lose(self, _now: int) -> None:
        """Nothing is kept."""


@pytest.fixture
def modem(served: Served) -> Modem:
    made: list[Modem] = []

    async def make() -> None:
        world = World(1)
        far = CharacterLine(world, "far", "network")
        far.attach(Parrot(), name="meter")
        made.append(Modem(world, "modem", ModemPlan({}, profile="rs232_direct"), Exchange({"123": far})))
        served.realtime = RealTime(world, speed=5)

    served.run(make)
    return made[0]


@contextmanager
def opened(url: str, **settings: Any) -> Iterator[serial.SerialBase]:
    client = serial.serial_for_url(url, timeout=3, **settings)
    try:
        yield client
    finally:
        client.close()


def hung_up(served: Served, modem: Modem) -> None:
    deadline = perf_counter() + 5
    while served.act(lambda: modem.carrier):
        assert perf_counter() < deadline


def test_over_tcp_and_who_closes_the_connection_hangs_up(served: Served, modem: Modem) -> None:
    door = served.open(lambda: open_raw_tcp(served.realtime, modem.terminal))
    for _ in range(2):
        with connect(door.port) as client:
            client.sendall(b"ATE0\r")
            assert take(client, 11).endswith(b"OK\r\n")
            client.sendall(b"ATDT123\r")
            assert take(client, len(CONNECT)) == CONNECT
            client.sendall(b"\x00\xff+++\r")
            assert take(client, 6) == b"\x00\xff+++\r"
            client.shutdown(socket.SHUT_RDWR)
        hung_up(served, modem)
        served.act(modem._commands.restore)


def test_over_rfc2217_with_any_speed_and_dtr(served: Served, modem: Modem) -> None:
    door = served.open(lambda: open_rfc2217(served.realtime, modem.terminal))
    with opened(f"rfc2217://127.0.0.1:{door.port}", baudrate=2400) as client:
        client.write(b"ATE0DT123\r")
        assert client.read_until(CONNECT).endswith(CONNECT)
        client.write(b"hello")
        assert client.read(5) == b"hello"
        client.dtr = False
        hung_up(served, modem)
        assert client.read_until(b"NO CARRIER\r\n").endswith(b"NO CARRIER\r\n")
        assert served.act(lambda: modem.state) is State.COMMAND


@pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")
def test_on_a_pty(served: Served, modem: Modem) -> None:
    async def make() -> Any:
        from simulators.doors.pty import PtyDoor  # noqa: PLC0415  # cannot be imported on every platform

        return PtyDoor(served.realtime, modem.terminal)

    with opened(served.open(make).path, baudrate=19200) as client:
        client.write(b"AT\r")
        assert client.read(9) == b"AT\r\r\nOK\r\n"
        client.write(b"ATE0DT123\r")
        assert client.read_until(CONNECT).endswith(CONNECT)
        client.write(bytes(range(256)))
        assert client.read(256) == bytes(range(256))


def test_the_port_of_a_pty_keeps_no_call_alive() -> None:
    world = World(1)
    far = CharacterLine(world, "far", "network")
    far.attach(Parrot(), name="meter")
    modem = Modem(world, "modem", ModemPlan({}, profile="rs232_direct"), Exchange({"123": far}))
    modem.terminal.open(follows="frame")  # as a pty's door, for as long as it is served
    port = modem.terminal.open(follows="line")
    port.write(b"ATD123\r")
    world.sleep(5_000_000_000)
    assert modem.carrier
    modem.terminal.close(port)
    world.sleep(1_000_000_000)
    assert not modem.carrier
