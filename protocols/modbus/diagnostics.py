"""Function 8: the counters that a Modbus device keeps, and the sub-functions that read and clear them.

Source: AP 6.8 and the counter table of SL 6.1 ("Management of serial line diagnostic counters"). Counters have 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from protocols.modbus.pdu import ExceptionCode, ModbusException

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOP_BACK, _RESTART, _CLEAR = 0, 1, 10
_SHORTEST = 5  # function code, sub-function, one word
_RESTART_OPTIONS = (b"\x00\x00", b"\xff\x00")  # keep or clear the event log, which nobody here keeps


@dataclass(slots=True)
class Diagnostics:
    """What happened on the line of one device since its counters were cleared."""

    server_messages: int = 0  #: sound frames for this unit, broadcasts included
    overheard: int = 0  #: sound frames for other units
    communication_errors: int = 0  #: frames with a bad CRC or no sensible length
    exceptions: int = 0  #: refusals, also those of broadcasts, which nobody hears
    no_responses: int = 0  #: messages for this unit that it did not answer
    naks: int = 0  #: refusals with exception 07
    busy: int = 0  #: refusals with exception 06
    overruns: int = 0  #: characters lost by the receiver
    events: int = 0  #: requests carried out, but for refused ones and those that ask for this counter (AP 6.9)

    def count_refusal(self, code: int) -> None:
        """Count a refusal with exception `code`."""
        self.exceptions += 1
        self.naks += code == ExceptionCode.NEGATIVE_ACKNOWLEDGE
        self.busy += code == ExceptionCode.SERVER_DEVICE_BUSY

    def clear(self) -> None:
        """Set every counter to zero."""
        for counter in fields(self):
            setattr(self, counter.name, 0)

    def answer(self, pdu: bytes) -> bytes:
        """The answer PDU to a request PDU of function 8.

        Raises:
            ModbusException: 01 for a sub-function that is not known here, 03 for a wrong length or data field.
        """
        if len(pdu) < _SHORTEST:
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
        sub_function, data = int.from_bytes(pdu[1:3], "big"), pdu[3:]
        if sub_function == _LOOP_BACK:
            return pdu
        counter = _COUNTERS.get(sub_function)
        if counter is None and sub_function not in (_RESTART, _CLEAR):
            raise ModbusException(ExceptionCode.ILLEGAL_FUNCTION)
        if data not in (_RESTART_OPTIONS if sub_function == _RESTART else _RESTART_OPTIONS[:1]):
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
        if counter is not None:
            return pdu[:3] + (counter(self) & 0xFFFF).to_bytes(2, "big")
        self.clear()
        return pdu


_COUNTERS: dict[int, Callable[[Diagnostics], int]] = {
    11: lambda seen: seen.server_messages + seen.overheard,
    12: lambda seen: seen.communication_errors,
    13: lambda seen: seen.exceptions,
    14: lambda seen: seen.server_messages,
    15: lambda seen: seen.no_responses,
    16: lambda seen: seen.naks,
    17: lambda seen: seen.busy,
    18: lambda seen: seen.overruns,
}
