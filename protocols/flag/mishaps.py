"""What can become of a question to a FLAG meter that is no answer."""

from __future__ import annotations

from protocols.conversation import ProtocolError


class NoReply(ProtocolError):
    """Nothing came in time."""


class Unusable(ProtocolError):
    """What came is no answer: damaged, incomplete or something else."""


class Rejected(ProtocolError):
    """The meter said NAK: it could not understand the command and has not executed it."""


class MeterError(ProtocolError):
    """The meter answered with an error message: it has understood the command and not executed it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the meter answers ({text})")
        self.text = text
