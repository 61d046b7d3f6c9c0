"""A conversation in words: registers by name, answers by what was asked; whatever comes, nothing is raised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.narrator import Narrator
from protocols.modbus import pdu
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.powerlogic.energy import Quantity, encode_set
from protocols.powerlogic.words import pack_words

ENERGIES = {quantity: 1000 * (index + 1) for index, quantity in enumerate(Quantity)}
WORDS = pack_words([word & 0xFFFF for word in encode_set(ENERGIES)])


def told(model: str, *frames: tuple[str, bytes]) -> list[str]:
    narrator = Narrator(model)
    return [narrator.tell(direction, encode_rtu(1, frame)) for direction, frame in frames]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (pdu.read_registers(1699, 28), "read real energy in ... apparent energy total (28 registers from 1700)"),
        (pdu.read_registers(1699, 2), "read real energy in (2 registers from 1700)"),
        (pdu.read_registers(8020, 1), "read 8021"),
        (pdu.read_registers(2, 1), "read 3"),
        (pdu.write_register(7999, 6209), "write command (8000) := 6209, preset energies"),
        (pdu.write_register(7999, 7), "write command (8000) := 7"),
        (pdu.write_register(8018, 8022), "write pointer data (8019) := 8022"),
        (pdu.write_registers(8021, [1] * 28), "write 8022 := 1 1 1 1 1 1 1 ... (28 words)"),
    ],
)
def test_what_is_asked_is_told_by_name(request_: bytes, said: str) -> None:
    assert told("PM850", ("tx", request_)) == [f"unit 1: {said}"]


def test_an_answer_is_told_by_what_was_asked() -> None:
    _, answer = told("PM850", ("tx", pdu.read_registers(1699, 28)), ("rx", b"\x03\x38" + WORDS))
    assert answer == (
        "unit 1: real energy in = 1000 Wh; reactive energy in = 2000 varh; real energy out = 3000 Wh; "
        "reactive energy out = 4000 varh; real energy total = 5000 Wh; reactive energy total = 6000 varh; "
        "apparent energy total = 7000 VAh"
    )


def test_the_older_generation_has_another_order() -> None:
    _, answer = told("CM2350", ("tx", pdu.read_registers(1616, 4)), ("rx", b"\x03\x08" + WORDS[-8:]))
    assert answer == "unit 1: apparent energy total = 7000 VAh"


def test_a_date_is_a_date() -> None:
    ask = ("tx", pdu.read_registers(3289, 4))
    _, answer = told("CM4250", ask, ("rx", b"\x03\x08" + pack_words([0x0119, 0x640B, 0x063B, 0x007A])))
    assert answer == "unit 1: energy preset time = 2000-01-25 11:06:59"
    _, answer = told("CM4250", ask, ("rx", b"\x03\x08" + bytes(8)))
    assert answer == "unit 1: energy preset time = none"
    _, answer = told("CM4250", ask, ("rx", b"\x03\x08" + pack_words([0x0D20, 0x640B, 0x063B, 0])))
    assert answer == "unit 1: energy preset time = no date: 0D20 640B 063B 0000"


def test_an_answer_that_does_not_fit_the_request_is_told_as_bare_words() -> None:
    _, answer = told("PM850", ("tx", pdu.read_registers(1699, 28)), ("rx", b"\x03\x02\x00\x07"))
    assert answer == "unit 1: 7"
    assert told("PM850", ("rx", b"\x03\x02\x00\x07")) == ["unit 1: 7"]
    assert told("no such model", ("tx", pdu.read_registers(8020, 1))) == ["unit 1: read 1 from 8021"]


def test_a_part_of_a_row_has_no_name() -> None:
    _, answer = told("PM850", ("tx", pdu.read_registers(1700, 4)), ("rx", b"\x03\x08" + bytes(6) + b"\x00\x09"))
    assert answer == "unit 1: 1701 = 0; 1702 = 0; 1703 = 0; 1704 = 9"


FRAMES = st.lists(st.tuples(st.sampled_from(["tx", "rx"]), st.binary(min_size=1, max_size=60)), max_size=6)


@given(st.sampled_from(["PM850", "CM2350", "", "x"]), FRAMES, st.booleans())
def test_whatever_comes_is_told_or_not(model: str, frames: list[tuple[str, bytes]], framed: bool) -> None:
    narrator = Narrator(model)
    for direction, data in frames:
        frame = encode_mbap(1, 1, data) if framed else data
        assert isinstance(narrator.tell(direction, frame), str)
