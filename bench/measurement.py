"""The record of a measurement: a value with its unit, its limits, its uncertainty and its verdict.

One record is one line of `measurements.jsonl`. Numbers are `Decimal` or `int`, and a Decimal keeps every digit on the
way into a file and back: it is written as a string, and its unit (at least "1") tells it from a word, which has none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from json import JSONEncoder
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from bench.verdicts import Number, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Value: TypeAlias = Decimal | int | str | bool | None
"""What can be measured: a number, a word, yes or no, or None when nothing came."""


class Unit(StrEnum):
    """The units a measurement can have: a closed list and no arithmetic. Words and codes have none, ratios have ONE."""

    NONE = ""
    ONE = "1"
    WH = "Wh"
    KWH = "kWh"
    VARH = "varh"
    KVARH = "kvarh"
    VAH = "VAh"
    KVAH = "kVAh"
    W = "W"
    KW = "kW"
    VAR = "var"
    KVAR = "kvar"
    VA = "VA"
    KVA = "kVA"
    V = "V"
    A = "A"
    HZ = "Hz"
    S = "s"
    MS = "ms"
    PERCENT = "%"
    DEGREE = "°"


def decimal_of(value: float, digits: int) -> Decimal:
    """A float with the digits it is worth: `decimal_of(0.1 + 0.2, 3)` is `Decimal("0.300")`.

    Args:
        value: any float, for example one decoded from an IEEE 754 register.
        digits: how many digits after the point are meant.
    """
    return Decimal(f"{value:.{digits}f}")


def seconds(t_ns: int) -> str:
    """Bench time in nanoseconds as exact decimal seconds: 1_500_000_000 is "1.500000000"."""
    sign, t_ns = ("-", -t_ns) if t_ns < 0 else ("", t_ns)
    return f"{sign}{t_ns // 1_000_000_000}.{t_ns % 1_000_000_000:09d}"


def plain(value: Value) -> str:
    """A value as people read it: all digits and no exponent, yes and no for flags, a dash when nothing came."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    readable = isinstance(value, Decimal) and abs(value.adjusted()) < _MOST_DIGITS
    return format(value, "f") if readable else str(value)


_MOST_DIGITS = 40  # beyond them an exponent is easier to read, and 1E+999999 would fill a page
_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One judged value, as it stands in `measurements.jsonl`.

    Attributes:
        scenario: pytest node id.
        device: id of the device in the station file, None if the value belongs to none.
        rule: how it was judged: is, is_not, one_of, between, at_least, at_most, within, zones; empty if it was not.
        expected: what `is_`, `is_not` and `within` compared with; for `one_of` the list in words.
        low, high: the limits; None is open.
        outer_low, outer_high: beyond them the value certainly fails (rule zones only).
        expanded_u: expanded uncertainty U in `unit`, coverage factor `k`.
        t: bench time in seconds with nine decimals, as text so that no reader rounds it.
        trace: file of the run folder that holds the wire trace, if one was taken.
    """

    scenario: str
    name: str
    value: Value
    verdict: Verdict
    t: str
    unit: Unit = Unit.NONE
    device: str | None = None
    rule: str = ""
    expected: Value = None
    low: Number | None = None
    high: Number | None = None
    low_included: bool = True
    high_included: bool = True
    outer_low: Number | None = None
    outer_high: Number | None = None
    expanded_u: Number | None = None
    k: int = 2
    note: str = ""
    trace: str = ""

    def to_json(self) -> str:
        """One line, no line end. A Decimal is a string and survives exactly; fields at their default are left out."""
        row = zip(_FIELDS, _values(self), _DEFAULTS, strict=True)
        return _encode({name: value for name, value, default in row if value is not default})

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Measurement:
        """The measurement that a line of `measurements.jsonl` holds; KeyError or ValueError for a foreign one."""
        known = {name: row[name] for name in _FIELDS if name in row}
        known["unit"] = unit = Unit(row.get("unit", ""))
        known["verdict"] = Verdict(row["verdict"])
        known["value"] = _value_of(row.get("value"), unit)
        known.update({name: _number_of(row[name]) for name in _LIMIT_FIELDS if name in row})
        if row.get("rule") != "one_of":
            known["expected"] = _value_of(row.get("expected"), Unit.ONE if row.get("rule") == "within" else unit)
        return cls(**known)

    @property
    def limits(self) -> str:
        """What was asked of the value, in words: "100 … 200", "≥ 5", "50 ± 0.5"; empty if nothing was."""
        return _LIMITS[self.rule](self)


_FIELDS = tuple(f.name for f in fields(Measurement))
_DEFAULTS = tuple(f.default for f in fields(Measurement))
_values = attrgetter(*_FIELDS)
_LIMIT_FIELDS = ("low", "high", "outer_low", "outer_high", "expanded_u")


def _number_of(raw: Any) -> Number:
    return Decimal(raw) if isinstance(raw, str) else int(raw)


def _value_of(raw: Value, unit: Unit) -> Value:
    """A Decimal always has a unit (at least ONE) and a word never: so the unit tells the two strings apart."""
    if not (unit and isinstance(raw, str)):
        return raw
    try:
        return Decimal(raw)
    except InvalidOperation:  # a number was compared with a word
        return raw


def _band(low: Number | None, high: Number | None, low_included: bool, high_included: bool) -> str:  # noqa: FBT001  # private
    if low is not None and high is not None and low_included and high_included:
        return f"{plain(low)} … {plain(high)}"
    parts = []
    if low is not None:
        parts.append(f"{'≥' if low_included else '>'} {plain(low)}")
    if high is not None:
        parts.append(f"{'≤' if high_included else '<'} {plain(high)}")
    return " and ".join(parts)


def _inner_band(m: Measurement) -> str:
    return _band(m.low, m.high, m.low_included, m.high_included)


def _tolerance(m: Measurement) -> str:
    if m.high is None or not isinstance(m.expected, Decimal | int):
        return f"near {plain(m.expected)}"
    return f"{plain(m.expected)} ± {plain(m.high - m.expected)}"


def _zones(m: Measurement) -> str:
    outer = _band(m.outer_low, m.outer_high, low_included=True, high_included=True)
    return f"{_inner_band(m)} (fails outside {outer})"


_LIMITS: dict[str, Callable[[Measurement], str]] = {
    "": lambda _: "",
    "is": lambda m: f"= {plain(m.expected)}",
    "is_not": lambda m: f"≠ {plain(m.expected)}",
    "one_of": lambda m: f"one of {plain(m.expected)}",
    "between": _inner_band,
    "at_least": _inner_band,
    "at_most": _inner_band,
    "within": _tolerance,
    "zones": _zones,
}


def table_of(measurements: Iterable[Measurement]) -> str:
    """Measurements as aligned columns of plain text, one a line; empty if there are none."""
    rows = [
        (m.verdict.words.upper(), m.name, f"{plain(m.value)} {m.unit}".rstrip(), m.limits, m.device or "", m.note)
        for m in measurements
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
