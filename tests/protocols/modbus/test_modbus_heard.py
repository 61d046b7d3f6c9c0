"""What is believed of what a master hears: the one frame that fits its request, and nothing else."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.modbus.frames import encode_rtu
from protocols.modbus.heard import Heard, fits, hear, objection, why_none
from protocols.modbus.pdu import read_registers, write_register, write_registers

UNIT = 3
ASKED = encode_rtu(UNIT, read_registers(1699, 2))


def words(*values: int, unit: int = UNIT, function: int = 3) -> bytes:
    return encode_rtu(unit, bytes((function, 2 * len(values))) + b"".join(v.to_bytes(2, "big") for v in values))


def framed(pdu: bytes) -> bytes:
    return encode_rtu(UNIT, pdu)


RIGHT = words(7, 8)


def test_the_answer_is_found_behind_noise_and_behind_others() -> None:
    assert hear(ASKED, RIGHT) == Heard(RIGHT)
    assert hear(ASKED, b"\x00\xff\x03" + RIGHT) == Heard(RIGHT, 3)
    assert hear(ASKED, words(1, 2, unit=4) + RIGHT).answer == RIGHT
    assert hear(ASKED, words(1, 2, 3) + RIGHT).answer == RIGHT, "a late answer of another length"
    assert hear(ASKED, encode_rtu(UNIT, write_register(7999, 6209)) + RIGHT).answer == RIGHT, "a late echo"
    assert hear(ASKED, RIGHT[:-3] + RIGHT).answer == RIGHT, "a frame that was cut short"


def test_a_refusal_is_an_answer() -> None:
    refusal = encode_rtu(UNIT, b"\x83\x02")
    assert hear(ASKED, refusal).answer == refusal
    assert hear(ASKED, encode_rtu(UNIT, b"\x86\x02")) == Heard()


def test_two_answers_that_differ_are_none() -> None:
    assert hear(ASKED, RIGHT + words(9, 9)).second == words(9, 9)
    assert hear(ASKED, RIGHT + RIGHT) == Heard(RIGHT), "twice the same is one"
    assert hear(ASKED, RIGHT + words(9, 9, unit=4)) == Heard(RIGHT)


def test_somebodys_request_is_seen_for_what_it_is() -> None:
    theirs = encode_rtu(UNIT, read_registers(2999, 2))
    assert hear(ASKED, theirs).request == theirs
    assert hear(ASKED, theirs + RIGHT + words(1, 2)).request == theirs
    assert hear(ASKED, ASKED + RIGHT).request == ASKED, "one's own echo"


@pytest.mark.parametrize(
    ("request_", "answer", "told"),
    [
        (ASKED, words(1), "1 words where 2 were asked for"),
        (ASKED, words(1, 2, function=4), "function 3 was answered as function 4"),
        (
            encode_rtu(3, write_register(7999, 6209)),
            encode_rtu(3, write_register(7999, 6210)),
            r"register 8000 := 6209",
        ),
        (
            encode_rtu(3, write_registers(8021, [1, 2])),
            encode_rtu(3, bytes.fromhex("10 1F55 0003")),
            "2 words from 8022",
        ),
        (encode_rtu(3, bytes.fromhex("01 0000 0009")), encode_rtu(3, bytes.fromhex("01 01 FF")), "bytes of bits"),
        (
            encode_rtu(3, bytes.fromhex("16 0001 00F2 0025")),
            encode_rtu(3, bytes.fromhex("16 0001 00F2 0026")),
            "echoed",
        ),
    ],
)
def test_what_speaks_against_an_answer_is_said(request_: bytes, answer: bytes, told: str) -> None:
    assert told in objection(request_, answer)
    assert not fits(request_, answer)
    assert told in why_none(request_, answer)
    assert hear(request_, answer) == Heard()


def test_an_answer_to_a_write_gives_back_what_was_written() -> None:
    for asked, given_back in (
        (write_register(7999, 6209), write_register(7999, 6209)),
        (write_registers(8021, [1, 2]), bytes.fromhex("10 1F55 0002")),
    ):
        assert fits(encode_rtu(3, asked), encode_rtu(3, given_back))
    assert why_none(ASKED, words(1, 2, unit=4)) == "unit 4 answered where unit 3 was asked"


@given(before=st.binary(max_size=60), behind=st.binary(max_size=30))
def test_garbage_never_raises_and_hides_no_answer_for_long(before: bytes, behind: bytes) -> None:
    found = hear(ASKED, before + RIGHT + behind)
    assert found.answer in (RIGHT, b"") or found.second or found.request
    assert hear(ASKED, before).answer == b"", "random bytes with the right CRC are one in 65,536 and not among these"


def test_a_check_sum_passes_one_random_frame_in_65536() -> None:
    """The undetected error rate of RTU, measured: frames of the right head whose rest is random."""
    random, passed, tried = Random(11), 0, 131_072
    for _ in range(tried):
        passed += bool(hear(ASKED, RIGHT[:3] + random.randbytes(6)).answer)
    assert 0 < passed <= 8, f"{tried / 65536:.1f} were expected"


def test_no_single_or_double_bit_error_passes() -> None:
    bits = 8 * len(RIGHT)
    for first in range(bits):
        for second in range(first, bits):
            mask = 1 << first | 1 << second
            damaged = (int.from_bytes(RIGHT, "big") ^ mask).to_bytes(len(RIGHT), "big")
            assert hear(ASKED, damaged).answer != damaged
