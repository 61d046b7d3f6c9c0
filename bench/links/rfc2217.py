"""A serial port of another machine (RFC 2217): speed, size and parity travel with it."""

from __future__ import annotations

import warnings

import serial
from pymodbus.client import ModbusSerialClient

from bench.host import Host
from bench.links.link import Link
from bench.links.serial import serial_link
from bench.station import Rfc2217Link


def make(entry: Rfc2217Link, host: Host) -> Link:
    """The link of a `type: rfc2217` entry."""
    settings: dict[str, object] = {
        "type": "rfc2217",
        "url": entry.target,
        "baud": entry.baud,
        "framing": entry.framing,
    }
    return serial_link(
        entry.id, entry.target, settings, host, timeout=entry.timeout, echo=entry.echo, client=Rfc2217Client
    )


class Rfc2217Client(ModbusSerialClient):
    """pymodbus's serial client on pyserial's RFC 2217 port, which knows no write time-out: only opening it differs."""

    def connect(self) -> bool:
        """Open the port, if it is not open; False where it cannot be opened."""
        if self.socket is None:
            with warnings.catch_warnings():
                # pyserial 3.5 starts its reader thread in a way that Python 3.10 deprecated.
                warnings.filterwarnings("ignore", "set(Daemon|Name)", DeprecationWarning)
                self.socket = self._opened()
        return self.socket is not None

    def _opened(self) -> serial.SerialBase | None:
        wanted = self.comm_params
        try:
            return serial.serial_for_url(
                wanted.host,
                timeout=wanted.timeout_connect,
                bytesize=wanted.bytesize,
                stopbits=wanted.stopbits,
                baudrate=wanted.baudrate,
                parity=wanted.parity,
            )
        except (serial.SerialException, ValueError):
            return None
