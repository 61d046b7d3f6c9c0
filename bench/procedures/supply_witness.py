"""Seeing of a meter that its supply was away: it falls silent, or has forgotten what it keeps in fast memory only."""

from __future__ import annotations

from collections.abc import Sequence

from bench.control import Witness
from bench.drivers.elster import Elster
from bench.drivers.powerlogic import PowerLogic, Series
from bench.errors import DeviceError, NoAnswer, StationError


def witness_of(meter: PowerLogic | Elster) -> Witness:
    """Who looks at a meter of this kind."""
    return FlagWitness(meter) if isinstance(meter, Elster) else SupplyWitness(meter)


class FlagWitness:
    """Looks at one FLAG meter: a sign-on is answered or it is not, and nothing that can be read is forgotten."""

    def __init__(self, meter: Elster) -> None:
        self._meter = meter

    def is_silent(self) -> bool:
        """Whether nobody answers a sign-on; a port of its own that is gone is silence too."""
        try:
            return self._meter.is_silent()
        except StationError:
            return True
        except DeviceError:
            return False

    def holds_something(self) -> bool:
        """An open visit is all that it forgets, and that shows as silence."""
        return False

    def has_lost_it(self) -> bool:
        """There is nothing to lose."""
        return False


class SupplyWitness:
    """Looks at one PowerLogic meter, and only reads."""

    def __init__(self, meter: PowerLogic) -> None:
        self._meter = meter

    def is_silent(self) -> bool:
        """Whether it does not answer; a port of its own that is gone is silence too."""
        try:
            with self._meter.session.expecting_silence():
                self._meter.session.read(self._meter.energy_register)
        except (NoAnswer, StationError):
            return True
        except DeviceError:
            return False
        return False

    def holds_something(self) -> bool:
        """Whether its command area, which a restart may clear, holds anything now."""
        try:
            return any(self._volatile())
        except (DeviceError, StationError):
            return False

    def has_lost_it(self) -> bool:
        """Whether the command area is empty, or the meter not yet there to show it."""
        try:
            return not any(self._volatile())
        except (NoAnswer, StationError):
            return True
        except DeviceError:  # it is there and says something else: that is no evidence
            return False

    def _volatile(self) -> Sequence[int]:
        return self._meter.volatile_words() if isinstance(self._meter, Series) else ()
