"""The FLAG line of a link entry: which port it opens, whom it calls first, and what the port carries."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING, Any

import serial

from bench.errors import StationError
from bench.links import protocol_sim
from bench.links.flag import FlagLine
from bench.links.serial import carried
from protocols.dialling import Call, Dialling, PadCall
from protocols.flag.frames import START_LINE
from simulators.flag_side import PAD, simulated_number
from simulators.lines.framing import PTY_FRAME

if TYPE_CHECKING:
    from bench.host import Host
    from bench.station import Link as Entry

_HANDLERS = "bench.links"
_numbers = count(1)
#: How often a simulated number is tried: of 8 calls in a hundred that fail (fixtures/links), no run is to be in error.
_ATTEMPTS = 8


def make(entry: Entry, host: Host, kind: type[FlagLine] = FlagLine) -> FlagLine:
    """The FLAG line of a link entry of any type; a careless tool has another kind of line.

    Raises:
        StationError: a recorded wire: a FLAG visit cannot be replayed.
    """
    match entry.type:
        case "sim":
            return _simulated(entry, host, kind)
        case "serial":
            framing = carried(entry.port, "7E1")
            kept = PTY_FRAME if _is_pty(entry.port) else None
            settings: dict[str, Any] = {"type": "serial", "port": entry.port, "framing": framing}
            return kind(
                entry.id,
                entry.port,
                settings,
                host.clock,
                echo=entry.echo,
                framing=kept,
                **_called(entry, pty=kept is not None),
            )
        case "rfc2217":
            settings = {"type": "rfc2217", "url": entry.target}
            return kind(entry.id, entry.target, settings, host.clock, echo=entry.echo, **_called(entry))
        case "tcp":
            url = f"socket://{entry.host}:{entry.port}"
            settings = {"type": "tcp", "host": entry.host, "port": entry.port}
            # What is behind the module may be as slow as a sign-on: nothing is taken for lost before that.
            return kind(
                entry.id, url, settings, host.clock, echo=entry.echo, fixed=True, baud=START_LINE[0], **_called(entry)
            )
        case _:
            raise StationError(f"link {entry.id}: a FLAG visit cannot be replayed from a recorded wire")


def _is_pty(port: str) -> bool:
    return os.path.realpath(port).startswith("/dev/pts/")


def _called(entry: Any, *, pty: bool = False) -> dict[str, Any]:
    """Whom a link's modem calls; through a pty no PAD sees that the port is closed."""
    if entry.modem is not None:
        return {"call": Dialling(entry.modem.number, entry.modem.init), "attempts": entry.modem.attempts}
    if entry.pad is not None:
        return {"call": PadCall(entry.pad.number, recall=pty), "attempts": entry.pad.attempts}
    return {}


def _simulated(entry: Any, host: Host, kind: type[FlagLine]) -> FlagLine:
    if _HANDLERS not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(_HANDLERS)
    url = f"sim://{next(_numbers)}/{entry.id}"
    protocol_sim.publish(url, host.stage.line(entry.id), host.catch_up)
    host.on_close(lambda: protocol_sim.withdraw(url))
    settings = {"type": "sim", "medium": entry.medium, "baud": entry.baud}
    number = simulated_number(entry.medium)
    call: Call | None = None
    if number:
        call = PadCall(number) if entry.medium == PAD else Dialling(number)
    return kind(
        entry.id,
        url,
        settings,
        host.clock,
        echo=entry.echo,
        fixed=entry.medium == "network",
        baud=entry.baud,
        call=call,
        attempts=_ATTEMPTS,
    )
