import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import serial
from served_stage import READ, UNIT, Served, connect, take

from protocols.modbus.frames import encode_rtu
from simulators.doors import pacing, raw_tcp
from simulators.doors.rfc2217 import Rfc2217Caller, SerialSettings, open_rfc2217
from simulators.doors.tcp import TcpDoor
from simulators.lines.burst import Burst
from simulators.lines.framing import Framing
from simulators.world import MILLISECOND

#: pyserial 3.5 starts its reader in a way that Python 3.10 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

ANSWER = 5 + 56
IAC, SB, SE, COM_PORT = 255, 250, 240, 44


@pytest.fixture
def door(served: Served) -> TcpDoor:
    served.begin("rs485", framing="8E1")
    return served.open(lambda: open_rfc2217(served.realtime, served.stage.line("link")))


@contextmanager
def port(door: TcpDoor, **settings: object) -> Iterator[serial.Serial]:
    client = serial.serial_for_url(f"rfc2217://127.0.0.1:{door.port}", **{"timeout": 2, **settings})
    try:
        yield client
    finally:
        client.close()


def asked(client: serial.Serial) -> bytes:
    client.write(encode_rtu(UNIT, READ))
    return bytes(client.read(ANSWER))


def test_speed_size_parity_and_stop_bits_arrive(served: Served, door: TcpDoor) -> None:
    settings = {"baudrate": 300, "bytesize": 7, "parity": "E", "stopbits": 2}
    with port(door, **settings):
        (caller,) = door.callers
        assert isinstance(caller, Rfc2217Caller)
        assert caller.port.framing == Framing(300, "7E2")


def test_the_right_framing_is_answered_and_a_later_wrong_one_is_not(door: TcpDoor) -> None:
    with port(door, baudrate=9600, parity="E") as client:
        assert asked(client)[:3] == bytes([UNIT, 3, 56])
        client.timeout = 0.3
        client.parity = "N"
        assert asked(client) == b""
        client.parity = "E"
        client.baudrate = 19200
        assert asked(client) == b""
        client.baudrate = 9600
        client.timeout = 2
        assert len(asked(client)) == ANSWER


def test_one_client_after_another_is_served(door: TcpDoor) -> None:
    for _ in range(2):
        with port(door, baudrate=9600, parity="E") as client:
            assert len(asked(client)) == ANSWER


def test_who_vanished_without_hanging_up_keeps_nobody_out(door: TcpDoor) -> None:
    with connect(door.port) as vanished:
        vanished.sendall(bytes([IAC, SB, COM_PORT]))
        with port(door, baudrate=9600, parity="E") as client:
            assert len(asked(client)) == ANSWER


@pytest.mark.parametrize(
    "damage",
    [
        bytes([IAC, SE]),
        bytes([IAC, SB, COM_PORT, 1, 0, IAC, SE]),  # a speed of one byte
        bytes([IAC, SB, COM_PORT, 3, 99, IAC, SE]),  # a parity that does not exist
        bytes([IAC, SB, COM_PORT, 11, IAC, SE]),  # a mask that is not there
        bytes([IAC, SB, COM_PORT]) + bytes(1000),  # no end
    ],
)
def test_a_damaged_negotiation_ends_its_connection_and_no_other(door: TcpDoor, damage: bytes) -> None:
    with connect(door.port) as client:
        client.sendall(damage)
        while client.recv(4096):
            pass
    with port(door, baudrate=9600, parity="E") as good:
        assert len(asked(good)) == ANSWER


def test_settings_take_effect_where_they_stand_between_the_bytes(served: Served, door: TcpDoor) -> None:
    """A request at 9600, and in the same segment the change to 300: what was sent before was sent at 9600."""
    speed = bytes([IAC, SB, COM_PORT, 1, 0, 0, 1, 44, IAC, SE])
    with connect(door.port) as client:
        client.sendall(encode_rtu(UNIT, READ) + speed)
        acknowledged = bytes([IAC, SB, COM_PORT, 101, 0, 0, 1, 44, IAC, SE])
        received = b""
        while acknowledged not in received:
            received += take(client, 1)
        (caller,) = door.callers
        assert isinstance(caller, Rfc2217Caller)
        assert caller.port.framing == Framing(300, "8E1")
        sent = served.act(lambda: [(burst.framing, burst.data) for burst in served.stage.line("link")._heard])
        assert sent == [(Framing(9600, "8E1"), encode_rtu(UNIT, READ))]


def test_the_escape_character_is_doubled_on_its_way_out(served: Served, door: TcpDoor) -> None:
    with connect(door.port) as client:
        client.sendall(b"")
        while not door.callers:
            served.act(lambda: None)
        (caller,) = door.callers
        assert isinstance(caller, Rfc2217Caller)
        assert caller.wrapped(b"\x01\xff\x02") == b"\x01\xff\xff\x02"


class FakePort:
    framing = Framing(9600, "8N1")


@pytest.mark.parametrize(("name", "value"), [("baudrate", 0), ("bytesize", 5), ("parity", "M"), ("stopbits", 1.5)])
def test_a_setting_that_no_line_has_changes_nothing(name: str, value: object) -> None:
    settings = SerialSettings(FakePort(), lambda: pytest.fail("nothing changes"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no (framing|speed)"):
        setattr(settings, name, value)
    assert (settings.baudrate, settings.bytesize, settings.parity, settings.stopbits) == (9600, 8, "N", 1)


def test_who_leaves_characters_behind_at_one_baud_does_not_keep_the_line(
    served: Served, door: TcpDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would take minutes, and as long as they wait nobody reads that the client has hung up."""
    monkeypatch.setattr(raw_tcp, "LOOK", 0.05)
    monkeypatch.setattr(raw_tcp, "CLOSING_WAIT", 0.1)
    monkeypatch.setattr(pacing, "CLOSING_WAIT", 100 * MILLISECOND)
    with port(door, baudrate=1) as client:
        client.write(b"forgotten" * 9)
        time.sleep(0.2)
        assert door.callers
    ended = time.monotonic() + 5
    while time.monotonic() < ended and (door.callers or still_sent(served)):
        time.sleep(0.02)
    assert not door.callers, "he is still on the line"
    assert still_sent(served) == []


def still_sent(served: Served) -> list[Burst]:
    line = served.stage.line("link")
    return served.act(lambda: [burst for burst in line._sent if burst.end > line.world.now])
