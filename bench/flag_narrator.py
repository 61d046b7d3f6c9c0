"""A FLAG visit in words: messages by their kind, identities by their names, error messages by what they mean.

The narrator hears one device's trace from its beginning and remembers what was asked, because an answer bears no name.
"""

from __future__ import annotations

import re

from bench.drivers.flag_refusals import ERRORS
from protocols.conversation import ProtocolError
from protocols.dialling import result
from protocols.elster.tables import identities, models
from protocols.flag import frames, stream
from protocols.flag.frames import ACK, ESC, NAK, Command

_MODES = {"0": "readout", "1": "programming mode", "2": "HDLC", "6": "data stream"}
_OBJECT = re.compile(rb"(\d{3})([0-9A-Fa-f]{3})\(([^)]*)\)")
_LONGEST = 40
#: What nobody answers: a break, the end of a stream, the ACK behind a readout, NULs.
_UNANSWERED = (b"\x01B0", ESC, ACK, b"\0")
_SINGLE = {ACK: "ACK", NAK: "NAK: not understood, not executed", ESC: "ESC: end the data stream"}


class FlagNarrator:
    """Tells the trace of one FLAG meter.

    Args:
        model: its model as in the header of the trace; of an unknown one identities are told by number.
    """

    def __init__(self, model: str) -> None:
        self._names = {number: row.name for number, row in identities(model).items()} if model in models() else {}

    def tell(self, direction: str, data: bytes) -> str:
        """What a message says, empty where it is none."""
        if data in _SINGLE:
            return _SINGLE[data]
        if data and not data.strip(b"\0"):
            return f"wake-up, {len(data)} NUL"
        if data[:2].upper() == b"AT":
            return f"to the modem: {_text(data.strip())}"
        if direction == "rx" and result(data):
            return f"the modem: {result(data)}"
        return self._requested(data) if direction == "tx" else self._answered(data)

    def _requested(self, data: bytes) -> str:
        if data.startswith(b"/?"):
            address = data[2:].partition(b"!")[0].decode("ascii", "replace")
            return f"sign-on to {address or 'whoever hears it'}"
        if data.startswith(ACK):
            return self._option(data)
        try:
            return self._command(frames.decode_command(data))
        except ProtocolError:
            return ""

    def _option(self, data: bytes) -> str:
        try:
            _, z, mode = frames.decode_option(data)
        except ProtocolError:
            return ""
        return f"option select: {_MODES.get(mode, f'mode {mode}')} at {frames.speed(z) or 300} Bd"

    def _command(self, command: Command) -> str:
        if command.letter == "B":
            return "break: the visit is over"
        if command.letter == "P":
            return "password" if command.number == "1" else "reply to the challenge"
        found = _OBJECT.fullmatch(command.data or b"")
        verb = {"R": "read", "W": "write", "E": "execute"}.get(command.letter, command.name)
        if not found:
            return f"{command.name} {_text(command.data or b'')}"
        number, packet = int(found[1]), int(found[2], 16)
        name = self._names.get(number, "")
        where = f"{number:03d}" + (f" {name.replace('_', ' ')}" if name else "")
        part = f", packet {packet}" if packet > 1 else ""
        if command.letter == "R":
            return f"{verb} {where}{part}, {int(found[3] or b'0', 16)} {'bytes' if command.number != 'D' else 'blocks'}"
        return f"{verb} {where}{part} := {_text(found[3])}"

    def _answered(self, data: bytes) -> str:
        if data.startswith(b"/"):
            return f"identification {data.strip().decode('ascii', 'replace')}"
        try:
            block = stream.decode_block(data)
        except ProtocolError:
            return self._data(data)
        return f"stream block {block.number}, {len(block.data)} bytes{', the last' if block.last else ''}"

    def _data(self, data: bytes) -> str:
        if data[:1] == frames.SOH:
            return "challenge"
        try:
            answer = frames.decode_answer(data)
        except ProtocolError as error:
            return f"no answer: {error}" if data else ""
        if answer.error is not None:
            return f"error message ({answer.error}): {ERRORS.get(answer.error, 'unknown')}"
        return f"{_text(answer.data)}{', more follows' if answer.more else ''}"


def _text(data: bytes) -> str:
    shown = data.decode("ascii", "replace").replace("\r\n", " ")
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}... ({len(data)} characters)"


def flag_mishap(request: bytes, answer: bytes) -> str:
    """What is wrong with an answer as such, empty if nothing is; whether its values are right is another question."""
    if not answer:
        silent = request.startswith(_UNANSWERED) and not request.startswith(ACK + b"0")
        return "" if silent or not request else "no answer came"
    told = FlagNarrator("").tell("rx", answer)
    if answer == NAK or told.startswith("error message"):
        return "the meter refused"
    return told if told.startswith("no answer") and not request.startswith(b"\x01RD") else ""
