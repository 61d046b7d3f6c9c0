"""An answer is believed only after it has proved to belong to the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_memory import MemoryDevice

from protocols.conversation import ProtocolError
from protocols.modbus import ForeignAnswer, ModbusException, Responder, answers, pdu

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTIONS: list[tuple[Callable[[bytes, bytes], object], bytes]] = [
    (answers.bits, pdu.read_bits(7, 11)),
    (answers.bits, pdu.read_bits(7, 11, 2)),
    (answers.registers, pdu.read_registers(7, 3)),
    (answers.registers, pdu.read_registers(7, 3, 4)),
    (answers.echo, pdu.write_bit(7, value=True)),
    (answers.echo, pdu.write_register(7999, 6209)),
    (answers.echo, pdu.write_bits(7, [True, False, True])),
    (answers.echo, pdu.write_registers(7, [1, 2, 3])),
    (answers.echo, pdu.mask_write_register(7, 0xF0F0, 0x0F0F)),
    (answers.registers, pdu.read_write_registers(7, 3, 7, [1, 2, 3])),
    (answers.diagnostic, pdu.diagnose(0, b"\xa5\x37")),
    (answers.diagnostic, pdu.diagnose(11)),
    (answers.server_id, pdu.report_server_id()),
    (answers.device_identification, pdu.read_device_identification(1)),
]
names = [f"{parse.__name__}-{request.hex()}" for parse, request in QUESTIONS]


@pytest.mark.parametrize(("parse", "request_pdu"), QUESTIONS, ids=names)
class TestEveryQuestion:
    def test_takes_its_own_answer(self, parse: Callable[[bytes, bytes], object], request_pdu: bytes) -> None:
        parse(request_pdu, Responder(MemoryDevice()).respond(request_pdu, 0))

    def test_raises_a_refusal(self, parse: Callable[[bytes, bytes], object], request_pdu: bytes) -> None:
        with pytest.raises(ModbusException) as refusal:
            parse(request_pdu, bytes((request_pdu[0] | 0x80, 6)))
        assert refusal.value.code == 6

    def test_takes_no_answer_of_another_function(
        self, parse: Callable[[bytes, bytes], object], request_pdu: bytes
    ) -> None:
        answer = Responder(MemoryDevice()).respond(request_pdu, 0)
        for foreign in (bytes((answer[0] ^ 1,)) + answer[1:], bytes((answer[0] ^ 1 | 0x80, 2)), b""):
            with pytest.raises(ForeignAnswer):
                parse(request_pdu, foreign)

    def test_takes_nothing_cut_or_lengthened(self, parse: Callable[[bytes, bytes], object], request_pdu: bytes) -> None:
        answer = Responder(MemoryDevice()).respond(request_pdu, 0)
        for damaged in (answer[:-1], answer + b"\x00", answer[:1]):
            with pytest.raises(ForeignAnswer):
                parse(request_pdu, damaged)


@pytest.mark.parametrize(
    ("request_pdu", "answer"),
    [
        (pdu.write_register(7999, 6209), pdu.write_register(7999, 0)),  # a meter that echoes what it stored
        (pdu.write_register(7999, 6209), pdu.write_register(7998, 6209)),
        (pdu.write_bit(3, value=True), pdu.write_bit(3, value=False)),
        (pdu.write_registers(8021, [0] * 28), bytes.fromhex("101F55001B")),
        (pdu.write_registers(8021, [0] * 28), bytes.fromhex("101F54001C")),
        (pdu.mask_write_register(1, 2, 3), pdu.mask_write_register(1, 2, 4)),
    ],
)
def test_a_wrong_echo_is_no_proof_of_a_write(request_pdu: bytes, answer: bytes) -> None:
    with pytest.raises(ForeignAnswer, match=f"echoed as {answer.hex()}"):
        answers.echo(request_pdu, answer)


def test_more_registers_than_asked_for_are_somebody_elses() -> None:
    with pytest.raises(ForeignAnswer, match="2 bytes were asked for, 4 came"):
        answers.registers(pdu.read_registers(8020, 1), bytes.fromhex("030400000051"))


def test_a_byte_count_that_lies() -> None:
    with pytest.raises(ForeignAnswer, match="byte count"):
        answers.registers(pdu.read_registers(8020, 1), bytes.fromhex("03040051"))


def test_a_loop_must_come_back_unchanged() -> None:
    with pytest.raises(ForeignAnswer, match="looped back"):
        answers.diagnostic(pdu.diagnose(0, b"\xa5\x37"), bytes.fromhex("0800 00A5 38"))


def test_bits_come_in_their_order() -> None:
    assert answers.bits(pdu.read_bits(0, 10), bytes.fromhex("01020503")) == [
        *(True, False, True, False, False, False, False, False),
        *(True, True),
    ]


@given(st.sampled_from(QUESTIONS), st.binary(max_size=260))
def test_garbage_is_at_most_a_protocol_error(
    question: tuple[Callable[[bytes, bytes], object], bytes], data: bytes
) -> None:
    parse, request_pdu = question
    for answer in (data, request_pdu[:1] + data, request_pdu[:3] + data):
        try:
            parse(request_pdu, answer)
        except ProtocolError as error:
            assert str(error)  # noqa: PT017  # the good case raises nothing
