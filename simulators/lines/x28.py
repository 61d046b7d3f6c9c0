"""The words between a computer and a PAD (X.28), its parameters (X.3), and how it makes packets of characters.

PAKNET's own dialogue is known by its shape only (call with NUI, facilities and closed user group; COM; CLR and a
cause); what a parameter is set to there is assumed, and a plan can say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulators.world import MILLISECOND, World

#: Why a call was cleared. Names from general knowledge of X.28 (assumed for PAKNET).
CAUSES = {
    "OCC": "the number is engaged",
    "NC": "congestion in the network",
    "INV": "a facility that does not exist",
    "NA": "access is barred",
    "ERR": "the local procedure was broken",
    "RPE": "the remote procedure was broken",
    "NP": "the number is not assigned",
    "DER": "the number is out of order",
    "PAD": "the PAD at the other end has cleared",
    "DTE": "the other end has cleared",
    "RNA": "the other end does not pay",
}

#: PAKNET: network code 2353, four digits of a base station's channel, six of a radio-PAD's port (one source).
NUA = re.compile(r"2353\d{4}\d{6}")

#: X.3 parameters: 1 recall, 2 echo, 3 forwarding characters, 4 idle timer in 50 ms, 6 service signals. As for a
#: transparent terminal that still wants to be told of its calls (assumed).
PARAMETERS = {1: 0, 2: 1, 3: 0, 4: 4, 5: 0, 6: 1, 7: 2, 8: 0, 9: 0, 10: 0, 11: 14, 12: 0, 13: 0, 14: 0, 15: 0}
_MOST = 255
_IDLE = 50 * MILLISECOND
_DLE = 0x10
#: Parameter 3: sets of characters behind which a packet is closed.
_FORWARDING = {
    1: frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    2: frozenset(b"\r"),
    4: frozenset(b"\x1b\x07\x05\x06"),
    8: frozenset(b"\x7f\x18\x12"),
    16: frozenset(b"\x03\x04"),
    32: frozenset(b"\t\n\v\f"),
    64: frozenset(range(32)) - frozenset(b"\r\x1b\x07\x05\x06\x18\x12\x03\x04\t\n\v\f"),
}

_SELECTION = re.compile(r"(?:(?P<facilities>[A-Z0-9,]*)-)?(?P<number>\d+)(?:[DP](?P<data>.*))?")


@dataclass(frozen=True, slots=True)
class Selection:
    """A call that was asked for.

    Attributes:
        number: the NUA.
        facilities: letters in front of it, one for each.
        data: for the other end, in the call packet.
    """

    number: str
    facilities: tuple[str, ...] = ()
    data: str = ""

    @property
    def nui(self) -> str:
        """Who is to pay: the network user identification."""
        return next((facility[1:] for facility in self.facilities if facility.startswith("N")), "")


def selection(line: str) -> Selection:
    """A call command.

    Raises:
        ValueError: it is none.
    """
    found = _SELECTION.fullmatch(line)
    if found is None:
        raise ValueError(line)
    facilities = tuple(part for part in (found["facilities"] or "").split(",") if part)
    return Selection(found["number"], facilities, found["data"] or "")


def recall_of(parameters: Mapping[int, int]) -> int | None:
    """The character that leads from the data to commands, None if there is none."""
    value = parameters[1]
    return None if not value else _DLE if value == 1 else value


def set_parameters(parameters: dict[int, int], text: str) -> None:
    """What `SET 3:2,4:10` says.

    Raises:
        ValueError: there is no such parameter, or it does not hold such a value; nothing is changed then.
    """
    wanted = {}
    for part in text.split(","):
        number, _, value = part.partition(":")
        wanted[int(number)] = int(value)
    if any(number not in parameters or not 0 <= value <= _MOST for number, value in wanted.items()):
        raise ValueError(text)
    parameters.update(wanted)


class Forwarder:
    """Makes packets of characters: one is closed when it is full, behind certain characters, or after a pause.

    Args:
        world: whose time holds.
        parameters: X.3, as they are at the moment.
        size: the most that a packet holds.
        send: takes a packet.
    """

    def __init__(self, world: World, parameters: Mapping[int, int], size: int, send: Callable[[bytes], None]) -> None:
        self._world = world
        self._parameters = parameters
        self._size = size
        self._send = send
        self._gathered = bytearray()
        self._count = 0

    def take(self, data: bytes) -> None:
        """Characters that have come."""
        self._count += 1
        mask = self._parameters[3]
        closing = frozenset().union(*(found for bit, found in _FORWARDING.items() if mask & bit))
        for byte in data:
            self._gathered.append(byte)
            if len(self._gathered) >= self._size or byte in closing:
                self.flush()
        idle = self._parameters[4]
        if self._gathered and idle:
            self._world.call_at(self._world.now + idle * _IDLE, partial(self._paused, self._count))

    def flush(self) -> None:
        """Close the packet."""
        packet = bytes(self._gathered)
        self._gathered.clear()
        if packet:
            self._send(packet)

    def drop(self) -> None:
        """The call is over; what has been gathered goes nowhere."""
        self._gathered.clear()

    def _paused(self, count: int) -> None:
        if count == self._count:
            self.flush()
