"""The packet face: `R1 iiippp(nn)` and `W1 iiippp(hex)`, and the data stream `RD iii001(bb)`, over the same objects.

An identity has three decimal digits and a packet three hexadecimal ones, from 001; a packet has 64 bytes, and each set
of a repeated object begins with a new one (one head-end source). Errors: ERR1 bad command, ERR2 unknown identity, ERR3
bad packet number, ERR5 locked, ERR6 general.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protocols.flag.device import Refusal, Session
from protocols.flag.frames import Command
from simulators.meters.elster.catalogue import Entry, catalogue
from simulators.meters.elster.security import require

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

PACKET = 64
STREAM_BLOCK = 256
BAD_COMMAND, UNKNOWN, BAD_PACKET, GENERAL = "ERR1", "ERR2", "ERR3", "ERR6"
_OPERAND = re.compile(rb"([0-9]{3})([0-9A-Fa-f]{3})\(([0-9A-Fa-f]*)\)")


@dataclass(frozen=True, slots=True)
class Operand:
    """What a command names: an identity, a packet of it, and what stands in the brackets."""

    entry: Entry
    packet: int
    data: bytes


def operand(meter: Meter, command: Command) -> Operand:
    """The operand of a command.

    Raises:
        Refusal: ERR1 not of this form, ERR2 no such identity.
    """
    found = _OPERAND.fullmatch(command.data or b"")
    if not found or len(found[3]) % 2:
        raise Refusal(BAD_COMMAND)
    entry = catalogue(meter.model.name).get(int(found[1]))
    if entry is None:
        raise Refusal(UNKNOWN)
    return Operand(entry, meter.firmware.packet(int(found[2], 16)), bytes.fromhex(found[3].decode("ascii")))


def read(meter: Meter, session: Session, command: Command, now: int) -> bytes:
    """R1: the bytes of one packet as hexadecimal digits in brackets.

    Raises:
        Refusal: see :func:`operand`; ERR3, ERR5.
    """
    asked = operand(meter, command)
    readable(meter, session, asked.entry, now)
    if len(asked.data) != 1 or not 1 <= asked.data[0] <= PACKET:
        raise Refusal(BAD_COMMAND)
    packet = _packet(asked.entry, meter.image(asked.entry.number, now), asked.packet)
    if meter.firmware.fills_up:
        packet = packet.ljust(PACKET, b"\xff")
    if asked.data[0] > len(packet) and meter.profile.refused_length != "short":
        raise Refusal(meter.profile.refused_length)
    return b"(" + packet[: asked.data[0]].hex().upper().encode("ascii") + b")"


def stream(meter: Meter, session: Session, command: Command, now: int) -> bytes:
    """RD: the object, or its first blocks of 256 bytes; no blocks are all of them.

    Raises:
        Refusal: see :func:`operand`; ERR3, ERR5.
    """
    asked = operand(meter, command)
    readable(meter, session, asked.entry, now)
    if len(asked.data) != 1:
        raise Refusal(BAD_COMMAND)
    if asked.packet not in {0, 1}:  # a public reader asks for packet 000
        raise Refusal(BAD_PACKET)
    data = meter.image(asked.entry.number, now)
    return data[: asked.data[0] * STREAM_BLOCK] if asked.data[0] else data


def readable(meter: Meter, session: Session, entry: Entry, now: int) -> None:
    """Refuse what is not read, or not at the session's level.

    Raises:
        Refusal: ERR1 or ERR5.
    """
    if entry.read_level is None:
        raise Refusal(BAD_COMMAND)
    require(meter, session, entry.read_level, now)


def _packet(entry: Entry, data: bytes, number: int) -> bytes:
    size = entry.size or len(data)
    in_set = -(-size // PACKET)
    which, place = divmod(number - 1, in_set) if in_set else (0, 0)
    start = which * size + place * PACKET
    if number < 1 or start >= len(data):
        raise Refusal(BAD_PACKET)
    return data[start : min(start + PACKET, (which + 1) * size)]
