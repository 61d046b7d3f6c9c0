"""A recorded wire as a link: pymodbus asks, traces answer, and the world's time is that of the recording.

Each device of the link is answered from its own trace. Nothing is opened and nothing waited for: sending moves the
world to the instant at which that request was recorded, and the answer arrives as long behind it as it did then.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymodbus.client import ModbusTcpClient

from bench.errors import UsageError
from bench.host import Host
from bench.links.link import Link
from bench.links.tcp import FRAMERS
from bench.replay.exchanges import MBAP, UNIT_AT, Exchange, answered_anew
from bench.replay.find import trace_of
from bench.replay.player import Player, no_trace
from bench.station import ReplayLink
from protocols.powerlogic.tables import models
from simulators.world import SECOND, World

#: Bytes of the number in front of a Modbus TCP frame.
_NUMBER = 2


def make(entry: ReplayLink, host: Host) -> Link:
    """The link of a `type: replay` entry.

    Raises:
        UsageError: there is no trace of any of its devices, or one is broken.
    """
    where = host.station.beside(entry.trace)
    tape = Tape(entry, host, where)
    # Now and not with the first request: by then whoever asks has looked at the clock.
    host.world.advance_to(tape.start)
    settings = {"type": "replay", "trace": entry.trace, "matching": entry.matching}

    def make_client(trace: Callable[[bool, bytes], bytes]) -> ModbusTcpClient:
        return ReplayClient(tape, host.world, timeout=entry.timeout, trace=trace)

    return RecordedLink(
        entry.id, str(where), settings, make_client, host.clock,
        timeout=entry.timeout, stream=False, mbap=tape.frames == MBAP, tape=tape,
    )  # fmt: skip


class Tape:
    """The traces behind one link.

    Args:
        entry: the link of the station file.
        host: whose stations and scenario.
        where: the trace, or the folder with traces.
    """

    def __init__(self, entry: ReplayLink, host: Host, where: Path) -> None:
        self._where = where
        self.players: dict[int, Player] = {}
        self.headers: dict[str, dict[str, Any]] = {}
        self._names: dict[int, str] = {}
        #: By how much the recorded client's numbers are ahead of ours.
        self._ahead: int | None = None
        for device in host.station.devices.values():
            if device.link != entry.id:
                continue
            self._names[device.address] = device.id
            trace = trace_of(where, device.id, host.scenario)
            if trace is not None:
                generation = models()[device.model].generation
                strict = entry.matching == "strict"
                self.players[device.address] = Player(trace, strict=strict, generation=generation)
                self.headers[device.id] = trace.header
        framings = {player.trace.frames for player in self.players.values()}
        if len(framings) > 1:
            raise UsageError(
                f"link {entry.id}: the traces in {where} are of different framings; give each its own link"
            )
        self.frames = next(iter(framings), MBAP)

    def ask(self, request: bytes) -> Exchange:
        """The recorded exchange that answers a request.

        A TCP client counts its requests over all its scenarios. The first one played tells where the recorded client
        stood; from there on the numbers must follow as they did.

        Raises:
            Diverged: nothing like it was recorded.
        """
        player = self.player(request)
        if self._ahead is None:
            self._ahead = self._lead(player, request)
        return player.ask(_renumbered(request, self._ahead))

    def _lead(self, player: Player, request: bytes) -> int:
        """By how much the recorded client's numbers are ahead, if this request is what a player has next."""
        if self.frames != MBAP or not player.left:
            return 0
        recorded = player.left[0].request.data[:_NUMBER]
        return int.from_bytes(recorded, "big") - int.from_bytes(request[:_NUMBER], "big")

    @property
    def start(self) -> int:
        """The earliest recorded instant, ns."""
        return min((player.trace.start for player in self.players.values()), default=0)

    def player(self, request: bytes) -> Player:
        """Whose trace answers a request: that of its unit; what is for no device is in the trace of whom it is about.

        Raises:
            Diverged: nothing was recorded of that unit.
        """
        unit = request[UNIT_AT[self.frames]]
        if unit in self.players:
            return self.players[unit]
        for player in self.players.values():
            ahead = self._lead(player, request) if self._ahead is None else self._ahead
            if player.expects(_renumbered(request, ahead)):
                return player
        raise no_trace(self._names.get(unit, f"unit {unit}"), self._where)


def _renumbered(request: bytes, ahead: int) -> bytes:
    if not ahead:
        return request
    number = (int.from_bytes(request[:_NUMBER], "big") + ahead) & 0xFFFF
    return number.to_bytes(_NUMBER, "big") + request[_NUMBER:]


class RecordedLink(Link):
    """A link whose far end is a tape."""

    def __init__(self, *args: Any, tape: Tape, **kwargs: Any) -> None:
        self.tape = tape
        super().__init__(*args, **kwargs)


class ReplayClient(ModbusTcpClient):
    """pymodbus's client with a tape where its socket would be."""

    def __init__(self, tape: Tape, world: World, *, timeout: int, trace: Callable[[bool, bytes], bytes]) -> None:
        framing = "tcp" if tape.frames == MBAP else "rtu"
        super().__init__("replay", framer=FRAMERS[framing], timeout=timeout / SECOND, retries=0, trace_packet=trace)
        self._tape = tape
        self._world = world
        self._timeout = timeout
        self._open = False
        #: What is still to come: instant and bytes.
        self._coming: list[tuple[int, bytes]] = []

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._open

    def connect(self) -> bool:
        """Open it."""
        self._open = True
        return True

    def close(self) -> None:
        """Close it."""
        self._open = False
        self._coming.clear()

    def send(self, request: Any, addr: tuple[Any, ...] | None = None) -> int:  # noqa: ARG002  # pymodbus's signature
        """Ask the tape."""
        data = bytes(request)
        exchange = self._tape.ask(data)
        self._world.advance_to(exchange.request.t)
        now = self._world.now
        self._coming = [(now + behind, piece) for behind, piece in answered_anew(exchange, data)]
        return len(data)

    def recv(self, size: int | None) -> bytes:  # noqa: ARG002  # pymodbus's signature
        """The next piece of the answer, when it comes; nothing after a time-out."""
        deadline = self._world.now + self._timeout
        if not self._coming or self._coming[0][0] > deadline:
            self._world.advance_to(deadline)
            return b""
        when, piece = self._coming.pop(0)
        self._world.advance_to(when)
        return piece
