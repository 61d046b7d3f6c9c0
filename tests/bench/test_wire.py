"""Frames in words, as a report shows them; a file of bytes that is none gives nothing and raises nothing."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.wire import in_words
from protocols.modbus.frames import encode_mbap, encode_rtu

WORDS = {
    "8017 := 8020": "unit 1: write 8017 := 8020",
    "8000 := 6209": "unit 1: write 8000 := 6209",
    "read 8021": "unit 1: read 1 from 8021",
    "read 1700 x28": "unit 1: read 28 from 1700",
    "reply to write 8022 x28": "unit 1: echo of 8022",
}


@pytest.mark.parametrize("step", WORDS)
def test_the_golden_frames_in_words(step: str) -> None:
    text = (files("fixtures") / "powerlogic" / "golden_frames.csv").read_text(encoding="utf-8")
    (row,) = [row for row in csv.DictReader(text.splitlines()) if row["step"] == step]
    way = "rx" if row["kind"] == "reply" else "tx"
    assert in_words("PM850", way, bytes.fromhex(row["frame_hex"])) == WORDS[step]


@pytest.mark.parametrize(
    ("way", "pdu", "said"),
    [
        ("rx", "03 04 FFD6 0001", "unit 9: -42 1"),
        ("rx", "83 02", "unit 9: exception 02 (illegal data address)"),
        ("rx", "83 77", "unit 9: exception 77 (function 119)"),
        ("rx", "06 1F3F 1841", "unit 9: echo of 8000"),
        ("tx", "10 1F50 0003 06 0000 0000 FFFF", "unit 9: write 3 from 8017: 0 0 -1"),
        ("tx", "11", "unit 9: report server id"),
        ("tx", "63", "unit 9: function 99"),
    ],
)
def test_a_frame_says_the_same_on_a_serial_line_and_on_tcp(way: str, pdu: str, said: str) -> None:
    data = bytes.fromhex(pdu)
    assert in_words("PM850", way, encode_rtu(9, data)) == said
    assert in_words("PM850", way, encode_mbap(1, 9, data)) == said


def test_a_long_block_is_cut() -> None:
    words = b"".join(n.to_bytes(2, "big") for n in range(28))
    assert in_words("PM850", "rx", encode_rtu(1, b"\x03\x38" + words)) == "unit 1: 0 1 2 3 4 5 6 7 ... (28)"


@given(st.sampled_from(["tx", "rx"]), st.binary(max_size=40))
def test_bytes_that_are_no_frame_are_no_words(way: str, data: bytes) -> None:
    assert isinstance(in_words("PM850", way, data), str)


@given(st.sampled_from(["tx", "rx"]), st.binary(min_size=1, max_size=40))
def test_every_frame_with_a_right_check_sum_has_words_that_begin_with_its_unit(way: str, pdu: bytes) -> None:
    said = in_words("PM850", way, encode_rtu(5, pdu))
    assert said == "" or said.startswith("unit 5: ")
