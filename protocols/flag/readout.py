"""Data sets as text: what stands between STX and ETX of a readout, or of an answer that has the form of one (6.3.4).

A data set is `address(value*unit)`. One without an address belongs to the address before it, in its line or in a line
of its own, as the intervals of a load profile do behind their header. Values stay text: `0001.500` has three decimals,
of which a number would lose two.

Everything is checked: lengths, forbidden characters, the seven-bit set, decimal points, line ends, the final "!". What
is sound is taken in one pass of a regular expression; only what is not is looked at line by line, to say where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import NamedTuple

from protocols.flag.frames import CRLF, ETX, STX, CheckError, FrameError, bcc

#: The longest address, value (in programming mode four times that), unit and line with its CR LF (6.3.4, 6.3.9).
ADDRESS, VALUE, PROGRAMMING_VALUE, UNIT, LINE = 16, 32, 128, 16, 78
_LINE_END = CRLF.decode()
_END = "!" + _LINE_END
#: What may stand in a value or a unit: what can be printed but ( ) * / and !; and in an address, where a billing set is
#: marked with a star, as in 1.8.0*01.
_ALLOWED, _IN_ADDRESS = r"""[ "-'+-.0-~]""", r"""[ "-'*-.0-~]"""


def _sets(value: int) -> re.Pattern[str]:
    return re.compile(
        rf"({_IN_ADDRESS}{{0,{ADDRESS}}}+)\(({_ALLOWED}{{0,{value}}}+)(?:\*({_ALLOWED}{{1,{UNIT}}}+))?+\)(?:\r\n)?+"
    )


_SETS = {value: _sets(value) for value in (VALUE, PROGRAMMING_VALUE)}
#: A set in one piece, address, value, unit, and the rest between sets: what `split` gives for each.
_STRIDE = 4
_LOOSE = re.compile(r"([^()]*)(?:\(([^()]*)\))?")
_FORBIDDEN, _NOT_IN_ADDRESS = re.compile(r"[^ \"-'+-.0-~]"), re.compile(r"[^ \"-'*-.0-~]")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")


class ReadoutError(FrameError):
    """A block is not made of data sets; `line` and `column` count from 1."""

    def __init__(self, line: int, column: int, what: str) -> None:
        super().__init__(f"line {line}, column {column}: {what}")
        self.line, self.column = line, column


class DataSet(NamedTuple):
    """One data set: `address` is empty where it belongs to the one before, `unit` is None where there is none."""

    address: str
    value: str
    unit: str | None = None

    def __str__(self) -> str:
        return f"{self.address}({self.value}{'' if self.unit is None else '*' + self.unit})"


_set = partial(tuple.__new__, DataSet)


@dataclass(frozen=True)
class Readout:
    """The data sets of a block, in their order.

    Attributes:
        text: the block as it came, without the final "!".
        sets: every data set.
    """

    text: str
    sets: Sequence[DataSet]

    @cached_property
    def by_address(self) -> Mapping[str, tuple[DataSet, ...]]:
        """Each address with its own set and those without an address behind it; the first where one comes again."""
        found: dict[str, list[DataSet]] = {}
        mine: list[DataSet] = []
        for each in self.sets:
            if each.address or not found:
                mine = [each]
                found.setdefault(each.address, mine)
            else:
                mine.append(each)
        return MappingProxyType({address: tuple(sets) for address, sets in found.items()})

    def __getitem__(self, address: str) -> DataSet:
        """The first set of an address. Raises KeyError."""
        return self.by_address[address][0]

    def __contains__(self, address: object) -> bool:
        return address in self.by_address

    @property
    def lines(self) -> list[list[DataSet]]:
        """The data sets line by line."""
        pattern = _SETS[PROGRAMMING_VALUE]
        return [[DataSet(*found) for found in _groups(pattern.split(line))] for line in self.text.splitlines()]


def decode_readout(message: bytes) -> Readout:
    """A whole readout message, STX to block check character.

    Raises:
        CheckError: the block check character is wrong.
        ReadoutError: a data set is none; it says where.
        FrameError: it is no block.
    """
    if message[:1] != STX or message[-2:-1] != ETX:
        raise FrameError(f"{message[:16]!r}... is no readout: STX data sets ! CR LF ETX BCC")
    if message[-1] != bcc(message[1:-1]):
        raise CheckError(f"block check character {message[-1]:02X} where the block's is {bcc(message[1:-1]):02X}")
    return parse_readout(message[1:-2])


def parse_readout(block: bytes) -> Readout:
    """What stands between STX and ETX of a readout, the final "!" and CR LF included.

    Raises:
        ReadoutError: a data set is none, or the end is missing; it says where.
    """
    text = _text(block)
    if not text.endswith(_END):
        last = text.count("\n") + 1
        raise ReadoutError(last, len(text) - text.rfind("\n"), 'a readout ends with "!" CR LF')
    return _parsed(text[: -len(_END)], VALUE)


def parse_sets(block: bytes) -> Readout:
    """The data sets of an answer in programming mode: no final "!", and values of up to 128 characters.

    Raises:
        ReadoutError: a data set is none; it says where.
    """
    return _parsed(_text(block), PROGRAMMING_VALUE)


def _text(block: bytes) -> str:
    try:
        return block.decode("ascii")
    except UnicodeDecodeError as error:
        before = block[: error.start]
        what = f"{block[error.start]:02X} is no character of the seven-bit set"
        raise ReadoutError(before.count(b"\n") + 1, error.start - before.rfind(b"\n"), what) from None


def _parsed(text: str, value: int) -> Readout:
    parts = _SETS[value].split(text)
    sound = not any(parts[::_STRIDE]) and "," not in text
    if not sound or not _lines_fit(text, value):
        whole = text.removesuffix(_LINE_END)
        for number, line in enumerate(whole.split(_LINE_END) if text else [], 1):
            _check_line(line, number, value)
        _check_end(text, value)
    return Readout(text, list(map(_set, _groups(parts))))


def _groups(parts: list[str]) -> zip[tuple[str, str, str]]:
    """Address, value and unit of each set."""
    return zip(parts[1::_STRIDE], parts[2::_STRIDE], parts[3::_STRIDE], strict=True)


def _lines_fit(text: str, value: int) -> bool:
    """Lines are not too long, and each line of a readout has its end; an answer is one line or several."""
    ended = value != VALUE or not text or text.endswith(_LINE_END)
    return ended and (value != VALUE or max(map(len, text.split(_LINE_END))) <= LINE - len(_LINE_END))


# -- where it is wrong -----------------------------------------------------------------------------------------------


def _check_end(text: str, value: int) -> None:
    if value == VALUE and text and not text.endswith(_LINE_END):
        raise ReadoutError(text.count("\n") + 1, len(text) - text.rfind("\n"), "the line does not end with CR LF")


def _check_line(line: str, number: int, value: int) -> None:
    """One line without its CR LF.

    Raises:
        ReadoutError: what is wrong with it, and from which column on.
    """
    at = 0
    if not line:
        raise ReadoutError(number, 1, "an empty line")
    while at < len(line):
        found = _LOOSE.match(line, at)
        assert found is not None
        if found[2] is None:
            raise ReadoutError(number, at + 1, _loose_end(line[at:]))
        _check_part(found[1], number, at, "address", ADDRESS)
        _check_inside(found[2], number, found.start(2), value)
        at = found.end()
    if value == VALUE and len(line) > LINE - len(_LINE_END):
        length = len(line) + len(_LINE_END)
        raise ReadoutError(number, LINE - 1, f"a line of {length} characters with its end; it has {LINE} at the most")


def _check_inside(inside: str, number: int, column: int, most: int) -> None:
    """What stands in the brackets."""
    value, star, unit = inside.partition("*")
    _check_part(value, number, column, "value", most)
    if _DECIMAL_COMMA.fullmatch(value):
        raise ReadoutError(number, column + value.index(",") + 1, "a decimal comma; only a point separates decimals")
    column += len(value) + 1
    _check_part(unit, number, column, "unit", UNIT)
    if star and not unit:
        raise ReadoutError(number, column, 'nothing stands behind "*"')


def _check_part(part: str, number: int, column: int, what: str, most: int) -> None:
    wrong = (_NOT_IN_ADDRESS if what == "address" else _FORBIDDEN).search(part)
    if wrong:
        raise ReadoutError(number, column + wrong.start() + 1, f"{wrong[0]!r} may not stand in {_an(what)}")
    if len(part) > most:
        raise ReadoutError(number, column + most + 1, f"{_an(what)} has {most} characters at the most, not {len(part)}")


def _an(what: str) -> str:
    return f"an {what}" if what == "address" else f"a {what}"


def _loose_end(rest: str) -> str:
    if "(" in rest:
        return f"{rest[:16]!r}: a bracket that is not closed"
    return f"{rest[:16]!r} is no data set: address(value*unit)"
