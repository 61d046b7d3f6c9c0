from __future__ import annotations

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.flag import frames, login, stream
from protocols.flag.frames import Answer, CheckError, Command, FrameError, Identification


def rows(name: str) -> list[dict[str, str]]:
    with (resources.files("fixtures") / "flag" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows("bcc_vectors.csv"), ids=lambda row: row["id"])
def test_captured_frames_have_the_check_character_that_we_reckon(row: dict[str, str]) -> None:
    frame = bytes.fromhex(row["frame_hex"])
    assert frames.checked(frame[:-1]) == frame
    assert frame[-1] == int(row["bcc_hex"], 16)


@pytest.mark.parametrize("row", rows("bcc_vectors.csv"), ids=lambda row: row["id"])
def test_captured_frames_are_taken_apart_and_put_together_again(row: dict[str, str]) -> None:
    frame = bytes.fromhex(row["frame_hex"])
    decode = frames.decode_command if row["command"] else frames.decode_answer
    found = decode(frame)
    assert found.data == row["data"].encode()
    assert found.encode() == frame


def test_a_check_character_has_seven_bits_whatever_it_is_made_of() -> None:
    assert frames.bcc(b"\x81\x03") == 0x02
    assert frames.bcc(b"") == 0
    assert frames.bcc(bytes(range(200))) == 0x00


def test_a_check_character_that_is_a_carriage_return_or_a_control_character_ends_nothing_early() -> None:
    row = {r["id"]: bytes.fromhex(r["frame_hex"]) for r in rows("bcc_vectors.csv")}
    assert frames.message_length(row["B04"]) == len(row["B04"])  # 0D
    assert frames.message_length(row["B07"]) == len(row["B07"])  # 12
    assert frames.message_length(row["B04"][:-1]) is None


@pytest.mark.parametrize("row", rows("login_vectors.csv"), ids=lambda row: row["seed_hex"])
def test_captured_log_ins(row: dict[str, str]) -> None:
    seed, reply = bytes.fromhex(row["seed_hex"]), bytes.fromhex(row["reply_hex"])
    assert login.encode_digits(login.reply_to(seed, row["password"].encode())) == row["reply_hex"].encode()
    assert login.password_of(seed, reply) == row["password"].encode()


@given(st.binary(min_size=8, max_size=8), st.text(st.characters(max_codepoint=127), min_size=8, max_size=8))
def test_a_log_in_can_be_read_by_whoever_listens(seed: bytes, password: str) -> None:
    reply = login.reply_to(seed, password.encode())
    assert login.password_of(seed, reply) == password.encode()
    assert len(login.encode_digits(reply)) == 16


@pytest.mark.parametrize("password", ["short", "nine char", "pässword"])
def test_a_password_of_another_form_is_refused_without_being_said(password: str) -> None:
    with pytest.raises(login.LoginError) as caught:
        login.reply_to(bytes(8), password.encode())
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "found", "mode", "baud"),
    [
        (b"/GEC5120510070213@000\r\n", Identification("GEC", "5", "120510070213@000"), "C", 9600),
        (b"/GEC5090100100400@000\r\n", Identification("GEC", "5", "090100100400@000"), "C", 9600),
        (b"/ELs5\\2METER\r\n", Identification("ELs", "5", "METER", "2"), "E", 9600),
        (b"/XYZEold\r\n", Identification("XYZ", "E", "old"), "B", 9600),
        (b"/XYZ!older\r\n", Identification("XYZ", "!", "older"), "A", 300),
        (b"/ABC0slow\r\n", Identification("ABC", "0", "slow"), "C", 300),
    ],
)
def test_identifications(said: bytes, found: Identification, mode: str, baud: int) -> None:
    decoded = frames.decode_identification(said)
    assert decoded == found
    assert (decoded.mode, decoded.baud, decoded.encode()) == (mode, baud, said)
    assert decoded.quick is found.maker[2].islower()


@pytest.mark.parametrize(
    "said",
    [b"/GE5x\r\n", b"/GEC5" + b"x" * 17 + b"\r\n", b"GEC5x\r\n", b"/GEC5x\n", b"/GEC5/x\r\n", b"/G1C5x\r\n", b""],
)
def test_what_is_no_identification_is_refused(said: bytes) -> None:
    with pytest.raises(FrameError):
        frames.decode_identification(said)


@pytest.mark.parametrize("address", [b"", b"0", b"094", b"Meter 7 A", b"9" * 32])
def test_requests(address: bytes) -> None:
    assert frames.decode_request(frames.encode_request(address)) == address


@pytest.mark.parametrize("data", [b"/?" + b"9" * 33 + b"!\r\n", b"/?09-4!\r\n", b"/?094!\n", b"?094!\r\n"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        frames.decode_request(data)


def test_an_option_select_message() -> None:
    assert frames.encode_option("5", 6) == b"\x06056\r\n"
    assert frames.decode_option(b"\x06056\r\n") == ("0", "5", "6")
    with pytest.raises(FrameError):
        frames.decode_option(b"\x06\x30\x35\r\n")


@pytest.mark.parametrize("spoilt", [1, 2, 5, 9, 10, 12])
def test_a_changed_character_is_noticed(spoilt: int) -> None:
    frame = bytearray(Answer(b"(12345678)").encode())
    frame[spoilt] ^= 0x40
    with pytest.raises(CheckError):
        frames.decode_answer(bytes(frame))


def test_an_error_message_is_told_from_data() -> None:
    assert Answer(b"(ERR2)").error == "ERR2"
    assert Answer(b"(30303030)").error is None
    assert Answer(b"1.8.0(1*kWh)").error is None


def test_partial_blocks_end_with_eot() -> None:
    block = Answer(b"(1)", more=True).encode()
    assert block[-2:-1] == b"\x04"
    assert frames.decode_answer(block) == Answer(b"(1)", more=True)
    assert Command("W", "3", b"x(1", more=True).encode()[-2:-1] == b"\x04"


@given(st.binary(max_size=60))
def test_any_bytes_are_taken_apart_or_refused(data: bytes) -> None:
    for decode in (
        frames.decode_request,
        frames.decode_identification,
        frames.decode_option,
        frames.decode_command,
        frames.decode_answer,
        stream.decode_block,
        login.decode_digits,
    ):
        try:
            decode(data)
        except ProtocolError:
            continue


@given(st.binary(max_size=60))
def test_a_rule_never_claims_more_than_has_come(data: bytes) -> None:
    for rule in (frames.message_length, frames.line_length, stream.block_length):
        found = rule(data)
        assert found is None or 0 <= found <= len(data)


def test_the_check_word_of_the_stream() -> None:
    assert stream.crc16(b"123456789") == 0xBB3D


@given(st.binary(max_size=900))
def test_an_object_survives_its_blocks(data: bytes) -> None:
    blocks = [stream.decode_block(stream.encode_block(block)) for block in stream.split(data)]
    assert b"".join(block.data for block in blocks) == data
    assert [block.last for block in blocks] == [False] * (len(blocks) - 1) + [True] * bool(blocks)
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))


def test_a_block_of_256_bytes_has_263_on_the_wire() -> None:
    assert len(stream.encode_block(stream.StreamBlock(1, bytes(256), last=False))) == 263


def test_a_speed_that_the_standard_has_not() -> None:
    assert frames.speed_id(9600) == "5"
    with pytest.raises(ValueError, match="115200"):
        frames.speed_id(115200)
