import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
import serial
from served_stage import READ, UNIT, Served

from protocols.modbus.frames import encode_rtu
from simulators.lines.framing import Framing

if TYPE_CHECKING:
    from simulators.doors.pty import PtyDoor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")

ANSWER = 5 + 56
#: 8 characters, 3.5 of silence, 20 ms of turnaround and 61 characters at 9600 8E1, in seconds.
LINE_TIME = (8 + 3.5 + ANSWER) * 11 / 9600 + 0.020


@pytest.fixture
def door(served: Served) -> "PtyDoor":
    served.begin("rs485", framing="8E1")
    return another(served)


def another(served: Served) -> "PtyDoor":
    async def make() -> "PtyDoor":
        from simulators.doors.pty import PtyDoor  # noqa: PLC0415  # cannot be imported on every platform

        return PtyDoor(served.realtime, served.stage.line("link"))

    return served.open(make)


@contextmanager
def port(door: "PtyDoor", baud: int = 9600, framing: str = "8N1", timeout: float = 2) -> Iterator[serial.Serial]:
    bits, parity, stop = framing
    with serial.Serial(
        door.path, baud, bytesize=int(bits), parity=parity, stopbits=int(stop), timeout=timeout
    ) as client:
        yield client


def settled(served: Served, door: "PtyDoor", baud: int) -> None:
    """Wait until the door has seen a client's speed, and parked the pty again."""
    deadline = perf_counter() + 5
    while served.act(lambda: door.framing.baud) != baud:
        assert perf_counter() < deadline, f"{door.framing} where {baud} was set"


def asked(client: serial.Serial) -> bytes:
    client.write(encode_rtu(UNIT, READ))
    return bytes(client.read(ANSWER))


def test_sixteen_clients_open_it_in_four_formats_and_change_its_speed(served: Served, door: "PtyDoor") -> None:
    for framing in ("7E1", "8E1", "7N1", "7E2") * 4:
        with port(door, 300, framing) as client:
            settled(served, door, 300)
            client.baudrate = 9600
            settled(served, door, 9600)
            assert door.framing == Framing(9600, "8E1")


def test_it_answers_at_line_speed(door: "PtyDoor") -> None:
    with port(door, framing="8E1") as client:
        times = []
        for _ in range(5):
            began = perf_counter()
            assert asked(client)[:3] == bytes([UNIT, 3, 56])
            times.append(perf_counter() - began)
    assert min(times) >= LINE_TIME
    assert min(times) < LINE_TIME * 1.05 + 0.005


def test_a_client_at_the_wrong_speed_is_not_understood(served: Served, door: "PtyDoor") -> None:
    with port(door, 19200, timeout=0.3) as client:
        settled(served, door, 19200)
        assert asked(client) == b""
        client.baudrate = 9600
        settled(served, door, 9600)
        client.timeout = 2
        assert len(asked(client)) == ANSWER


def test_a_client_that_first_keeps_our_speed_and_throws_away_our_flags_is_seen_by_its_flush(
    served: Served, door: "PtyDoor"
) -> None:
    """Node's serialport sets twice on opening; a door that looks in between is told of nothing after that."""
    client = os.open(door.path, os.O_RDWR | os.O_NOCTTY)
    try:
        settings = termios.tcgetattr(client)
        settings[3] = 0
        termios.tcsetattr(client, termios.TCSANOW, settings)
        for _ in range(20):
            served.act(lambda: None)  # the door has looked, and found its own speed
        settings[4] = settings[5] = termios.B19200
        termios.tcsetattr(client, termios.TCSANOW, settings)
        termios.tcflush(client, termios.TCIOFLUSH)
        settled(served, door, 19200)
    finally:
        os.close(client)


def test_a_speed_without_a_constant_is_seen(served: Served, door: "PtyDoor") -> None:
    with port(door, 14400):
        settled(served, door, 14400)


def test_two_ptys_of_a_line_serve_two_clients_in_turn(served: Served, door: "PtyDoor") -> None:
    second = another(served)
    with port(door) as one, port(second) as two:
        for client in (one, two, one):
            assert len(asked(client)) == ANSWER
        assert (one.in_waiting, two.in_waiting) == (0, 0)


def test_a_client_that_leaves_harms_nobody(door: "PtyDoor") -> None:
    for _ in range(3):
        with port(door) as client:
            client.write(encode_rtu(UNIT, READ))
    with port(door) as client:
        while client.read(200):  # what the line still says to those who have left
            client.timeout = 0.2
        client.timeout = 2
        assert len(asked(client)) == ANSWER


def test_a_pty_that_nobody_reads_loses_what_does_not_fit(served: Served, door: "PtyDoor") -> None:
    slave = os.open(door.path, os.O_RDWR | os.O_NOCTTY)
    try:
        for _ in range(100):
            served.act(lambda: door._deliver(bytes(1000)))
        kept = len(os.read(slave, 100_000))
        assert 0 < kept <= 100_000
    finally:
        os.close(slave)


def test_more_than_the_line_can_take_waits_in_the_pty(served: Served, door: "PtyDoor") -> None:
    with port(door, timeout=0) as client:
        client.write_timeout = 0.2
        flood = bytes(1 << 20)
        with pytest.raises(serial.SerialTimeoutException):
            client.write(flood)


def test_closing_takes_it_away(served: Served, door: "PtyDoor") -> None:
    line = served.stage.line("link")
    second = another(served)
    served.run(second.close)
    served._doors.remove(second)
    assert len(line._ports) == 1
    with pytest.raises(FileNotFoundError):
        os.open(second.path, os.O_RDWR | os.O_NOCTTY)
