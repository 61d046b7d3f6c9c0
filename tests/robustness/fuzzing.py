"""Inputs for a face that is to be fuzzed, and what an answer may be: written from the standard, not from the face.

Inputs begin as sound requests, among them those of the preset procedure, and most are damaged then: in their bytes, in
their length, in their check sum or header. Sources: "MODBUS Application Protocol V1.1b3" (AP) and "Serial Line V1.02".
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from protocols.modbus.frames import FrameError, crc16, decode_rtu, encode_mbap, encode_rtu

UNIT = 1
#: Writes to these are the documented doors to the billing registers: the command, the PM800's second one, the CM2's.
DOORS = {8000, 4126, 7700}
_REGISTERS = (8000, 8001, 8017, 8018, 8019, 8020, 8022, 8049, 8150, 1700, 1728, 1601, 1100, 3200, 3201, 3248, 4000,
              4126, 7016, 7700, 7720, 57600, 65535, 1)  # fmt: skip
_COMMANDS = (6209, 6210, 6211, 6212, 6213, 9020, 9021, 1110, 1120, 1130, 1310, 4110, 5110, 5910, 30078, 21212, 1411,
             1410)  # fmt: skip
_CODES = (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43, 0, 100, 128, 255)


class Inputs:
    """An endless stream of frames for one face.

    Args:
        seed: of everything that is drawn.
        tcp: MBAP frames instead of RTU frames.
    """

    def __init__(self, seed: int, *, tcp: bool) -> None:
        self._random = random.Random(seed)
        self._tcp = tcp

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self._frame(self._pdu())

    def _pdu(self) -> bytes:
        draw = self._random
        kind = draw.random()
        pdu = self._sound() if kind < 0.75 else bytes((draw.choice(_CODES),)) + draw.randbytes(draw.randrange(12))
        return self._mutated(pdu) if draw.random() < 0.5 else pdu

    def _sound(self) -> bytes:
        draw = self._random
        register, count = (
            draw.choice(_REGISTERS) + draw.choice((0, 0, 0, 1, -1, 5)),
            draw.choice((1, 2, 3, 28, 125, 126, 0)),
        )
        address = (register - 1) & 0xFFFF
        code = draw.choice((3, 3, 4, 6, 6, 16, 16, 17, 43, 22, 23, 8))
        word = draw.choice((*_COMMANDS, 0, 1, 8020, 8021, 8022, 9999, 10000, 55537, draw.randrange(65536)))
        if code in (3, 4):
            return struct.pack(">BHH", code, address, count)
        if code == 6:
            return struct.pack(">BHH", code, address, word)
        if code == 16:
            words = [draw.choice((0, 1, 9999, 55537, word)) for _ in range(draw.choice((1, 2, 3, 28, 33, 50)))]
            return struct.pack(f">BHHB{len(words)}H", code, address, len(words), 2 * len(words), *words)
        if code == 22:
            return struct.pack(">BHHH", code, address, draw.randrange(65536), word)
        if code == 23:
            return struct.pack(">BHHHHBH", code, address, count, address, 1, 2, word)
        if code == 8:
            return struct.pack(">BHH", code, draw.randrange(24), word)
        return bytes((43, 14, draw.randrange(6), draw.randrange(8))) if code == 43 else bytes((17,))

    def _mutated(self, pdu: bytes) -> bytes:
        draw = self._random
        data = bytearray(pdu)
        kind = draw.randrange(5)
        if kind == 0:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[draw.randrange(len(data)) :]
        elif kind == 2:
            data += draw.randbytes(draw.choice((1, 2, 30, 240)))
        elif kind == 3:
            data[draw.randrange(len(data))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
        else:
            at = draw.randrange(len(data))
            data[at:at] = draw.randbytes(1)
        return bytes(data[:253]) or b"\x03"

    def _frame(self, pdu: bytes) -> bytes:
        draw = self._random
        unit = draw.choice((UNIT, UNIT, UNIT, UNIT, UNIT, UNIT, 0, 2, 255))
        frame = encode_mbap(draw.randrange(65536), unit, pdu) if self._tcp else encode_rtu(unit, pdu)
        luck = draw.random()
        if luck < 0.85:
            return frame
        if luck < 0.95:
            damaged = bytearray(frame)
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
            return bytes(damaged)
        return frame[: draw.randrange(len(frame))] if luck < 0.98 else draw.randbytes(draw.randrange(300))


def is_whole(frame: bytes) -> bool:
    """Whether bytes are one sound MBAP frame: protocol id 0, as long as its header says, at most 260 bytes."""
    return 8 <= len(frame) <= 260 and frame[2:4] == b"\0\0" and int.from_bytes(frame[4:6], "big") == len(frame) - 6


def opens_a_door(frame: bytes, *, tcp: bool) -> bool:
    """Whether a frame may change the energies: it writes to a command register of the unit."""
    pdu = frame[7:] if tcp else frame[1:-2]
    if not tcp and crc16(frame):
        return False
    if len(pdu) < 5 or pdu[0] not in (6, 16, 22, 23):
        return False
    at = 5 if pdu[0] == 23 else 1
    first, count = struct.unpack_from(">HH", pdu.ljust(9, b"\0"), at)
    return any(first < door <= first + (1 if pdu[0] in (6, 22) else count) for door in DOORS)


def check_rtu(frame: bytes, answers: list[bytes], codes: frozenset[int]) -> None:
    """A line: silence for what is damaged, somebody else's or for everybody; one sound answer for the rest."""
    try:
        unit, pdu = decode_rtu(frame)
    except FrameError:
        assert answers == [], "damage is met with silence (SL 2.4.1)"
        return
    if unit != UNIT:
        assert answers == [], "what is not for this unit is met with silence"
        return
    (answer,) = answers
    assert crc16(answer) == 0
    assert answer[0] == UNIT
    check_pdu(pdu, answer[1:-2], codes)


def check_tcp(frame: bytes, answer: bytes, codes: frozenset[int]) -> None:
    """A whole sound MBAP frame has one answer with its transaction number and unit."""
    assert answer[:4] == frame[:4]
    assert struct.unpack_from(">H", answer, 4)[0] == len(answer) - 6
    assert answer[6] == frame[6]
    check_pdu(frame[7:], answer[7:], codes)


def check_pdu(asked: bytes, answered: bytes, codes: frozenset[int]) -> None:
    """The form of an answer by AP 6 and 7: an exception that the standard knows, or the shape of the function."""
    function = asked[0]
    assert answered[0] in (function, function | 0x80)
    if function not in codes:
        assert answered == bytes((function | 0x80, 1)), "exception 01 for a function that the model does not have"
    elif answered[0] != function or function >= 0x80:
        assert len(answered) == 2
        assert answered[1] in (1, 2, 3, 4, 6, 0x0A, 0x0B)
    elif function in (3, 4, 23):
        count = struct.unpack_from(">H", asked, 3)[0]
        assert 1 <= count <= 125
        assert answered[1] == 2 * count == len(answered) - 2
    elif function in (6, 22):
        assert answered == asked, "the echo is the request"
    elif function == 16:
        assert answered == asked[:5], "start and quantity"
        assert len(asked) == 6 + 2 * struct.unpack_from(">H", asked, 3)[0], "as many bytes as the quantity says"
