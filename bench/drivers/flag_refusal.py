"""What a FLAG meter means when it says no: NAK, or an error message with its number."""

from __future__ import annotations

from bench.errors import Refused
from protocols.flag.client import MeterError, Rejected

#: What an A1140 means by its error messages (elster-flag 3.3, one source).
ERRORS = {
    "ERR1": "bad command",
    "ERR2": "unknown identity",
    "ERR3": "bad packet number",
    "ERR5": "locked, or the password has expired",
    "ERR6": "general error",
}


def refusal(error: MeterError | Rejected, device: str) -> Refused:
    """A NAK or an error message of a device as one of the bench's errors."""
    if isinstance(error, Rejected):
        return Refused("NAK: it could not understand the command", device=device)
    meaning = ERRORS.get(error.text, "no document says what that means")
    digits = error.text.removeprefix("ERR")
    code = int(digits) if digits.isdecimal() else None
    return Refused(f"({error.text}): {meaning}", code=code, device=device)
