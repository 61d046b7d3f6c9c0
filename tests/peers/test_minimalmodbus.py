"""minimalmodbus, a Modbus RTU master on pyserial."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import minimalmodbus
import pytest
import serial
from served_desk import ENERGY, UNIT, WORDS, Desk

#: pyserial 3.5 starts its RFC 2217 reader in a way that Python 3.10 has deprecated.
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")]
linux = pytest.mark.skipif(sys.platform != "linux", reason="ptys are served on Linux only")


@contextmanager
def instrument(url: str, parity: str, unit: int = UNIT) -> Iterator[minimalmodbus.Instrument]:
    with serial.serial_for_url(url, baudrate=9600, parity=parity, timeout=1) as port:
        yield minimalmodbus.Instrument(port, unit)


@linux
@pytest.mark.parametrize(("device", "parity"), [("none", "N"), ("even", "E")])
def test_over_a_pty_again_and_again(desk: Desk, device: str, parity: str) -> None:
    for _ in range(3):
        with instrument(desk.url(device, "pty"), parity) as meter:
            assert meter.read_registers(ENERGY - 1, 4) == WORDS
            meter.write_registers(8021, [1, 2, 3])
            assert meter.read_registers(8021, 3) == [1, 2, 3]


@linux
def test_by_the_name_of_the_port_as_its_documentation_does(desk: Desk) -> None:
    meter = minimalmodbus.Instrument(desk.url("none", "pty"), UNIT)
    meter.serial.baudrate = 9600
    meter.serial.timeout = 1
    meter.close_port_after_each_call = True
    for _ in range(3):
        assert meter.read_registers(ENERGY - 1, 4) == WORDS
    minimalmodbus._serialports.clear()


def test_over_rfc2217(desk: Desk) -> None:
    with instrument(desk.url("even", "rfc2217"), "E") as meter:
        assert meter.read_registers(ENERGY - 1, 4) == WORDS


def test_an_absent_unit_is_silent(desk: Desk) -> None:
    with instrument(desk.url("even", "rfc2217"), "E", unit=99) as meter, pytest.raises(minimalmodbus.NoResponseError):
        meter.read_register(ENERGY - 1)


def test_a_refusal_is_told_by_its_exception(desk: Desk) -> None:
    with instrument(desk.url("even", "rfc2217"), "E") as meter, pytest.raises(minimalmodbus.IllegalRequestError):
        meter.write_registers(ENERGY - 1, [1])
