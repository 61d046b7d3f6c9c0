"""Data sets, for the checker: `address(value*unit)` with its lengths and its forbidden characters (6.3.4, 6.3.9)."""

from __future__ import annotations

import re

from protocols.flag.checker_forms import Found, characters

READOUT_VALUE, PROGRAMMING_VALUE = 32, 128
_MOST_ADDRESS, _MOST_UNIT, _MOST_LINE = 16, 16, 78
_SET = re.compile(rb"([^()]*)\(([^()]*)\)")
_COMMA = re.compile(rb"[-+]?[0-9]+,[0-9]+")
_FORBIDDEN = re.compile(rb"[/!]")


def readout(block: bytes) -> Found:
    """What stands between STX and ETX of a readout."""
    sets, bang, rest = block.rpartition(b"!")
    if not bang or rest != b"\r\n" or (sets and not sets.endswith(b"\r\n")):
        return [("readout.form", f"ends with {block[-8:]!r}")]
    found = characters(sets)
    for line in sets.split(b"\r\n")[:-1]:
        if len(line) + 2 > _MOST_LINE:
            found.append(("set.line", f"{len(line) + 2} characters: {line[:24]!r}..."))
        found += data_sets(line, READOUT_VALUE)
    return found


def programming(data: bytes) -> Found:
    """The data of a command or of an answer in programming mode."""
    return characters(data) + data_sets(data.replace(b"\r\n", b""), PROGRAMMING_VALUE)


def data_sets(line: bytes, value_limit: int) -> Found:
    """The data sets of one line."""
    found: Found = []
    at = 0
    for match in _SET.finditer(line):
        if match.start() != at:
            break
        at = match.end()
        found += _data_set(match[1], match[2], value_limit)
    return [("set.form", f"from character {at + 1} of {len(line)}")] if at != len(line) else found


def _data_set(address: bytes, inside: bytes, value_limit: int) -> Found:
    value, star, unit = inside.partition(b"*")
    # What is written may be a password, so values are shown of readouts only.
    told = inside.decode("ascii", "replace")[:40] if value_limit == READOUT_VALUE else "..."
    shown = f"{address.decode('ascii', 'replace')}({told})"
    found: Found = []
    if len(address) > _MOST_ADDRESS:
        found.append(("set.address", f"{len(address)} characters: {shown}"))
    if len(value) > value_limit:
        found.append(("set.value", f"{len(value)} characters, at most {value_limit}: {shown}"))
    if len(unit) > _MOST_UNIT:
        found.append(("set.unit", f"{len(unit)} characters: {shown}"))
    if _FORBIDDEN.search(address + inside) or b"*" in unit or (star and not unit):
        found.append(("set.characters", shown))
    if _COMMA.fullmatch(value):
        found.append(("set.decimal", shown))
    return found
