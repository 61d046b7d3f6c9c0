"""What is swept: one procedure on one device, with one kind of cut and one save delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.errors import UsageError
from bench.station import Station, find_station
from bench.station.devices import Device, Energies, Simulation
from protocols.powerlogic.energy import Quantity
from simulators.meters.powerlogic.profile import ProfileError, duration

Victim = Literal["meter", "bench"]
Medium = Literal["rs485", "ethernet"]
VICTIMS: tuple[Victim, ...] = ("meter", "bench")
MEDIA: tuple[Medium, ...] = ("rs485", "ethernet")
#: The link of the built-in station that each medium is.
_LINKS = {"rs485": "bus", "ethernet": "lan"}
#: What the device has counted before: seven values that cannot be taken for one another, nor for new ones.
_COUNTED = {quantity.value: 10_007 * (index + 1) for index, quantity in enumerate(Quantity)}
_SOURCE_ADDRESS, _DEVICE_ADDRESS = 2, 1


@dataclass(frozen=True, slots=True)
class Plan:
    """One sweep. Durations as a station file writes them.

    Attributes:
        procedure: a name of `bench.sweep.jobs.JOBS`.
        victim: who loses its power.
        device: the meter that is written to, of the built-in station.
        source: the meter that hands its readings over.
        medium: the line of the device; on rs485 the source is on the same one.
        save_delay: how long a change waits before it survives a cut.
        off: how long the supply stays away.
        boot: how long the device takes to start; its model's value if empty.
        defects: firmware defects of the device.
        seed: of the world.
    """

    procedure: str = "transfer"
    victim: Victim = "meter"
    device: str = "new-pm850"
    source: str = "cm2350"
    medium: Medium = "rs485"
    save_delay: str = "0 s"
    off: str = "5 s"
    boot: str = ""
    defects: tuple[str, ...] = ()
    seed: int = 0

    @property
    def off_time(self) -> int:
        """How long the supply stays away, ns."""
        return nanoseconds(self.off)

    @property
    def save_time(self) -> int:
        """How long a change waits before it survives a cut, ns."""
        return nanoseconds(self.save_delay)

    @property
    def title(self) -> str:
        """Its row of the table."""
        cut = f"cut for {self.off}" if self.victim == "meter" else "bench killed"
        boot = f", boot {self.boot}" if self.boot else ""
        return f"{self.procedure}, {self.medium}, {cut}, save delay {self.save_delay}{boot}"

    def station(self) -> Station:
        """The two meters, taken from the built-in station.

        Raises:
            UsageError: one does not exist.
        """
        builtin = find_station("sim")
        old, new = builtin.device(self.source), builtin.device(self.device)
        profile = {"save_delay": self.save_delay, **({"boot": self.boot} if self.boot else {})}
        past = (new.simulate or Simulation()).model_copy(update={"profile": profile, "energies": Energies(**_COUNTED)})
        there = _LINKS[self.medium]
        devices: dict[str, Device] = {
            old.id: _placed(old, there if self.medium == "rs485" else old.link, _SOURCE_ADDRESS),
            new.id: _placed(new, there, _DEVICE_ADDRESS).model_copy(update={"simulate": past}),
        }
        used = {device.link for device in devices.values()}
        links = {name: link for name, link in builtin.links.items() if name in used}
        return builtin.model_copy(update={"devices": devices, "links": links})


def _placed(device: Device, link: str, address: int) -> Device:
    return device.model_copy(update={"link": link, "address": address})


def nanoseconds(text: str) -> int:
    """A duration such as "50 ms" in ns.

    Raises:
        UsageError: it is none.
    """
    try:
        return duration(text)
    except ProfileError as error:
        raise UsageError(str(error)) from None
