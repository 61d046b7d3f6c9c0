"""The question of the clock: how fast it runs. It shows whole seconds, so only time makes the answer sharp."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from bench.characterisation.bracket import Bracket
from bench.characterisation.finding import Finding, Unknown
from bench.clock import Clock
from bench.drivers.powerlogic import PowerLogic

_SECOND = 1_000_000_000
_MILLION = 1_000_000
#: In virtual time a day costs nothing.
VIRTUAL_WATCH = 86_400 * _SECOND
WALL_WATCH = 20 * _SECOND
#: A clock that shows the same second for so long stands: nothing would ever end the wait for its next one.
_PATIENCE = 10 * _SECOND
_STANDS = f"a clock that goes: it shows the same second for {_PATIENCE // _SECOND} s"
#: An answer is one when it is as sharp as this (ppm), or as a tenth of what it says.
_SHARP = 2


def clock_drift(meter: PowerLogic, clock: Clock, watch: int | None) -> Finding | Unknown:
    """How much too fast the clock runs, from two of its steps that lie `watch` (ns) apart."""
    watch = watch or (VIRTUAL_WATCH if clock.virtual else WALL_WATCH)
    begin = _step(meter, clock)
    if begin is None:
        return Unknown(_STANDS)
    clock.sleep(watch)
    end = _step(meter, clock)
    if end is None:
        return Unknown(_STANDS)
    (first, first_at), (second, second_at) = begin, end
    shown = int((second - first).total_seconds()) * _SECOND
    fastest = _ppm(shown, second_at.low - first_at.high)
    slowest = _ppm(shown, second_at.high - first_at.low)
    middle, off = round((fastest + slowest) / 2), -(-(fastest - slowest) // 2)
    how = f"two steps of the clock, {watch // _SECOND} s apart, against the clock of the bench"
    if off <= max(_SHARP, abs(middle) // 10):
        return Finding(middle, how, f"+- {max(1, int(off))} ppm")
    return Unknown(f"more time: {how}, bound it to {int(slowest)}..{int(fastest)} ppm (--watch-clock makes it longer)")


def _ppm(shown: int, passed: int) -> Fraction:
    return Fraction((shown - passed) * _MILLION, passed)


def _step(meter: PowerLogic, clock: Clock) -> tuple[datetime, Bracket] | None:
    """The next second that the clock shows, and between which two instants it began to; None if it stands."""
    began = asked = clock.now()
    before = meter.read_clock()
    while asked - began < _PATIENCE:
        at = clock.now()
        shown = meter.read_clock()
        if shown != before:
            return shown, Bracket(asked, clock.now())
        asked = at
    return None
