"""What must not be told: secrets in command lines, URLs and station files, and serial numbers on the wire.

One vocabulary for all of them. In text the value of a secret becomes `***`; on the wire `bench/trace.py` cuts out the
bytes that `wire_forms` names.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

_WORDS = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key"
_VALUE = r"(\"[^\"]*\"|'[^']*'|\S+)"
#: `--api-token`, `--pin=7`: on a command line "key" and "pin" are secrets too.
_OPTION = re.compile(rf"(?i)^(--?(?:[\w-]*-)?(?:{_WORDS}|key|pin)s?(?:-[\w-]*)?)(=.*)?$")
#: `password=...`, `RELAY_API_KEY=...`, `--secret '...'`, anywhere in a text.
_ASSIGNED = re.compile(rf"(?i)((?:{_WORDS})(?:\s*[=:]\s*|\s+)){_VALUE}")
_CREDENTIALS = re.compile(r"(?<=://)([^/\s@]+)@")
_HIDDEN = "***"

#: A shorter secret than this stands in any wire by chance: hiding it would hide the wire and not the secret (bytes).
SHORTEST = 4
#: What one try at guessing a serial number costs (scrypt: some 15 ms and 4 MB).
_COST = {"n": 1 << 12, "r": 8, "p": 1, "dklen": 16}


def redacted(value: Any) -> Any:
    """Plain data (text, mappings, lists) with every secret in its texts replaced by `***`."""
    match value:
        case str():
            return _ASSIGNED.sub(rf"\1{_HIDDEN}", _CREDENTIALS.sub(f"{_HIDDEN}@", value))
        case Mapping():
            return {key: redacted(inner) for key, inner in value.items()}
        case list():
            return [redacted(inner) for inner in value]
        case _:
            return value


def redacted_words(words: Sequence[str]) -> list[str]:
    """The words of a command line: the value of a secret option may be a word of its own."""
    kept: list[str] = []
    hide_next = False
    for word in words:
        option = _OPTION.match(word)
        if hide_next and not word.startswith("--"):  # a secret may well begin with a dash, no option of ours has one
            kept.append(_HIDDEN)
        elif option and option[2]:
            kept.append(f"{option[1]}={_HIDDEN}")
        else:
            kept.append(word if option else redacted(word))
        hide_next = option is not None and not option[2]
    return kept


def secrets_in(value: Any) -> Iterator[str]:
    """The secrets that `redacted` would cut out of plain data; a user name goes with its password."""
    match value:
        case str():
            yield from (part for found in _CREDENTIALS.findall(value) for part in found.split(":"))
            yield from (found[1].strip("\"'") for found in _ASSIGNED.findall(_CREDENTIALS.sub("", value)))
        case Mapping():
            for inner in value.values():
                yield from secrets_in(inner)
        case list():
            for inner in value:
                yield from secrets_in(inner)


def wire_forms(serial: str) -> list[bytes]:
    """A serial number as a device may send it: as text, also with the bytes of each word swapped, and as a number.

    A number is a 32-bit word in either word order, or packed decimal. Forms of fewer bytes than `SHORTEST` stand in
    any wire by chance and are left; a driver that knows the register of a short one declares it (`hidden`).
    """
    text = serial.encode()
    forms = [text, _words_swapped(text)]
    if serial.isascii() and serial.isdecimal():
        forms.append(bytes.fromhex(serial if len(serial) % 2 == 0 else f"0{serial}"))
        if 1 << 16 <= int(serial) < 1 << 32:
            number = int(serial).to_bytes(4, "big")
            forms += [number, number[2:] + number[:2], number[::-1]]
    return [form for form in dict.fromkeys(forms) if len(form) >= SHORTEST]


def _words_swapped(text: bytes) -> bytes:
    even = text if len(text) % 2 == 0 else text + b"\0"
    return b"".join(even[k + 1 : k + 2] + even[k : k + 1] for k in range(0, len(even), 2))


@cache
def serial_tag(serial: str) -> str:
    """A salted hash: who knows the number can tell that a trace is of this device, and nobody can read it off.

    One salt a process, so that the traces of one run agree. A serial number of few digits can still be tried out; the
    hash is a slow one (scrypt) to make that dear.
    """
    return _tag(serial, os.urandom(12))


def is_tagged(serial: str, tag: str) -> bool:
    """Whether `tag` was made of this serial number."""
    kind, _, rest = tag.partition(":")
    salt, _, _ = rest.partition(":")
    return kind == "scrypt" and _tag(serial, base64.b64decode(salt)) == tag


def _tag(serial: str, salt: bytes) -> str:
    digest = hashlib.scrypt(serial.encode(), salt=salt, **_COST)
    return f"scrypt:{base64.b64encode(salt).decode()}:{digest.hex()}"
