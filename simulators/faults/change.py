"""How a defect changes a meter: another decision of its firmware, another command, another reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from simulators.meters.elster.meter import Meter as ElsterMeter
from simulators.meters.powerlogic.face import Value
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.series import SeriesMeter


class Decided(Protocol):
    """A meter of any family: its decisions lie in a frozen dataclass."""

    firmware: Any


def decide(meter: Decided, **decisions: Any) -> None:
    """Replace decisions of a meter's firmware, by their names in `Firmware`."""
    meter.firmware = replace(meter.firmware, **decisions)


def command(meter: Meter, **commands: Callable[[SeriesMeter, int], int]) -> None:
    """Have commands do something else, by their names in `fixtures/powerlogic/commands.csv`."""
    decide(meter, commands={**meter.firmware.commands, **commands})


def show(meter: Meter, **readings: Callable[[Meter, int], Value]) -> None:
    """Have registers show something else, by their names in `fixtures/powerlogic/registers_*.csv`."""
    meter.readings = {**meter.readings, **readings}


def behave(meter: ElsterMeter, **habits: Any) -> None:
    """Replace habits of an Elster meter about frames, by their names in `protocols.flag.habits`."""
    meter.habits = replace(meter.habits, **habits)
