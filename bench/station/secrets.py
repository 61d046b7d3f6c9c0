"""What a station file holds that must not stand in any trace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.redaction import SHORTEST, secrets_in, wire_forms

if TYPE_CHECKING:
    from bench.station.devices import Device
    from bench.station.model import Station

#: Characters of the password of a FLAG meter (elster-flag 3.2).
PASSWORD_LENGTH = 8
#: The password of level 3 that simulated meters have as they come from the factory; it protects nothing.
SIMULATED = b"00000000"
#: A password of fewer different characters stands in any wire by chance; where it is sent it is hidden anyway.
_DIFFERENT = 3


def wire_secrets(station: Station) -> list[bytes]:
    """Passwords in its URLs and commands, and the serial numbers of its devices in every form."""
    told = station.model_dump(mode="json", exclude_none=True)
    passwords = [word.encode() for word in secrets_in(told) if len(word) >= SHORTEST]
    serials = [form for device in station.devices.values() if device.serial for form in wire_forms(device.serial)]
    theirs = [form for device in station.devices.values() for form in _forms_of_password(device)]
    return [*passwords, *serials, *theirs]


def password_of(device: Device) -> bytes | None:
    """The password of a FLAG meter; None where the station names none, and nothing can be done but to read.

    Raises:
        UsageError: its variable is not set, or holds something that is no password; what it holds is not said.
    """
    if device.password == "simulated":  # noqa: S105  # the word of the station file, not a password
        return SIMULATED
    if device.password is None:
        return None
    name = device.password.env
    found = os.environ.get(name, "").encode("utf-8", "replace")
    if not found:
        raise UsageError(f"{device.id}: the environment variable {name}, which holds its password, is not set")
    if len(found) != PASSWORD_LENGTH or not found.isascii():
        raise UsageError(
            f"{device.id}: the environment variable {name} does not hold {PASSWORD_LENGTH} ASCII characters"
        )
    return found


def _forms_of_password(device: Device) -> list[bytes]:
    """A password as it may stand on a wire: as it is, and as the hexadecimal of an identity that is written."""
    try:
        password = password_of(device)
    except UsageError:
        return []
    if password is None or len(set(password)) < _DIFFERENT:
        return []
    return [password, password.hex().upper().encode(), password.hex().encode()]
