"""What an Elster meter counts at an operating point: the rates of its sources in mW, mvar and mVA.

Reactive energy is split by quadrant: Q1 import and lagging, Q2 export and lagging, Q3 export and leading, Q4 import and
leading. What the transformers in front of the meter divide by is multiplied by the ratios that it believes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from protocols.elster.tables import Source
from simulators.power.feeder import OperatingPoint

#: The sources by their index in every list of energies; "none" is not counted.
SOURCES = tuple(source for source in Source if source is not Source.NONE)
#: The index of a source.
INDEX: dict[Source, int] = {source: index for index, source in enumerate(SOURCES)}
#: Import, export, four quadrants, three apparent ones.
_MEASURED = 9


@dataclass(frozen=True, slots=True)
class Ratios:
    """Current and voltage transformers as they are written on their plates: (primary, secondary)."""

    ct: tuple[int, int] = (1, 1)
    vt: tuple[int, int] = (1, 1)

    @property
    def current(self) -> Fraction:
        """Primary to secondary current."""
        return Fraction(*self.ct)

    @property
    def voltage(self) -> Fraction:
        """Primary to secondary voltage."""
        return Fraction(*self.vt)

    @property
    def power(self) -> Fraction:
        """By how much a power is larger on the primary side."""
        return self.current * self.voltage


def source_rates(point: OperatingPoint, factor: Fraction) -> tuple[int, ...]:
    """The rates of all sources in the order of :data:`SOURCES`; customer registers and inputs do not run by themselves.

    Args:
        point: what the feeder carries.
        factor: believed over installed ratio.
    """
    real, reactive = round(sum(point.real) * factor), round(sum(point.reactive) * factor)
    apparent = isqrt(real * real + reactive * reactive)
    exports, leads = real < 0, reactive < 0
    quadrants = [0, 0, 0, 0]
    quadrants[(3 if leads else 0) if not exports else (2 if leads else 1)] = abs(reactive)
    volt_amperes = (0, apparent, apparent) if exports else (apparent, 0, apparent)
    return (max(real, 0), max(-real, 0), *quadrants, *volt_amperes, *(0,) * (len(SOURCES) - _MEASURED))
