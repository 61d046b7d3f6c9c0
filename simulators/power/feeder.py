"""A feeder: a three-phase supply with a load behind it, to which meters are connected.

Everything is an integer: millivolt, milliwatt, millivar, millihertz. Between two changes nothing moves, so a meter that
is looked at later can settle what it has counted in one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, sqrt
from typing import Protocol

PHASES = 3


@dataclass(frozen=True, slots=True)
class Load:
    """The three-phase load: real and reactive power in mW and mvar, negative for export and for leading current."""

    real: int
    reactive: int = 0

    @classmethod
    def of(cls, real: int, power_factor: float) -> Load:
        """A load of `real` mW at a power factor: 0 < |pf| <= 1, negative for a leading current.

        Raises:
            ValueError: a power factor that does not exist, or zero (there would be no real power).
        """
        if not 0 < abs(power_factor) <= 1:
            raise ValueError(f"a power factor of {power_factor} does not exist: 0 < |pf| <= 1")
        reactive = round(abs(real) * sqrt(1 - power_factor**2) / abs(power_factor))
        return cls(real, -reactive if power_factor < 0 else reactive)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What the feeder carries in each phase: voltage to neutral (mV), real power (mW), reactive power (mvar)."""

    voltages: tuple[int, int, int]
    real: tuple[int, int, int]
    reactive: tuple[int, int, int]
    frequency: int

    @property
    def currents(self) -> tuple[int, int, int]:
        """Phase currents in mA: apparent power over voltage, zero without a voltage."""
        return _three(
            [
                isqrt(p * p + q * q) * 1000 // v if v else 0
                for p, q, v in zip(self.real, self.reactive, self.voltages, strict=True)
            ]
        )


def _three(values: list[int]) -> tuple[int, int, int]:
    first, second, third = values
    return first, second, third


def _shares(total: int) -> tuple[int, int, int]:
    """A total split over three phases, to the unit: the last phase takes the remainder."""
    third = total // PHASES
    return third, third, total - 2 * third


class ConnectedMeter(Protocol):
    """What a feeder tells of a change: the meter settles with the old operating point before the new one holds."""

    def before_change(self, now: int) -> None:
        """The feeder is about to change at `now` (ns)."""

    def after_change(self, now: int) -> None:
        """The feeder has changed at `now` (ns)."""


class Feeder:
    """A three-phase supply and the load behind it.

    Args:
        voltage: phase to neutral, mV.
        frequency: mHz.
        load: what is drawn.
    """

    __slots__ = ("_connected", "_point", "auxiliary", "frequency", "load", "voltage")

    def __init__(self, *, voltage: int = 230_000, frequency: int = 50_000, load: Load | None = None) -> None:
        self.voltage = voltage
        self.frequency = frequency
        self.load = load or Load(0)
        #: The meter's own supply; switching it off leaves the load running, unmetered, as in a real swap.
        self.auxiliary = True
        self._connected: list[ConnectedMeter] = []
        self._point: OperatingPoint | None = None

    def connect(self, meter: ConnectedMeter) -> None:
        """Connect a meter; it hears of every change from now on."""
        self._connected.append(meter)

    def point(self) -> OperatingPoint:
        """What the feeder carries now: nothing where there is no voltage."""
        if self._point is None:
            v = self.voltage
            load = self.load if v else Load(0)
            self._point = OperatingPoint((v, v, v), _shares(load.real), _shares(load.reactive), self.frequency)
        return self._point

    def change(
        self, now: int, *, load: Load | None = None, voltage: int | None = None, frequency: int | None = None
    ) -> None:
        """Change load, voltage (mV) or frequency (mHz) at the instant `now` (ns)."""
        for meter in self._connected:
            meter.before_change(now)
        self.load = self.load if load is None else load
        self.voltage = self.voltage if voltage is None else voltage
        self.frequency = self.frequency if frequency is None else frequency
        self._point = None
        for meter in self._connected:
            meter.after_change(now)

    def switch_supply(self, now: int, *, on: bool) -> None:
        """Switch the meters' own supply off or on at the instant `now` (ns)."""
        if on == self.auxiliary:
            return
        for meter in self._connected:
            meter.before_change(now)
        self.auxiliary = on
        for meter in self._connected:
            meter.after_change(now)
