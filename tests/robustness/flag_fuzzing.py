"""Inputs for a FLAG meter that is to be fuzzed, and what it may do: written from the standard, not from the server.

What is said fits the place in the conversation more often than not, so that visits get far: requests, option selects,
log-ins with the right password, reads and writes of identities that exist. Half of it is damaged then, or belongs to
another place. Clauses are those of IEC 62056-21.
"""

from __future__ import annotations

import random
import re
from functools import reduce
from operator import xor

from protocols.flag.login import reply_to

PASSWORD = b"00000000"
OUTSTATION = b"094"
_IDENTITIES = (507, 508, 509, 510, 543, 545, 550, 551, 554, 576, 605, 606, 614, 616, 655, 667, 680, 691, 724, 777, 778,
               795, 798, 861, 863, 878, 998, 1, 999)  # fmt: skip
_REQUESTS = (
    b"/?!\r\n",
    b"/?094!\r\n",
    b"/?94!\r\n",
    b"/?00094!\r\n",
    b"/?017!\r\n",
    b"/?" + b"0" * 40 + b"!\r\n",
    bytes(70),
)
_OPTIONS = (
    b"\x06051\r\n",
    b"\x06051\r\n",
    b"\x06056\r\n",
    b"\x06050\r\n",
    b"\x06000\r\n",
    b"\x06091\r\n",
    b"\x06252\r\n",
)
#: A sound command that may change a meter (6.3.7): right form, right check character, no parity error.
_CHANGE = re.compile(rb"\x01[WE]([0-9])\x02[\x20-\x7f]*[\x03\x04]([\x00-\x7f])")
_LOGIN = re.compile(rb"\x01P2\x02\(([0-9A-Fa-f]{16})\)\x03([\x00-\x7f])")
_CHALLENGE = re.compile(rb"\x01P0\x02\(([0-9A-F]{16})\)\x03")
_ANSWERS = re.compile(
    rb"\x06|\x15|/GEC5[ -~]{1,16}\r\n|\x01P0\x02\([0-9A-F]{16}\)\x03[\x00-\x7f]"
    rb"|\x02[\x20-\x7f\r\n]*[\x03\x04][\x00-\x7f]"
)


def check_character(block: bytes) -> int:
    """What 6.2 makes of a block without its first character."""
    return reduce(xor, block, 0) & 0x7F


def framed(data: bytes) -> bytes:
    return data + bytes((check_character(data[1:]),))


def sound(match: re.Match[bytes]) -> bool:
    return match[0][-1] == check_character(match[0][1:-1])


class Talk:
    """An endless conversation with one meter.

    Args:
        seed: of everything that is drawn.
    """

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.challenge = bytes(8)
        #: Whether a right password was sent and accepted in this visit.
        self.logged_in = False
        #: Everything that was said in this visit.
        self.visit = bytearray()

    def heard(self, answer: bytes) -> None:
        """What the meter said: its challenge is needed for the log-in."""
        found = _CHALLENGE.match(answer)
        if found:
            self.over()
            self.challenge = bytes.fromhex(found[1].decode())

    def says(self, place: str) -> bytes:
        """The next input at a place of the conversation: START, OFFERED, READ_OUT or VISIT."""
        draw = self.draw
        if draw.random() < 0.05:
            return draw.randbytes(draw.choice((1, 3, 30, 300)))
        place = place if draw.random() < 0.9 else draw.choice(("START", "OFFERED", "READ_OUT", "VISIT"))
        message = self._fitting(place)
        return self._damaged(message) if draw.random() < 0.25 else message

    def _fitting(self, place: str) -> bytes:
        draw = self.draw
        if place == "START":
            return draw.choice(_REQUESTS)
        if place == "OFFERED":
            return draw.choice(_OPTIONS)
        if place == "READ_OUT":
            return draw.choice((b"\x06", b"\x15", b"\x15", b"\x01B0\x03q"))
        return self._command()

    def _command(self) -> bytes:
        draw = self.draw
        kind = draw.random()
        if not self.logged_in and kind < 0.5:
            return framed(b"\x01P2\x02(" + self._reply().hex().upper().encode() + b")\x03")
        if kind < 0.54:
            return draw.choice((framed(b"\x01B0\x03"), framed(b"\x01B1\x03"), b"\x06", b"\x15", b"\x1b"))
        name = draw.choice((b"R1", b"W1", b"W1", b"E2", b"RD", b"R5", b"W3", b"P1", b"R9", b"Q1"))
        if draw.random() < 0.4:
            return framed(b"\x01W1\x02" + self._right_write() + b"\x03")
        identity, packet = draw.choice(_IDENTITIES), draw.choice((1, 1, 1, 2, 0, 0xFFF))
        size = draw.choice((0, 1, 1, 2, 4, 7, 8, 12, 16, 64, 70))
        data = draw.choice((draw.randbytes(size), bytes(size), b"\x01" * size)).hex().upper().encode()
        if name in {b"R1", b"RD"}:
            data = b"%02X" % draw.choice((0, 1, 8, 0x10, 0x40, 0x41, 0xFF))
        end = b"\x03" if draw.random() < 0.95 else b"\x04"
        return framed(b"\x01" + name + b"\x02%03d%03X(" % (identity, packet) + data + b")" + end)

    def _right_write(self) -> bytes:
        """Something that a meter may well store."""
        identity, size = self.draw.choice(((795, 8), (576, 12), (795, 16)))
        text = "".join(self.draw.choices("ABCDEFGH 0123", k=size)).encode()
        return b"%03d001(%s)" % (identity, text.hex().upper().encode())

    def _reply(self) -> bytes:
        draw = self.draw
        return draw.choice((reply_to(self.challenge, PASSWORD), bytes(8), draw.randbytes(8)))

    def _damaged(self, message: bytes) -> bytes:
        draw = self.draw
        data = bytearray(message)
        at = draw.randrange(len(data))
        kind = draw.randrange(5)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = draw.randbytes(draw.choice((1, 2, 200)))
        elif kind == 3:
            data[at] = draw.choice((0, 1, 2, 3, 4, 6, 0x15, 0x1B, 0x80, 0xFF))
        else:
            data += self._fitting(draw.choice(("START", "OFFERED", "VISIT")))
        return bytes(data)

    def over(self) -> None:
        """The visit is over: whatever is said now, nobody is logged in."""
        self.logged_in = False
        self.visit.clear()

    def writes(self) -> int:
        """How many sound writes and executions were said in this visit."""
        return sum(sound(found) for found in _CHANGE.finditer(self.visit))

    def has_logged_in(self) -> bool:
        """Whether a log-in with the right password was said in this visit."""
        right = reply_to(self.challenge, PASSWORD)
        found = (each for each in _LOGIN.finditer(self.visit) if sound(each))
        return any(bytes.fromhex(each[1].decode()) == right for each in found)


def check_stream(block: bytes) -> None:
    """The first block of a data stream: its number, its length, its end mark and its CRC."""
    assert block[:3] == b"\x02\x01\x00"
    assert len(block) == 4 + block[3] + 1 + 3
    assert block[-3] in (3, 4)
    value = 0
    for byte in block:  # over the CRC itself nothing is left
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    assert value == 0, "the CRC of a block is wrong"


def check_answer(answer: bytes) -> None:
    """One message of a device outside of a data stream: one of its forms, with its check character."""
    assert _ANSWERS.fullmatch(answer), f"{answer[:60]!r} is no message of a device"
    if answer[:1] in (b"\x01", b"\x02"):
        assert answer[-1] == check_character(answer[1:-1]), f"{answer[:60]!r} has a wrong check character"
