"""The `measure` fixture: take a value, judge it, go on.

`measure("energy in", value, Unit.WH).between(low, high)` records and never ends a scenario, so that one run shows
everything that is wrong with a meter and not only the first thing. The plugin asks for `Measure.worst` when the body
has ended. How a value becomes a verdict is said in `bench/verdicts.py`, what is kept of it in `bench/measurement.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

from bench.measurement import Measurement, Unit, Value, decimal_of, plain, seconds, table_of
from bench.verdicts import Number, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: What a scenario needs; `Unit` and `decimal_of` are of `bench.measurement` and stand here so that it needs one import.
__all__ = ["Check", "Measure", "Unit", "decimal_of"]


class Check:
    """A value that waits for its judgement. Each method records one measurement and returns its verdict.

    No method raises on account of the value, whatever a device has sent: None fails ("no value"), a word where a number
    is needed is an error of the check. Limits in the wrong order are an error too. Only a float limit raises TypeError.
    """

    __slots__ = ("_keep_by", "_row")

    def __init__(self, row: dict[str, Any], keep: Callable[[Check, Measurement], None]) -> None:
        self._row = row
        self._keep_by = keep

    @property
    def unjudged(self) -> Measurement:
        """The value on its own, recorded and never counted as verified."""
        return self._measurement(Verdict.NOT_SET, {})

    def is_(self, expected: Value) -> Verdict:
        """Pass if the value equals `expected`: number with number, word with word, flag with flag."""
        return self._keep(self._equals(_checked(expected)), "is", expected=expected)

    def is_not(self, unwanted: Value) -> Verdict:
        """Pass if a value came and it differs from `unwanted`."""
        equal = self._equals(_checked(unwanted))
        verdict = Verdict.FAIL if _is_void(self._row["value"]) else _OPPOSITE.get(equal, equal)
        return self._keep(verdict, "is_not", expected=unwanted)

    def one_of(self, values: Iterable[Value]) -> Verdict:
        """Pass if the value equals one of `values`; an error if there are none to choose from."""
        allowed = [_checked(value) for value in values]
        verdict = min((self._equals(value) for value in allowed), default=Verdict.ERROR)
        return self._keep(verdict, "one_of", expected=", ".join(map(plain, allowed)))

    def between(self, low: Number, high: Number, *, low_included: bool = True, high_included: bool = True) -> Verdict:
        """Pass from `low` to `high`, both ends included unless told otherwise."""
        included = {"low_included": low_included, "high_included": high_included}
        return self._limit("between", {"low": low, "high": high}, **included)

    def at_least(self, low: Number, *, included: bool = True) -> Verdict:
        """Pass from `low` on; `included=False` asks for more than `low`."""
        return self._limit("at_least", {"low": low}, low_included=included)

    def at_most(self, high: Number, *, included: bool = True) -> Verdict:
        """Pass up to `high`; `included=False` asks for less than `high`."""
        return self._limit("at_most", {"high": high}, high_included=included)

    def within(self, expected: Number, tolerance: Number) -> Verdict:
        """Pass if the value is no further than `tolerance` from `expected`."""
        if not (_is_number(_checked(expected)) and _is_number(_checked(tolerance))):
            return self._keep(Verdict.ERROR, "within", "not a number", expected=expected)
        return self._limit("within", {"low": expected - tolerance, "high": expected + tolerance}, expected=expected)

    def in_zones(self, low: Number, high: Number, *, fail_below: Number, fail_above: Number) -> Verdict:
        """Three zones: pass from `low` to `high`, fail outside `fail_below` to `fail_above`, inconclusive between.

        For limits that are themselves only known roughly, such as what a live load may have added meanwhile.
        """
        return self._limit("zones", {"outer_low": fail_below, "low": low, "high": high, "outer_high": fail_above})

    def _equals(self, expected: Value) -> Verdict:
        value = self._row["value"]
        if _is_number(value) and _is_number(expected):
            return judge(value, self._row["expanded_u"], expected, expected)
        same = value == expected and isinstance(value, bool) == isinstance(expected, bool)
        return Verdict.PASS if same else Verdict.FAIL

    def _limit(self, rule: str, limits: dict[str, Number], **more: Any) -> Verdict:
        """Judge a number by limits given in rising order; `more` are further fields of the measurement."""
        value, u, bounds = self._row["value"], self._row["expanded_u"], list(limits.values())
        more |= limits
        if value is None:
            return self._keep(Verdict.FAIL, rule, "no value", **more)
        if not (_is_number(value) and all(map(_is_number, map(_checked, bounds)))):
            return self._keep(Verdict.ERROR, rule, "not a number", **more)
        if bounds != sorted(bounds):
            return self._keep(Verdict.ERROR, rule, "limits in the wrong order", **more)
        verdict = judge(
            value,
            u,
            more.get("low"),
            more.get("high"),
            low_included=more.get("low_included", True),
            high_included=more.get("high_included", True),
        )
        if rule == "zones" and verdict is Verdict.FAIL:
            outer = judge(value, u, limits["outer_low"], limits["outer_high"])
            verdict = Verdict.FAIL if outer is Verdict.FAIL else Verdict.INCONCLUSIVE
        return self._keep(verdict, rule, **more)

    def _keep(self, verdict: Verdict, rule: str, remark: str = "", **more: Any) -> Verdict:
        if remark:
            more["note"] = "; ".join(filter(None, (self._row["note"], remark)))
        more["rule"] = rule
        self._keep_by(self, self._measurement(verdict, more))
        return verdict

    def _measurement(self, verdict: Verdict, more: dict[str, Any]) -> Measurement:
        row = self._row | more
        bare = row["unit"] is Unit.NONE and not isinstance(row["value"], str)
        if bare and any(isinstance(row.get(name), Decimal) for name in _NUMERIC):
            row["unit"] = Unit.ONE
        return Measurement(verdict=verdict, **row)


_OPPOSITE = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS}
_NUMERIC = ("value", "expected", "low", "high", "outer_low", "outer_high", "expanded_u")
_KEPT = (Decimal, int, str)


def _is_void(value: object) -> bool:
    return value is None or (isinstance(value, Decimal) and value.is_nan())


def _is_number(value: object) -> TypeGuard[Number]:
    if isinstance(value, int):
        return not isinstance(value, bool)
    return isinstance(value, Decimal) and not value.is_nan()


def _checked(value: Any) -> Any:
    """The value itself, if a measurement can hold it; TypeError otherwise."""
    if isinstance(value, Decimal) and value.is_snan():
        return Decimal("NaN")  # a signalling NaN raises wherever it is compared
    if value is None or isinstance(value, _KEPT):
        return value
    hint = ": a float hides its digits, say decimal_of(value, digits)" if isinstance(value, float) else ""
    raise TypeError(f"a measurement is a Decimal, int, str, bool or None, not {type(value).__name__}{hint}")


class Measure:
    """The `measure` fixture of one scenario: it takes values, keeps their verdicts and never ends the scenario.

    Args:
        scenario: pytest node id.
        now: bench time in nanoseconds.
        remark: what is to be noted with a value of a device, such as that a read had to be repeated for it.
    """

    def __init__(
        self, scenario: str, now: Callable[[], int], remark: Callable[[str | None], str] = lambda _device: ""
    ) -> None:
        self.scenario = scenario
        self.traces: dict[str, str] = {}
        """Wire trace by device id; whoever opens a trace enters it here and later measurements refer to it."""
        self._now = now
        self._remark = remark
        self._entries: list[Measurement | Check] = []
        self._flushed = 0

    def __call__(
        self,
        name: str,
        value: Value,
        unit: Unit = Unit.NONE,
        *,
        device: str | None = None,
        expanded_u: Number | None = None,
        k: int = 2,
        note: str = "",
    ) -> Check:
        """Take one value; the method called on the result judges it.

        Args:
            name: what was measured, as a reader of the report knows it.
            value: Decimal, int, word, flag, or None if nothing came; a float raises TypeError.
            unit: its unit; dropped if a word came where a number was expected.
            device: id of the device it was measured on.
            expanded_u: expanded uncertainty in `unit`, from 0 on; turns the guarded decision rule on.
            k: its coverage factor.
            note: whatever a reader should know.
        """
        if expanded_u is not None and not (_is_number(_checked(expanded_u)) and expanded_u >= 0):
            raise ValueError(f"measure({name!r}): an uncertainty is a number from 0 on, not {expanded_u!r}")
        row = self._head(name, device, note)
        row["value"], row["expanded_u"], row["k"] = _checked(value), expanded_u, k
        row["unit"] = Unit.NONE if isinstance(value, str) else unit
        check = Check(row, self._keep)
        self._entries.append(check)
        return check

    def not_determinable(self, name: str, why: str, device: str | None = None) -> Verdict:
        """Record that the station lacks what the check `name` needs; `why` names it."""
        return self._without_value(Verdict.NOT_DETERMINABLE, name, device, why)

    def not_applicable(self, name: str, why: str, device: str | None = None) -> Verdict:
        """Record that the check `name` has no meaning for this device."""
        return self._without_value(Verdict.NOT_APPLICABLE, name, device, why)

    @property
    def records(self) -> list[Measurement]:
        """Everything taken so far, in the order it was taken; values nobody judged are "not set"."""
        return [entry if isinstance(entry, Measurement) else entry.unjudged for entry in self._entries]

    @property
    def worst(self) -> Verdict:
        """The verdict of the scenario as far as its measurements tell."""
        return Verdict.worst(record.verdict for record in self.records)

    @property
    def verified(self) -> int:
        """How many values were judged: passed, failed or inconclusive."""
        return sum(record.verdict.verified for record in self.records)

    def failure_text(self) -> str:
        """What was out of limits as a table: verdict, name, value, limits, device, note. Empty if nothing was."""
        return table_of(record for record in self.records if record.verdict >= Verdict.INCONCLUSIVE)

    def flush(self) -> list[Measurement]:
        """What was taken since the last flush, for the evidence; a value that nobody judged stays "not set"."""
        self._entries = list(self.records)
        fresh = self._entries[self._flushed :]
        self._flushed = len(self._entries)
        return [entry for entry in fresh if isinstance(entry, Measurement)]

    def _head(self, name: str, device: str | None, note: str) -> dict[str, Any]:
        t = seconds(self._now())
        trace = self.traces.get(device, "") if device else ""
        note = "; ".join(filter(None, (note, self._remark(device))))
        return {"scenario": self.scenario, "device": device, "name": name, "t": t, "note": note, "trace": trace}

    def _without_value(self, verdict: Verdict, name: str, device: str | None, why: str) -> Verdict:
        self._entries.append(Measurement(value=None, verdict=verdict, **self._head(name, device, why)))
        return verdict

    def _keep(self, check: Check, measurement: Measurement) -> None:
        """Put the judged value in the place of its check; a second judgement of one value is a record of its own."""
        if self._entries and self._entries[-1] is check:
            self._entries[-1] = measurement
        elif check in self._entries:
            self._entries[self._entries.index(check)] = measurement
        else:
            self._entries.append(measurement)
