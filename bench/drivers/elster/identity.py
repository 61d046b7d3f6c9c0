"""Who answers: identification message, serial number and scheme, compared with what the station promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.drivers.finding import Finding
from protocols.elster.tables import Model
from protocols.flag import frames

if TYPE_CHECKING:
    from bench.station import Device

#: Of the ident, the digits that say what kind of meter it is (elster-flag 3.1): 2 fixed, 3 device type or range.
_KIND = 5


@dataclass(frozen=True, slots=True)
class Identification:
    """What a meter says of itself: its identification message, serial number (798) and scheme (795)."""

    message: frames.Identification
    serial: str
    scheme: str

    def __str__(self) -> str:
        return f"{self.message} serial {self.serial} scheme {self.scheme or 'none'}"


def compare(found: Identification, model: Model, device: Device) -> list[Finding]:
    """What the station's model and serial number say of the identity, item by item."""
    expected = frames.decode_identification(model.identification + frames.CRLF)
    kind = model.facts["ident"]
    findings = [
        Finding("maker", expected.maker, found.message.maker, assumed=False),
        Finding(
            "device type", expected.ident[:_KIND], found.message.ident[:_KIND], assumed=kind.confidence in {"A", "I"}
        ),
    ]
    if device.serial is not None:  # a meter fills its sixteen characters with leading zeros (captured)
        pinned, said = device.serial.lstrip("0"), found.serial.lstrip("0")
        findings.append(Finding("serial number (pinned)", pinned, said, assumed=False))
    return findings
