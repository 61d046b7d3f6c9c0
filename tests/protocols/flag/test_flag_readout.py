"""Data sets are taken as text, and whatever is none is found with its line and column."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.flag import checker_sets
from protocols.flag.frames import CheckError, FrameError, checked
from protocols.flag.profile_text import Channel, Run, decode_profile, decode_request, encode_profile, encode_request
from protocols.flag.readout import DataSet, Readout, ReadoutError, decode_readout, parse_readout, parse_sets

BLOCK = b"0.0.0(094)\r\n1.8.0(0000123.400*kWh)\r\n1.6.0(0001.250*kW)(2603100830)2.6.0(0000.000*kW)\r\n!\r\n"


def test_values_stay_text_with_every_zero_and_their_unit() -> None:
    found = decode_readout(checked(b"\x02" + BLOCK + b"\x03"))
    assert found["1.8.0"] == DataSet("1.8.0", "0000123.400", "kWh")
    assert found["0.0.0"].unit is None
    assert str(found["1.8.0"]) == "1.8.0(0000123.400*kWh)"


def test_a_set_without_an_address_belongs_to_the_one_before_in_its_line_or_behind_it() -> None:
    found = parse_readout(BLOCK)
    assert [each.value for each in found.by_address["1.6.0"]] == ["0001.250", "2603100830"]
    assert [len(line) for line in found.lines] == [1, 1, 3]
    nested = parse_readout(b"P.01(1)(2)\r\n(3)\r\n(4)\r\n0.0.0(5)\r\n!\r\n")
    assert [each.value for each in nested.by_address["P.01"]] == ["1", "2", "3", "4"]
    assert "0.0.0" in nested
    alone = parse_readout(b"(1)(2)\r\n!\r\n")
    assert [each.value for each in alone.by_address[""]] == ["1", "2"]
    assert "1.8.0" not in nested


def test_of_an_address_that_comes_twice_the_first_counts() -> None:
    found = parse_readout(b"1.8.0(1)\r\n1.8.0(2)(3)\r\n!\r\n")
    assert found["1.8.0"].value == "1"
    assert found.by_address["1.8.0"] == (DataSet("1.8.0", "1"),)
    assert len(found.sets) == 3


def test_an_empty_readout_is_one() -> None:
    assert parse_readout(b"!\r\n").sets == []


LONG = "0123456789" * 8


@pytest.mark.parametrize(
    ("block", "line", "column", "said"),
    [
        (b"1.8.0(1)\r\n", 2, 1, "ends with"),
        (b"1.8.0(1)!\r\n", 1, 9, "does not end with CR LF"),
        (b"0.0.0(1)\r\n1.8.0(1)\r\n2.8.0(1)!\r\n", 3, 9, "does not end with CR LF"),
        (b"12345678901234567(1)\r\n!\r\n", 1, 17, "an address has 16 characters at the most, not 17"),
        (b"1.8.0(" + LONG[:33].encode() + b")\r\n!\r\n", 1, 39, "a value has 32 characters at the most, not 33"),
        (b"a(1)\r\n1.8.0(1*" + LONG[:17].encode() + b")\r\n!\r\n", 2, 25, "a unit has 16 characters at the most"),
        (b"1.8.0(1*)\r\n!\r\n", 1, 8, "nothing stands behind"),
        (b"1.8.0(1*a*b)\r\n!\r\n", 1, 10, "'*' may not stand in a unit"),
        (b"1.8/0(1)\r\n!\r\n", 1, 4, "'/' may not stand in an address"),
        (b"1.8.0(1/2)\r\n!\r\n", 1, 8, "'/' may not stand in a value"),
        (b"1.8.0(1!)\r\n!\r\n", 1, 8, "'!' may not stand in a value"),
        (b"1.8.0(1\t)\r\n!\r\n", 1, 8, "may not stand"),
        (b"a(1)\r\n1.8.0(0,5*kWh)\r\n!\r\n", 2, 8, "decimal comma"),
        (b"1.8.0(1\r\n2.8.0(1)\r\n!\r\n", 1, 1, "not closed"),
        (b"1.8.0((1))\r\n!\r\n", 1, 1, "not closed"),
        (b"1.8.0(1))\r\n!\r\n", 1, 9, "is no data set"),
        (b"1.8.0(1)\r\n1.8.1\r\n!\r\n", 2, 1, "'1.8.1' is no data set"),
        (b"1.8.0(1)\r\n\r\n2.8.0(1)\r\n!\r\n", 2, 1, "an empty line"),
        (b"1.8.0(1)\n2.8.0(1)\r\n!\r\n", 1, 9, r"'\n' may not stand in an address"),
        (b"1.8.0(1)\r\n1.8.1(\xb1)\r\n!\r\n", 2, 7, "B1 is no character of the seven-bit set"),
        (b"a(1)\r\n" + b"1.8.0(0000000000001.000)" * 4 + b"\r\n!\r\n", 2, 77, "a line of 98 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(block: bytes, line: int, column: int, said: str) -> None:
    with pytest.raises(ReadoutError, match="line") as caught:
        parse_readout(block)
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert said in str(caught.value)


def test_a_line_of_78_characters_with_its_end_is_not_too_long() -> None:
    line = b"1.8.0(" + b"1" * 32 + b")2.8.0(" + b"2" * 30 + b")"
    assert len(line) + 2 == 78
    assert len(parse_readout(line + b"\r\n!\r\n").sets) == 2


def test_in_programming_mode_values_are_longer_and_there_is_no_end() -> None:
    assert parse_sets(b"(" + b"0" * 128 + b")").sets == [DataSet("", "0" * 128)]
    with pytest.raises(ReadoutError, match="128 characters at the most"):
        parse_sets(b"(" + b"0" * 129 + b")")


def test_a_wrong_check_character_and_what_is_no_block_are_refused() -> None:
    message = checked(b"\x02" + BLOCK + b"\x03")
    with pytest.raises(CheckError):
        decode_readout(message[:-1] + bytes((message[-1] ^ 1,)))
    for broken in (b"", message[1:], message[:-1], checked(b"\x02" + BLOCK + b"\x04")):
        with pytest.raises(FrameError):
            decode_readout(broken)


address = st.text("0123456789.CFP-:&", max_size=16)
value = st.text("0123456789.-: ABab,", max_size=32)
unit = st.none() | st.text("kWhvarA%", min_size=1, max_size=16)


def test_a_star_in_an_address_marks_a_billing_set() -> None:
    """elster-flag 2.2: a star is forbidden in values; 5: x.8.y*nn is the value of billing set nn."""
    found = parse_readout(b"0.1.2*03(2606010000)\r\n1.8.1*03(0000001.000*kWh)\r\n!\r\n")
    assert [each.address for each in found.sets] == ["0.1.2*03", "1.8.1*03"]
    assert found["1.8.1*03"] == DataSet("1.8.1*03", "0000001.000", "kWh")


soup = st.text("1.8()*!/,\r\n k", max_size=40)


@given(st.lists(st.builds(DataSet, address, st.text("0123456789.", max_size=32), unit), max_size=12))
def test_what_is_written_is_read_again(sets: list[DataSet]) -> None:
    lines = [str(each) for each in sets if len(str(each)) <= 76]
    kept = [each for each in sets if len(str(each)) <= 76]
    found = parse_readout("".join(f"{line}\r\n" for line in lines).encode() + b"!\r\n")
    assert list(found.sets) == kept
    assert found.lines == [[each] for each in kept]


@example("(\r)")
@given(soup | st.lists(st.builds(DataSet, address, value, unit), max_size=4).map(lambda s: "\r\n".join(map(str, s))))
def test_the_strict_checker_and_the_parser_are_of_one_mind(text: str) -> None:
    block = f"{text}\r\n!\r\n".encode() if text else b"!\r\n"
    wrong = checker_sets.readout(block)
    empty_lines = any(not line for line in text.split("\r\n")) and text != ""
    try:
        found: Readout | None = parse_readout(block)
    except ReadoutError:
        found = None
    assert (found is None) == bool(wrong or empty_lines), (wrong, found)


# -- P.01 --------------------------------------------------------------------------------------------------------------

FIRST, SECOND = datetime(2026, 3, 10, 0, 15), datetime(2026, 3, 10, 0, 30)  # noqa: DTZ001  # a meter keeps local time
RUN = Run(
    FIRST,
    summer=False,
    status=0,
    period=15,
    channels=(Channel("1.5.0", "kW"), Channel("2.5.0", "kW")),
    intervals=(("00001.250", "00000.000"), ("00001.240", "00000.100")),
)
TEXT = b"P.01(0260310001500)(00)(15)(2)(1.5.0)(kW)(2.5.0)(kW)\r\n(00001.250)(00000.000)\r\n(00001.240)(00000.100)\r\n"


def test_a_profile_is_a_header_and_a_line_for_each_interval() -> None:
    assert encode_profile([RUN]) == TEXT
    assert decode_profile(TEXT) == (RUN,)
    assert RUN.moments == [FIRST, SECOND]


def test_a_gap_begins_a_new_header_and_nothing_at_all_is_a_profile_too() -> None:
    later = Run(datetime(2026, 7, 10, 12), True, 0x40, 15, RUN.channels, RUN.intervals)  # noqa: DTZ001
    assert decode_profile(encode_profile([RUN, later])) == (RUN, later)
    assert decode_profile(encode_profile([])) == ()
    assert decode_profile(b"") == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (TEXT + b"(1)\r\n", 4, "1 values where 2 channels have one each"),
        (TEXT + b"(1)(2)(3)\r\n", 4, "3 values"),
        (b"(1)(2)\r\n" + TEXT, 1, "without a header"),
        (TEXT + b"P.98(1)\r\n", 4, "P.98 where P.01 belongs"),
        (TEXT.replace(b"(15)", b"(0)"), 1, "no header of a profile"),
        (TEXT.replace(b"(2)(1.5.0)", b"(3)(1.5.0)"), 1, "no header of a profile"),
        (TEXT.replace(b"0260310", b"0261310"), 1, "no season and time that exists"),
        (TEXT.replace(b"0260310001500", b"x260310001500"), 1, "no header of a profile"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused_with_its_line(text: bytes, line: int, said: str) -> None:
    with pytest.raises(ReadoutError) as caught:
        decode_profile(text)
    assert caught.value.line == line
    assert said in str(caught.value)


def test_what_is_asked_for_may_be_open_on_either_side() -> None:
    begin, end = datetime(2026, 3, 10), datetime(2026, 3, 11)  # noqa: DTZ001
    assert encode_request(begin, end) == b"P.01(0260310000000;0260311000000)"
    assert encode_request(begin, None, summer=True) == b"P.01(1260310000000;)"
    for pair in ((begin, end), (None, end), (begin, None), (None, None)):
        assert decode_request(encode_request(*pair)) == pair
    for wrong in (b"P.01", b"P.01()", b"P.98(;)", b"P.01(0261310000000;)", b"P.01(0260310;)"):
        with pytest.raises(ValueError):
            decode_request(wrong)
