"""PowerLogic meters: Circuit Monitors 2000, 3000, 4000 and Power Meter 800, two generations behind one face.

::

    Metrology                supply, physics, energies, memory, clock, demand, extremes (metrology.py)
    +-- Meter                its registers as Modbus sees them (meter.py)
        +-- SeriesMeter      CM3, CM4, PM8: 1100/1700, command block 8000, setup mode (series.py)
        +-- CM2Meter         CM2: 1000/1601, command register 7700 (cm2.py)

What a firmware bug would change stands in :class:`~simulators.meters.powerlogic.firmware.Firmware`.
"""

from simulators.meters.powerlogic.build import build_meter
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.metrology import Installation

__all__ = ["Installation", "Meter", "build_meter"]
