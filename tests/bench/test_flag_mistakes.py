"""Careless FLAG tools: each errs in its one way, and where that way does not lead it is a tool like any other."""

from __future__ import annotations

import pytest

from bench.drivers.modbus import ModbusSession
from bench.links.flag import FlagLine
from bench.procedures.flag_mistakes import (
    CheckFromStart,
    CheckFromText,
    CheckWithoutEnd,
    FixedEscape,
    FoldsCase,
    NeverChecks,
    OnlyModeC,
    OtherCrc,
    RepeatsAddress,
    ShortDigits,
    StripsControls,
    SwappedMarks,
    TakesHalf,
)
from bench.procedures.mistakes import MISTAKES, client_of, line_of, operator_who, session_of
from protocols.flag import stream
from protocols.flag.client import FlagClient, Unusable
from protocols.flag.frames import ETX, STX, Command, checked

OF_THE_WIRE = {
    *("T01", "T02", "T03", "T05", "T06", "T07", "T08", "T16", "T17", "T18", "T19", "T21"),
    *("T23", "T24", "T25", "T26", "T27", "T30", "T56", "T58"),
}
READ = Command("R", "1", b"798001(10)")
#: A block whose check character is CR, captured (Gurux forum May 2021).
SERIAL = checked(STX + b"(30303030303030303035303734343934)" + ETX)


def test_every_mistake_of_the_wire_is_a_tool_of_another_kind() -> None:
    assert MISTAKES.keys() >= OF_THE_WIRE
    for id_ in OF_THE_WIRE:
        mistake = MISTAKES[id_]
        assert mistake.of_a_tool
        assert mistake.family == "elster"
        assert session_of(id_) is ModbusSession
        assert (client_of(id_) is FlagClient) == (line_of(id_) is not None)
        assert issubclass(client_of(id_), FlagClient)
        assert line_of(id_) is None or issubclass(line_of(id_), FlagLine)  # type: ignore[arg-type]  # it is not None


def test_who_makes_no_mistake_is_no_careless_tool() -> None:
    for none in (None, "O01", "O11"):
        assert client_of(none) is FlagClient
        assert line_of(none) is None
    assert operator_who("T05") is operator_who(None)


@pytest.mark.parametrize(("kind", "error"), [(CheckFromStart, 0x01), (CheckWithoutEnd, 0x03), (CheckFromText, 0x61)])
def test_a_check_character_is_wrong_by_what_was_left_out_or_taken_in(kind: type[FlagClient], error: int) -> None:
    right, wrong = FlagClient()._encoded(READ), kind()._encoded(READ)
    assert wrong[:-1] == right[:-1]
    assert wrong[-1] ^ right[-1] == error


def test_a_tool_that_never_checks_takes_a_damaged_block_and_no_rubbish() -> None:
    damaged = SERIAL.replace(b"9", b"8", 1)
    with pytest.raises(Exception, match="block check character"):
        FlagClient()._decoded(damaged)
    assert NeverChecks()._decoded(damaged).data == damaged[1:-2]
    with pytest.raises(Unusable):
        NeverChecks()._decoded(b"rubbish")


def test_a_tool_that_strips_controls_loses_a_check_character_that_is_one() -> None:
    assert SERIAL[-1:] == b"\r"
    assert FlagClient()._ended(SERIAL) == len(SERIAL)
    assert StripsControls()._ended(SERIAL) is None
    with pytest.raises(Unusable, match="is no block"):
        StripsControls()._decoded(SERIAL)
    printable = checked(STX + b"(A)" + ETX)
    assert StripsControls()._ended(printable) == len(printable) == FlagClient()._ended(printable)


def test_identifications_lose_what_the_tool_does_not_look_for() -> None:
    captured = b"/GEc5\\2120510070213@000\r\n"
    assert FlagClient().understood(captured).escapes == FixedEscape().understood(captured).escapes == "2"
    assert FixedEscape().understood(captured.replace(b"\\2", b"")).ident == "20510070213@000"
    flat = OnlyModeC().understood(captured)
    assert (flat.mode, flat.quick) == ("C", False)


def test_an_address_is_written_in_capitals() -> None:
    assert FoldsCase(b"aB7").address == b"AB7"


def test_later_blocks_look_like_the_first() -> None:
    assert [FlagClient()._part(b"907001", b"(00)", index) for index in (0, 1)] == [b"907001(00)", b"(00)"]
    assert RepeatsAddress()._part(b"907001", b"(00)", 1) == b"907002(00)"


def test_stream_blocks_are_taken_for_something_else() -> None:
    block = stream.StreamBlock(1, bytes(256), last=False)
    assert FlagClient()._stream_block(stream.encode_block(block)) == block
    assert SwappedMarks()._stream_block(stream.encode_block(block)).last
    with pytest.raises(stream.StreamCheckError, match="CRC of block 1"):
        OtherCrc()._stream_block(stream.encode_block(block))
    assert TakesHalf()._enough(bytes(256), b"")
    assert not TakesHalf()._enough(b"", b"")
    assert not FlagClient()._enough(bytes(256), b"")


def test_digits_are_as_short_as_they_go() -> None:
    assert ShortDigits()._digits(bytes.fromhex("01A2030405060708")) == b"1A2345678"
