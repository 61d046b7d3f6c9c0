"""A meter's profile: what documents leave open, as values that one simulated device can be given differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from protocols.modbus.pdu import MAX_READ_REGISTERS
from protocols.powerlogic.tables import Model, models
from simulators.meters.profile_values import NotOfThisKind, ProfileError, checked, duration, one_of, switch, whole

#: What one register can show: above it reads as not available.
_REGISTER = 32_767
_BYTE = 255
#: Function codes with the exception bit clear (Modbus application protocol 4.1).
_FUNCTION_CODES = range(1, 128)
#: Behind "PM8xx Power Meter", with id, run indicator and byte count, a name still fits one answer of function 17.
_NAME_LIMIT = 64


def _name(value: object) -> str:
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isprintable()
        or not 0 < len(value) <= _NAME_LIMIT
    ):
        raise NotOfThisKind(f"a name of 1 to {_NAME_LIMIT} printable ASCII characters")
    return value


def _function_codes(value: object) -> frozenset[int]:
    codes = list(value) if isinstance(value, list | tuple | set | frozenset) else []
    whole = all(isinstance(code, int) and not isinstance(code, bool) and code in _FUNCTION_CODES for code in codes)
    if not codes or not whole:
        raise NotOfThisKind("a list of function codes 1 to 127")
    return frozenset(codes)


#: Profile value -> what makes it of what a file says; refuses with what is allowed.
_KINDS: dict[str, Callable[[object], object]] = {
    "function_codes": _function_codes,
    "slave_id": whole(0, _BYTE),
    "exec_delay": duration,
    "boot": duration,
    "save_delay": duration,
    "clock_drift_ppm": whole(-100_000, 100_000),
    "atomic_block_read": switch,
    "clear_command": switch,
    "keep_pointers": switch,
    "rollover": one_of("wrap", "saturate"),
    "undefined_read": one_of("fill", "refuse"),
    "most_registers": whole(1, MAX_READ_REGISTERS),
    "exec_order": one_of("after_store", "before_store"),
    "null_data_pointer": one_of("refuse", "ignore", "default"),
    "stray_data_pointer": one_of("refuse", "ignore", "default", "follow"),
    "fraction": one_of("clear", "keep"),
    "normalise_signs": switch,
    "locked_write": whole(1, _BYTE),
    "revenue_lock_blocks_preset": switch,
    "accepts_broadcast": switch,
    "status_semantics": one_of("status", "command"),
    "product_id": whole(0, _REGISTER),
    "product_name": _name,
    "os_version": whole(0, _REGISTER),
    "vendor_label": whole(0, 1),
    "needs_setup_for_floats": switch,
    "command_password": whole(0, _REGISTER),
}


__all__ = ["Profile", "ProfileError", "duration", "profile_of"]


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
    return Profile(**{name: checked(_KINDS, name, value) for name, value in values.items()})
