"""What went over the wire, read without the help of the bench."""

from __future__ import annotations

import pytest

from bench.sweep.tap import Frame, Tap, Words, shown_by, writes_to
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers, write_register, write_registers
from simulators.world import World


def rtu(pdu: bytes, unit: int = 1, at: int = 0) -> Frame:
    return Frame(at, "bus", encode_rtu(unit, pdu))


def test_a_tap_keeps_what_the_fingerprint_is_made_of_and_does_not_change_it() -> None:
    plain, tapped = World(), World()
    tapped.digest = tap = Tap()
    for world in (plain, tapped):
        world.digest.note(5, "bus", b"\x01\x02")
        world.digest.note(6, "bus collision")
    assert tap.frames == [Frame(5, "bus", b"\x01\x02")]
    assert tap.hexdigest() == plain.digest.hexdigest()


def test_writes_are_told_by_register_and_words_and_an_answer_to_a_block_is_none() -> None:
    frames = [
        rtu(write_registers(8021, [1, 2]), at=1),
        rtu(bytes.fromhex("10 1F55 0002"), at=2),
        rtu(write_register(7999, 6209), at=3),
        rtu(write_register(7999, 6209), unit=2, at=4),
    ]
    assert list(writes_to(frames, 1)) == [Words(1, 8022, (1, 2)), Words(3, 8000, (6209,))]


def test_words_are_shown_under_the_register_that_was_asked_for() -> None:
    asked, told = rtu(read_registers(8017, 2), at=1), rtu(bytes.fromhex("03 04 1F55 0000"), at=2)
    (shown,) = shown_by([asked, told, told], 1)
    assert shown == Words(2, 8018, (8021, 0))
    assert list(shown.registers) == [8018, 8019]


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x06\x00", bytes(300)])
def test_what_is_no_frame_is_nobodys(data: bytes) -> None:
    assert list(writes_to([Frame(0, "bus", data)], 1)) == []


def test_frames_of_a_network_are_read_as_well() -> None:
    frame = Frame(7, "lan/tcp", encode_mbap(1, 1, write_register(8016, 0)))
    assert list(writes_to([frame], 1)) == [Words(7, 8017, (0,))]
