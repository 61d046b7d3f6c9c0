"""The form of single messages, for the checker: what is wrong with one, whatever was said before it.

Every function returns pairs of a rule id and what exactly is wrong; an empty list is a message as it should be.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

Found = list[tuple[str, str]]

_ADDRESS = re.compile(rb"[0-9A-Za-z ]*")
_PRINTABLE = range(0x20, 0x7F)
_MOST_ADDRESS, _MOST_IDENT, _MOST_ERROR = 32, 16, 32
_TYPES = {"P": "012", "W": "12345", "R": "123456", "E": "2", "B": "01"}
_OPTION = 6
_DATA_LIKE = re.compile(r"[-+0-9.,:*]+|[0-9A-F]{8,}")
_OPERAND = re.compile(rb"\([^()]*\)")


def request(data: bytes) -> Found:
    """A request message (6.3.1)."""
    if not (data.startswith(b"/?") and data.endswith(b"!\r\n")):
        return [("request.form", f"{data[:40]!r}")]
    address = data[2:-3]
    found: Found = []
    if len(address) > _MOST_ADDRESS:
        found.append(("request.address.length", f"{len(address)} characters"))
    if not _ADDRESS.fullmatch(address):
        found.append(("request.address.characters", f"{address!r}"))
    return found


def identification(data: bytes) -> Found:
    """An identification message (6.3.2)."""
    if not data.endswith(b"\r\n") or len(data) < len("/XXXZ\r\n"):
        return [("ident.form", f"{data[:40]!r}")]
    found: Found = []
    maker, z, rest = data[1:4], data[4], data[5:-2]
    if not (maker.isalpha() and maker[:2].isupper()):
        found.append(("ident.maker", f"{maker!r}"))
    if z not in _PRINTABLE or z in b"/!\\":
        found.append(("ident.speed", f"{chr(z)!r}"))
    ident = re.sub(rb"\\[ -.0-~]", b"", rest)
    if b"\\" in ident:
        found.append(("ident.escape", f"{rest!r}"))
    if len(ident) > _MOST_IDENT:
        found.append(("ident.length", f"{len(ident)} characters"))
    if any(byte not in _PRINTABLE or byte in b"/!" for byte in ident):
        found.append(("ident.characters", f"{ident!r}"))
    return found


def escapes(data: bytes) -> str:
    """The characters behind the backslashes of an identification."""
    return b"".join(re.findall(rb"\\([ -.0-~])", data[5:-2])).decode("ascii", "replace")


def option(data: bytes, offered: str, escaped: str) -> Found:
    """An option select message (6.3.3) after an identification with the character `offered` and these escapes."""
    if len(data) != _OPTION or not data.endswith(b"\r\n"):
        return [("option.form", f"{data[:16]!r}")]
    procedure, speed, mode = (chr(byte) for byte in data[1:4])
    found: Found = []
    if procedure not in "012":
        found.append(("option.procedure", f"{procedure!r}"))
    if speed not in {offered, "0"}:
        found.append(("option.speed", f"{speed!r} where {offered!r} was offered"))
    if mode not in "0126789":
        found.append(("option.mode", f"{mode!r}"))
    if "2" in (procedure, mode) and "2" not in escaped:
        found.append(("option.hdlc", f"V {procedure}, Y {mode}"))
    return found


def command(data: bytes, *, stream: bool) -> Found:
    """A command message (6.3.7) without its check character; in a data stream visit there is RD too."""
    body = data[3:-1]
    if len(data) < len("\x01B0\x03") or (body and not body.startswith(b"\x02")):
        return [("command.form", f"{data[:3]!r}...")]
    letter, number = chr(data[1]), chr(data[2])
    if letter not in _TYPES:
        return [("command.letter", f"{letter!r}")]
    if letter == "B":
        broken = number not in _TYPES["B"] or body or data.endswith(b"\x04")
        return [("break.form", f"{data[:3]!r}...")] if broken else []
    if letter + number == "RD":
        sound = stream and re.fullmatch(rb"\x02[0-9]{3}[0-9A-F]{3}\([0-9A-F]{2,4}\)", body)
        return [] if sound else [("stream.request", f"{body[1:]!r}")]
    found: Found = [] if number in _TYPES[letter] else [("command.type", letter + number)]
    if letter == "P" and not _OPERAND.fullmatch(body[1:]):
        found.append(("command.data", f"{letter}{number} takes an operand in brackets"))
    if letter in "RW" and not body:
        found.append(("command.data", f"{letter}{number} takes a data set"))
    return found


def error(text: str) -> Found:
    """The text of an error message (6.3.11)."""
    found: Found = []
    if len(text) > _MOST_ERROR or not text.isprintable() or set(text) & set("()/!"):
        found.append(("error.form", f"({text})"))
    if _DATA_LIKE.fullmatch(text):
        found.append(("error.text", f"({text})"))
    return found


def characters(data: bytes) -> Found:
    """Control characters where only printable ones and CR LF may stand, and characters beyond seven bits (5.5)."""
    wrong = next((byte for byte in data.replace(b"\r\n", b"") if byte not in _PRINTABLE), None)
    return [] if wrong is None else [("char.code", f"{wrong:02X} among data")]


def check_character(frame: bytes, *, eight_bits: bool) -> Found:
    """The check character at the end of `frame`, which begins with SOH or STX (6.2); names the usual mistakes."""
    body, got = frame[1:-1], frame[-1]
    whole = reduce(xor, body, 0)
    right = whole & 0x7F
    if got == right:
        return []
    detail = f"{got:02X} where {right:02X} belongs"
    after_stx = body.partition(b"\x02")[2] if frame[0] == 1 else b""
    known = {
        "bcc.start": right ^ frame[0],
        "bcc.etx": reduce(xor, body[:-1], 0) & 0x7F,
        "bcc.stx": reduce(xor, after_stx, 0) & 0x7F if after_stx else None,
        "bcc.parity": whole if eight_bits else None,
        "bcc.sum": sum(body) & 0x7F,
    }
    if got == sum(body) & 0xFF:
        return [("bcc.sum", detail)]
    return [(next((name for name, value in known.items() if value == got), "bcc.wrong"), detail)]
