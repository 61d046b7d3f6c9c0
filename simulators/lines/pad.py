"""A packet radio PAD: between a computer's port and the meters at the other radio-PADs of a network like PAKNET.

Bytes travel in packets, each with a delay of its own, and a radio that is out of reach holds them back: the halves of
a frame may arrive seconds apart. Nothing is lost but by a clearing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

from protocols.conversation import Reply
from simulators.lines.bearer import Bearer
from simulators.lines.character_line import CharacterLine
from simulators.lines.dte import DEFAULT, TerminalLine
from simulators.lines.exchange import BUSY, Exchange
from simulators.lines.profiles import link_profile
from simulators.lines.x28 import (
    CAUSES,
    NUA,
    PARAMETERS,
    Forwarder,
    Selection,
    recall_of,
    selection,
    set_parameters,
)
from simulators.world import MILLISECOND, SECOND, World

#: From a command to its service signal (assumed).
_THINKING = 50 * MILLISECOND
_LONGEST = 255
#: Facilities by their first letter: closed user group, NUI, reverse charging (X.28; which PAKNET has is assumed).
_FACILITIES = "GNR"
#: What a call that cannot be set up, and one that breaks off, are cleared with (assumed).
_FAILURES, _BROKEN = ("NC", "DER", "RPE"), "NC"


@dataclass(frozen=True, slots=True)
class PadPlan:
    """A PAD of a station.

    Attributes:
        numbers: a line's name by NUA; a cause of clearing instead of a name.
        profile: what its calls are like: a row of fixtures/links/profiles.csv.
        nui: the network user identification that a call needs; empty for none.
        collect: whether the other end pays when asked to.
        parameters: X.3 parameters that differ from this PAD's own.
        remote: the same of the PAD at the meters' end.
        packet: the most that a packet holds.
        again: how many packets (0..1) the radio has to send again.
        retry: how much later (ns) such a packet is there.

    Raises:
        KeyError: no such profile.
        ValueError: a number that is none, or a parameter that does not exist.
    """

    numbers: Mapping[str, str]
    profile: str = "paknet_x28"
    nui: str = ""
    collect: bool = False
    parameters: Mapping[int, int] = field(default_factory=dict)
    remote: Mapping[int, int] = field(default_factory=dict)
    packet: int = 128
    again: float = 0.03  # assumed
    retry: int = 3 * SECOND  # assumed

    def __post_init__(self) -> None:
        link_profile(self.profile)
        for number in self.numbers:
            if not NUA.fullmatch(number):
                raise ValueError(f"{number} is no PAKNET number: 2353, four digits of a channel, six of a port")
        for name in (set(self.parameters) | set(self.remote)) - set(PARAMETERS):
            raise ValueError(f"{name} is no parameter of this PAD; there are: {', '.join(map(str, PARAMETERS))}")


class State(Enum):
    """What it does with what the computer sends."""

    COMMAND = auto()
    CALLING = auto()
    DATA = auto()


class Pad:
    """The PAD at the computer's end.

    Args:
        world: whose time holds.
        name: names its random stream and its computer's line.
        plan: what it is.
        exchange: what its numbers lead to.
    """

    def __init__(self, world: World, name: str, plan: PadPlan, exchange: Exchange) -> None:
        self.plan = plan
        self.state = State.COMMAND
        self.line: tuple[int, str] = (DEFAULT.baud, DEFAULT.frame)
        self.parameters = {**PARAMETERS, **plan.parameters}
        self._world = world
        self._exchange = exchange
        self._profile = link_profile(plan.profile)
        self._random = world.stream(f"pad:{name}", "calls")
        self._typed = bytearray()
        self._call: Bearer | None = None
        self._called: CharacterLine | None = None
        #: Numbers calls, so that what is over has no say.
        self._attempt = 0
        self._out = Forwarder(world, self.parameters, plan.packet, self._send)
        #: The computer's port.
        self.terminal = TerminalLine(world, name)
        self.terminal.plug(self)

    # -- the computer's side: a Talker -------------------------------------------------------------------------------

    @property
    def carrier(self) -> bool:
        """Whether a call stands."""
        return self._call is not None and self._call.open

    def deadline(self) -> int | None:
        """It sets its own alarms."""
        return None

    def wake(self, _now: int) -> list[Reply]:
        """Nothing is due."""
        return []

    def lose(self, _now: int) -> None:
        """Its supply is lost: it comes back as it was in the beginning."""
        self._clear()
        self.parameters.clear()
        self.parameters.update({**PARAMETERS, **self.plan.parameters})

    def terminal_ready(self, *, ready: bool) -> None:
        """DTR that drops clears the call."""
        if not ready:
            self._clear()

    def receive(self, data: bytes, _now: int) -> list[Reply]:
        """What the computer sends."""
        replies: list[Reply] = []
        at = 0
        while at < len(data):
            if self.state is State.DATA:
                at = self._transmit(data, at)
                continue
            echo, said = self._command(data[at])
            replies += [Reply(part, delay) for part, delay in ((echo, 0), (said, _THINKING)) if part]
            at += 1
        return replies

    def _say(self, data: bytes) -> None:
        self.terminal.send(self, data, self._world.now)

    def _signal(self, text: str) -> bytes:
        """A service signal, as it is sent."""
        return f"\r\n{text}\r\n".encode() if self.parameters[6] else b""

    def _tell(self, text: str) -> None:
        if signal := self._signal(text):
            self._say(signal)

    # -- COMMAND -----------------------------------------------------------------------------------------------------

    def _command(self, byte: int) -> tuple[bytes, bytes]:
        """A character of a command; what is sent back at once, and what after a moment."""
        if self.state is State.CALLING:
            return b"", b""
        echo = bytes((byte,)) if self.parameters[2] else b""
        if byte == recall_of(self.parameters) and self.carrier and not self._typed:
            self.state = State.DATA  # twice the character is the character itself
            self._out.take(bytes((byte,)))
            return b"", b""
        if byte not in b"\r+":
            if byte != ord("\n"):
                self._typed.append(byte)
                del self._typed[: -2 * _LONGEST]
            return echo, b""
        text = bytes(byte & 0x7F for byte in self._typed).decode("ascii").strip().upper()
        self._typed.clear()
        said = self._obey(text) if text else b""
        if self.carrier and self.state is State.COMMAND:
            self.state = State.DATA
        return echo, said

    def _obey(self, text: str) -> bytes:
        word, _, rest = text.partition(" ")
        try:
            if word == "SET":
                set_parameters(self.parameters, rest)
                return b""
            if word in {"PAR?", "PAR"}:
                return self._signal(f"PAR {self._told(rest)}")
            return self._acted(text)
        except ValueError:
            return self._signal("ERR")

    def _told(self, asked: str) -> str:
        numbers = [int(part) for part in asked.split(",")] if asked else list(self.parameters)
        return ", ".join(f"{number}:{self.parameters.get(number, 'INV')}" for number in numbers)

    def _acted(self, text: str) -> bytes:
        match text:
            case "STAT":
                return self._signal("ENGAGED" if self.carrier else "FREE")
            case "CLR" if self.carrier:
                self._clear()
                return self._signal("CLR CONF")
            case "RESET" | "INT" if self.carrier:
                return b""
            case _ if self.carrier:
                raise ValueError(text)
        cause = self._call_to(selection(text))
        return self._signal(f"CLR {cause}") if cause else b""

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call_to(self, wanted: Selection) -> str:
        """Set a call up; why it is refused at once, or nothing."""
        plan = self.plan
        if any(facility[0] not in _FACILITIES for facility in wanted.facilities):
            return "INV"
        if wanted.nui != plan.nui:
            return "NA"
        if "R" in wanted.facilities and not plan.collect:
            return "RNA"
        self.state = State.CALLING
        self._attempt += 1
        at = self._world.now + self._profile.setup.draw(self._random)
        failed = self._random.random() < self._profile.setup_failure
        outcome = self._random.choice(_FAILURES) if failed else self._exchange.dial(wanted.number)
        self._world.call_at(at, partial(self._reached, self._attempt, "NP" if outcome is None else outcome))
        return ""

    def _reached(self, attempt: int, outcome: CharacterLine | str) -> None:
        if attempt != self._attempt or self.state is not State.CALLING:
            return
        if isinstance(outcome, CharacterLine) and not self._exchange.engage(outcome):
            outcome = BUSY
        if not isinstance(outcome, CharacterLine):
            self.state = State.COMMAND
            self._tell(f"CLR {outcome if outcome in CAUSES else 'OCC' if outcome == BUSY else 'DER'}")
            return
        self._called = outcome
        self._call = bearer = Bearer(outcome, self._profile, self._random, self._say, self._broken, held=self._retries)
        remote = Forwarder(self._world, {**PARAMETERS, **self.plan.remote}, self.plan.packet, bearer.bring)
        bearer.heard = remote.take
        self.state = State.DATA
        self._tell("COM")

    def _retries(self) -> int:
        """How long (ns) the radio needs beyond the usual for a packet."""
        return self.plan.retry if self._random.random() < self.plan.again else 0

    def clear(self, cause: str) -> None:
        """The network, or the other end, clears the call for a cause of :data:`CAUSES`."""
        if self._call is not None:
            self._clear()
            self._tell(f"CLR {cause}")

    def _broken(self) -> None:
        self.clear(_BROKEN)

    def _clear(self) -> None:
        self._attempt += 1
        self.state = State.COMMAND
        self._typed.clear()
        self._out.drop()
        if self._call is not None and self._called is not None:
            self._call.close()
            self._exchange.release(self._called)
        self._call = self._called = None

    # -- DATA --------------------------------------------------------------------------------------------------------

    def _transmit(self, data: bytes, at: int) -> int:
        """Data up to a recall; where to go on."""
        recall = recall_of(self.parameters)
        end = data.find(recall, at) if recall is not None else -1
        self._out.take(data[at : end if end >= 0 else len(data)])
        if end < 0:
            return len(data)
        self._out.flush()
        self.state = State.COMMAND
        return end + 1

    def _send(self, packet: bytes) -> None:
        if self._call is not None:
            self._call.send(packet)
