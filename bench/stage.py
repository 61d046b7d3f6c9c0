"""From a station file to the simulated side: its sim links and the devices on them, as plans for a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.station.devices import Simulation
from bench.station.secrets import password_of
from protocols.powerlogic.energy import Quantity
from simulators.faults.line_registry import Call, fault_called
from simulators.lines.framing import Framing
from simulators.meters.powerlogic import Installation
from simulators.power.feeder import Load
from simulators.stage import DevicePlan, LinkPlan, Stage
from simulators.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bench.station import Device, SimLink, Station


def stage_of(
    station: Station,
    world: World,
    defects: dict[str, list[str]],
    faults: Mapping[str, Sequence[Call]] | None = None,
    *,
    epoch: datetime | None = None,
) -> Stage:
    """The stage of a station's simulated links; `defects` and line `faults` are switched on beside those of the file.

    Raises:
        KeyError: a defect that does not exist, or one for a device that is not simulated.
        ProfileError: a profile value that does not exist.
    """
    links = [_link(link, (faults or {}).get(link.id, ())) for link in station.links.values() if link.type == "sim"]
    names = {link.name for link in links}
    devices = [
        _device(device, defects.get(device.id, [])) for device in station.devices.values() if device.link in names
    ]
    stranger = set(defects) - {device.name for device in devices}
    if stranger:
        raise KeyError(
            f"no simulated device is called {', '.join(sorted(stranger))}: a defect can only be switched on there"
        )
    return Stage(world, links, devices) if epoch is None else Stage(world, links, devices, epoch=epoch)


def _link(link: SimLink, faults: Sequence[Call]) -> LinkPlan:
    return LinkPlan(
        link.id,
        medium=link.medium,
        framing=Framing(link.baud, link.framing),
        turnaround=link.turnaround,
        delay=link.delay,
        echo=link.echo,
        faults=(*map(fault_called, link.faults), *faults),
    )


def _device(device: Device, defects: list[str]) -> DevicePlan:
    past = device.simulate or Simulation()
    energies = {quantity: getattr(past.energies, quantity.value) for quantity in Quantity}
    pt = (past.pt.primary, past.pt.secondary) if past.pt else (1, 1)
    return DevicePlan(
        device.id,
        device.model,
        device.link,
        device.address,
        device.outstation,
        device.serial or "",
        _password(device),
        load=Load.of(past.load, float(past.power_factor)),
        energies=energies,
        installation=Installation((past.ct.primary, past.ct.secondary), pt),
        profile=past.profile,
        defects=(*past.defects, *defects),
    )


def _password(device: Device) -> str:
    """What a simulated meter takes is what its station file names; a variable that is not set is told later."""
    if device.password is None or device.password == "simulated":  # noqa: S105  # the word of the file
        return ""
    try:
        return (password_of(device) or b"").decode("ascii")
    except UsageError:
        return ""
