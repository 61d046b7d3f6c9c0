"""Cutting secrets out of a trace before it is written.

Two kinds of secret. A *pattern* is a string of bytes (a password, a serial number in one of its forms): it is found
wherever the line has cut it into pieces. A *hidden register* is a place: its words are cut out of every read answer and
every write, whatever they are.

In FLAG a third: whoever has heard a meter's challenge and the reply to it has the password, so replies and passwords
(P1, P2) are cut out of every trace, with the check character that is over them.

A check sum tells sixteen bits of what it is over. So in an RTU answer or request nothing that stands behind a secret is
shown either, the check sum included; who replays such a trace computes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

#: Instant (ns), direction, bytes (of a note: its text), and by which port.
Event: TypeAlias = tuple[int, Literal["tx", "rx", "note"], bytes, str]

#: Bytes in front of the unit in a Modbus TCP frame.
_MBAP_HEAD = 6
#: More events than any client lets pass between a request and its answer.
_AHEAD = 128
#: More than any request asks for.
_MOST_REGISTERS = 128
_READS, _WRITE_ONE, _WRITE_MANY, _MASK_WRITE, _READ_WRITE = (3, 4), 6, 16, 22, 23
_READ_WRITE_BYTE = bytes((_READ_WRITE,))
#: A password or a reply to a challenge in FLAG with its check character, also one of whose head the line has changed a
#: character: behind STX a bracket stands in no other command.
_LOGIN = re.compile(rb"(?:\x01P[12].|\x01P[^0]\x02(?=\()|\x01.[12]\x02(?=\()|P[12]\x02)([^\x03]*(?:\x03.)?)", re.DOTALL)
#: What a meter may answer to something hidden; whatever else comes then can be a damaged echo of it.
_CLEAN_ANSWER = re.compile(rb"(?:\x01P[12]\x02[^\x03]*\x03.|[\x06\x15]|\x02\(ERR[0-9]{0,2}\)\x03.)*", re.DOTALL)
#: A write to an identity; the same with the identity's number in its place.
_WRITTEN = rb"\x01W.\x02(?:%s)[0-9A-Fa-f]{3}\(([^\x03]*(?:\x03.)?)"
#: One of them that has begun and of which the end, with its check character, has not come yet.
_BEGUN = re.compile(rb"\x01([PW](.(\x02[^\x03]*\x03?)?)?)?$", re.DOTALL)
#: Every byte without its top bit, which marks a wrong parity.
_SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))


@dataclass(slots=True)
class Masks:
    """What is hidden in one trace.

    Args:
        frames: "rtu", "mbap", "flag", or empty where frames are not known.
        registers: the hidden registers, as the manuals number them; in FLAG the hidden identities.
    """

    frames: str = ""
    registers: frozenset[int] = frozenset()
    _secrets: list[bytes] = field(default_factory=list)
    _beginnings: tuple[bytes, ...] = ()

    def hide(self, secret: bytes) -> None:
        """Hide a pattern from now on; an empty one hides nothing."""
        if secret and secret not in self._secrets:
            self._secrets.append(bytes(secret))
            self._beginnings = tuple({known[:k] for known in self._secrets for k in range(1, len(known))})

    def may_cut(self, events: Sequence[Event]) -> bool:
        """Whether the events can be shown without knowing what follows: neither direction ends within a pattern."""
        if self.frames == "flag" and any(_BEGUN.search(_characters(events, way)) for way in ("tx", "rx")):
            return False
        if not self._beginnings:
            return True
        return not any(_stream(events, way).endswith(self._beginnings) for way in ("tx", "rx"))

    def shown(self, events: Sequence[Event]) -> dict[int, str]:
        """What is to be shown of the events that hold something hidden, by their index.

        It is hexadecimal with `xx` for each hidden byte, or the text of a note.
        """
        if not self._secrets and not self.registers and self.frames != "flag":
            return {}
        hidden: dict[int, set[int]] = {}
        if self.frames == "flag":
            for way in ("tx", "rx"):  # an optical head may send the tool's own words back
                _find_logins(events, way, self.registers, hidden)
            _hide_damaged_echoes(events, hidden)
        for way in ("tx", "rx") if self._secrets else ():
            self._find_patterns(events, way, hidden)
        if self.frames in {"rtu", "flag"} and hidden:
            _hide_what_follows(events, hidden)
        if self.registers and self.frames != "flag":
            self._find_registers(events, hidden)
        noted = [index for index, event in enumerate(events) if event[1] == "note"]
        texts = {index: self._text(events[index], hidden.get(index)) for index in (*hidden, *noted)}
        return {index: text for index, text in texts.items() if text is not None}

    def _text(self, event: Event, hidden: set[int] | None) -> str | None:
        data = event[2]
        if event[1] == "note":
            for secret in self._secrets:
                data = data.replace(secret, b"xx")
            return None if data is event[2] else data.decode(errors="replace")
        if not hidden:
            return None
        return "".join("xx" if k in hidden else f"{byte:02x}" for k, byte in enumerate(data))

    def _find_patterns(self, events: Sequence[Event], way: str, hidden: dict[int, set[int]]) -> None:
        stream = _stream(events, way)
        found = [secret for secret in self._secrets if secret in stream]
        if not found:
            return
        places = {
            place
            for secret in found
            for start in _places(stream, secret)
            for place in range(start, start + len(secret))
        }
        _hide_places(events, way, places, hidden)

    def _find_registers(self, events: Sequence[Event], hidden: dict[int, set[int]]) -> None:
        lowest, highest = min(self.registers), max(self.registers)
        for request, event in enumerate(events):
            if event[1] != "tx":
                continue
            data = event[2]
            head = _MBAP_HEAD if self.frames == "mbap" and not event[3] else 0
            register = int.from_bytes(data[head + 2 : head + 4], "big") + 1
            far = register > highest or register + _MOST_REGISTERS < lowest
            if far and data[head + 1 : head + 2] != _READ_WRITE_BYTE:
                continue
            words = self._words_of(data[head + 1 :])
            if words is None:
                continue
            first_data, asked = words
            if first_data is not None:
                hidden.setdefault(request, set()).update(range(head + 1 + first_data, len(data)))
            pieces = _answers(events, request) or (_answers_by_number(events, request) if head else [])
            self._hide_answer(pieces, data, head, asked, hidden)

    def _words_of(self, pdu: bytes) -> tuple[int | None, range] | None:
        """Of a request that touches a hidden register: where its data begin, and the registers that it reads."""
        function, words = pdu[0] if pdu else 0, [int.from_bytes(pdu[k : k + 2], "big") for k in range(1, 9, 2)]
        start, count = words[0] + 1, words[1]
        read = range(start, start + count)
        if function in _READS:
            return (None, read) if self._touches(read) else None
        if function in (_WRITE_ONE, _MASK_WRITE):
            return (3, range(0)) if start in self.registers else None
        if function == _WRITE_MANY:
            return (6, range(0)) if self._touches(read) else None
        if function == _READ_WRITE:
            written = range(words[2] + 1, words[2] + 1 + words[3])
            return (10, read) if self._touches(read) or self._touches(written) else None
        return None

    def _touches(self, registers: range) -> bool:
        return any(register in registers for register in self.registers)

    def _hide_answer(
        self, pieces: list[tuple[int, bytes]], request: bytes, head: int, asked: range, hidden: dict[int, set[int]]
    ) -> None:
        """Hide everything that came but what is known to be no secret: header, and the words of other registers."""
        came = b"".join(data for _, data in pieces)
        begins = head + 3
        answer = [*request[:4], *came[4:head]] if head else []
        answer += [*request[head : head + 2], 2 * len(asked)]
        shown: set[int] = set()
        if asked and list(came[:begins]) == answer:
            shown = set(range(begins))
            for k, register in enumerate(asked):
                if register not in self.registers:
                    shown |= {begins + 2 * k, begins + 2 * k + 1}
        offset = 0
        for index, data in pieces:
            hidden.setdefault(index, set()).update(k for k in range(len(data)) if offset + k not in shown)
            offset += len(data)


def _stream(events: Sequence[Event], way: str) -> bytes:
    return b"".join([data for _, direction, data, _ in events if direction == way])


def _characters(events: Sequence[Event], way: str) -> bytes:
    """What went one way, whatever the parity was: a log-in with the wrong one tells as much."""
    return _stream(events, way).translate(_SEVEN_BITS)


def _places(stream: bytes, secret: bytes) -> Iterator[int]:
    start = stream.find(secret)
    while start >= 0:
        yield start
        start = stream.find(secret, start + 1)


def _answers(events: Sequence[Event], request: int) -> list[tuple[int, bytes]]:
    """What came behind a request and before the next one, with its index."""
    found = []
    for index in range(request + 1, len(events)):
        _, way, data, _via = events[index]
        if way == "tx":
            break
        if way == "rx":
            found.append((index, data))
    return found


def _answers_by_number(events: Sequence[Event], request: int) -> list[tuple[int, bytes]]:
    """What came behind later requests and bears the number of this one: it was asked ahead, or answered too late."""
    number, via = events[request][2][:2], events[request][3]
    later = enumerate(events[request + 1 : request + 1 + _AHEAD], request + 1)
    return [(index, data) for index, (_, way, data, by) in later if (way, by, data[:2]) == ("rx", via, number)]


def _find_logins(events: Sequence[Event], way: str, identities: frozenset[int], hidden: dict[int, set[int]]) -> None:
    """What P1 and P2 carry and what is written to a hidden identity, with the check characters."""
    stream = _characters(events, way)
    patterns = [_LOGIN]
    if identities:
        numbers = b"|".join(b"%03d" % number for number in sorted(identities))
        patterns.append(re.compile(_WRITTEN % numbers, re.DOTALL))
    places = {place for pattern in patterns for found in pattern.finditer(stream) for place in range(*found.span(1))}
    _hide_places(events, way, places, hidden)


def _hide_damaged_echoes(events: Sequence[Event], hidden: dict[int, set[int]]) -> None:
    """What came after something hidden was sent, unless it is a whole echo and a meter's plain answer."""
    for request, answers in _turns(events):
        if request not in hidden:
            continue
        came = b"".join(events[index][2] for index in answers)
        echoed = events[request][2]
        came = came.removeprefix(echoed)
        if not _CLEAN_ANSWER.fullmatch(came):
            for index in answers:
                hidden.setdefault(index, set()).update(range(len(events[index][2])))


