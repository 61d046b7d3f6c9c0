"""A Hayes modem: between a computer's port and the lines that a telephone network leads to.

COMMAND   command lines; a call may stand meanwhile (after the escape)
DIALLING  until the call stands or has failed; any character from the computer gives up
ONLINE    every byte goes to the other end; silence, "+++", silence leads back to COMMAND
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

from protocols.conversation import Reply
from simulators.lines.bearer import Bearer
from simulators.lines.character_line import CharacterLine
from simulators.lines.command_state import CommandState
from simulators.lines.dte import DEFAULT, TerminalLine
from simulators.lines.exchange import BUSY, SILENT, Exchange
from simulators.lines.framing import Framing
from simulators.lines.hayes import Settings, makes, number_of
from simulators.lines.profiles import link_profile
from simulators.world import MILLISECOND, SECOND, World

#: From a command line to its result code (assumed; references ask for a pause of 20 ms or more).
_THINKING = 20 * MILLISECOND
#: From one RING to the next, and how many there are before the caller gives up (assumed).
_RING, _RINGS = 5 * SECOND, 10
_NEVER = 255
_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class ModemPlan:
    """A modem of a station.

    Attributes:
        numbers: a line's name by number; "busy" and "no answer" instead of a name.
        make: whose result codes it has: "hayes", "usr" or "gsm".
        profile: what its calls are like: a row of fixtures/links/profiles.csv.
        registers: S registers that differ from the factory's.
        framing: of the far modem's own port; None is as its meters have it.
        corrected: whether errors are corrected on the way (V.42, or RLP of GSM); else they arrive.
        dial_tone: whether it is plugged into a telephone line.

    Raises:
        KeyError: no such make or profile.
    """

    numbers: Mapping[str, str]
    make: str = "hayes"
    profile: str = "pstn_v32"
    registers: Mapping[int, int] = field(default_factory=dict)
    framing: Framing | None = None
    corrected: bool = True
    dial_tone: bool = True

    def __post_init__(self) -> None:
        link_profile(self.profile)
        if self.make not in makes():
            raise KeyError(f"{self.make!r} is no make of modem; there are: {', '.join(makes())}")


class State(Enum):
    """What it does with what the computer sends."""

    COMMAND = auto()
    DIALLING = auto()
    ONLINE = auto()


class Modem:
    """The modem.

    Args:
        world: whose time holds.
        name: names its random stream and its computer's line.
        plan: what it is.
        exchange: what its numbers lead to.
    """

    def __init__(self, world: World, name: str, plan: ModemPlan, exchange: Exchange) -> None:
        self.plan = plan
        self.state = State.COMMAND
        self.line: tuple[int, str] = (DEFAULT.baud, DEFAULT.frame)
        self._world = world
        self._exchange = exchange
        self._profile = link_profile(plan.profile)
        self._random = world.stream(f"modem:{name}", "calls")
        self._call: Bearer | None = None
        self._called: CharacterLine | None = None
        self._kept = bytearray()
        #: Numbers attempts, rings, escapes and drops of DTR, so that what is over has no say.
        self._attempt = self._ready = self._ring = 0
        self._caller: CharacterLine | None = None
        self._last = -SECOND * 3600
        self._escape: bytes | None = None
        self._commands = CommandState(plan.make, plan.registers, self)
        #: The computer's port.
        self.terminal = TerminalLine(world, name)
        self.terminal.plug(self)

    # -- the computer's side: a Talker -------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """What commands have set."""
        return self._commands.settings

    @property
    def carrier(self) -> bool:
        """Whether a call stands (DCD)."""
        return self._call is not None and self._call.open

    def deadline(self) -> int | None:
        """It sets its own alarms."""
        return None

    def wake(self, _now: int) -> list[Reply]:
        """Nothing is due."""
        return []

    def lose(self, _now: int) -> None:
        """Its supply is lost: it comes back as it was in the beginning."""
        self.hang_up()
        self._caller = None
        self._commands.restore()

    def receive(self, data: bytes, now: int) -> list[Reply]:
        """What the computer sends; the last character is whole at `now`."""
        replies: list[Reply] = []
        for at, byte in enumerate(data):
            if self.state is State.ONLINE:
                self._transmit(data[at:], now)
                break
            echo, said = (b"", self._dialling(byte)) if self.state is State.DIALLING else self._commands.hear(byte)
            replies += [Reply(part, delay) for part, delay in ((echo, 0), (said, _THINKING)) if part]
        return replies

    def terminal_ready(self, *, ready: bool) -> None:
        """DTR has changed; a drop counts when it has lasted as long as S25 says."""
        self._ready += 1
        if not ready and self.settings.dtr:
            wait = self.settings.registers[25] * 10 * MILLISECOND
            self._world.call_at(self._world.now + wait, partial(self._dtr_dropped, self._ready))

    def _dtr_dropped(self, count: int) -> None:
        if count != self._ready:
            return
        if self.settings.dtr == 1:
            self._escape_now()
            return
        called = self.state is not State.COMMAND or self._call is not None
        self.hang_up()
        if self.settings.dtr == 3:  # noqa: PLR2004  # as in AT&D3
            self._commands.restore()
        if called:
            self._tell("NO CARRIER")

    def _say(self, data: bytes) -> None:
        if data:
            self.terminal.send(self, data, self._world.now)

    def _tell(self, text: str) -> None:
        self._say(self._commands.result(text))

    # -- calls: what commands do -------------------------------------------------------------------------------------

    def resume(self) -> str:
        """Back to the call that stands (ATO)."""
        if not self.carrier:
            return "NO CARRIER"
        self._go_online()
        return self._connect()

    def _connect(self) -> str:
        text = f"CONNECT {self._profile.rate}"
        return text if text in makes()[self.plan.make] else "CONNECT"

    def dial(self, text: str) -> str | None:
        """Call a number; the result comes later."""
        if self.carrier:
            return "ERROR"
        number, pauses, quiet = number_of(text)
        self.hang_up()
        self.state = State.DIALLING
        registers = self.settings.registers
        began = self._world.now + (registers[6] + pauses * registers[8]) * SECOND
        if not self.plan.dial_tone and self.settings.extent in {2, 4}:
            self._later(began, "NO DIALTONE")
            return None
        patience = began + registers[7] * SECOND
        at, outcome = self._outcome(number, began)
        if outcome == SILENT:
            at, outcome = patience, "NO ANSWER" if quiet or self.plan.make == "gsm" else "NO CARRIER"
        if outcome == BUSY and self.settings.extent < 3:  # noqa: PLR2004  # X3 and X4 hear the busy tone
            at = patience
        self._later(*((at, outcome) if at <= patience else (patience, "NO CARRIER")))
        return None

    def _outcome(self, number: str, began: int) -> tuple[int, CharacterLine | str]:
        """When (ns) it is known what comes of a call, and what does."""
        found = self._exchange.dial(number) if self.plan.dial_tone else None
        at = began + self._profile.setup.draw(self._random)
        if self._random.random() < self._profile.setup_failure:
            return at, self._random.choice((BUSY, SILENT, "NO CARRIER"))
        return at, "NO CARRIER" if found is None else found

    def _later(self, at: int, outcome: CharacterLine | str) -> None:
        self._world.call_at(at, partial(self._dialled, self._attempt, outcome))

    def _dialled(self, attempt: int, outcome: CharacterLine | str) -> None:
        if attempt != self._attempt or self.state is not State.DIALLING:
            return
        if isinstance(outcome, CharacterLine):
            outcome = self._reached(outcome)
        else:
            self.state = State.COMMAND
        self._tell(outcome.upper())

    def _reached(self, line: CharacterLine) -> str:
        """The other end has answered, unless somebody else was quicker."""
        if not self._exchange.engage(line):
            self.state = State.COMMAND
            return BUSY
        plan, self._called = self.plan, line
        self._call = Bearer(
            line,
            self._profile,
            self._random,
            self._from_afar,
            self._dropped,
            framing=plan.framing,
            corrected=plan.corrected,
        )
        self._go_online()
        return self._connect()

    def _dialling(self, byte: int) -> bytes:
        """A key that is pressed meanwhile gives up the call; a line feed behind the command line is none."""
        if byte == self.settings.registers[4]:
            return b""
        self.hang_up()
        return self._commands.result("NO CARRIER")

    # -- ONLINE ------------------------------------------------------------------------------------------------------

    def _go_online(self) -> None:
        self.state = State.ONLINE
        self._escape, self._last = None, self._world.now
        kept, self._kept = bytes(self._kept), bytearray()
        if kept:
            self._world.call_at(self._world.now + _THINKING, partial(self._say, kept))

    def _transmit(self, data: bytes, now: int) -> None:
        """Everything goes to the other end; three escape characters in the midst of silence are a word to the modem."""
        assert self._call is not None
        guard = self.settings.registers[12] * 20 * MILLISECOND
        began = now - Framing(*self.line).time_of(len(data))
        if began - self._last >= guard:
            self._escape = b""
        self._last = now
        self._call.send(data)
        word = bytes((self.settings.registers[2],)) * 3
        if self._escape is not None:
            self._escape += data
            if self._escape == word and self.settings.registers[2] < 128:  # noqa: PLR2004  # above, there is no escape
                self._world.call_at(now + guard, self._escaped)
            elif not word.startswith(self._escape):
                self._escape = None

    def _escaped(self) -> None:
        if self.state is State.ONLINE and self._escape is not None:  # nothing has come behind the three
            self._escape_now()
            self._tell("OK")

    def _escape_now(self) -> None:
        if self.state is State.ONLINE:
            self.state = State.COMMAND
            self._escape = None
            self._commands.forget()

    def _from_afar(self, data: bytes) -> None:
        """What the other end says; while commands are typed it is kept for later."""
        if self.state is State.ONLINE:
            self._say(data)
        else:
            self._kept += data
            del self._kept[:-_BACKLOG]

    def _dropped(self) -> None:
        """The carrier is lost; it is told when it has been so for as long as S10 says."""
        wait = self.settings.registers[10]
        if wait != _NEVER:
            self._world.call_at(self._world.now + wait * SECOND // 10, partial(self._given_up, self._attempt))

    def _given_up(self, attempt: int) -> None:
        if attempt == self._attempt and self._call is not None:
            self.hang_up()
            self._tell("NO CARRIER")

    def hang_up(self) -> None:
        """End the call, or the attempt (ATH)."""
        self._attempt += 1
        self.state = State.COMMAND
        self._commands.forget()
        self._kept.clear()
        if self._call is not None and self._called is not None:
            self._call.close()
            self._exchange.release(self._called)
        self._call = self._called = None

    # -- being called ------------------------------------------------------------------------------------------------

    def ring(self, line: CharacterLine) -> None:
        """Somebody calls this modem: the far modem of a line whose meter has something to say."""
        if self.state is State.COMMAND and self._call is None and self._caller is None:
            self._caller = line
            self._ring += 1
            self.settings.registers[1] = 0
            self._rings(self._ring)

    def _rings(self, ring: int) -> None:
        if ring != self._ring or self._caller is None:
            return
        registers = self.settings.registers
        if registers[1] >= _RINGS or self.state is not State.COMMAND:
            self._caller = None
            return
        registers[1] += 1
        self._tell("RING")
        if registers[0] and registers[1] >= registers[0]:
            self._pick_up()
        else:
            self._world.call_at(self._world.now + _RING, partial(self._rings, ring))

    def answer(self) -> str | None:
        """Answer a call that rings (ATA)."""
        if self._caller is None:
            return "NO CARRIER"
        self._pick_up()
        return None

    def _pick_up(self) -> None:
        caller, self._caller = self._caller, None
        assert caller is not None
        self.state = State.DIALLING
        self._attempt += 1
        self._later(self._world.now + self._profile.setup.draw(self._random) // 2, caller)
