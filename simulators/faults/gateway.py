"""Defects of a gateway (D40 of powerlogic.md section 9): it asks the wrong unit, or answers for the wrong request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode
from simulators.faults.line_parameters import unit
from simulators.faults.line_registry import Disturber, Site, line_fault
from simulators.faults.registry import Fault
from simulators.lines.disturbance import Frame

_UNIT, _FUNCTION, _CODE = 6, 7, 8
#: The length of a Modbus TCP frame with an exception.
_REFUSAL = 9


@line_fault("D40", "wrong-mapping", "a gateway asks another meter than the one whose unit it was given",
            "a reading is believed of a meter that was identified; what is written to one unit shows at no other",
            unit("unit", "the unit that is mapped wrongly; 0 is the first of the link"),
            unit("to", "the unit that is asked instead; 0 is the next of the link"),
            source="powerlogic.md 9, D40; EGX100 id table", media=("gateway",))  # fmt: skip
class WrongMapping(Disturber):
    """One row of the gateway's table is wrong."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        known = sorted(site.addresses)
        self._unit = values["unit"] or known[0]
        above = [address for address in known if address > self._unit]
        self._asked = values["to"] or (above or known)[0]
        self._open: set[bytes] = set()

    def pass_on(self, frame: Frame) -> Iterable[Frame]:
        """Requests for the unit go to the other one, and its answers come back under the unit."""
        data = frame.data
        if len(data) <= _FUNCTION:
            return (frame,)
        number = data[:2]
        if frame.to_device and data[_UNIT] == self._unit:
            self._open.add(number)
            return (replace(frame, data=_under(data, self._asked)),)
        if not frame.to_device and data[_UNIT] == self._asked and number in self._open:
            self._open.discard(number)
            return (replace(frame, data=_under(data, self._unit)),)
        return (frame,)


def _under(data: bytes, unit: int) -> bytes:
    return data[:_UNIT] + bytes((unit,)) + data[_UNIT + 1 :]


@line_fault("D40b", "late-0B", "a gateway gives its exception 0B for a silent unit as the answer to the next request",
            "an exception is believed once and then asked again; that a read had to be repeated is told",
            source="powerlogic.md 9, D40; EGX150 write-ups list 0A and 0B", media=("gateway",))  # fmt: skip
class LateRefusal(Disturber):
    """One buffer for all refusals: what it holds goes out under the number of whatever comes next."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        self._owed = False

    def pass_on(self, frame: Frame) -> Iterable[Frame]:
        """A refusal is kept, and stands before the next answer under its number."""
        data = frame.data
        if frame.to_device or len(data) < _REFUSAL:
            return (frame,)
        refused = len(data) == _REFUSAL and data[_FUNCTION] & EXCEPTION_BIT
        if refused and data[_CODE] == ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND:
            self._owed = True
            return ()
        if not self._owed:
            return (frame,)
        self._owed = False
        refusal = bytes((data[_FUNCTION] | EXCEPTION_BIT, ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND))
        early = data[:4] + b"\x00\x03" + data[_UNIT : _UNIT + 1] + refusal
        return (replace(frame, data=early), frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDefect(Fault):
    """A defect of what stands between the bench and its meters; it is switched on for a link.

    Attributes:
        call: the line fault that does it; `{unit}` is the address of the device that is to show it.
    """

    call: str


GATEWAY_DEFECTS = {
    "D40": GatewayDefect(
        id="D40",
        title="a gateway maps a unit wrongly",
        symptom="values of one meter are stored for another, writes go to the wrong one",
        shows="^units that show what was written to another$|raised WrongDevice: ",
        caught_by=("test_what_is_written_to_one_unit_shows_at_no_other",),
        call="D40(unit={unit})",
    ),
    "D40b": GatewayDefect(
        id="D40b",
        title="a gateway gives its 0B for a silent unit as the answer to the next request",
        symptom="a healthy meter is said to be silent",
        severity="function",
        shows="^reads repeated behind a silent unit$",
        caught_by=("test_a_silent_unit_does_not_spoil_the_next_answer",),
        call="D40b",
    ),
}
