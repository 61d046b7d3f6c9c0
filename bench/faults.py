"""Line faults as a run or a server is asked for them: `LINK:FAULT`, on simulated links only.

Nothing here ever touches a real line: a fault is put on what we simulate ourselves, or refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.station.links import SimLink
from bench.station.mistakes import suggestion
from simulators.faults.line_parameters import FaultError
from simulators.faults.line_registry import Call, LineFault, Medium, fault_called

if TYPE_CHECKING:
    from bench.station import Station

_ETHERNET = "ethernet"


def faults_by_link(words: Sequence[str]) -> dict[str, list[Call]]:
    """What stands behind --fault, by link.

    Raises:
        UsageError: a word that is not LINK:FAULT, or a fault that does not exist.
    """
    found: dict[str, list[Call]] = {}
    for word in words:
        link, _, text = word.partition(":")
        if not link or not text:
            raise UsageError(f"--fault takes LINK:FAULT, as in bus:drop or 'bus:drop(p=5%)', not {word!r}")
        try:
            found.setdefault(link, []).append(fault_called(text))
        except FaultError as error:
            raise UsageError(f"--fault {link}: {error}") from None
    return found


def check_faults(station: Station, faults: Mapping[str, Sequence[Call]], *, served: bool = False) -> None:
    """Whether faults can be switched on: each link is simulated, and the fault makes sense there.

    Raises:
        UsageError: one cannot.
    """
    for name, calls in faults.items():
        link = station.links.get(name)
        if link is None:
            hint = suggestion(name, station.links)
            raise UsageError(
                f'--fault {name}: the station has no link "{name}"{hint} it has: {", ".join(station.links)}'
            )
        if not isinstance(link, SimLink):
            raise UsageError(
                f"--fault {name}: link {name} is of type {link.type}: faults are put on simulated links only, "
                "never on a real line"
            )
        for call in calls:
            reason = _misfit(link, call.fault, served=served, flag=speaks_flag(station, name))
            if reason:
                raise UsageError(f"--fault {name}: {reason}")


def misfit(link: SimLink, text: str, *, flag: bool = False) -> str:
    """Why a fault makes no sense on a link, whoever reaches it; empty if it does."""
    return _misfit(link, fault_called(text).fault, served=True, flag=flag)


def speaks_flag(station: Station, link: str) -> bool:
    """Whether the devices of a link speak FLAG."""
    return any(device.protocol == "flag" for device in station.devices.values() if device.link == link)


def _misfit(link: SimLink, fault: LineFault, *, served: bool, flag: bool) -> str:
    if ({"flag"} if flag else media(link, served=served)).intersection(fault.media):
        return ""
    where = f"link {link.id} ({link.medium})"
    if fault.media == ("gateway",):
        return f"{fault.id} ({fault.name}) is a fault of a gateway, and the bench reaches {where} without one"
    return f"{fault.id} ({fault.name}) makes no sense on {where}; it is a fault of: {', '.join(fault.media)}"


def media(link: SimLink, *, served: bool = False) -> set[Medium]:
    """What a link is to a fault that the bench meets in its own process.

    A served one has every face: the line, and a gateway or the meters' own network.
    """
    if link.medium == _ETHERNET:
        return {"network", "gateway", "serial"} if served else {"network", "gateway"}
    return {"serial", "gateway"} if served else {"serial"}
