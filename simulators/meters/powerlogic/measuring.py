"""What a meter measures at an operating point, given the ratios it believes and the transformers that are there.

Values are primary-side: the meter multiplies what it sees at its terminals by the ratios in its set-up (3201-3207), so
a wrong ratio shows in every power and in every increment of energy, and nowhere in what was counted before.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from protocols.powerlogic.words import UNITY
from simulators.power.feeder import OperatingPoint

_SQRT3_MILLION = 1_732_051


@dataclass(frozen=True, slots=True)
class Ratios:
    """Current and voltage transformer ratios, primary to secondary."""

    current: Fraction = Fraction(1)
    voltage: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Measured:
    """One look at an operating point: mA, mV, mW, mvar, mVA, mHz; the last power of each row is the total."""

    currents: tuple[int, ...]
    current_n: int
    voltages_ln: tuple[int, ...]
    voltages_ll: tuple[int, ...]
    real: tuple[int, ...]
    reactive: tuple[int, ...]
    apparent: tuple[int, ...]
    frequency: int

    def power_factor(self, phase: int) -> tuple[int, bool]:
        """(thousandths, lagging) of a phase (0-2) or the total (3); unity without a load."""
        if not self.apparent[phase]:
            return UNITY, False
        thousandths = min(UNITY, (abs(self.real[phase]) * 2000 + self.apparent[phase]) // (2 * self.apparent[phase]))
        return thousandths, self.reactive[phase] * (1 if self.real[phase] >= 0 else -1) > 0


def measure(point: OperatingPoint, believed: Ratios, installed: Ratios) -> Measured:
    """What a meter set to the ratios `believed` shows at a point behind the transformers `installed`."""
    by_current = believed.current / installed.current
    by_voltage = believed.voltage / installed.voltage
    voltages = tuple(_times(value, by_voltage) for value in point.voltages)
    power = by_current * by_voltage
    real = _with_total([_times(value, power) for value in point.real])
    reactive = _with_total([_times(value, power) for value in point.reactive])
    apparent = tuple(isqrt(p * p + q * q) for p, q in zip(real, reactive, strict=True))
    return Measured(
        currents=tuple(_times(value, by_current) for value in point.currents),
        current_n=0,
        voltages_ln=voltages,
        voltages_ll=tuple(value * _SQRT3_MILLION // 1_000_000 for value in voltages),
        real=real,
        reactive=reactive,
        apparent=apparent,
        frequency=point.frequency,
    )


def _times(value: int, factor: Fraction) -> int:
    return value if factor == 1 else round(value * factor)


def _with_total(values: list[int]) -> tuple[int, ...]:
    return (*values, sum(values))
