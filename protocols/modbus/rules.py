"""Where a Modbus frame ends, told from its first bytes: rules for `conversation.Receive` and for doors that serve.

On a true line silence ends an RTU frame; behind a USB adapter, a terminal server or a pty the silences are lost, and
what is left is the length that each function code implies. A frame that no table knows ends with the silence only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.modbus.frames import FrameError, mbap_length
from protocols.modbus.pdu import EXCEPTION_BIT, FunctionCode

if TYPE_CHECKING:
    from protocols.conversation import Rule

_REFUSAL = 5
_IDENTIFICATION_HEAD = 8  # unit, function code and the six bytes that end with the number of objects

#: Function code -> (bytes of the RTU request without counted data, place of its byte count or None).
_REQUESTS: dict[int, tuple[int, int | None]] = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 8), (8, None)),
    **dict.fromkeys((7, 11, 12, 17), (4, None)),
    **dict.fromkeys((15, 16), (9, 6)),
    22: (10, None),
    23: (13, 10),
    43: (7, None),
}
_ANSWERS: dict[int, tuple[int, int | None]] = {
    **dict.fromkeys((1, 2, 3, 4, 12, 17, 23), (5, 2)),
    **dict.fromkeys((5, 6, 8, 11, 15, 16), (8, None)),
    7: (5, None),
    22: (10, None),
}


def rtu_request_end(data: bytes) -> int | None:
    """The length of the RTU request at the head of `data`: the rule for whoever serves without seeing silences."""
    return _whole(data, _tabled(_REQUESTS, data))


def rtu_answer_end(data: bytes) -> int | None:
    """The length of the RTU answer at the head of `data`."""
    if len(data) > 1 and data[1] & EXCEPTION_BIT:
        return _whole(data, _REFUSAL)
    if len(data) > 1 and data[1] == FunctionCode.ENCAPSULATED_INTERFACE:
        return _whole(data, _identification(data))
    return _whole(data, _tabled(_ANSWERS, data))


def rtu_answer_rule(request: bytes) -> Rule:
    """The rule for the answer to a request PDU: function 8 gives back as much as it was given."""
    if request[0] != FunctionCode.DIAGNOSTICS:
        return rtu_answer_end
    looped = len(request) + 3

    def looped_back(data: bytes) -> int | None:
        same = len(data) > 1 and data[1] == FunctionCode.DIAGNOSTICS
        return _whole(data, looped) if same else rtu_answer_end(data)

    return looped_back


def mbap_end(data: bytes) -> int | None:
    """The length of the Modbus TCP frame at the head of `data`; all of it where the header is damaged."""
    try:
        return _whole(data, mbap_length(data))
    except FrameError:
        return len(data)  # waiting for more is vain; decoding says what is wrong


def _whole(data: bytes, length: int | None) -> int | None:
    return length if length is not None and len(data) >= length else None


def _tabled(table: dict[int, tuple[int, int | None]], data: bytes) -> int | None:
    if len(data) < 2 or data[1] not in table:  # noqa: PLR2004  # unit and function code
        return None
    fixed, place = table[data[1]]
    if place is None:
        return fixed
    return fixed + data[place] if len(data) > place else None


def _identification(data: bytes) -> int | None:
    """Function 43/14 has no byte count: one walks from object to object."""
    end = _IDENTIFICATION_HEAD
    if len(data) < end:
        return None
    for _ in range(data[end - 1]):
        if len(data) < end + 2:
            return None
        end += 2 + data[end + 1]
    return end + 2
