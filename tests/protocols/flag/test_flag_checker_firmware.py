"""The frame-level defects of a firmware (`Habits`), heard by the checker while the project's own tool talks to it."""

from __future__ import annotations

from contextlib import suppress
from functools import reduce
from operator import xor

import pytest
from flag_line import MS, SECOND
from flag_meter import PASSWORD, MemoryMeter, Wire

from protocols.conversation import ProtocolError
from protocols.flag.checker import Heard, check
from protocols.flag.client import FlagClient
from protocols.flag.device import PROGRAMMING, STREAM

DEFECTS: dict[str, tuple[dict[str, object], int, str]] = {
    "BCC includes STX": ({"answer_check": lambda frame: reduce(xor, frame) & 0x7F}, PROGRAMMING, "bcc.start"),
    "BCC leaves out ETX": ({"answer_check": lambda frame: reduce(xor, frame[1:-1]) & 0x7F}, PROGRAMMING, "bcc.etx"),
    "too quick": ({"reaction": 120 * MS}, PROGRAMMING, "tr.short"),
    "too slow": ({"reaction": 1_700 * MS}, PROGRAMMING, "tr.long"),
    "pauses": ({"pause": (12, 1_600 * MS)}, PROGRAMMING, "ta.long"),
    "an error without a check character": ({"error_check": False}, PROGRAMMING, "bcc.missing"),
    "NAK for an error": ({"error_as_nak": True}, PROGRAMMING, "nak.unfounded"),
    "swapped end marks": ({"stream_marks": (4, 3)}, STREAM, "stream.last"),
    "a wrong CRC": ({"stream_check": lambda _: 0x1234}, STREAM, "stream.crc"),
    "impatient": ({"inactivity": 10 * SECOND}, PROGRAMMING, "inactivity.short"),
    "patient for ever": ({"inactivity": None}, PROGRAMMING, "inactivity.long"),
}


def visit(wire: Wire, mode: int) -> None:
    """What a tool does; it stops where it takes no more, and signs on again."""
    client = FlagClient(b"094")
    with suppress(ProtocolError):
        wire.run(client.open(mode))
        wire.run(client.log_in(PASSWORD))
        wire.run(client.command("R", 1, b"798001(10)"))
        with suppress(ProtocolError):
            wire.run(client.command("R", 1, b"999001(10)"))
        if mode == STREAM:
            wire.run(client.read_stream(b"550001(03)"))
        wire.pass_time(125 * SECOND)
        wire.run(client.command("R", 1, b"798001(10)"))


def sign_on_again(wire: Wire) -> None:
    """20 s after the last word of a visit that nobody has ended."""
    client = FlagClient(b"094")
    with suppress(ProtocolError):
        wire.run(client.open())
        wire.run(client.log_in(PASSWORD))
        wire.pass_time(20 * SECOND)
        wire.run(FlagClient(b"094").sign_on())


def findings(wire: Wire) -> set[str]:
    pieces = [
        Heard(start, start + len(data) * 10 * SECOND // baud, who == "host", data, baud, framing)
        for who, start, (baud, framing), data in wire.log
    ]
    return {breach.rule for breach in check(pieces).breaches if not breach.to_device}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_heard(name: str) -> None:
    habits, mode, rule = DEFECTS[name]
    meter = MemoryMeter()
    for key, value in habits.items():
        setattr(meter.habits, key, value)
    wire = Wire(meter)
    if rule == "inactivity.short":
        sign_on_again(wire)
    else:
        visit(wire, mode)
    assert rule in findings(wire)


@pytest.mark.parametrize("mode", [PROGRAMMING, STREAM])
def test_without_a_defect_nothing_is(mode: int) -> None:
    wire = Wire(MemoryMeter())
    visit(wire, mode)
    assert findings(wire) == set()
    quiet = Wire(MemoryMeter())
    sign_on_again(quiet)
    assert findings(quiet) == set()
