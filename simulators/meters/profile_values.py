"""Values of a meter's profile: what a station file says, checked, as what a meter wants to have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

_UNITS = {"ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}


class ProfileError(ValueError):
    """A profile value that does not exist or is of the wrong kind; the message says what was given and what may be."""


class NotOfThisKind(ValueError):
    """A value is not of its kind; the message says what is."""


def duration(text: object) -> int:
    """A duration such as "150 ms", "8 s" or "2 min" in ns.

    Raises:
        ProfileError: not a number with one of these units.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min)", text) if isinstance(text, str) else None
    if not match:
        raise ProfileError(f"{text!r} is no duration: a number with ms, s or min")
    return int(Decimal(match[1]) * _UNITS[match[2]])


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """A kind: whole numbers of a range."""

    def kind(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise NotOfThisKind(f"a whole number {lowest} to {highest}")
        return value

    return kind


def switch(value: object) -> bool:
    """A kind: true or false."""
    if not isinstance(value, bool):
        raise NotOfThisKind("true or false")
    return value


def one_of(*choices: str) -> Callable[[object], str]:
    """A kind: one of some words."""

    def kind(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise NotOfThisKind(f"one of {', '.join(choices)}")
        return value

    return kind


def checked(kinds: Mapping[str, Callable[[object], object]], name: str, value: object) -> Any:
    """A value of a profile as its kind makes it.

    Raises:
        ProfileError: an unknown name, or a value that is not of its kind.
    """
    kind = kinds.get(name)
    if kind is None:
        raise ProfileError(f"unknown profile value {name!r}; known: {', '.join(sorted(kinds))}")
    try:
        return kind(value)
    except NotOfThisKind as allowed:
        raise ProfileError(f"profile value {name} is {allowed}, not {value!r}") from None
