"""A meter's profile: what documents leave open, as values that one simulated device can be given differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from protocols.modbus.pdu import MAX_READ_REGISTERS
from protocols.powerlogic.tables import Model, models

_UNITS = {"ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}
#: What one register can show: above it reads as not available.
_REGISTER = 32_767
_BYTE = 255
#: Function codes with the exception bit clear (Modbus application protocol 4.1).
_FUNCTION_CODES = range(1, 128)
#: Behind "PM8xx Power Meter", with id, run indicator and byte count, a name still fits one answer of function 17.
_NAME_LIMIT = 64


class ProfileError(ValueError):
    """A profile value that does not exist or is of the wrong kind; the message says what was given and what may be."""


class _NotOfThisKind(ValueError):
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


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def kind(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise _NotOfThisKind(f"a whole number {lowest} to {highest}")
        return value

    return kind


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise _NotOfThisKind("true or false")
    return value


def _one_of(*choices: str) -> Callable[[object], str]:
    def kind(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _NotOfThisKind(f"one of {', '.join(choices)}")
        return value

    return kind


def _name(value: object) -> str:
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isprintable()
        or not 0 < len(value) <= _NAME_LIMIT
    ):
        raise _NotOfThisKind(f"a name of 1 to {_NAME_LIMIT} printable ASCII characters")
    return value


def _function_codes(value: object) -> frozenset[int]:
    codes = list(value) if isinstance(value, list | tuple | set | frozenset) else []
    whole = all(isinstance(code, int) and not isinstance(code, bool) and code in _FUNCTION_CODES for code in codes)
    if not codes or not whole:
        raise _NotOfThisKind("a list of function codes 1 to 127")
    return frozenset(codes)


#: Profile value -> what makes it of what a file says; refuses with what is allowed.
_KINDS: dict[str, Callable[[object], object]] = {
    "function_codes": _function_codes,
    "slave_id": _whole(0, _BYTE),
    "exec_delay": duration,
    "boot": duration,
    "save_delay": duration,
    "clock_drift_ppm": _whole(-100_000, 100_000),
    "atomic_block_read": _switch,
    "clear_command": _switch,
    "keep_pointers": _switch,
    "rollover": _one_of("wrap", "saturate"),
    "undefined_read": _one_of("fill", "refuse"),
    "most_registers": _whole(1, MAX_READ_REGISTERS),
    "exec_order": _one_of("after_store", "before_store"),
    "null_data_pointer": _one_of("refuse", "ignore", "default"),
    "stray_data_pointer": _one_of("refuse", "ignore", "default", "follow"),
    "fraction": _one_of("clear", "keep"),
    "normalise_signs": _switch,
    "locked_write": _whole(1, _BYTE),
    "revenue_lock_blocks_preset": _switch,
    "accepts_broadcast": _switch,
    "status_semantics": _one_of("status", "command"),
    "product_id": _whole(0, _REGISTER),
    "product_name": _name,
    "os_version": _whole(0, _REGISTER),
    "vendor_label": _whole(0, 1),
    "needs_setup_for_floats": _switch,
    "command_password": _whole(0, _REGISTER),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of one simulated meter; `fixtures/powerlogic/models.yaml` says what each value means. Times in ns."""

    function_codes: frozenset[int]
    slave_id: int
    exec_delay: int
    boot: int
    save_delay: int
    clock_drift_ppm: int
    atomic_block_read: bool
    clear_command: bool
    keep_pointers: bool
    rollover: str
    undefined_read: str
    locked_write: int
    revenue_lock_blocks_preset: bool
    accepts_broadcast: bool
    most_registers: int
    exec_order: str
    null_data_pointer: str
    stray_data_pointer: str
    fraction: str
    normalise_signs: bool
    status_semantics: str = "status"
    product_id: int = 0
    product_name: str = ""
    os_version: int = 0
    vendor_label: int = 0
    needs_setup_for_floats: bool = False
    command_password: int = 0


def profile_of(model: Model, overrides: Mapping[str, Any] | None = None) -> Profile:
    """The profile of a model, with the values that a station file gives one device put in place.

    Raises:
        ProfileError: an unknown name or a value of the wrong kind.
    """
    if not overrides:
        return _plain(model.name)
    return _build({**model.profile, **overrides})


@lru_cache
def _plain(name: str) -> Profile:
    return _build(models()[name].profile)


def _build(values: Mapping[str, Any]) -> Profile:
    return Profile(**{name: _checked(name, value) for name, value in values.items()})


def _checked(name: str, value: object) -> Any:
    kind = _KINDS.get(name)
    if kind is None:
        raise ProfileError(f"unknown profile value {name!r}; known: {', '.join(sorted(_KINDS))}")
    try:
        return kind(value)
    except _NotOfThisKind as allowed:
        raise ProfileError(f"profile value {name} is {allowed}, not {value!r}") from None
