r"""IEC 62056-21 messages: what they look like on the wire, and the block check character.

::

    request          / ? address ! CR LF                     6.3.1
    identification   / XXX Z [\W]* ident CR LF               6.3.2
    option select    ACK V Z Y CR LF                         6.3.3
    readout          STX data sets ! CR LF ETX BCC           6.3.4
    command          SOH C D STX data ETX BCC                6.3.7, 6.3.8 (EOT instead of ETX: a partial block)
    answer           STX data ETX BCC                        6.3.9, 6.3.10 (EOT likewise)
    error message    STX (text) ETX BCC                      6.3.11
    break            SOH B 0 ETX BCC                         6.3.12

Bytes are those of a seven-bit character set; parity is the line's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols.conversation import ProtocolError

SOH, STX, ETX, EOT, ACK, NAK, ESC = b"\x01", b"\x02", b"\x03", b"\x04", b"\x06", b"\x15", b"\x1b"
CRLF = b"\r\n"
#: The line of a sign-on in modes A, B, C and E (4.3); mode D begins at 2400 Bd.
START_LINE = (300, "7E1")
MODE_D_LINE = (2400, "7E1")

#: Speed identification of modes C and E (6.3.2 item 13) and of mode B.
_C_SPEEDS = {b"0": 300, b"1": 600, b"2": 1200, b"3": 2400, b"4": 4800, b"5": 9600, b"6": 19200}
_B_SPEEDS = {b"A": 600, b"B": 1200, b"C": 2400, b"D": 4800, b"E": 9600, b"F": 19200}
_IDENTIFICATION = re.compile(rb"/([A-Za-z]{3})([ -~])((?:\\[ -.0-~])*)([ -.0-~]{0,16})\r\n")
_REQUEST = re.compile(rb"/\?([0-9A-Za-z ]{0,32})!\r\n")
_COMMAND = re.compile(rb"\x01([A-Z])(.)(?:\x02([^\x03\x04]*))?([\x03\x04])(.)", re.DOTALL)
_ANSWER = re.compile(rb"\x02([^\x03\x04]*)([\x03\x04])(.)", re.DOTALL)
_ERROR = re.compile(rb"\(([^()*]{0,32})\)")


class FrameError(ProtocolError):
    """The bytes are no message of IEC 62056-21; says which part is wrong."""


class CheckError(FrameError):
    """The block check character is not that of the block."""


@dataclass(frozen=True, slots=True)
class Identification:
    r"""What a meter says to a sign-on.

    Attributes:
        maker: three letters; a lower-case third one promises a reaction time down to 20 ms.
        speed_id: the character Z.
        ident: the maker's own identification, at most 16 characters.
        escapes: the characters behind each backslash; "2" offers HDLC (mode E).
    """

    maker: str
    speed_id: str
    ident: str
    escapes: str = ""

    @property
    def mode(self) -> str:
        """A, B, C, D or E; C and D share "3", and who signed on at 2400 Bd knows which (Annex C of the standard)."""
        z = self.speed_id.encode()
        if z in _C_SPEEDS:
            return "E" if "2" in self.escapes else "C"
        return "B" if z in _B_SPEEDS else "A"

    @property
    def baud(self) -> int:
        """The speed (Bd) that is offered."""
        return speed(self.speed_id) or START_LINE[0]

    @property
    def quick(self) -> bool:
        """Whether the reaction time may be as short as 20 ms."""
        return self.maker[-1:].islower()

    def encode(self) -> bytes:
        """The identification message."""
        escapes = "".join(f"\\{letter}" for letter in self.escapes)
        return f"/{self.maker}{self.speed_id}{escapes}{self.ident}\r\n".encode("ascii")

    def __str__(self) -> str:
        return self.encode().decode("ascii").strip()


@dataclass(frozen=True, slots=True)
class Command:
    """A programming command: R1, W1, P2, B0 ...

    Attributes:
        letter, number: what stands behind SOH.
        data: what stands between STX and the end; None where there is no STX, as in a break.
        more: whether another block follows (EOT).
    """

    letter: str
    number: str
    data: bytes | None = None
    more: bool = False

    @property
    def name(self) -> str:
        """Letter and number, as in "R1"."""
        return self.letter + self.number

    def encode(self) -> bytes:
        """The command message with its block check character."""
        body = b"" if self.data is None else STX + self.data
        return checked(SOH + self.name.encode("ascii") + body + (EOT if self.more else ETX))


@dataclass(frozen=True, slots=True)
class Answer:
    """A block of data: what stands between STX and its end, and whether another block follows."""

    data: bytes
    more: bool = False

    def encode(self) -> bytes:
        """The answer message with its block check character."""
        return checked(STX + self.data + (EOT if self.more else ETX))

    @property
    def error(self) -> str | None:
        """The text of an error message, None if this is data: an address or a unit stands there (6.3.11)."""
        found = _ERROR.fullmatch(self.data)
        return found[1].decode("ascii", "replace") if found and found[1][:3] == b"ERR" else None


def speed(speed_id: str) -> int | None:
    """The speed (Bd) that a Z character stands for, None in mode A."""
    z = speed_id.encode("ascii", "replace")
    return _C_SPEEDS.get(z) or _B_SPEEDS.get(z)


def speed_id(baud: int) -> str:
    """The Z character of a speed in mode C.

    Raises:
        ValueError: the standard has no such speed.
    """
    for letter, value in _C_SPEEDS.items():
        if value == baud:
            return letter.decode()
    raise ValueError(f"IEC 62056-21 has no speed of {baud} Bd: {', '.join(map(str, _C_SPEEDS.values()))}")


def bcc(block: bytes) -> int:
    """The block check character of a block without its first SOH or STX, its end mark included (6.2).

    Folded in halves as one large integer, which is twenty times faster than byte by byte.
    """
    value, bits = int.from_bytes(block, "big"), 8 << len(block).bit_length()
    while bits > 8:  # noqa: PLR2004  # bits of a byte
        bits >>= 1
        value = value >> bits ^ value & (1 << bits) - 1
    return value & 0x7F


def checked(frame: bytes) -> bytes:
    """A frame that begins with SOH or STX and ends with its end mark, and the block check character behind it."""
    return frame + bytes((bcc(frame[1:]),))


def encode_request(address: bytes = b"") -> bytes:
    """The request message for one meter, or for whoever hears it."""
    return b"/?" + address + b"!" + CRLF


def decode_request(data: bytes) -> bytes:
    """The address of a request message, empty if it has none.

    Raises:
        FrameError: it is none.
    """
    found = _REQUEST.fullmatch(data)
    if not found:
        raise FrameError(f"{data!r} is no request message: /?address! CR LF, at most 32 digits, letters and blanks")
    return found[1]


def decode_identification(data: bytes) -> Identification:
    """An identification message.

    Raises:
        FrameError: it is none.
    """
    found = _IDENTIFICATION.fullmatch(data)
    if not found:
        raise FrameError(f"{data!r} is no identification message")
    maker, z, escapes, ident = (part.decode("ascii") for part in found.groups())
    return Identification(maker, z, ident, escapes[1::2])


def encode_option(speed_id: str, mode: int, procedure: int = 0) -> bytes:
    """The acknowledgement and option select message `ACK V Z Y CR LF`."""
    return ACK + f"{procedure}{speed_id}{mode}".encode("ascii") + CRLF


def decode_option(data: bytes) -> tuple[str, str, str]:
    """Protocol control character V, speed Z and mode Y.

    Raises:
        FrameError: it is no option select message.
    """
    if len(data) != 6 or data[:1] != ACK or data[4:] != CRLF:  # noqa: PLR2004  # ACK V Z Y CR LF
        raise FrameError(f"{data!r} is no option select message: ACK V Z Y CR LF")
    return chr(data[1]), chr(data[2]), chr(data[3])


def decode_command(data: bytes) -> Command:
    """A programming command with its block check character.

    Raises:
        CheckError: the block check character is wrong.
        FrameError: it is no command.
    """
    found = _COMMAND.fullmatch(data)
    if not found:
        raise FrameError(f"{data!r} is no command: SOH C D [STX data] ETX BCC")
    _check(data)
    letter, number, body, end, _ = found.groups()
    return Command(letter.decode(), number.decode("ascii", "replace"), body, end == EOT)


def decode_answer(data: bytes) -> Answer:
    """A block of data with its block check character.

    Raises:
        CheckError: the block check character is wrong.
        FrameError: it is no block.
    """
    found = _ANSWER.fullmatch(data)
    if not found:
        raise FrameError(f"{data!r} is no block of data: STX data ETX BCC")
    _check(data)
    return Answer(found[1], found[2] == EOT)


def _check(data: bytes) -> None:
    if not data.isascii():  # seven bits are all that the check character sees of one of eight
        raise CheckError("a character beyond the seven-bit set")
    wanted = bcc(data[1:-1])
    if data[-1] != wanted:
        raise CheckError(f"block check character {data[-1]:02X} where the block's is {wanted:02X}")


def line_length(data: bytes) -> int | None:
    """The length up to and with the first CR LF, None while there is none: a rule to receive by."""
    end = data.find(CRLF)
    return end + 2 if end >= 0 else None


def message_length(data: bytes) -> int | None:
    """The length up to the end of the first message that a programming command is answered with, None before.

    An acknowledgement is one byte; a block ends with the character behind its ETX or EOT, whatever that character is.
    What stands before the first of these counts too, for a reader to complain about.
    """
    for index, byte in enumerate(data):
        if byte in (0x06, 0x15):
            return index + 1
        if byte in (0x01, 0x02):
            return block_length(data, index)
    return None


def block_length(data: bytes, start: int = 0) -> int | None:
    """The length up to and with the check character of the block that begins at `start`, None while incomplete."""
    ends = [end for mark in (ETX, EOT) if (end := data.find(mark, start)) >= 0]
    return min(ends) + 2 if ends and min(ends) + 1 < len(data) else None
