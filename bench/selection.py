"""Which devices of a station a scenario runs on, decided at collection: before any port opens.

A scenario names what it wants by its fixtures: `meter` is every device, `target` every device that takes a preset,
`old` and `new` every pair of models that the documents allow, `old` and `unfit` every pair that they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.drivers import elster, powerlogic
from bench.drivers.capabilities import Capability

if TYPE_CHECKING:
    from bench.station import Device, Station


@dataclass(frozen=True, slots=True)
class Choice:
    """One set of devices for a scenario, by fixture name; or none, and why."""

    devices: dict[str, str]
    skip: str = ""

    @property
    def id(self) -> str:
        """How the scenario is called in reports: "cm2350->pm850"."""
        return "->".join(self.devices.values()) or "none"


def capabilities_of(device: Device) -> frozenset[Capability]:
    """What a device can do, by its model."""
    if device.protocol == "flag":
        return elster.capabilities_of(device.model)
    return powerlogic.capabilities_of(device.model)


def choices(station: Station, fixtures: Iterable[str], needs: Iterable[str]) -> tuple[list[str], list[Choice]]:
    """The fixture names to parametrise and the choices for them; no names where a scenario asks for no device."""
    wanted, needed = set(fixtures), [Capability(name) for name in needs]
    for names, find in _FINDERS:
        if wanted.issuperset(names):
            return list(names), find(station, needed)
    return [], []


def _pairs(station: Station, _needed: list[Capability], *, fit: bool) -> list[Choice]:
    """One pair for each source model and each target model; the last device of a model is taken as the replacement."""
    second = "new" if fit else "unfit"
    found: dict[tuple[str, str], Choice] = {}
    for source in station.devices.values():
        for target in station.devices.values():
            if source.id != target.id and _hands_over(source, target) and _takes_preset(target) == fit:
                first = found.get((source.model, target.model))
                old = first.devices["old"] if first else source.id
                if old == source.id:
                    found[source.model, target.model] = Choice({"old": old, second: target.id})
    return list(found.values()) or [_none(station, ("old", second), "no such pair of meters")]


def _hands_over(source: Device, target: Device) -> bool:
    """A preset is a matter between meters of one kind."""
    return source.protocol == target.protocol == "modbus"


def _takes_preset(device: Device) -> bool:
    return Capability.PRESET_ENERGY in capabilities_of(device)


def _each(station: Station, needed: list[Capability], name: str) -> list[Choice]:
    found = []
    for device in station.devices.values():
        missing = [capability for capability in needed if capability not in capabilities_of(device)]
        why = f"{station.name}: {device.id} ({device.model}) has no {', '.join(missing)}" if missing else ""
        found.append(Choice({name: device.id}, why))
    able = [choice for choice in found if not choice.skip]
    return able or [_none(station, (name,), f"no device with {', '.join(needed)}")]


def _targets(station: Station, needed: list[Capability]) -> list[Choice]:
    """One device of each model that takes a preset: the last, which is the replacement."""
    last = {device.model: device for device in station.devices.values() if _takes_preset(device)}
    able = [Choice({"target": device.id}) for device in last.values() if capabilities_of(device).issuperset(needed)]
    return able or [_none(station, ("target",), "no device that takes a preset")]


def _none(station: Station, names: Iterable[str], why: str) -> Choice:
    return Choice(dict.fromkeys(names, "-"), f"station {station.name} has {why}")


_FINDERS: tuple[tuple[tuple[str, ...], Callable[[Station, list[Capability]], list[Choice]]], ...] = (
    (("old", "new"), lambda station, needed: _pairs(station, needed, fit=True)),
    (("old", "unfit"), lambda station, needed: _pairs(station, needed, fit=False)),
    (("meter",), lambda station, needed: _each(station, needed, "meter")),
    (("target",), _targets),
)
#: Of the devices a scenario is given, the one that a destructive scenario writes to.
WRITTEN = ("new", "unfit", "target", "meter")
