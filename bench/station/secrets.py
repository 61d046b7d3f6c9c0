"""What a station file holds that must not stand in any trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.redaction import SHORTEST, secrets_in, wire_forms

if TYPE_CHECKING:
    from bench.station.model import Station


def wire_secrets(station: Station) -> list[bytes]:
    """Passwords in its URLs and commands, and the serial numbers of its devices in every form."""
    told = station.model_dump(mode="json", exclude_none=True)
    passwords = [word.encode() for word in secrets_in(told) if len(word) >= SHORTEST]
    serials = [form for device in station.devices.values() if device.serial for form in wire_forms(device.serial)]
    return [*passwords, *serials]
