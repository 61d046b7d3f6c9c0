"""Getting through: the asking side of a Hayes modem and of an X.28 PAD, as conversations.

Result codes are taken in words; a modem that answers in numbers is told to use words first (`V1`). Numeric codes
differ by make (12 and 13 both mean 9600), so they are not relied on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from protocols.conversation import Conversation, ProtocolError, Receive, Send, Wait

_MS = 1_000_000
_SECOND = 1_000 * _MS
#: What ends a command line or a call; the longest first.
_RESULT = re.compile(rb"(?:\r\n|^)(OK|ERROR|BUSY|NO CARRIER|NO DIALTONE|NO DIAL TONE|NO ANSWER|CONNECT[^\r\n]*)\r\n")
#: What a PAD says of a call: it stands, or it was cleared and why.
_SIGNAL = re.compile(rb"(?:\r\n|^)(COM[^\r\n]*|CLR[^\r\n]*|ERR)\r\n")
#: Silence around the escape: S12 is 50 x 20 ms by default.
_GUARD = 1_100 * _MS
#: Recalls a PAD whose X.3 parameter 1 is 1.
_DLE = b"\x10"


class CallFailed(ProtocolError):
    """No call: the words of the modem, or that it said nothing."""


class NoModem(CallFailed):
    """Nobody answers AT commands on the port."""


class Call(Protocol):
    """A way to get through to the meters at the other end."""

    @property
    def lost(self) -> bytes:
        """What is said in the middle of a call when the call has gone."""

    @property
    def closes(self) -> bool:
        """Whether closing the port is the way to end the call."""

    def set_up(self) -> Conversation[str]:
        """Get through; returns what is said of the connection. Raises CallFailed."""

    def clear(self) -> Conversation[None]:
        """End the call."""

    def as_sent(self, data: bytes) -> bytes:
        """What is sent in a call so that `data` arrives."""


@dataclass(frozen=True, slots=True)
class PadCall:
    """A call through a packet radio PAD (X.28). Times in ns.

    Attributes:
        number: the network user address: 14 digits on PAKNET, with facilities in front of it as in "NABC-2353...".
        answer: how long until the call stands.
        recall: whether the call is ended in words, behind a character that recalls the PAD (X.3 parameter 1), where
            closing the port does not show: a pty has no DTR.
    """

    number: str
    answer: int = 60 * _SECOND
    recall: bool = False
    lost: bytes = b"\r\nCLR "
    closes: bool = True  # a transparent PAD has no character that recalls it; DTR does

    def set_up(self) -> Conversation[str]:
        """Name the number and wait for COM.

        Raises:
            NoModem: nothing answers.
            CallFailed: the call was cleared; its cause.
        """
        if self.recall:
            yield from self._made_recallable()
        yield Send(f"{self.number}\r".encode("ascii"))
        data = yield Receive(_signal_length, self.answer)
        found = _SIGNAL.search(data)
        if found is None:
            raise NoModem("the PAD says nothing of the call")
        said = found[1].decode("ascii")
        if not said.startswith("COM"):
            raise CallFailed(said)
        yield Wait(500 * _MS)
        return said

    def _made_recallable(self) -> Conversation[None]:
        """Clear what a killed program may have left, and name the character that recalls.

        Raises:
            CallFailed: the PAD has none, so a call could not be ended.
        """
        yield Send(_DLE + b"CLR\r")
        yield Receive(_signal_length, _SECOND)
        yield Send(b"SET 1:1\r")
        if _SIGNAL.search((yield Receive(_signal_length, _SECOND))):
            raise CallFailed("the PAD takes no recall (SET 1:1), and a call could not be ended without one on a pty")

    def clear(self) -> Conversation[None]:
        """Recall the PAD and clear; or closing the port ends it."""
        if not self.recall:
            yield Wait(0)
            return
        yield Send(_DLE)
        yield Wait(500 * _MS)
        yield Send(b"CLR\r")
        yield Receive(_signal_length, 2 * _SECOND)

    def as_sent(self, data: bytes) -> bytes:
        """The recall itself arrives if it is sent twice (X.28)."""
        return data.replace(_DLE, 2 * _DLE) if self.recall else data


def _signal_length(data: bytes) -> int | None:
    found = _SIGNAL.search(data)
    return found.end() if found else None


@dataclass(frozen=True, slots=True)
class Dialling:
    """How a number is called by a Hayes modem. Times in ns.

    Attributes:
        number: digits, and whatever else the modem takes behind ATD.
        init: command lines before that.
        answer: how long a command may take.
        carrier: how long until the call stands; S7 is 50 or 60 s, setting up and answering come before.
    """

    number: str
    init: Sequence[str] = ("ATZ", "ATE0V1Q0")
    answer: int = 2 * _SECOND
    carrier: int = 90 * _SECOND
    lost: bytes = b"NO CARRIER"
    closes: bool = False

    def set_up(self) -> Conversation[str]:
        """Initialise the modem and call."""
        return dial(self)

    def clear(self) -> Conversation[None]:
        """Escape and hang up."""
        return hang_up(self.answer)

    def as_sent(self, data: bytes) -> bytes:
        """As it is: the escape needs silence around it."""
        return data


def result_length(data: bytes) -> int | None:
    """The length up to the end of the first result code, None while there is none: a rule to receive by."""
    found = _RESULT.search(data)
    return found.end() if found else None


def result(data: bytes) -> str:
    """The result code that was received, empty if none was."""
    found = _RESULT.search(data)
    return found[1].decode("ascii") if found else ""


def dial(plan: Dialling) -> Conversation[str]:
    """Initialise the modem and call; returns what it says of the connection, as in "CONNECT 9600".

    Raises:
        NoModem: nothing answers.
        CallFailed: the call did not come about.
    """
    for line in plan.init:
        yield from _command(line, plan.answer)
    yield Send(f"ATD{plan.number}\r".encode("ascii"))
    found = result((yield Receive(result_length, plan.carrier)))
    if not found.startswith("CONNECT"):
        raise CallFailed(found or f"no result within {plan.carrier // _SECOND} s")
    yield Wait(500 * _MS)  # the far modem is not quicker than ours
    return found


def hang_up(answer: int = 2 * _SECOND) -> Conversation[None]:
    """Leave the call: silence, +++, silence, ATH; a modem that has lost the call already only says OK."""
    yield Wait(_GUARD)
    yield Send(b"+++")
    yield Wait(_GUARD)
    yield Receive(result_length, answer)
    yield Send(b"ATH\r")
    yield Receive(result_length, answer)


def _command(line: str, answer: int) -> Conversation[None]:
    yield Send(line.encode("ascii") + b"\r")
    data = yield Receive(result_length, answer)
    found = result(data)
    if not found:
        raise NoModem(f"nobody answers {line}" if not data else f"{line} is answered with {data[:20]!r}")
    if found != "OK":
        raise CallFailed(f"{line} is answered with {found}")
