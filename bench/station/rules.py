"""Rules between the entries of a station file, each a function from a station to the mistakes it finds.

All of them name both entries that clash, and all end at the table `RULES`.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from bench.station import simulated
from bench.station.links import DIALLED, ReplayLink, Rfc2217Link, SerialLink, SimLink, TcpLink
from bench.station.mistakes import dotted, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bench.station.devices import Device
    from bench.station.links import Link
    from bench.station.mistakes import Keys, Mistake
    from bench.station.model import Station

    Rule = Callable[[Station], Iterator[Mistake]]

#: An address, a port, a serial number: whatever two entries must not share.
P = TypeVar("P")


def links_exist(station: Station) -> Iterator[Mistake]:
    """Every device names a link of the station."""
    for device in station.devices.values():
        if device.link not in station.links:
            hint = suggestion(device.link, station.links)
            reason = f'there is no link "{device.link}"{hint} the station has: {", ".join(station.links)}'
            yield station.mistake(("devices", device.id, "link"), reason)


def addresses_differ(station: Station) -> Iterator[Mistake]:
    """No two devices answer to one address on one link, nor behind one TCP port that two links lead to."""
    places = (
        (("devices", device.id, "address"), (_line_of(station, device.link), device.address))
        for device in station.devices.values()
        if device.protocol == "modbus"
    )
    for keys, first, (line, address) in _repeated(places):
        yield station.mistake(keys, f"address {address} on {line} already belongs to {_at(station, first[:2])}")


def _line_of(station: Station, link_id: str) -> str:
    link = station.links.get(link_id)
    return far_end(link) or "" if isinstance(link, TcpLink) else f"link {link_id}"


def room_on_a_line(station: Station) -> Iterator[Mistake]:
    """A line has no more devices than it has room for."""
    for link in station.links.values():
        on = [device for device in station.devices.values() if device.link == link.id]
        if not isinstance(link, SimLink) or not on:
            continue
        room = link.room_for_flag if on[0].protocol == "flag" else link.room
        if room is not None and len(on) > room:
            kind = "point to point" if room == 1 else f"for {room} meters at the most"
            first = _at(station, ("devices", on[0].id))
            reason = f"link {link.id} is {kind} ({link.medium}) and already leads to {first}"
            yield station.mistake(("devices", on[room].id, "link"), reason)


def one_protocol_on_a_line(station: Station) -> Iterator[Mistake]:
    """Modbus and FLAG do not share a line, and some media carry one of them only."""
    first: dict[str, Device] = {}
    for device in station.devices.values():
        link = station.links.get(device.link)
        before = first.setdefault(device.link, device)
        if before.protocol != device.protocol:
            reason = f"{_an(device.model)} cannot share link {device.link} with {_at(station, ('devices', before.id))}"
            yield station.mistake(("devices", device.id, "link"), reason)
        elif isinstance(link, SimLink) and link.medium in _MEDIA_OF[_OTHER[device.protocol]]:
            reason = f"{_an(device.model)} does not speak over medium {link.medium}"
            yield station.mistake(("devices", device.id, "link"), reason)
        elif isinstance(link, TcpLink) and link.echo and device.protocol == "modbus":
            yield station.mistake(("links", link.id, "echo"), "only FLAG meters are read through an echo on TCP")
        elif isinstance(link, ReplayLink) and device.protocol == "flag":
            reason = "a FLAG visit cannot be replayed from a recorded wire"
            yield station.mistake(("devices", device.id, "link"), reason)


#: Media that carry one protocol only.
_MEDIA_OF = {"flag": ("optical", "network"), "modbus": ("ethernet",)}
_OTHER = {"flag": "modbus", "modbus": "flag"}


def outstations_differ(station: Station) -> Iterator[Mistake]:
    """No two FLAG meters of a line answer to one request: leading zeros do not count, none at all is everybody."""
    flag = [device for device in station.devices.values() if device.protocol == "flag"]
    several = Counter(device.link for device in flag)
    for device in flag:
        if several[device.link] > 1 and not device.outstation:
            reason = f"needs an outstation: {several[device.link]} meters are on link {device.link}"
            yield station.mistake(("devices", device.id, "link"), reason)
    places = (
        (("devices", device.id, "outstation"), (device.link, device.outstation.lstrip("0")))
        for device in flag
        if device.outstation
    )
    for keys, first, (link, _) in _repeated(places):
        reason = f"leading zeros do not count: on link {link} it already means {_at(station, first[:2])}"
        yield station.mistake(keys, reason)


def woken_on_the_wire(station: Station) -> Iterator[Mistake]:
    """A meter is woken at 300 Bd (IEC 62056-21 Annex B), so on a line that can have that speed."""
    for device in station.devices.values():
        link = station.links.get(device.link)
        profile = device.simulate.profile if device.simulate else {}
        asleep = profile.get("wake_up", "none") != "none"
        if link is None or not (device.wake or asleep) or not _never_changes(link):
            continue
        keys = ("wake",) if device.wake else ("simulate", "profile", "wake_up")
        reason = f"a meter is woken at 300 Bd, and link {link.id} never changes its speed"
        yield station.mistake(("devices", device.id, *keys), reason)


def _never_changes(link: Link) -> bool:
    """Whether a FLAG line surely keeps one speed: behind a modem or a PAD; of a TCP module nobody knows."""
    match link:
        case SimLink():
            return link.medium in {"network", *DIALLED}
        case SerialLink() | Rfc2217Link() | TcpLink():
            return link.modem is not None or link.pad is not None
        case _:
            return False


def ports_differ(station: Station) -> Iterator[Mistake]:
    """No two links open one serial port, near or far: it has one speed and one master. A TCP port takes several."""
    serial = (link for link in station.links.values() if not isinstance(link, TcpLink))
    places = ((("links", link.id), end) for link in serial if (end := far_end(link)) is not None)
    for keys, first, end in _repeated(places):
        reason = f"{end} is already used by {_at(station, first)}; put all its devices on one link"
        yield station.mistake(keys, reason)


def serials_differ(station: Station) -> Iterator[Mistake]:
    """A serial number means one device, since --allow-destructive takes it for an id."""
    named = (((("devices", device.id), device.id)) for device in station.devices.values())
    numbered = (
        (("devices", d.id, "serial"), d.serial) for d in station.devices.values() if d.serial not in {None, d.id}
    )
    for keys, first, serial in _repeated([*named, *numbered]):
        yield station.mistake(keys, f'"{serial}" already means {_at(station, first[:2])}')


def traces_exist(station: Station) -> Iterator[Mistake]:
    """A replay link has something to replay."""
    for link in station.links.values():
        if isinstance(link, ReplayLink) and not station.beside(link.trace).exists():
            yield station.mistake(
                ("links", link.id, "trace"), f"there is no trace or folder {station.beside(link.trace)}"
            )


RULES: tuple[Rule, ...] = (
    links_exist,
    addresses_differ,
    room_on_a_line,
    one_protocol_on_a_line,
    outstations_differ,
    woken_on_the_wire,
    ports_differ,
    serials_differ,
    traces_exist,
    simulated.only_on_sim_links,
    simulated.defects_exist,
    simulated.profiles_fit,
    simulated.faults_fit,
)


def far_end(link: Link) -> str | None:
    """What the link opens, spelt one way; None for a simulated link, which is an end of its own."""
    match link:
        case TcpLink():
            return f"{link.host.casefold()}:{link.port}"
        case Rfc2217Link():
            return link.target.casefold()
        case SerialLink() if link.port.startswith("/"):
            return os.path.realpath(link.port)  # two names under /dev/serial may mean one port
        case SerialLink():
            return link.port.casefold().removeprefix("\\\\.\\")
        case _:
            return None


def _repeated(places: Iterable[tuple[Keys, P]]) -> Iterator[tuple[Keys, Keys, P]]:
    taken: dict[P, Keys] = {}
    for keys, place in places:
        if place in taken:
            yield keys, taken[place], place
        taken.setdefault(place, keys)


def _an(model: str) -> str:
    return f"an {model}" if model.startswith("A") else f"a {model}"


def _at(station: Station, keys: Keys) -> str:
    return f"{dotted(keys)} (line {station.line(*keys)})"
