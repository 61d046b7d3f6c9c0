"""Who answers: what a meter says of itself, compared with what the station promises.

An identity that no public document gives (the product numbers of the Circuit Monitors) is a profile value marked
assumed: a mismatch there is *not verified*, not wrong, unless the station pins it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.drivers.finding import Finding
from bench.drivers.modbus import ModbusSession
from bench.errors import ForeignAnswer, Refused
from protocols.powerlogic.tables import Model

if TYPE_CHECKING:
    from bench.station import Device

_LEGACY_LENGTH = 4
_REFUSALS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Identification:
    """What a meter said by function 17 and, where it has it, by 43/14; empty where it said nothing."""

    report: bytes
    product_id: int | None = None
    name: str = ""
    vendor: str = ""
    revision: str = ""

    def __str__(self) -> str:
        if self.name:
            return " ".join(part for part in (self.vendor, self.name, self.revision) if part)
        return f"product id {self.product_id}" if self.product_id is not None else self.report.hex(" ")


def identify(session: ModbusSession, model: Model) -> Identification:
    """Ask a meter who it is.

    Raises:
        ForeignAnswer: function 17 was answered with something that no PowerLogic meter says.
    """
    report = session.report_device_id()
    if model.identification == "named":
        return _named(session, report)
    if len(report) != _LEGACY_LENGTH:
        text = _product_in(report)
        return Identification(report, name=text)
    return Identification(report, product_id=int.from_bytes(report[2:], "big"))


def _named(session: ModbusSession, report: bytes) -> Identification:
    if len(report) == _LEGACY_LENGTH:
        return Identification(report, product_id=int.from_bytes(report[2:], "big"))
    name = _product_in(report)
    try:
        objects = session.device_identification()
    except Refused as error:
        if error.code not in _REFUSALS:
            raise
        return Identification(report, name=name)
    vendor, product, revision = (objects.get(index, b"").decode("ascii", "replace") for index in range(3))
    if product and name and product != name:
        raise ForeignAnswer(f"functions 17 and 43 name different products: {name} and {product}", device=session.device)
    return Identification(report, name=product or name, vendor=vendor, revision=revision)


def _product_in(report: bytes) -> str:
    match = re.search(rb"PM8\d\d|PM\d{3,4}", report)
    return match.group().decode() if match else report.decode("ascii", "replace").strip("\0")


def compare(found: Identification, model: Model, device: Device) -> list[Finding]:
    """What the station's model and pins say of the identity, item by item."""
    findings = []
    if model.identification == "named":
        findings.append(Finding("product name", str(model.profile["product_name"]), found.name or None, assumed=False))
    elif found.name:
        findings.append(Finding("product name", f"a {model.title}", found.name, assumed=False))
    elif device.identity.product_id is None:
        findings.append(Finding("product id", int(model.profile["product_id"]), found.product_id, assumed=True))
    pins = device.identity
    for what, pin, value in (
        ("product id", pins.product_id, found.product_id),
        ("product name", pins.name, found.name),
        ("vendor", pins.vendor, found.vendor),
        ("revision", pins.revision, found.revision),
    ):
        if pin is not None:
            findings.append(Finding(f"{what} (pinned)", pin, value, assumed=False))
    return findings
