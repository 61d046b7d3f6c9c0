"""Envelopes: golden frames, pymodbus's framers as the second opinion, damage, segments of every cut."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

from protocols.modbus import pdu
from protocols.modbus.frames import (
    FrameError,
    MbapSplitter,
    crc16,
    decode_mbap,
    decode_rtu,
    encode_mbap,
    encode_rtu,
    t1_5,
    t3_5,
)

ENERGY_BLOCK = [4567, 123, 0, 0, 0xFFD6, 0, 0, 0, *[0] * 8, 4567, 123, 0, 0, 0xFFD6, 0, 0, 0, 0, 200, 0, 0]
GOLDEN_PDUS = {
    "8017 := 8020": pdu.write_register(8017 - 1, 8020),
    "8018 := 8021": pdu.write_register(8018 - 1, 8021),
    "8019 := 8022": pdu.write_register(8019 - 1, 8022),
    "8000 := 6209": pdu.write_register(8000 - 1, 6209),
    "read 8021": pdu.read_registers(8021 - 1, 1),
    "read 1700 x28": pdu.read_registers(1700 - 1, 28),
    "read 1601 x28 (CM2)": pdu.read_registers(1601 - 1, 28),
    "write 8022 x28": pdu.write_registers(8022 - 1, ENERGY_BLOCK),
    "reply to write 8022 x28": pdu.write_registers(8022 - 1, ENERGY_BLOCK)[:5],
}

pdus = st.binary(min_size=1, max_size=253)
units = st.integers(0, 255)
frames_of_a_stream = st.lists(st.tuples(st.integers(0, 0xFFFF), units, pdus), max_size=6)


def golden() -> list[tuple[str, bytes]]:
    with (files("fixtures") / "powerlogic" / "golden_frames.csv").open(encoding="utf-8") as table:
        return [(row["step"].split(" = ")[0], bytes.fromhex(row["frame_hex"])) for row in csv.DictReader(table)]


@pytest.mark.parametrize(("step", "frame"), golden(), ids=[step for step, _ in golden()])
def test_golden_frames_are_what_we_encode(step: str, frame: bytes) -> None:
    assert encode_rtu(1, GOLDEN_PDUS[step]) == frame
    assert decode_rtu(frame) == (1, GOLDEN_PDUS[step])


def test_every_golden_frame_is_there() -> None:
    assert [step for step, _ in golden()] == list(GOLDEN_PDUS)


def test_crc_of_the_standard_check_string() -> None:
    assert crc16(b"123456789") == 0x4B37


@given(st.binary(max_size=600))
def test_crc_is_that_of_pymodbus(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@given(units, pdus)
def test_rtu_round_trip_and_pymodbus_agree(unit: int, body: bytes) -> None:
    frame = encode_rtu(unit, body)
    assert frame == FramerRTU(DecodePDU(is_server=True)).encode(body, unit, 0)
    assert decode_rtu(frame) == (unit, body)


@given(st.integers(0, 0xFFFF), units, pdus)
def test_mbap_round_trip_and_pymodbus_agree(transaction: int, unit: int, body: bytes) -> None:
    frame = encode_mbap(transaction, unit, body)
    assert frame == FramerSocket(DecodePDU(is_server=True)).encode(body, unit, transaction)
    assert decode_mbap(frame) == (transaction, unit, body)


@given(units, pdus, st.data())
def test_one_wrong_bit_is_noticed(unit: int, body: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode_rtu(unit, body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError, match="CRC"):
        decode_rtu(bytes(frame))


@pytest.mark.parametrize("size", [0, 3, 257])
def test_rtu_frames_have_4_to_256_bytes(size: int) -> None:
    with pytest.raises(FrameError, match=f"^{size} bytes"):
        decode_rtu(bytes(size))


def test_a_crc_error_names_both() -> None:
    with pytest.raises(FrameError, match="CRC 87c1 where 87c0 belongs"):
        decode_rtu(bytes.fromhex("01061F501F5487C1"))


@pytest.mark.parametrize("frame", ["", "0001", "000100000002", "00010000000201", "0001000000020103FF"])
def test_mbap_frames_have_as_many_bytes_as_they_say(frame: str) -> None:
    with pytest.raises(FrameError):
        decode_mbap(bytes.fromhex(frame))


@pytest.mark.parametrize(("unit", "body"), [(256, b"\x03"), (-1, b"\x03"), (1, b""), (1, bytes(254))])
def test_what_fits_no_frame_is_the_callers_mistake(unit: int, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"unit|PDU"):
        encode_rtu(unit, body)
    with pytest.raises(ValueError, match=r"unit|PDU"):
        encode_mbap(1, unit, body)


def test_transactions_have_16_bits() -> None:
    with pytest.raises(ValueError, match="65536"):
        encode_mbap(65536, 1, b"\x03")


@given(frames_of_a_stream, st.data())
def test_a_stream_cut_anywhere_gives_the_same_frames(sent: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(encode_mbap(*frame) for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter = MbapSplitter()
    came: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        came += splitter.feed(memoryview(stream)[start:end])
    assert [decode_mbap(frame) for frame in came] == sent


def test_one_byte_a_segment() -> None:
    frame = encode_mbap(7, 1, pdu.read_registers(1699, 28))
    splitter = MbapSplitter()
    came = [splitter.feed(bytes((byte,))) for byte in frame]
    assert came == [[]] * 11 + [[frame]]


def test_a_frame_taken_from_a_view_outlives_the_buffer() -> None:
    buffer = bytearray(encode_mbap(7, 1, b"\x11"))
    (frame,) = MbapSplitter().feed(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    assert decode_mbap(frame) == (7, 1, b"\x11")


@pytest.mark.parametrize("header", ["000100010006", "000100000000", "000100000001", "0001000000FF", "474554202F20"])
def test_another_protocol_breaks_the_stream_for_good(header: str) -> None:
    splitter = MbapSplitter()
    with pytest.raises(FrameError, match="protocol id"):
        splitter.feed(bytes.fromhex(header))
    with pytest.raises(FrameError):
        splitter.feed(encode_mbap(2, 1, b"\x11"))


def test_what_came_before_the_damage_still_counts() -> None:
    sound = encode_mbap(1, 1, b"\x11")
    splitter = MbapSplitter()
    assert splitter.feed(sound + bytes.fromhex("0002DEAD0002")) == [sound]
    assert splitter.broken is not None
    with pytest.raises(FrameError):
        splitter.feed(b"")


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_garbage_in_a_stream_is_at_most_a_frame_error(segments: list[bytes]) -> None:
    splitter = MbapSplitter()
    for segment in segments:
        try:
            frames = splitter.feed(segment)
        except FrameError:
            assert splitter.broken is not None
        else:
            assert all(decode_mbap(frame) for frame in frames)


@given(st.binary(max_size=300))
def test_garbage_is_at_most_a_frame_error(data: bytes) -> None:
    for decode in (decode_rtu, decode_mbap):
        try:
            decode(data)
        except FrameError as damage:
            assert str(damage)  # noqa: PT017  # the good case raises nothing


@pytest.mark.parametrize(
    ("baud", "char_bits", "inside", "between"),
    [
        (1200, 11, 13_750_000, 32_083_334),
        (9600, 11, 1_718_750, 4_010_417),
        (9600, 10, 1_562_500, 3_645_834),
        (19200, 11, 859_375, 2_005_209),
        (38400, 11, 750_000, 1_750_000),
        (115200, 10, 750_000, 1_750_000),
    ],
)
def test_silences_of_the_serial_line(baud: int, char_bits: int, inside: int, between: int) -> None:
    assert t1_5(baud, char_bits) == inside
    assert t3_5(baud, char_bits) == between
