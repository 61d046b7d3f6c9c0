"""Who may write to what: the rule of the three keys.

Nothing is written to a device unless three people who may not know of each other agree:

1. who wrote the scenario, or typed the command, says that it is destructive and why;
2. who wired the station gives the device up: `protection: sacrificial` in the station file;
3. who starts the run names the device: `--allow-destructive ID`, by its id or its serial number.

Where nothing could be harmed, on the built-in station and on a replay link (a recorded wire answers, and only what was
written when it was recorded), the second and the third key are turned already. A simulated device of one's own station
is not among these: its file is the rehearsal of a real one. Every writing
method of a driver asks for an `Armed`, and only `Safety.arm` gives one out: a scenario without the three keys cannot
write by accident.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING

from bench.errors import NotArmed, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from bench.station import Device, Link, Station

#: The Modbus address that every meter on a line obeys and none answers.
BROADCAST = 0

_CURE = "write protection: sacrificial if it may be overwritten"

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Armed:
    """Permission to change one device, with the reason that the evidence will name. Only `Safety.arm` makes one."""

    device: str
    reason: str
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only Safety.arm gives out permission to write")

    def check(self, device_id: str) -> None:
        """Let a writing method of the driver of `device_id` go on.

        Raises:
            NotArmed: The permission is for another device.
        """
        if device_id != self.device:
            raise NotArmed(f"{device_id} is not armed: the permission to write is for {self.device} ({self.reason})")


class Safety:
    """The second and the third key of a run: what the station gives up, and what the command line allows.

    Args:
        station: the station of the run.
        allowed: ids or serial numbers after `--allow-destructive`.

    Raises:
        UsageError: A device is allowed that the station does not have, or that its file protects.
    """

    def __init__(self, station: Station, allowed: Collection[str] = ()) -> None:
        self._station = station
        self._allowed = frozenset(self._named(name).id for name in allowed)

    def arm(self, device_id: str, reason: str | None) -> Armed:
        """Permission to write to a device; `reason` is why the scenario or command is destructive, None if it is not.

        Raises:
            NotArmed: A key is missing; one line names which, and what to do.
            UsageError: The station has no such device.
        """
        device = self._station.device(device_id)
        missing = self._missing_keys(device, reason)
        if missing or reason is None:
            raise NotArmed(f"{device_id} is not armed: {'; '.join(missing)}")
        return Armed(device_id, reason, _SEAL)

    def _missing_keys(self, device: Device, reason: str | None) -> list[str]:
        missing = []
        if not reason:
            missing.append("the scenario is not marked destructive (mark it, with a reason)")
        if not self._harmless(device):
            if not device.sacrificial:
                missing.append(f"the station protects it ({self._cure(device)})")
            if device.id not in self._allowed:
                missing.append(f"the command line does not name it (add --allow-destructive {device.id})")
        return missing

    def _harmless(self, device: Device) -> bool:
        return self._station.builtin or self._station.link_of(device).type == "replay"

    def _named(self, name: str) -> Device:
        by_serial = {device.serial: device for device in self._station.devices.values() if device.serial is not None}
        device = by_serial.get(name) or self._station.device(name)
        if not device.sacrificial and not self._harmless(device):
            reason = f"devices.{device.id}: --allow-destructive {name}, but the station protects it"
            raise UsageError(f"{reason}; {_CURE}", self._station.file, self._line(device))
        return device

    def _cure(self, device: Device) -> str:
        return f"{self._station.file}:{self._line(device)}: {_CURE}"

    def _line(self, device: Device) -> int:
        return self._station.line("devices", device.id, "protection")


def refuse_broadcast(link: Link, unit: int) -> None:
    """Keep a real line from a message that every meter on it would obey.

    Raises:
        NotArmed: `unit` is the broadcast address and `link` is not simulated.
    """
    if unit == BROADCAST and link.type not in ("sim", "replay"):
        raise NotArmed(f"broadcast refused on link {link.id}: every device on a real line would obey")
