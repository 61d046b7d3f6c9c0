"""Whole objects in partial blocks (IEC 62056-21, 6.4.7): `R3 iii001()` and `W3 iii001(hex)(hex)...`, 64 bytes a block.

Each block is one pair of brackets, so that no value grows beyond its 128 characters; the address stands in the first
block of a write only. No document says whether these meters have it: the profile value `partial_blocks` is assumed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from protocols.flag.device import Refusal, Session
from protocols.flag.frames import Command
from simulators.meters.elster import programming
from simulators.meters.elster.packets import BAD_COMMAND, BAD_PACKET, PACKET, operand, readable

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

_WRITE = re.compile(rb"([0-9]{3})001((?:\([0-9A-Fa-f]*\))+)")
_BRACKETS = re.compile(rb"\(([0-9A-Fa-f]*)\)")


def read(meter: Meter, session: Session, command: Command, now: int) -> tuple[bytes, ...]:
    """R3: the whole object, one pair of brackets a block.

    Raises:
        Refusal: ERR1 malformed, ERR2 unknown, ERR3 not from the first packet, ERR5 level.
    """
    asked = operand(meter, command)
    readable(meter, session, asked.entry, now)
    if asked.data:
        raise Refusal(BAD_COMMAND)
    if asked.packet != 1:
        raise Refusal(BAD_PACKET)
    data = meter.image(asked.entry.number, now)
    parts = (data[start : start + PACKET] for start in range(0, max(1, len(data)), PACKET))
    return tuple(b"(" + part.hex().upper().encode("ascii") + b")" for part in parts)


def write(meter: Meter, session: Session, command: Command, now: int) -> None:
    """W3, its blocks joined: each pair of brackets is a packet of the object.

    Raises:
        Refusal: as `programming.write`; ERR1 where the address stands in a later block.
    """
    found = _WRITE.fullmatch(command.data or b"")
    if not found:
        raise Refusal(BAD_COMMAND)
    for number, part in enumerate(_BRACKETS.findall(found[2]), 1):
        operand_of_part = found[1] + f"{number:03X}(".encode("ascii") + part + b")"
        programming.write(meter, session, replace(command, data=operand_of_part), now)
