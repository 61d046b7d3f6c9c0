"""How a meter's firmware goes about the frames of IEC 62056-21: times, check characters, what it compares.

A healthy meter has the defaults. A firmware defect replaces one of them (`simulators/faults/elster_*.py`), a profile
sets the times that no document gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocols.flag import stream
from protocols.flag.frames import Command, bcc

_MS = 1_000_000
_SECOND = 1_000 * _MS


def same_address(own: bytes, asked: bytes) -> bool:
    """Whether two addresses are one: leading zeros do not count, and all-zero equals all-zero (6.3.1 item 22)."""
    return own.lstrip(b"0") == asked.lstrip(b"0")


def offered_speed(offered: str, asked: str) -> bool:
    """Whether an option select message asks for a speed that may be had: the one offered, or to stay (6.4.3.2)."""
    return asked in {offered, "0"}


def bcc_of(frame: bytes) -> int:
    """The block check character of a frame from its SOH or STX up to its end mark."""
    return bcc(frame[1:])


@dataclass(slots=True)
class Habits:
    """Decisions of a meter's firmware about frames. Times in ns.

    Attributes:
        reaction: tr, from the end of a message to the start of the answer.
        patience: tt, how long it waits for an option select message before it reads out by itself.
        inactivity: after how much silence it goes back to the start.
        gap: the longest silence inside a message, ta.
        stream_gap: from one block of a data stream to the next.
        noise_prolongs: whether any character puts off the end of a visit, and not whole messages only.
        awake: "always" for one that needs no wake-up; "slow" and "fast" need NULs (Annex B).
        wake_gap: the longest silence between NULs that still make one wake-up.
        wake_look: how often one that is woken fast looks at the line; 0 is always.
        command_check: the check character that it expects of a command.
        answer_check: the check character that it gives to what it sends.
        checks: whether it compares the check character at all.
        parity: whether it refuses characters with a parity error.
        same_address: how it compares addresses.
        takes_speed: whether it takes the speed of an option select message; given what it offered and what is asked.
        falls_back: whether a bad or missing option select leads to a readout.
        repeats: what it makes of a NAK in a readout: "block", "nothing" or "next".
        error_check: whether an error message has its check character.
        error_as_nak: whether it says NAK where an error message belongs.
        error_text: the text of an error message; given the right one.
        obeys_damaged: whether it says NAK to a damaged command and obeys it all the same.
        denies: whether it says NAK to a command that it has carried out; given the command.
        repeats_reply: whether it answers an accepted password with its operand and not with ACK.
        break_answer: what it says to a break.
        stream_data: an object before it is cut into the blocks of a data stream.
        stream_check: the CRC of a stream block's bytes.
        stream_marks: end marks of a block that is followed by others, and of the last one.
        stream_breaks: whether ESC ends a data stream.
        pause: (after how many characters, for how long in ns) it pauses inside a block; None not at all.
        forgets: whether the level ends with the visit.
        address_in_each: whether it expects the address in every partial block of a write.
        more_mark: whether it marks partial blocks with EOT.
    """

    reaction: int = 300 * _MS
    patience: int = 1_900 * _MS
    inactivity: int | None = 90 * _SECOND
    gap: int = 1_500 * _MS
    stream_gap: int = 145 * _MS
    noise_prolongs: bool = False
    awake: str = "always"
    wake_gap: int = 500 * _MS
    wake_look: int = 0
    command_check: Callable[[bytes], int] = bcc_of
    answer_check: Callable[[bytes], int] = bcc_of
    checks: bool = True
    parity: bool = True
    same_address: Callable[[bytes, bytes], bool] = same_address
    takes_speed: Callable[[str, str], bool] = offered_speed
    falls_back: bool = True
    repeats: str = "block"
    error_check: bool = True
    error_as_nak: bool = False
    error_text: Callable[[str], str] = lambda text: text
    obeys_damaged: bool = False
    denies: Callable[[Command], bool] = lambda _command: False
    repeats_reply: bool = False
    break_answer: bytes = b""
    stream_data: Callable[[bytes], bytes] = lambda data: data
    stream_check: Callable[[bytes], int] = stream.crc16
    stream_marks: tuple[int, int] = (0x03, 0x04)
    stream_breaks: bool = True
    pause: tuple[int, int] | None = None
    forgets: bool = True
    address_in_each: bool = False
    more_mark: bool = True
