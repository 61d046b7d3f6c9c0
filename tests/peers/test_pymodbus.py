"""pymodbus's synchronous clients, as a test engineer would use them."""

import struct
import sys

import pytest
import serial
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from served_desk import ENERGY, UNIT, WORDS, Desk

#: pyserial 3.5 starts its RFC 2217 reader in a way that Python 3.10 has deprecated.
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")]
linux = pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")


@pytest.mark.parametrize("device", ["lan", "even", "none"])
def test_over_tcp(desk: Desk, device: str) -> None:
    with ModbusTcpClient("127.0.0.1", port=desk.port(device), timeout=3) as client:
        assert client.read_holding_registers(ENERGY - 1, count=4, device_id=UNIT).registers == WORDS
        assert client.write_registers(8021, [7, 8, 9], device_id=UNIT).isError() is False
        assert client.read_holding_registers(8021, count=3, device_id=UNIT).registers == [7, 8, 9]


def test_an_absent_unit_is_the_gateways_exception(desk: Desk) -> None:
    with ModbusTcpClient("127.0.0.1", port=desk.port("even"), timeout=3) as client:
        answer = client.read_holding_registers(ENERGY - 1, count=4, device_id=99)
        assert (answer.isError(), answer.exception_code) == (True, 0x0B)


def test_identification(desk: Desk) -> None:
    with ModbusTcpClient("127.0.0.1", port=desk.port("lan"), timeout=3) as client:
        information = client.read_device_information(device_id=UNIT).information
        assert information[1] == b"PM850"


def test_rtu_frames_over_tcp(desk: Desk) -> None:
    client = ModbusTcpClient("127.0.0.1", port=desk.port("none", "raw-tcp"), framer=FramerType.RTU, timeout=3)
    with client:
        assert client.read_holding_registers(ENERGY - 1, count=4, device_id=UNIT).registers == WORDS


@linux
@pytest.mark.parametrize("device", ["even", "none"])
def test_over_a_pty_again_and_again(desk: Desk, device: str) -> None:
    """A pty carries 8N1, whatever the framing of the line behind it."""
    for _ in range(3):
        with ModbusSerialClient(desk.url(device, "pty"), baudrate=9600, timeout=3, retries=0) as client:
            assert client.read_holding_registers(ENERGY - 1, count=4, device_id=UNIT).registers == WORDS


def rfc2217(desk: Desk, parity: str) -> ModbusSerialClient:
    """pymodbus sets a write timeout, which pyserial's RFC 2217 refuses, so it is given an open port."""
    url = desk.url("even", "rfc2217")
    client = ModbusSerialClient(url, baudrate=9600, parity=parity, timeout=1, retries=0)
    client.socket = serial.serial_for_url(url, baudrate=9600, parity=parity, timeout=1)
    return client


def test_over_rfc2217_with_parity_again_and_again(desk: Desk) -> None:
    for _ in range(2):
        with rfc2217(desk, "E") as client:
            assert client.read_holding_registers(ENERGY - 1, count=4, device_id=UNIT).registers == WORDS


def test_over_rfc2217_with_the_wrong_parity_there_is_silence(desk: Desk) -> None:
    client = rfc2217(desk, "N")
    port = client.socket
    assert port is not None
    try:
        port.write(struct.pack(">BBHHH", UNIT, 3, ENERGY - 1, 4, 0))
        assert port.read(1) == b""
    finally:
        client.close()