def _hide_places(events: Sequence[Event], way: str, places: set[int], hidden: dict[int, set[int]]) -> None:
    """Hide places of a direction's stream in the events that they belong to."""
    if not places:
        return
    offset = 0
    for index, (_, direction, data, _via) in enumerate(events):
        if direction == way:
            mine = {k for k in range(len(data)) if offset + k in places}
            if mine:
                hidden.setdefault(index, set()).update(mine)
            offset += len(data)


def _turns(events: Sequence[Event]) -> Iterator[tuple[int, list[int]]]:
    """The index of each request with those of what came before the next one."""
    request: int | None = None
    answers: list[int] = []
    for index, (_, way, _data, _via) in enumerate(events):
        if way == "tx":
            if request is not None:
                yield request, answers
            request, answers = index, []
        elif way == "rx":
            answers.append(index)
    if request is not None:
        yield request, answers


def _hide_what_follows(events: Sequence[Event], hidden: dict[int, set[int]]) -> None:
    """From the first hidden pattern of a request, and of an answer in all its pieces, hide everything.

    An answer may have come twice, or with another one: what stands between two patterns can be the check sum of one.
    """
    for request, answers in _turns(events):
        _hide_rest(events, [request], hidden)
        _hide_rest(events, answers, hidden)


def _hide_rest(events: Sequence[Event], turn: Iterable[int], hidden: dict[int, set[int]]) -> None:
    first = min(((index, place) for index in turn for place in hidden.get(index, ())), default=None)
    if first is None:
        return
    for index in turn:
        if index >= first[0]:
            begin = first[1] if index == first[0] else 0
            hidden.setdefault(index, set()).update(range(begin, len(events[index][2])))
