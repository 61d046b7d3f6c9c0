"""What two recorded conversations differ in: bytes, told by register, and reaction times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from bench.replay.exchanges import MBAP, Exchange
from bench.replay.frames import Read, answered, asked_registers, rows_of, value_text
from bench.replay.player import shown
from protocols.powerlogic.tables import Register, models
from protocols.powerlogic.words import signed

UNEXPLAINED = "unexplained"
#: Explains a differing register: row, the words of both sides, and the exchange; empty if nothing explains it.
Explain = Callable[[Register, list[int], list[int], Exchange], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference in bytes.

    Attributes:
        number, line, t: of the exchange in the first trace: from 1, in its file, and when it was asked (ns).
        request: what was asked, in words.
        what: the register, or "answer", or "request".
        first, second: what stands on either side.
        cause: what explains it, or "unexplained".
    """

    number: int
    line: int
    t: int
    request: str
    what: str
    first: str
    second: str
    cause: str = UNEXPLAINED

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Timing:
    """Reaction times of both sides, exchange by exchange (ns)."""

    first: list[int] = field(default_factory=list)
    second: list[int] = field(default_factory=list)
    #: Number of the exchange, and how much later (ns) the second reacted.
    shifts: list[tuple[int, int]] = field(default_factory=list)

    def beyond(self, tolerance: int) -> list[tuple[int, int]]:
        """The shifts that a tolerance (ns) does not cover."""
        return [(number, shift) for number, shift in self.shifts if abs(shift) > tolerance]

    def summary(self) -> dict[str, int]:
        """Median, 95th percentile and maximum of both sides and of the shifts without their signs, in ns."""
        found = {"count": len(self.shifts)}
        sides = {"first": self.first, "second": self.second, "shift": [abs(shift) for _, shift in self.shifts]}
        for name, values in sides.items():
            ranked = sorted(values) or [0]
            found |= {f"{name}_median": round(median(ranked)), f"{name}_p95": ranked[-(len(ranked) // 20) - 1]}
            found[f"{name}_max"] = ranked[-1]
        return found


@dataclass(slots=True)
class Comparison:
    """What comparing came to."""

    exchanges: int = 0
    differences: list[Difference] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)
    #: Exchanges of which a part was cut out, so that their bytes cannot be compared.
    masked: int = 0

    @property
    def unexplained(self) -> list[Difference]:
        """What no cause explains."""
        return [difference for difference in self.differences if difference.cause == UNEXPLAINED]


def compare(
    model: str, first: Sequence[Exchange], second: Sequence[Exchange], explain: Explain | None = None
) -> Comparison:
    """Compare two conversations, exchange by exchange."""
    found = Comparison()
    for one, other in zip(first, second, strict=False):
        found.exchanges += 1
        found.differences += list(differences(model, one, other, explain))
        found.masked += one.masked_answer or one.request.masked
        if one.reaction is not None and other.reaction is not None:
            found.timing.first.append(one.reaction)
            found.timing.second.append(other.reaction)
            found.timing.shifts.append((one.number, other.reaction - one.reaction))
    return found


def differences(model: str, one: Exchange, other: Exchange, explain: Explain | None = None) -> Iterator[Difference]:
    """What one exchange and its counterpart differ in; none where something was cut out."""
    blank = Difference(one.number, one.line, one.request.t, shown(model, one.request.hex), "request", "", "")
    if _bare(one.request.hex, one) != _bare(other.request.hex, other):
        yield replace(blank, first=blank.request, second=shown(model, other.request.hex))
    if one.request.masked or other.request.masked or _same(one, other):
        return
    asked = asked_registers(one)
    left = None if asked is None else answered(asked, one.answer, one.frames)
    right = None if asked is None else answered(asked, other.answer, other.frames)
    if asked is None or left is None or right is None or asked != asked_registers(other):
        if _agrees_visibly(_bare(one.hex, one), _bare(other.hex, other)):
            return
        yield replace(blank, what="answer", first=_answer(model, one), second=_answer(model, other))
        return
    found = _differing_registers(model, asked, left, right, _masked_words(one) | _masked_words(other))
    for what, row, words in found:
        cause = explain(row, *words, one) if explain is not None and row is not None else ""
        first, second = (value_text(row, side) if row else str(signed(side[0])) for side in words)
        yield replace(blank, what=what, first=first, second=second, cause=cause or UNEXPLAINED)


def _differing_registers(
    model: str, asked: range, left: Read, right: Read, masked: set[int]
) -> Iterator[tuple[str, Register | None, tuple[list[int], list[int]]]]:
    """Register by register where a row describes them, word by word elsewhere; cut-out words agree with anything."""
    seen: set[int] = set()
    family = models()[model].family if model in models() else ""
    for row in rows_of(family, asked):
        one, other = left.of(row), right.of(row)
        if one is None or other is None:
            continue
        registers = range(row.number, row.end)
        seen.update(registers)
        if one != other and not masked.intersection(k - asked.start for k in registers):
            yield f"register {row.number} ({row.name})", row, (one, other)
    for k, (mine, theirs) in enumerate(zip(left.words, right.words, strict=True)):
        number = asked.start + k
        if mine != theirs and number not in seen and k not in masked:
            part = next(iter(rows_of(family, range(number, number + 1))), None)
            yield f"register {number}{f' (part of {part.name})' if part else ''}", part, ([mine], [theirs])


def _same(one: Exchange, other: Exchange) -> bool:
    if one.frames != other.frames:
        return False
    left, right = _bare(one.hex, one), _bare(other.hex, other)
    return left == right


def _agrees_visibly(left: str, right: str) -> bool:
    """Whether two answers agree in every byte of which neither was cut out."""
    pairs = [(left[k : k + 2], right[k : k + 2]) for k in range(0, max(len(left), len(right)), 2)]
    return len(left) == len(right) and all(a == b or "xx" in (a, b) for a, b in pairs)


def _bare(text: str, exchange: Exchange) -> str:
    """Without the number of a Modbus TCP frame, which is the client's."""
    return text[4:] if exchange.frames == MBAP else text


def _masked_words(exchange: Exchange) -> set[int]:
    """The places of a read answer's words of which something was cut out."""
    head = 9 if exchange.frames == MBAP else 3
    text = exchange.hex[2 * head :]
    return {k // 4 for k in range(len(text)) if text[k] == "x"}


def _answer(model: str, exchange: Exchange) -> str:
    return shown(model, exchange.hex, "rx") if exchange.answers else "no answer"
