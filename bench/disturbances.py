"""What a scenario may do to a simulated line: put a fault on it, take it off, and know the truth behind it.

A real line has none of this: faults are never put on it, and the truth behind it is what is being measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import Undeterminable
from bench.faults import media
from protocols.powerlogic.words import pdu_address, signed, unpack_words
from simulators.faults.change import decide
from simulators.faults.line_registry import Call, Medium

if TYPE_CHECKING:
    from bench.host import Host
    from bench.station import Device

#: A write as it reached the meter: function, first register, words.
Arrival = tuple[int, int, tuple[int, ...]]


class Disturbances:
    """The line faults of a station's simulated links."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def devices(self, medium: Medium) -> list[Device]:
        """The simulated devices on links that are a medium to a fault."""
        links = {link.id for link in self._host.station.links.values() if link.type == "sim" and medium in media(link)}
        return [device for device in self._host.station.devices.values() if device.link in links]

    def put(self, device: str, fault: Call) -> None:
        """Put a fault on a device's link, from now on.

        Raises:
            Undeterminable: the link is not simulated.
        """
        link = self._link(device)
        self._host.catch_up()
        self._host.stage.disturb(link, fault)

    def calm(self, device: str) -> None:
        """Take every fault off a device's link."""
        self._host.catch_up()
        self._host.stage.calm(self._link(device))

    def truth(self, device: str, register: int, count: int) -> list[int]:
        """What registers of a simulated meter hold at this moment, line or no line."""
        self._link(device)
        self._host.catch_up()
        meter, now = self._host.stage.meters[device], self._host.world.now
        return [signed(word) for word in unpack_words(meter.read_registers(3, pdu_address(register), count, now))]

    def arrivals(self, device: str) -> list[Arrival]:
        """From now on, every write that reaches a simulated meter."""
        self._link(device)
        found: list[Arrival] = []
        meter = self._host.stage.meters[device]
        before = meter.firmware.stored

        def stored(function: int, first: int, values: list[int]) -> list[int]:
            found.append((function, first, tuple(values)))
            return before(function, first, values)

        decide(meter, stored=stored)
        return found

    def _link(self, device: str) -> str:
        entry = self._host.station.device(device)
        if not self._host.simulates(device):
            lacks = f"a simulated link to {device}: faults are never put on a real line"
            raise Undeterminable("what a disturbed line does", lacks)
        return entry.link
