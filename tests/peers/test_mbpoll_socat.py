"""mbpoll (a Modbus master on libmodbus) and socat (which joins any two streams), both Debian packages."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import serial
from served_desk import ENERGY, UNIT, WORDS, Desk, tool

from protocols.modbus.frames import encode_rtu

pytestmark = pytest.mark.peer
linux = pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")


def mbpoll(*arguments: str, unit: int = UNIT) -> subprocess.CompletedProcess[str]:
    command = [tool("mbpoll"), "-a", str(unit), "-t", "4", "-1", "-o", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def values(polled: subprocess.CompletedProcess[str]) -> dict[int, int]:
    """Register to value, as mbpoll prints them."""
    assert polled.returncode == 0, polled.stdout + polled.stderr
    return {int(n): int(v) for n, v in re.findall(r"^\[(\d+)\]:\s+(-?\d+)", polled.stdout, re.MULTILINE)}


WANTED = {ENERGY + i: word for i, word in enumerate(WORDS)}


@pytest.mark.parametrize("device", ["lan", "even"])
def test_mbpoll_reads_over_tcp_directly_and_through_the_gateway(desk: Desk, device: str) -> None:
    polled = mbpoll("-m", "tcp", "-p", str(desk.port(device)), "-r", str(ENERGY), "-c", "4", "127.0.0.1")
    assert values(polled) == WANTED


def test_mbpoll_writes_a_block_over_tcp_and_reads_it_back(desk: Desk) -> None:
    where = ["-m", "tcp", "-p", str(desk.port("lan")), "-r", "8022"]
    block = [str(100 + i) for i in range(28)]
    written = mbpoll(*where, "127.0.0.1", *block)
    assert written.returncode == 0, written.stdout + written.stderr
    assert list(values(mbpoll(*where, "-c", "28", "127.0.0.1")).values()) == [int(word) for word in block]


@linux
@pytest.mark.parametrize("parity", ["none", "even"])
def test_mbpoll_reads_over_a_pty_with_and_without_parity_as_often_as_it_is_started(desk: Desk, parity: str) -> None:
    for _ in range(3):
        polled = mbpoll("-m", "rtu", "-b", "9600", "-P", parity, "-r", str(ENERGY), "-c", "4", desk.url(parity, "pty"))
        assert values(polled) == WANTED


@linux
def test_mbpoll_finds_an_absent_unit_silent(desk: Desk) -> None:
    polled = mbpoll("-m", "rtu", "-b", "9600", "-P", "even", "-r", str(ENERGY), desk.url("even", "pty"), unit=99)
    assert polled.returncode != 0
    assert "timed out" in polled.stdout + polled.stderr


@contextmanager
def socat(left: str, right: str) -> Iterator[None]:
    """Socat between two addresses; it says when it listens."""
    process = subprocess.Popen([tool("socat"), "-d", "-d", left, right], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "listening on" in line or "starting data transfer" in line:
                break
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


@linux
def test_socat_brings_a_pty_to_tcp_and_pyserial_reads_through_it(desk: Desk, unused_port: int) -> None:
    pty = f"{desk.url('none', 'pty')},b9600,rawer"
    with (
        socat(f"TCP-LISTEN:{unused_port},bind=127.0.0.1,reuseaddr", pty),
        serial.serial_for_url(f"socket://127.0.0.1:{unused_port}", timeout=5) as port,
    ):
        port.write(encode_rtu(UNIT, bytes.fromhex("0306a30004")))
        answer = port.read(13)
    assert [int.from_bytes(answer[at : at + 2], "big") for at in range(3, 11, 2)] == WORDS


@linux
def test_mbpoll_reads_a_raw_port_through_a_pty_that_socat_makes(desk: Desk, tmp_path: object) -> None:
    name = f"{tmp_path}/line"
    with socat(f"PTY,link={name},rawer", f"TCP:127.0.0.1:{desk.port('none', 'raw-tcp')}"):
        polled = mbpoll("-m", "rtu", "-b", "9600", "-P", "none", "-r", str(ENERGY), "-c", "4", name)
    assert values(polled) == WANTED


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
