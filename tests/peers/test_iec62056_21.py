"""PyPI's iec62056-21 (BSD), as released: over TCP, and over a pty where the meter is slow enough for it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flag_desk import OUTSTATIONS, PASSWORD, REGISTERS, SHOWN, FlagDesk, flag_desk, of_clients, of_meters
from served_desk import library

from protocols.elster.registers import decode_totals
from protocols.flag.frames import checked
from protocols.flag.login import reply_to

#: It opens a port again at each change of speed without closing it.
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
linux = pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")
#: After a readout nobody has acknowledged, the meter goes back to its start 2 s later.
AFTER_READOUT = 2.2


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    return library("iec62056-21", "iec62056_21.client")


@pytest.fixture(scope="module")
def flag(peer: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlagDesk]:
    with flag_desk(tmp_path_factory.mktemp("flag")) as desk:
        yield desk


@contextmanager
def over_tcp(peer: ModuleType, desk: FlagDesk, model: str) -> Iterator[Any]:
    address = ("127.0.0.1", desk.port(model, "raw-tcp"))
    client = peer.Iec6205621Client.with_tcp_transport(address, device_address=OUTSTATIONS[model])
    client.connect()
    try:
        yield client
    finally:
        client.disconnect()


@contextmanager
def over_a_pty(peer: ModuleType, desk: FlagDesk, model: str) -> Iterator[Any]:
    client = peer.Iec6205621Client.with_serial_transport(desk.url(f"slow-{model}", "pty"))
    client.connect()
    try:
        yield client
    finally:
        client.disconnect()


WAYS = [over_tcp, pytest.param(over_a_pty, marks=linux)]
Way = Callable[..., Any]


def log_in(client: Any, password: bytes | None = None) -> None:
    """Own P2 bytes: `send_password` of the release raises a TypeError."""
    challenge = bytes.fromhex(client.access_programming_mode().data_set.value)
    reply = bytes(8) if password is None else reply_to(challenge, password)
    client.transport.send(checked(b"\x01P2\x02(" + reply.hex().upper().encode() + b")\x03"))
    assert client.transport.recv(1) == b"\x06"


def drain(client: Any) -> None:
    """What is left of an error message, if it came in more than one piece."""
    connection = client.transport.socket
    before = connection.gettimeout()
    connection.settimeout(1)
    with suppress(OSError):
        connection.recv(64)
    connection.settimeout(before)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", ["A1140", "A1700"])
def test_the_readout_shows_the_registers(peer: ModuleType, flag: FlagDesk, model: str, way: Way) -> None:
    with way(peer, flag, model) as client:
        found = {each.address: (each.value, each.unit) for each in client.standard_readout().data if each.address}
        time.sleep(AFTER_READOUT if way is over_tcp else 0)
    assert {code: found[code] for code in SHOWN} == SHOWN
    assert found["0.0.0"] == (OUTSTATIONS[model], None)


@pytest.mark.parametrize(
    ("model", "way"), [("A1140", over_tcp), ("A1700", over_tcp), pytest.param("A1700", over_a_pty, marks=linux)]
)
def test_identities_are_read_by_r1(peer: ModuleType, flag: FlagDesk, model: str, way: Way) -> None:
    with way(peer, flag, model) as client:
        log_in(client)
        serial, scheme, first, second = (
            bytes.fromhex(client.read_single_value(address, size).value)
            for address, size in (("798001", "10"), ("795001", "08"), ("507001", "40"), ("507002", "10"))
        )
        client.send_break()
    assert serial.decode().lstrip("0") == ("" if way is over_tcp else "SLOW-") + model
    assert scheme == b" " * 8
    totals = decode_totals(model, (first + second).ljust(128, b"\0")[: 128 if model == "A1140" else 80])
    assert {source: totals[source] for source in REGISTERS} == {s: v * 1000 for s, v in REGISTERS.items()}


def test_a_refusal_is_data_to_it_and_a_write_is_taken_at_its_level(peer: ModuleType, flag: FlagDesk) -> None:
    with over_tcp(peer, flag, "A1140") as client:
        log_in(client)
        assert client.read_single_value("999001", "01").value == "ERR2"
        with pytest.raises(ValueError, match="invalid response"):
            client.write_single_value("576001", b"ELSTER      ".hex().upper())
        time.sleep(0.3)  # it goes on behind the first byte of an error message, and who speaks hears no break
        client.send_break()
        time.sleep(0.3)
        drain(client)
        log_in(client, PASSWORD)
        client.write_single_value("576001", b"ELSTER      ".hex().upper())
        client.send_break()


@linux
def test_the_checker_finds_nothing_in_the_meters_and_haste_in_the_client(peer: ModuleType, tmp_path: Path) -> None:
    """It waits behind what it has said and not before, so its reaction times are below 200 ms (6.4.3)."""
    with flag_desk(tmp_path) as desk:
        with over_tcp(peer, desk, "A1140") as client:
            log_in(client)
            client.read_single_value("798001", "10")
            client.send_break()
        with over_a_pty(peer, desk, "A1700") as client:
            client.standard_readout()
    for device in ("A1140", "slow-A1700"):
        judged = desk.judged(device)
        assert of_meters(judged) == []
        assert of_clients(judged) == {"tr.short"}, device
        assert judged.report.messages["host option select"] == 1
