"""The profile of an Elster meter: what no public document settles, as values that a device can be given differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from protocols.elster.history import Trigger
from protocols.elster.tables import Model
from protocols.flag.habits import Habits
from simulators.meters.profile_values import NotOfThisKind, ProfileError, checked, duration, one_of, switch, whole

__all__ = ["Profile", "ProfileError", "profile_of"]

_WORD = 0xFFFF
_IDENT = 16
_FIRMWARE = 12


def _printable(longest: int) -> Callable[[object], str]:
    def kind(value: object) -> str:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > longest:
            raise NotOfThisKind(f"up to {longest} printable ASCII characters")
        return value

    return kind


def _ident(value: object) -> str:
    text = _printable(_IDENT)(value)
    if set(text) & set("/!\\"):
        raise NotOfThisKind("an identification without / ! and \\")
    return text


def _triggers(value: object) -> Trigger:
    names = {trigger.name.lower(): trigger for trigger in Trigger if trigger.name}
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name in names for name in value):
        raise NotOfThisKind(f"a list of {', '.join(names)}")
    return Trigger(sum(names[name] for name in set(value)))


#: Profile value -> what makes it of what a file says.
_KINDS: dict[str, Callable[[object], object]] = {
    "ident": _ident,
    "unix_time": one_of("local", "utc"),
    "utc_offset": whole(-1440, 1440),
    "reaction_time": duration,
    "patience": duration,
    "radio_patience": duration,
    "inactivity": duration,
    "noise_prolongs": switch,
    "stream_gap": duration,
    "wake_up": one_of("none", "slow", "fast"),
    "wake_gap": duration,
    "wake_look": duration,
    "profile_digits": one_of("cut", "rounded"),
    "boot": duration,
    "save_delay": duration,
    "save_period": duration,
    "clock_drift_ppm": whole(-100_000, 100_000),
    "password_expiry": duration,
    "lockout_attempts": whole(0, _WORD),
    "lockout_time": duration,
    "plain_password": switch,
    "refused_password": one_of("ERR1", "ERR2", "ERR3", "ERR5", "ERR6", "NAK"),
    "refused_length": one_of("ERR1", "ERR2", "ERR3", "ERR6", "short"),
    "readout_filled": switch,
    "partial_blocks": switch,
    "formatted_profile": switch,
    "adjust_step": duration,
    "adjust_limit": duration,
    "instantaneous_time": duration,
    "billing_lockout": duration,
    "billing_triggers": _triggers,
    "small_adjusts_count": switch,
    "extended_status": switch,
    "short_records": one_of("nominal", "actual"),
    "profile_days": whole(1, _WORD),
    "reverse_run": switch,
    "battery": switch,
    "battery_life": duration,
    "firmware_text": _printable(_FIRMWARE),
    "events_before": whole(0, _WORD),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of one meter; `fixtures/elster/models.yaml` says what each value means. Times in ns."""

    ident: str
    unix_time: str
    utc_offset: int
    reaction_time: int
    patience: int
    radio_patience: int
    inactivity: int
    noise_prolongs: bool
    stream_gap: int
    wake_up: str
    wake_gap: int
    wake_look: int
    profile_digits: str
    boot: int
    save_delay: int
    save_period: int
    clock_drift_ppm: int
    password_expiry: int
    lockout_attempts: int
    lockout_time: int
    plain_password: bool
    refused_password: str
    refused_length: str
    readout_filled: bool
    partial_blocks: bool
    formatted_profile: bool
    adjust_step: int
    adjust_limit: int
    instantaneous_time: int
    billing_lockout: int
    billing_triggers: Trigger
    small_adjusts_count: bool
    extended_status: bool
    short_records: str
    profile_days: int
    reverse_run: bool
    battery: bool
    battery_life: int
    firmware_text: str
    events_before: int

    def habits(self) -> Habits:
        """How a meter of this profile goes about frames and their times."""
        return Habits(
            reaction=self.reaction_time,
            patience=self.patience,
            inactivity=self.inactivity,
            noise_prolongs=self.noise_prolongs,
            stream_gap=self.stream_gap,
            awake="always" if self.wake_up == "none" else self.wake_up,
            wake_gap=self.wake_gap,
            wake_look=self.wake_look,
        )


def profile_of(model: Model, overrides: Mapping[str, Any] | None = None) -> Profile:
    """The profile of a model, with the values that a station file gives one device put in place.

    Raises:
        ProfileError: an unknown name or a value of the wrong kind.
    """
    own = {field.name: model[field.name] for field in fields(Profile)}
    return Profile(**{name: checked(_KINDS, name, value) for name, value in {**own, **(overrides or {})}.items()})
