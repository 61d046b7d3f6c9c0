"""Getting through: the asking side of a Hayes modem, as conversations.

Result codes are taken in words; a modem that answers in numbers is told to use words first (`V1`). Numeric codes
differ by make (12 and 13 both mean 9600), so they are not relied on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.conversation import Conversation, ProtocolError, Receive, Send, Wait

_MS = 1_000_000
_SECOND = 1_000 * _MS
#: What ends a command line or a call; the longest first.
_RESULT = re.compile(rb"(?:\r\n|^)(OK|ERROR|BUSY|NO CARRIER|NO DIALTONE|NO DIAL TONE|NO ANSWER|CONNECT[^\r\n]*)\r\n")
#: What a modem says in the middle of a call when the call has gone.
LOST = b"NO CARRIER"
#: Silence around the escape: S12 is 50 x 20 ms by default.
_GUARD = 1_100 * _MS


class CallFailed(ProtocolError):
    """No call: the words of the modem, or that it said nothing."""


class NoModem(CallFailed):
    """Nobody answers AT commands on the port."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """How a number is called. Times in ns.

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
