"""Power demand: averages over intervals, in the modes of a PowerLogic meter, in closed form between two looks.

Modes as in register 1840 (Siemens ACCESS 9340 manual EN-150): 0 thermal, 1 sliding, 2 block, 4 rolling block, 8/16
input-synchronised block/rolling, 32/64 command-synchronised, 128/256 clock-synchronised. Sliding updates every 15 s up
to 15 minutes and every 60 s above. A thermal demand reaches 90 % of a step after one interval. An interval that a pulse
or a command ends is averaged over the time it really took, a rolling one over its latest sub-intervals.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
#: Counters of intervals wrap here (ACCESS 9340 EN-150).
COUNTER_WRAP = 32_767
_SHORT_SLIDING = 15 * MINUTE


class Mode(IntEnum):
    """How an interval ends, as the mode register numbers it."""

    THERMAL = 0
    SLIDING = 1
    BLOCK = 2
    ROLLING = 4
    INPUT_BLOCK = 8
    INPUT_ROLLING = 16
    COMMAND_BLOCK = 32
    COMMAND_ROLLING = 64
    CLOCK_BLOCK = 128
    CLOCK_ROLLING = 256


_ROLLING = {Mode.ROLLING, Mode.INPUT_ROLLING, Mode.COMMAND_ROLLING, Mode.CLOCK_ROLLING}
_EXTERNAL = {Mode.INPUT_BLOCK, Mode.INPUT_ROLLING, Mode.COMMAND_BLOCK, Mode.COMMAND_ROLLING}
_ON_CLOCK = {Mode.CLOCK_BLOCK, Mode.CLOCK_ROLLING}


@dataclass(frozen=True, slots=True)
class Setting:
    """Mode, interval and sub-interval (ns); an unusual combination is refused by :meth:`check`."""

    mode: Mode = Mode.BLOCK
    interval: int = 15 * MINUTE
    subinterval: int = 0

    def check(self) -> None:
        """Raise ValueError where the interval is not 1-60 minutes or the sub-interval does not divide it."""
        if not MINUTE <= self.interval <= 60 * MINUTE:
            raise ValueError("a demand interval is 1 to 60 minutes")
        if self.mode in _ROLLING and (not 0 < self.subinterval <= self.interval or self.interval % self.subinterval):
            raise ValueError("a sub-interval divides its interval")

    @property
    def step(self) -> int:
        """How often the demand is renewed, in ns."""
        if self.mode is Mode.SLIDING:
            return 15 * SECOND if self.interval <= _SHORT_SLIDING else MINUTE
        return self.subinterval if self.mode in _ROLLING else self.interval

    @property
    def steps(self) -> int:
        """How many steps an interval has."""
        return self.interval // self.step


class Demand:
    """The demand of several powers over common intervals. Powers are whole mW (mvar, mVA), constant between changes.

    Args:
        count: how many powers.
        setting: mode and lengths.
    """

    __slots__ = ("_partial", "_powers", "_since", "_start", "_steps", "_thermal", "interval_count", "last", "peak",
                 "peak_at", "setting", "subinterval_count")  # fmt: skip

    def __init__(self, count: int, setting: Setting) -> None:
        self.setting = setting
        self._powers: tuple[int, ...] = (0,) * count
        self._since = 0
        self._start = 0
        self._partial = [0] * count
        #: The latest steps of the interval: how long each took (ns) and its energies (mW ns).
        self._steps: deque[tuple[int, list[int]]] = deque(maxlen=setting.steps)
        self._thermal = [0.0] * count
        #: Demand of the last completed interval (mW), peak since the reset and the instant (ns) of each peak.
        self.last = [0] * count
        self.peak = [0] * count
        self.peak_at: list[int | None] = [None] * count
        self.interval_count = 0
        self.subinterval_count = 0

    @property
    def count(self) -> int:
        """How many powers are averaged."""
        return len(self._powers)

    def configure(self, now: int, setting: Setting, since_midnight: Callable[[int], int]) -> None:
        """Use a new setting from `now` on.

        Raises:
            ValueError: see :meth:`Setting.check`; nothing has changed then.
        """
        setting.check()
        self.settle(now)
        self.setting = setting
        self.begin_anew(now, since_midnight)

    def begin_anew(self, now: int, since_midnight: Callable[[int], int]) -> None:
        """Drop the intervals so far, as when the supply returns or the clock is set; peaks and counters stay.

        A clock-synchronised interval begins at the meter's full interval of the day, any other one at `now`.
        """
        self.settle(now)
        self._steps = deque(maxlen=self.setting.steps)
        self.last = [0] * self.count
        self._begin(now - since_midnight(now) % self.setting.step if self.follows_clock else now)
        self._since = now

    @property
    def follows_clock(self) -> bool:
        """Whether the intervals are those of the meter's clock."""
        return self.setting.mode in _ON_CLOCK

    def _begin(self, start: int) -> None:
        self._start = start
        self._partial = [0] * self.count

    def run_at(self, now: int, powers: Sequence[int]) -> None:
        """From `now` (ns) on the powers are these."""
        self.settle(now)
        self._powers = tuple(powers)

    def settle(self, now: int) -> None:
        """Account for everything up to `now` (ns): close the intervals that have ended."""
        if self.setting.mode is Mode.THERMAL:
            self._settle_thermal(now)
            return
        if self.setting.mode in _EXTERNAL:
            self._gather(now)
            return
        step = self.setting.step
        ended = (now - self._start) // step
        # At constant power only the first `steps` + 1 ends can differ from one another; the rest repeat the last.
        for _ in range(min(ended, self.setting.steps + 1)):
            self._gather(self._start + step)
            self._close(self._start + step)
        skipped = max(0, ended - self.setting.steps - 1)
        if skipped:
            self._count(skipped)
            self._begin(self._start + skipped * step)
            self._since = self._start
        self._gather(now)

    def _gather(self, until: int) -> None:
        elapsed = until - self._since
        self._partial = [energy + power * elapsed for energy, power in zip(self._partial, self._powers, strict=True)]
        self._since = until

    def _close(self, at: int) -> None:
        self._steps.append((at - self._start, self._partial))
        duration = sum(length for length, _ in self._steps)
        columns = zip(*(energies for _, energies in self._steps), strict=True)
        self.last = [_average(column, duration) for column in columns]
        self._note_peaks(self.last, at)
        self._count(1)
        self._begin(at)

    def _count(self, steps: int) -> None:
        before, self.subinterval_count = self.subinterval_count, self.subinterval_count + steps
        intervals = self.subinterval_count // self.setting.steps - before // self.setting.steps
        self.interval_count = (self.interval_count + intervals) % (COUNTER_WRAP + 1)

    def _note_peaks(self, values: Sequence[int], at: int) -> None:
        for index, value in enumerate(values):
            if self.peak_at[index] is None or abs(value) > abs(self.peak[index]):
                self.peak[index], self.peak_at[index] = value, at

    def _settle_thermal(self, now: int) -> None:
        share = math.exp(-(now - self._since) / (self.setting.interval / math.log(10)))
        self._thermal = [p + (d - p) * share for d, p in zip(self._thermal, self._powers, strict=True)]
        self.last = [round(value) for value in self._thermal]
        self._note_peaks(self.last, now)
        self._since = now

    def end_interval(self, now: int) -> None:
        """An input pulse or command 5910 ends the interval at `now`; in the other modes a new interval is begun."""
        self.settle(now)
        if self.setting.mode in _EXTERNAL and now > self._start:
            self._close(now)
        elif self.setting.mode is not Mode.THERMAL:
            self._begin(now)

    def present(self, now: int) -> list[int]:
        """Demand of the interval that is going on (mW), energy so far over the whole interval."""
        self.settle(now)
        if self.setting.mode is Mode.THERMAL:
            return list(self.last)
        return [_average([energy], self.setting.step) for energy in self._partial]

    def elapsed(self, now: int) -> int:
        """How long (ns) the interval has been going on."""
        self.settle(now)
        return now - self._start

    @property
    def peaks(self) -> list[tuple[int, int | None]]:
        """Each peak (mW) with its instant (ns)."""
        return list(zip(self.peak, self.peak_at, strict=True))

    def remember(self, peaks: Sequence[tuple[int, int | None]]) -> None:
        """Have a reset not happen: the peaks of before count again, beside those since."""
        for index, (value, at) in enumerate(peaks):
            if at is not None and abs(value) >= abs(self.peak[index]):
                self.peak[index], self.peak_at[index] = value, at

    def reset(self, now: int) -> None:
        """Forget the peaks: the demand of now is the first of the new period."""
        self.settle(now)
        self.peak = list(self.last)
        self.peak_at = [now] * self.count


def _average(energies: Sequence[int], duration: int) -> int:
    """Energy (mW ns) over time (ns), rounded half away from zero."""
    total = sum(energies)
    quotient, rest = divmod(abs(total), duration)
    rounded = quotient + (2 * rest >= duration)
    return rounded if total >= 0 else -rounded
