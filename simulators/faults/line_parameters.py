"""What may stand in the brackets of a line fault: `bursts(pi=5%, tau=200 ms)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulators.lines.framing import Framing
from simulators.lines.two_state import profiles

_NUMBER = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?(?:e-?[0-9]{1,2})?) ?([a-z%]*)")
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}
_LONGEST = 3_600_000_000_000
_MOST = 1_000_000
#: The last address that a Modbus device can have (Modbus over Serial Line 2.2).
LAST_UNIT = 247


class FaultError(ValueError):
    """A fault that does not exist, or a parameter that it does not have; one line that says what there is."""


def _number(text: str, noun: str) -> tuple[Decimal, str]:
    written = _NUMBER.fullmatch(text)
    if written is None:
        raise FaultError(f'"{text}" is not {noun}')
    return Decimal(written[1]), written[2]


def _probability(text: str) -> float:
    value, unit = _number(text, "a probability; write 5% or 0.05")
    if unit not in ("", "%"):
        raise FaultError(f'"{text}" is not a probability; write 5% or 0.05')
    share = float(value / 100 if unit else value)
    if not 0 <= share <= 1:
        raise FaultError(f'"{text}" is outside 0 to 1')
    return share


def _duration(text: str) -> int:
    value, unit = _number(text, "a duration; write it as in 200 ms")
    if unit not in _UNITS:
        raise FaultError(f'"{text}" is not a duration: it has one of the units {", ".join(_UNITS)}, as in 200 ms')
    found = int(value * _UNITS[unit])
    if found > _LONGEST:
        raise FaultError(f'"{text}" is longer than an hour')
    return found


def _not_below(shortest: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = _duration(text)
        if found < _duration(shortest):
            raise FaultError(f'"{text}" is outside {shortest} to 60 min')
        return found

    return read


def _count(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise FaultError(f'"{text}" is not a whole number from {lowest} to {highest}')
        return int(text)

    return read


def _framing(text: str) -> str:
    try:
        return Framing(9600, text).frame if text else ""
    except ValueError as error:
        raise FaultError(str(error)) from None


def _profile(text: str) -> str:
    if text and text not in profiles():
        raise FaultError(f'there is no profile "{text}"; there are: {", ".join(profiles())}')
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise FaultError(f'"{text}" is none of {", ".join(words)}')
        return text

    return read


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, what it is if absent (as it is written), what it means, and how it is read."""

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any]


def probability(name: str, default: str, meaning: str) -> Parameter:
    """A share from 0 to 1, or in percent."""
    return Parameter(name, default, meaning, _probability)


def duration(name: str, default: str, meaning: str, shortest: str = "0 s") -> Parameter:
    """A time with its unit, up to an hour; nanoseconds inside."""
    return Parameter(name, default, meaning, _not_below(shortest))


def count(name: str, default: str, meaning: str, highest: int = _MOST, *, lowest: int = 0) -> Parameter:
    """A whole number of a range."""
    return Parameter(name, default, meaning, _count(lowest, highest))


def unit(name: str, meaning: str) -> Parameter:
    """A Modbus address; 0, the default, is none of them."""
    return count(name, "0", meaning, LAST_UNIT)


def framing(name: str, default: str, meaning: str) -> Parameter:
    """A character framing such as 8E1."""
    return Parameter(name, default, meaning, _framing)


def choice(name: str, default: str, meaning: str, *words: str) -> Parameter:
    """One of some words."""
    return Parameter(name, default, f"{meaning}: {', '.join(words)}", _one_of(*words))


def profile(name: str, meaning: str) -> Parameter:
    """A profile of fixtures/links/profiles.csv."""
    return Parameter(name, "", meaning, _profile)


def values_of(parameters: tuple[Parameter, ...], written: Mapping[str, str]) -> dict[str, Any]:
    """The values of all parameters, of those that are not written the default.

    Raises:
        FaultError: an unknown parameter, or a value that it cannot have.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in written:
        if name not in known:
            raise FaultError(f'it has no parameter "{name}"; it has: {", ".join(known)}')
    found = {}
    for name, parameter in known.items():
        try:
            found[name] = parameter.read(written.get(name, parameter.default))
        except FaultError as error:
            raise FaultError(f"{name}: {error}") from None
    return found
