"""Rules about simulated devices: what a file wants of the simulator must be something that the simulator has.

The simulator is asked, and only when a file names defects or profile values: most files load without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.station.links import SimLink
from bench.station.mistakes import Mistake, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.station.devices import Device
    from bench.station.model import Station


def only_on_sim_links(station: Station) -> Iterator[Mistake]:
    """`simulate` describes a device that we make ourselves."""
    for device in station.devices.values():
        link = station.links.get(device.link)
        if device.simulate is not None and link is not None and not isinstance(link, SimLink):
            reason = f"only a device on a sim link is simulated, and link {link.id} is of type {link.type}"
            yield station.mistake(("devices", device.id, "simulate"), reason)


def defects_exist(station: Station) -> Iterator[Mistake]:
    """A defect that is to be switched on is one of the catalogue."""
    for device in station.devices.values():
        for index, defect in enumerate(device.simulate.defects if device.simulate else ()):
            from simulators.faults.registry import load  # noqa: PLC0415  # most stations name no defect

            family = "elster" if device.protocol == "flag" else "powerlogic"
            known = {name: found for name, found in load().items() if found.family == family}
            if defect not in known:
                reason = (
                    f'there is no defect "{defect}"{suggestion(defect, known)} there are: {", ".join(sorted(known))}'
                )
                yield station.mistake(("devices", device.id, "simulate", "defects", index), reason)


def faults_fit(station: Station) -> Iterator[Mistake]:
    """A line fault makes sense on the medium that it is put on."""
    for link in station.links.values():
        if not isinstance(link, SimLink):
            continue
        for index, text in enumerate(link.faults):
            from bench.faults import misfit, speaks_flag  # noqa: PLC0415  # most stations name no fault

            reason = misfit(link, text, flag=speaks_flag(station, link.id))
            if reason:
                yield station.mistake(("links", link.id, "faults", index), reason)


def profiles_fit(station: Station) -> Iterator[Mistake]:
    """A profile value is one that the model has, of the right kind."""
    for device in station.devices.values():
        for name, value in (device.simulate.profile if device.simulate else {}).items():
            reason = _misfit(device, name, value)
            if reason:
                yield station.mistake(("devices", device.id, "simulate", "profile", name), reason)


def _misfit(device: Device, name: str, value: object) -> str:
    """Why a profile value is none of a device's model; empty if it is one. Most stations change no profile."""
    from protocols.elster import tables as elster  # noqa: PLC0415  # as above
    from protocols.powerlogic import tables as powerlogic  # noqa: PLC0415  # as above
    from simulators.meters.elster import profile as elster_profile  # noqa: PLC0415  # as above
    from simulators.meters.powerlogic import profile as powerlogic_profile  # noqa: PLC0415  # as above
    from simulators.meters.profile_values import ProfileError  # noqa: PLC0415  # as above

    try:
        if device.protocol == "flag":
            elster_profile.profile_of(elster.model(device.model), {name: value})
        else:
            powerlogic_profile.profile_of(powerlogic.models()[device.model], {name: value})
    except ProfileError as error:
        return str(error)
    return ""
