"""What becomes of a question to a FLAG meter that came to nothing, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import CallLost, DeviceError, ForeignAnswer, NoAnswer, Refused
from protocols.conversation import ProtocolError
from protocols.flag.client import MeterError, NoReply, Rejected

if TYPE_CHECKING:
    from bench.links.flag import FlagLine

#: What an A1140 means by its error messages (elster-flag 3.3, one source).
ERRORS = {
    "ERR1": "bad command",
    "ERR2": "unknown identity",
    "ERR3": "bad packet number",
    "ERR5": "locked, or the password has expired",
    "ERR6": "general error",
}


def refusal_of(error: MeterError | Rejected, device: str) -> Refused:
    """What a meter that refuses has said."""
    if isinstance(error, Rejected):
        return Refused("NAK: it could not understand the command", device=device, nak=True)
    meaning = ERRORS.get(error.text, "no document says what that means")
    digits = error.text.removeprefix("ERR")
    return Refused(f"({error.text}): {meaning}", code=int(digits) if digits.isdecimal() else None, device=device)


def mishap_of(error: ProtocolError, device: str, line: FlagLine) -> NoAnswer | ForeignAnswer:
    """What came to nothing without the meter's having refused it: its fault, or that of the call to it."""
    silent = isinstance(error, NoReply)
    if line.call_lost:
        return CallLost(f"{error}: the call was lost", device=device)
    if silent and line.dialled:
        return CallLost(f"{error}, over a call that may hold it up for longer", device=device)
    return (NoAnswer if silent else ForeignAnswer)(str(error), device=device)


def not_signed_on(error: NoAnswer | ForeignAnswer) -> DeviceError:
    """What a sign-on came to that brought no identification, and what to do about it.

    A meter that is being visited listens at the speed of that visit and hears no other sign-on; whoever signs on all
    the same hears nothing, or a piece of what is said there.
    """
    if isinstance(error, NoAnswer):
        why = "look at the cable, the head and the address"
    else:
        why = "two meters may answer to this address"
    busy = "somebody else may be talking to the meter: end that visit, or wait two minutes until it gives up"
    return type(error)(f"{error.reason}; {busy}; else {why}", device=error.device)


def told_from_the_beginning(first: NoAnswer | ForeignAnswer, last: NoAnswer | ForeignAnswer) -> DeviceError:
    """What a question came to that was asked again: the first mishap is the cause, the last often its consequence."""
    if first.reason == last.reason or isinstance(last, CallLost) or isinstance(first, CallLost):
        return last  # what a lost call came to says nothing of the meter, what came after it may
    return type(first)(f"{first.reason}; asked again: {last.reason}", device=first.device)
