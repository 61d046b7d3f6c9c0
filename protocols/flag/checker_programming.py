"""What the checker makes of a visit: commands, answers, partial blocks, data stream (6.3.7 to 6.3.12, 6.4.7)."""

from __future__ import annotations

import re

from protocols.flag import checker_forms as forms
from protocols.flag import checker_sets as sets
from protocols.flag.checker_messages import MS, Kind, Message
from protocols.flag.checker_sign_on import ELSTER_MAKER, asked_again, remember
from protocols.flag.checker_talk import GIVE_UP_LONG, GIVE_UP_SHORT, TR_LONG, Asked, State, Talk
from protocols.flag.stream import BLOCK, crc16

_PARTIAL_WRITES, _PARTIAL = ("W3", "W4"), ("R3", "W3", "R4", "W4")
_PACKET = re.compile(rb"([0-9]{3})([0-9A-F]{3})\(([0-9A-F]*)\)")
_MOST_BYTES = 0x40
_SECOND = 1_000 * MS
_ETX, _EOT = 0x03, 0x04
_END = re.compile(rb"[\x03\x04]")
_ERROR = re.compile(rb"\(([^()]*)\)")
#: What each command may be answered with (Annex A); RD is the data stream's.
_ANSWERS: dict[str, frozenset[str]] = {
    "P": frozenset({"ACK", "NAK", "error", "break"}),
    "W": frozenset({"ACK", "NAK", "error", "break"}),
    "R": frozenset({"data", "NAK", "error", "break"}),
    "E": frozenset({"ACK", "NAK", "error", "data", "break"}),
    "B": frozenset({"ACK"}),
}


def command(talk: Talk, message: Message) -> None:
    """A command of the host."""
    data = bytes(message.data)
    end = talk.last_end()
    talk.react(message, talk.device_end, limit=False)
    talk.silence = message.start - end if end is not None else None
    talk.gone |= talk.silence is not None and talk.silence >= GIVE_UP_SHORT
    name, body, more = _parsed(data)
    if talk.state is State.READ_OUT and talk.mode not in "AB" and name != "B0":
        talk.breach("turn.unexpected", message, f"{name} behind a readout of mode C")
    talk.escaped = False
    talk.context.stream = name == "RD"
    if name == "P0":
        talk.breach("command.side", message, name)
    if name == "B0":
        talk.restart()
        talk.after_break = True
        return
    again = talk.asked if (name, body) == (talk.asked.name, talk.asked.data) else None
    if not message.masked and message.whole:
        _contents(talk, message, name, body, more=more)
    _partial_write(talk, message, name, body, more=more, again=again is not None)
    if name == "RD":
        _begin_stream(talk, body)
    talk.asked = Asked(name, body, more, message.sound)
    talk.parts, talk.block, talk.block_more, talk.repeats, talk.repeating = b"", b"", False, 0, False
    talk.state = State.ASKED


def _parsed(data: bytes) -> tuple[str, bytes, bool]:
    """Name, data and whether more follows; of a broken command as much as there is."""
    name = data[1:3].decode("ascii", "replace")
    end = _END.search(data, 3)
    body = data[3 : end.start() if end else len(data)]
    return name, body.removeprefix(b"\x02"), end is not None and end[0] == b"\x04"


def _contents(talk: Talk, message: Message, name: str, body: bytes, *, more: bool) -> None:
    partial = name in _PARTIAL_WRITES and (more or talk.write_address is not None)
    if more and name not in _PARTIAL:
        talk.breach("partial.command", message, name)
    if name[:1] in "RW" and name != "RD" and body and not partial:
        talk.found(message, sets.programming(body))
    if name in {"R1", "W1"} and talk.offer.maker == ELSTER_MAKER:
        _packet(talk, message, name, body)


def _packet(talk: Talk, message: Message, name: str, body: bytes) -> None:
    found = _PACKET.fullmatch(body)
    sound = found is not None and found[2] != b"000"
    if sound and found is not None:
        digits = found[3]
        sound = int(digits or b"0", 16) <= _MOST_BYTES if name == "R1" else len(digits) <= 2 * _MOST_BYTES
        sound = sound and (len(digits) == 2 if name == "R1" else not len(digits) % 2)  # noqa: PLR2004  # hex of a byte
    if not sound:
        talk.breach("elster.address", message, f"{name} {body.partition(b'(')[0][:24]!r}")


def _partial_write(talk: Talk, message: Message, name: str, body: bytes, *, more: bool, again: bool) -> None:
    """The address stands in the first block of a partial write, and only there; a repeated block is the same."""
    if name not in _PARTIAL_WRITES:
        talk.write_address = None
        return
    address, bracket, _ = body.partition(b"(")
    if talk.write_address is None:
        if not bracket:
            talk.breach("partial.address", message, f"{name} has none")
    elif bracket and address == talk.write_address and not again:
        talk.breach("partial.address", message, f"{name} has {address!r} again")
    first = talk.write_address if talk.write_address is not None else address
    talk.write_address = first if more else None


def answer(talk: Talk, message: Message) -> None:
    """An answer of the device to a command, or the next partial block."""
    asked = talk.asked
    talk.react(message, talk.host_end)
    if talk.silence is not None and talk.silence - talk.tolerance > GIVE_UP_LONG:
        talk.breach("inactivity.long", message, f"{talk.silence / _SECOND:.0f} s")
    talk.silence, talk.gone = None, False
    kind = _kind(asked, message)
    if not asked.sound and kind in {"ACK", "data"}:
        talk.breach("ack.unfounded", message, f"{asked.name} is damaged and was answered with {kind}")
    if asked.sound and kind == "NAK":
        talk.breach("nak.unfounded", message, asked.name)
    if asked.name[:1] in _ANSWERS and kind not in _ANSWERS[asked.name[:1]]:
        talk.breach("answer.kind", message, f"{asked.name} was answered with {kind}")
    talk.state = State.READY
    if message.kind is Kind.BLOCK:
        _block(talk, message, kind)
    elif kind == "break" or asked.name == "B1":
        talk.restart()


