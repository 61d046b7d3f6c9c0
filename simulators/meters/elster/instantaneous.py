"""Instantaneous values of an A1700: a request in 605 is ready some time later, and 606 shows its value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import atan2, degrees, sqrt
from typing import TYPE_CHECKING

from protocols.elster.errors import DataError
from protocols.elster.instantaneous import Instant, InstantValue, Phase, Request, decode_request

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

_PHASES = {Phase.A: 0, Phase.B: 1, Phase.C: 2}
_SCALED = {
    Instant.SCALED_CURRENT: Instant.CURRENT,
    Instant.SCALED_VOLTAGE: Instant.VOLTAGE,
    Instant.SCALED_ACTIVE_POWER: Instant.ACTIVE_POWER,
    Instant.SCALED_REACTIVE_POWER: Instant.REACTIVE_POWER,
    Instant.SCALED_APPARENT_POWER: Instant.APPARENT_POWER,
}
_THREE_PHASES = 3
_PLACES = {Instant.POWER_FACTOR: 4, Instant.FREQUENCY: 2}
#: Phase rotation A, B, C; and the angle of each phase's voltage to that of A.
_ROTATION, _ANGLES = 1, (0, 120, 240)
_WHOLE_TURN = 360


@dataclass(frozen=True, slots=True)
class Reading:
    """Voltage (V), current (A), powers (W, var, VA), power factor and frequency (Hz) of a phase or of all."""

    voltage: Decimal
    current: Decimal
    real: Decimal
    reactive: Decimal
    frequency: Decimal

    @property
    def apparent(self) -> Decimal:
        """VA."""
        return Decimal(str(round(sqrt(self.real**2 + self.reactive**2), 3)))

    @property
    def power_factor(self) -> Decimal:
        """Unity without a load."""
        return abs(self.real) / self.apparent if self.apparent else Decimal(1)


def measure(meter: Meter, phase: Phase) -> Reading:
    """What the meter measures of a phase, or of the three together: mean voltage and current, powers in sum."""
    point = meter.feeder.point()
    voltage, power = meter.believed.voltage / meter.installed.voltage, meter.believed.power / meter.installed.power
    current = meter.believed.current / meter.installed.current
    phases = [_PHASES[phase]] if phase in _PHASES else list(range(_THREE_PHASES))
    return Reading(
        _thousandths(sum(point.voltages[each] for each in phases) * voltage / len(phases)),
        _thousandths(sum(point.currents[each] for each in phases) * current / len(phases)),
        _thousandths(sum(point.real[each] for each in phases) * power),
        _thousandths(sum(point.reactive[each] for each in phases) * power),
        _thousandths(point.frequency),
    )


def _thousandths(value: object) -> Decimal:
    return Decimal(round(value)).scaleb(-3)  # type: ignore[call-overload]  # a fraction or an integer of milli-units


def angles(meter: Meter) -> dict[int, Decimal]:
    """Degrees by the last digits of 81.7.x: from the voltage of L1 to the others, from each voltage to its current.

    The tens are where it is measured from and the ones where to, voltages 0 to 2 and currents 4 to 6 (IEC 62056-61).
    """
    found = {number: Decimal(_ANGLES[number]) for number in (1, 2)}
    for phase, index in _PHASES.items():
        seen = measure(meter, phase)
        turned = degrees(atan2(seen.reactive, seen.real)) % _WHOLE_TURN
        found[10 * index + 4 + index] = Decimal(str(round(turned, 1))) % _WHOLE_TURN
    return found


def instantaneous(meter: Meter, asked: Request) -> Decimal:
    """The value that a request asks for."""
    seen = measure(meter, asked.phase)
    quantity = _SCALED.get(asked.quantity, asked.quantity)
    values = {
        Instant.CURRENT: seen.current,
        Instant.VOLTAGE: seen.voltage,
        Instant.POWER_FACTOR: seen.power_factor,
        Instant.ACTIVE_POWER: seen.real,
        Instant.REACTIVE_POWER: seen.reactive,
        Instant.APPARENT_POWER: seen.apparent,
        Instant.ROTATION: Decimal(_ROTATION),
        Instant.FREQUENCY: seen.frequency,
        Instant.ANGLE: Decimal(_ANGLES[_PHASES.get(asked.phase, 0)]),
    }
    return round(values[quantity], _PLACES.get(quantity, 3))


class Instantaneous:
    """The request and the value of one meter."""

    __slots__ = ("_asked", "_before", "_fresh", "_ready_at")

    def __init__(self) -> None:
        self._asked: Request | None = None
        self._ready_at = 0
        self._fresh: Decimal | None = None
        self._before: Decimal | None = None

    def ask(self, meter: Meter, data: bytes, now: int) -> None:
        """Ask for a value.

        Raises:
            DataError: the byte asks for nothing.
        """
        asked = decode_request(data)
        self._before = self._fresh
        self._asked, self._ready_at = asked, now + meter.profile.instantaneous_time
        self._fresh = instantaneous(meter, asked)

    def _ready(self, now: int) -> bool:
        return self._asked is not None and now >= self._ready_at

    def request(self, now: int) -> bytes:
        """Identity 605: the request with its ready bit; zero before the first."""
        if self._asked is None:
            return b"\0"
        return Request(self._asked.quantity, self._asked.phase, ready=self._ready(now)).encode()

    def value(self, meter: Meter, now: int) -> bytes:
        """Identity 606."""
        found = meter.firmware.instant_value(self._before, self._fresh, self._ready(now))
        try:
            return InstantValue(found).encode()
        except DataError:
            return InstantValue(None, too_large=True).encode()
