"""A Modbus conversation in words: registers by their names, and an answer by what was asked.

One frame alone says little (`in_words` does that): an answer to a read holds words and not whose they are. The narrator
hears one device's trace from its beginning and remembers the last request.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bench.wire import in_words, pdu_of
from protocols.modbus.pdu import EXCEPTION_BIT, FunctionCode
from protocols.powerlogic.energy import WORDS, Quantity, decode
from protocols.powerlogic.tables import Register, commands, models, register_map
from protocols.powerlogic.words import WordError, decode_date, signed, unpack_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_READS = (FunctionCode.READ_HOLDING_REGISTERS, FunctionCode.READ_INPUT_REGISTERS)
_COMMAND = 8000
#: Rows that are room for whatever is put there, and so have no name worth telling.
_BLOCK = "block"
#: More values than these are counted and not told.
_MOST = 7
_ENERGIES = {quantity.value: quantity for quantity in Quantity}


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that were asked for."""

    first: int
    count: int


class Narrator:
    """Tells the trace of one device.

    Args:
        model: its model as in the header of the trace; of an unknown one frames are told without names.
    """

    def __init__(self, model: str) -> None:
        known = models().get(model)
        self._model = model
        self._family = known.family if known else ""
        self._asked: Block | None = None

    def tell(self, direction: str, data: bytes) -> str:
        """What a frame says, empty where it is none; call it for every frame in turn."""
        found = pdu_of(data)
        plain = in_words(self._model, direction, data)
        if direction == "tx":
            self._asked = None
        if found is None or not self._family or len(found[1]) < 2:  # noqa: PLR2004  # a function code alone
            return plain
        unit, pdu = found
        if pdu[0] & EXCEPTION_BIT:
            return plain
        told = self._request(pdu) if direction == "tx" else self._answer(pdu)
        return f"unit {unit}: {told}" if told else plain

    # -- what was asked ----------------------------------------------------------------------------------------------

    def _request(self, pdu: bytes) -> str:
        register, value = int.from_bytes(pdu[1:3], "big") + 1, int.from_bytes(pdu[3:5], "big")
        if pdu[0] in _READS:
            self._asked = Block(register, value)
            return f"read {self._names(register, value)}"
        if pdu[0] == FunctionCode.WRITE_SINGLE_REGISTER:
            return f"write {self._assigned(register, [value])}"
        if pdu[0] == FunctionCode.WRITE_MULTIPLE_REGISTERS:
            return f"write {self._assigned(register, _words(pdu[6:]))}"
        return ""

    def _names(self, first: int, count: int) -> str:
        """Like "real energy in ... apparent energy total (28 registers from 1700)"."""
        rows = self._rows(first, count)
        where = f"{count} registers from {first}" if count > 1 else f"{first}"
        if not rows or rows[0].kind == _BLOCK:
            return where
        names = _spaced(rows[0]) if len(rows) == 1 else f"{_spaced(rows[0])} ... {_spaced(rows[-1])}"
        return f"{names} ({where})"

    def _assigned(self, first: int, words: Sequence[int]) -> str:
        if first == _COMMAND and words and (name := commands(self._family).get(words[0])):
            return f"command ({_COMMAND}) := {words[0]}, {name.replace('_', ' ')}"
        rows = self._rows(first, len(words))
        name = f"{_spaced(rows[0])} ({first})" if rows and rows[0].kind != _BLOCK else f"{first}"
        values = [str(signed(word)) for word in words]
        more = f" ... ({len(words)} words)" if len(words) > _MOST else ""
        return f"{name} := {' '.join(values[:_MOST])}{more}"

    # -- what came ---------------------------------------------------------------------------------------------------

    def _answer(self, pdu: bytes) -> str:
        words = _words(pdu[2:])
        if self._asked is None or pdu[0] not in _READS or len(words) != self._asked.count:
            return ""
        told = list(islice(self._values(self._asked.first, words), _MOST + 1))
        return "; ".join(told[:_MOST]) + (f" ... ({len(words)} words)" if len(told) > _MOST else "")

    def _values(self, first: int, words: Sequence[int]) -> Iterator[str]:
        """Each row of a block with its value; what no row describes, or only a part of one, as bare words."""
        at = 0
        while at < len(words):
            row = next(iter(self._rows(first + at, 1)), None)
            if row is None or row.kind == _BLOCK or row.number != first + at or row.count > len(words) - at:
                yield f"{first + at} = {signed(words[at])}"
                at += 1
            else:
                yield f"{_spaced(row)} = {_value(row, words[at : at + row.count])}"
                at += row.count

    def _rows(self, first: int, count: int) -> list[Register]:
        return [row for row in register_map(self._family).rows if row.number < first + count and row.end > first]


def _words(data: bytes) -> list[int]:
    return unpack_words(data[: len(data) // 2 * 2])


def _spaced(row: Register) -> str:
    return row.name.replace("_", " ")


def _value(row: Register, words: Sequence[int]) -> str:
    """Energies in their unit, dates as dates, everything else as signed words."""
    numbers = [signed(word) for word in words]
    if row.kind == "energy" and row.count == WORDS:
        unit = _ENERGIES[row.name].unit if row.name in _ENERGIES else ""
        return f"{decode(numbers)} {unit}".rstrip()
    if row.kind == "date":
        return _date(words)
    return " ".join(map(str, numbers))


def _date(words: Sequence[int]) -> str:
    try:
        moment = decode_date(words)
    except WordError:
        return "no date: " + " ".join(f"{word:04X}" for word in words)
    return "none" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