def _kind(asked: Asked, message: Message) -> str:
    if message.kind is Kind.COMMAND:
        return "break" if bytes(message.data[1:3]) == b"B0" else "a command"
    if message.kind in {Kind.ACK, Kind.NAK}:
        return message.kind.name
    found = _ERROR.fullmatch(_between(message))
    if asked.name[:1] in "RE":
        return "error" if found and found[1][:2] == b"ER" else "data"
    return "error" if found else "data"


def _between(message: Message) -> bytes:
    """What stands between STX and the end mark, also of a block without a check character."""
    data = bytes(message.data[1:])
    end = _END.search(data)
    return data[: end.start()] if end else data


def _block(talk: Talk, message: Message, kind: str) -> None:
    body = _between(message)
    more = message.whole and message.data[-2] == _EOT
    remember(talk, message)
    talk.block_more = more
    if more and talk.asked.name not in _PARTIAL:
        talk.breach("partial.command", message, f"the answer to {talk.asked.name}")
    if message.masked or not message.whole:
        return
    if kind == "error":
        talk.found(message, forms.error(body[1:-1].decode("ascii", "replace")))
        return
    if message.sound:
        talk.parts += body
    if not more and message.sound:
        talk.found(message, sets.programming(talk.parts))
        talk.parts = b""
        _count(talk, message, body)


def _count(talk: Talk, message: Message, body: bytes) -> None:
    """A packet has as many bytes as were asked for."""
    found = _PACKET.fullmatch(talk.asked.data)
    if talk.asked.name != "R1" or talk.offer.maker != ELSTER_MAKER or not found or not found[3]:
        return
    wanted, got = int(found[3], 16), (len(body) - 2) // 2
    if got != wanted:
        talk.breach("elster.count", message, f"{got} bytes where {wanted} were asked for")


def challenge(talk: Talk, message: Message) -> None:
    """P0 behind an option select."""
    talk.react(message, talk.host_end)
    name, _, _ = _parsed(bytes(message.data))
    if name != "P0":
        talk.breach("command.side", message, name)
    if not talk.option_sound:
        talk.breach("fallback.wrong", message, name)
    elif talk.mode == "0":
        talk.breach("mode.answer", message, f"{name} where a readout was chosen")
    talk.state = State.READY


def next_part(talk: Talk, message: Message) -> None:
    """The host's ACK inside a partial read: the next block is due."""
    if not talk.block_more:
        talk.breach("turn.unexpected", message, "an ACK")
        return
    talk.react(message, talk.device_end)
    if not talk.block_sound:
        talk.breach("ack.unfounded", message, "a block with a wrong check character")
    talk.state = State.ASKED


def part_again(talk: Talk, message: Message) -> None:
    """The host's NAK: the last answer again."""
    if not talk.block:
        talk.breach("turn.unexpected", message, "a NAK")
        return
    asked_again(talk, message)
    talk.state = State.ASKED


def _begin_stream(talk: Talk, body: bytes) -> None:
    talk.stream_number = 0
    found = re.fullmatch(rb"[0-9]{3}[0-9A-F]{3}\(([0-9A-F]{2,4})\)", body)
    talk.stream_count = int(found[1], 16) if found else 0


def stream_block(talk: Talk, message: Message) -> None:
    """A block of the data stream."""
    if talk.state is State.ASKED:
        talk.react(message, talk.host_end)
        if not talk.asked.sound:
            talk.breach("ack.unfounded", message, "RD is damaged and was answered with data")
    elif talk.device_end is not None and message.start - talk.device_end - talk.tolerance >= TR_LONG:
        talk.breach("stream.gap", message, f"{(message.start - talk.device_end) / MS:.1f} ms")
    if not message.whole:
        talk.state = State.READY
        return
    data = bytes(message.raw)
    number = int.from_bytes(data[1:3], "little")
    talk.stream_number += 1
    if number != talk.stream_number & 0xFFFF:
        talk.breach("stream.number", message, f"{number} where {talk.stream_number} belongs")
        talk.stream_number = number
    if crc16(data[:-2]) != int.from_bytes(data[-2:], "little"):
        talk.breach("stream.crc", message, f"block {number}")
    _marked(talk, message, number)


def _marked(talk: Talk, message: Message, number: int) -> None:
    mark = message.raw[-3]
    if mark not in (_ETX, _EOT):
        talk.breach("stream.mark", message, f"block {number} ends with {mark:02X}")
    if mark != _EOT and message.raw[3] != BLOCK - 1:
        talk.breach("stream.length", message, f"block {number} has {message.raw[3] + 1} bytes")
    talk.state = State.STREAMING if mark == _ETX else State.READY
    if mark == _EOT and talk.stream_count not in {0, number}:
        talk.breach("stream.count", message, f"{number} where {talk.stream_count} were asked for")


def stray_block(talk: Talk, message: Message) -> None:
    """A block of a data stream that is over."""
    if not message.whole:
        return
    if talk.escaped:
        if talk.host_end is not None and message.start >= talk.host_end:
            talk.breach("stream.escape", message)
        return
    talk.breach("stream.last", message)
    talk.stream_number += 1


def escape(talk: Talk, message: Message) -> None:
    """ESC ends a data stream."""
    if talk.mode != "6":
        talk.breach("turn.unexpected", message, "an ESC")
        return
    talk.escaped = True
    talk.state = State.READY
