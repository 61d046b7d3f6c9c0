"""A station file that leads to a served station: what the bench in another process is given as `--station`.

Every device keeps its link, address and protection. Its supply and its load are switched by `meterbench control`, so
what needs them can be determined there as it can in virtual time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bench.errors import StationError, UsageError
from bench.serving.endpoints import HAS_PTYS, Endpoint
from simulators.flag_side import PAD, simulated_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bench.station import Device, Station

#: What --via may say, and the kind of endpoint it uses for a Modbus device and for a FLAG meter.
KINDS = {"tcp": ("modbus-tcp", "raw-tcp"), "pty": ("pty", "pty"), "rfc2217": ("rfc2217", "rfc2217")}


def check_via(via: str) -> None:
    """Whether a station can be reached in this way.

    Raises:
        UsageError: it cannot, or not on this platform.
    """
    if via not in KINDS:
        raise UsageError(f'"{via}" is no way to reach a served station; there are: {", ".join(KINDS)}')
    if via == "pty" and not HAS_PTYS:
        raise UsageError("this platform has no ptys to serve; reach the station via tcp or rfc2217")


def write_station(
    path: Path, station: Station, endpoints: Sequence[Endpoint], control: str, *, via: str, boot: Mapping[str, int]
) -> None:
    """Write the station file.

    Args:
        path: where to.
        station: what is served.
        endpoints: where it is reached.
        control: the URL of the control door.
        via: tcp, pty or rfc2217.
        boot: how long (ns of the wall clock) each device is silent after its supply has returned.

    Raises:
        StationError: the disk refuses.
    """
    chosen = {end.device: end for end in endpoints if end.kind == KINDS[via][end.outstation is not None]}
    first: dict[str, Endpoint] = {}
    for end in chosen.values():
        first.setdefault(end.link, end)
    content = {
        "schema": 1,
        "name": f"{station.name}-served-{via}",
        "links": {link: _LINKS[via](end, station) for link, end in first.items()},
        "devices": {name: _device(station.devices[name], control, boot[name]) for name in chosen},
        "policy": station.policy.model_dump(mode="json"),
    }
    try:
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    except OSError as error:
        raise StationError(f"{path}: the station file cannot be written: {error.strerror}") from None


def _timeout(end: Endpoint, station: Station) -> Any:
    return station.links[end.link].model_dump(mode="json")["timeout"]


def _tcp(end: Endpoint, station: Station) -> dict[str, Any]:
    entry = {"type": "tcp", "host": end.host, "port": end.port, "timeout": _timeout(end, station)}
    return entry | _beyond(end, station)


def _pty(end: Endpoint, station: Station) -> dict[str, Any]:
    entry = {"type": "serial", "port": end.url, **_characters(end), "timeout": _timeout(end, station)}
    return entry | _beyond(end, station)


def _rfc2217(end: Endpoint, station: Station) -> dict[str, Any]:
    entry = {"type": "rfc2217", "url": end.url, **_characters(end), "timeout": _timeout(end, station)}
    return entry | _beyond(end, station)


def _beyond(end: Endpoint, station: Station) -> dict[str, Any]:
    """What is behind the port: an optical head that echoes, or a modem that must be told whom to call."""
    link = station.links[end.link]
    medium = getattr(link, "medium", "")
    number = simulated_number(medium)
    if number and end.outstation is not None:
        return {"pad" if medium == PAD else "modem": {"number": number}}
    return {"echo": True} if end.kind != "modbus-tcp" and getattr(link, "echo", False) else {}


def _characters(end: Endpoint) -> dict[str, Any]:
    assert end.framing is not None
    return {"baud": end.framing.baud, "framing": end.framing.frame}


_LINKS: dict[str, Callable[[Endpoint, Station], dict[str, Any]]] = {"tcp": _tcp, "pty": _pty, "rfc2217": _rfc2217}


def _device(device: Device, control: str, boot: int) -> dict[str, Any]:
    entry = device.model_dump(
        mode="json",
        exclude_none=True,
        include={"model", "link", "address", "outstation", "password", "wake", "serial", "protection"},
    )
    identity = device.identity.model_dump(mode="json", exclude_none=True)
    if identity:
        entry["identity"] = identity
    command = f"meterbench control {control}"
    milliseconds = -(-boot // 1_000_000)
    entry["power"] = {
        "type": "command",
        "off": f"{command} power {device.id} off",
        "on": f"{command} power {device.id} on",
        "boot": f"{milliseconds} ms",
    }
    entry["load"] = {"type": "command", "set": f"{command} load {device.id} {{watts}} {{power_factor}}"}
    return entry
