"""What a meter list and a station say of one meter: both must mean the same one, or somebody visits another.

A meter of a list is the device of the same name in the station. What the list leaves out is not compared, but for the
medium, which is optical then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.station.devices import Password

if TYPE_CHECKING:
    from bench.lists.model import MeterEntry
    from bench.station import Device, Link, Station

#: The medium of a list by that of a simulated link.
_SIMULATED = {"network": "tcp", "pstn": "modem", "paknet": "pad"}
#: What may be behind a port without a modem or a PAD: an optical head, an adapter, a transparent module.
_PORT, _SOCKET = ("optical", "rs232", "rs485"), ("tcp", "optical", "rs232", "rs485")


def contradictions(meter: MeterEntry, station: Station) -> Iterator[tuple[str, str]]:
    """The keys of an entry that say something else than the station, each with the reason."""
    device = station.devices.get(meter.name)
    if device is None:
        return
    where = f"devices.{device.id} ({station.file}:{station.line('devices', device.id)})"
    if meter.model != device.model:
        yield "model", f"the list says {meter.model}, the model of {where} is {device.model}"
    if meter.link != device.link:
        yield "link", f"the list says {meter.link}, and {where} is on link {device.link}"
    media = media_of(station.link_of(device))
    if media and meter.medium not in media:
        says = meter.medium if "medium" in meter.model_fields_set else f"{meter.medium} (by saying nothing)"
        yield "medium", f"the list says {says}, and {where} is on link {device.link}: write {' or '.join(media)}"
    if meter.outstation and meter.outstation.lstrip("0") != device.outstation.lstrip("0"):
        has = f"has {device.outstation}" if device.outstation else "has none, so that whoever is on its line answers"
        yield "outstation", f"the list says {meter.outstation}, and {where} {has}"
    if meter.serial and device.serial and meter.serial.lstrip("0") != device.serial.lstrip("0"):
        yield "serial", f"the list says another serial number than {where}"
    if meter.password is not None and not _same_password(meter, device):
        yield "password", f"the list names another password than {where}; name the same variable there, or none here"


def media_of(link: Link) -> tuple[str, ...]:
    """The media of a list that a link can be; none where nothing is known of it."""
    if link.type == "sim":
        return (_SIMULATED.get(link.medium, link.medium),)
    if link.type == "replay":
        return ()
    if link.modem is not None:
        return ("modem", "gsm")
    if link.pad is not None:
        return ("pad",)
    behind_a_socket = link.type == "tcp" or (link.type == "serial" and link.port.startswith("socket:"))
    return _SOCKET if behind_a_socket else _PORT


def _same_password(meter: MeterEntry, device: Device) -> bool:
    """Whether both are found in one place; what is named is never told, because it may be the password itself."""
    assert meter.password is not None
    return isinstance(device.password, Password) and device.password.env == meter.password.env
