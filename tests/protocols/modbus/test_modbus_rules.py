"""Where a frame ends, without silences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_memory import MemoryDevice
from test_modbus_answers import QUESTIONS

from protocols.conversation import ProtocolError
from protocols.modbus import (
    Responder,
    encode_mbap,
    encode_rtu,
    mbap_end,
    pdu,
    rtu_answer_end,
    rtu_answer_rule,
    rtu_request_end,
)

REQUESTS = [request for _, request in QUESTIONS]


@pytest.mark.parametrize("request_pdu", REQUESTS, ids=bytes.hex)
def test_requests_end_where_they_end(request_pdu: bytes) -> None:
    frame = encode_rtu(1, request_pdu)
    assert [rtu_request_end(frame[:end]) for end in range(len(frame))] == [None] * len(frame)
    assert rtu_request_end(frame) == rtu_request_end(frame + b"next") == len(frame)


@pytest.mark.parametrize("request_pdu", REQUESTS, ids=bytes.hex)
def test_answers_end_where_they_end(request_pdu: bytes) -> None:
    rule = rtu_answer_rule(request_pdu)
    frame = encode_rtu(1, Responder(MemoryDevice()).respond(request_pdu, 0))
    assert [rule(frame[:end]) for end in range(len(frame))] == [None] * len(frame)
    assert rule(frame) == rule(frame + b"next") == len(frame)


@pytest.mark.parametrize("request_pdu", REQUESTS, ids=bytes.hex)
def test_refusals_have_five_bytes(request_pdu: bytes) -> None:
    frame = encode_rtu(1, bytes((request_pdu[0] | 0x80, 2)))
    assert rtu_answer_rule(request_pdu)(frame[:4]) is None
    assert rtu_answer_rule(request_pdu)(frame + b"x") == 5


def test_a_long_loop_is_waited_for_whole() -> None:
    looped = pdu.diagnose(0, bytes(100))
    frame = encode_rtu(1, looped)
    assert rtu_answer_rule(looped)(frame[:-1]) is None
    assert rtu_answer_rule(looped)(frame) == len(frame)


def test_an_answer_of_another_function_still_ends() -> None:
    foreign = encode_rtu(1, bytes.fromhex("03020051"))
    assert rtu_answer_rule(pdu.diagnose(11))(foreign) == len(foreign)


def test_only_silence_ends_what_no_table_knows() -> None:
    assert rtu_request_end(encode_rtu(1, b"\x64\x01\x02")) is None
    assert rtu_answer_end(encode_rtu(1, b"\x64\x01\x02")) is None


def test_an_mbap_frame_ends_as_its_header_says() -> None:
    frame = encode_mbap(9, 1, pdu.read_registers(1699, 28))
    assert [mbap_end(frame[:end]) for end in range(len(frame))] == [None] * len(frame)
    assert mbap_end(frame + frame) == len(frame)


def test_nobody_waits_for_the_rest_of_a_damaged_header() -> None:
    assert mbap_end(b"HTTP/1.1 400") == 12


@given(st.binary(max_size=300), st.sampled_from(REQUESTS))
def test_rules_never_raise_and_never_promise_more_than_there_is(data: bytes, request_pdu: bytes) -> None:
    for rule in (rtu_request_end, rtu_answer_end, rtu_answer_rule(request_pdu), mbap_end):
        end = rule(data)
        assert end is None or 0 <= end <= len(data)


def test_errors_are_of_the_family() -> None:
    assert all(issubclass(error, ProtocolError) for error in (pdu.NoAnswer, pdu.ForeignAnswer, pdu.ModbusException))
