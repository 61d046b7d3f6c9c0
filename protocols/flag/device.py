"""What a FLAG server asks of the meter behind it, and what a visit is to both of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from protocols.conversation import ProtocolError
from protocols.flag.frames import Command
from protocols.flag.habits import Habits

#: Y of the option select message: what the visit is for (6.3.3 item 14); Elster's data stream is a maker's own value.
READOUT, PROGRAMMING, HDLC, STREAM = 0, 1, 2, 6


class Refusal(ProtocolError):
    """A valid command that cannot be executed; its text is what the error message says, without brackets."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(slots=True)
class Session:
    """One visit, from the option select message to the break, the time-out or the end of the line.

    Attributes:
        via: "optical" or "remote".
        mode: PROGRAMMING or STREAM.
        opened: when (ns).
        seed: the challenge of eight bytes.
        level: -1 before anybody has logged in, 0 who may only read, 1 to 3 by password.
        authenticated: the instant (ns) of the last accepted password.
        user: who programs, as written last in this visit.
        changed: whether something was programmed in it.
    """

    via: str
    mode: int
    opened: int
    seed: bytes = b""
    level: int = -1
    authenticated: int = 0
    user: bytes = b""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """It is done."""


@dataclass(frozen=True, slots=True)
class Nak:
    """The command has broken the protocol."""


@dataclass(frozen=True, slots=True)
class Data:
    """What stands between STX and ETX."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Blocks:
    """Data in partial blocks: each is sent when the one before was acknowledged (6.4.7)."""

    parts: tuple[bytes, ...]


Result = Ack | Nak | Data | Blocks


class Device(Protocol):
    """A meter as its FLAG server sees it. All instants are ns of the world."""

    habits: Habits

    def powered(self, now: int) -> bool:
        """Whether it has its supply."""

    def identification(self, now: int) -> bytes:
        """What it says of itself, with the slash and without CR LF."""

    def answers_to(self, address: bytes) -> bool:
        """Whether a request with this address is for it; an empty one is for everybody."""

    def readout(self, now: int) -> bytes:
        """The data sets of a readout, each line ended by CR LF, without the final "!"."""

    def open(self, via: str, mode: int, now: int) -> Session:
        """A visit begins; the session holds a new challenge."""

    def password(self, session: Session, number: int, operand: bytes, now: int) -> Result:
        """P1 or P2 with what stands between the brackets. Raises Refusal."""

    def execute(self, session: Session, command: Command, now: int) -> Result:
        """A command R, W or E. Raises Refusal."""

    def stream(self, session: Session, command: Command, now: int) -> bytes:
        """The whole object that an RD command asks for. Raises Refusal."""

    def close(self, session: Session, why: str, now: int) -> None:
        """The visit is over: "break", "timeout", "supply" or "request" when another sign-on comes."""
