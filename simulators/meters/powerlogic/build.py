"""Build a simulated PowerLogic meter from a model's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import models
from simulators.meters.powerlogic.cm2 import CM2Meter
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.metrology import Installation
from simulators.meters.powerlogic.profile import profile_of
from simulators.meters.powerlogic.series import SeriesMeter
from simulators.power.feeder import Feeder

#: Local time at a virtual world's instant 0: a date like any other, away from month ends and changes of the clock.
EPOCH = datetime(2026, 3, 10, 8, 0, 0)  # noqa: DTZ001  # a meter keeps local time without a zone


def build_meter(
    model: str,
    feeder: Feeder | None = None,
    *,
    epoch: datetime = EPOCH,
    installation: Installation | None = None,
    energies: Mapping[Quantity, int] | None = None,
    profile: Mapping[str, Any] | None = None,
) -> Meter:
    """A meter of a model, connected to a feeder.

    Args:
        model: a name from `fixtures/powerlogic/models.yaml`.
        feeder: supply and load; by default 230 V without a load.
        epoch: local time at instant 0.
        installation: the transformers in front of the meter; by default none.
        energies: its first readings in whole Wh (varh, VAh).
        profile: profile values that differ from the model's.

    Raises:
        KeyError: an unknown model.
        ProfileError: an unknown or wrong profile value.
    """
    kind = models()[model]
    maker = CM2Meter if kind.generation == "cm2" else SeriesMeter
    meter = maker(kind, feeder or Feeder(), epoch, profile_of(kind, profile), installation or Installation())
    meter.start_with(energies or {})
    return meter
