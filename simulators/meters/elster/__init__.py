"""Elster A1120, A1140 and A1700: one model of registers and three faces (packets, data stream, readout).

`metrology.py` counts and settles, `images.py` shows the registers as bytes of data identities, `meter.py` is what a
FLAG server talks to. Nothing ticks: a look walks over the boundaries since the last one.
"""

from simulators.meters.elster.build import EPOCH, build_meter
from simulators.meters.elster.meter import Meter
from simulators.meters.elster.profile import ProfileError

__all__ = ["EPOCH", "Meter", "ProfileError", "build_meter"]
