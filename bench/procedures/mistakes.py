"""Operator and tool mistakes that can be switched on (`--mistake O03`), numbered as in the domain reference.

Each is an operator who errs in one step. A scenario that no mistake can fail is not a test.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.values import EnergyReading
from bench.errors import UsageError
from bench.procedures.operator import Operator
from bench.safety import Armed
from protocols.powerlogic.energy import encode_set
from protocols.powerlogic.tables import command_code

_KILO = 1000


class StraightCopy(Operator):
    """O01: the block of a CM2 is copied as it was read, and three quantities change places."""

    def arrange(self, reading: EnergyReading) -> list[int]:
        """The words in the order in which the old meter showed them."""
        return list(reading.words)


class KilowattHours(Operator):
    """O02: the values are typed in kWh."""

    def arrange(self, reading: EnergyReading) -> list[int]:
        """A thousandth of each value."""
        return encode_set({quantity: value // _KILO for quantity, value in reading.values.items()})


class OffByOne(Operator):
    """O03: register 8022 is taken for PDU address 8022, so everything lands one register too high."""

    def fill_buffer(self, target: Series, armed: Armed, words: Sequence[int]) -> None:
        """Write the block one register too high."""
        target.session.write_block(armed, self.aim.data + 1, words)


class ForgottenPointers(Operator):
    """O04: the pointers are not set."""

    def aim_pointers(self, target: Series, armed: Armed) -> None:
        """Do nothing."""


class ClearInsteadOfPreset(Operator):
    """O05: 6210 is typed for 6209, and every energy is cleared with status 0."""

    def command(self, target: Series, armed: Armed) -> None:
        """Write the neighbouring code."""
        target.issue(armed, command_code(target.model.family, "clear_energies"))


class OnceMoreToBeSure(Operator):
    """O10: the command is sent again while the load runs, and what was counted meanwhile is gone."""

    def repeats(self, target: Series, armed: Armed, words: Sequence[int]) -> bool:
        """Do it all once more with the words that were noted."""
        target.plant_sentinels(armed, self.aim.result)
        self.fill_buffer(target, armed, words)
        self.aim_pointers(target, armed)
        self.command(target, armed)
        target.await_result(self.aim.result)
        target.clear_pointers(armed)
        return True


MISTAKES: dict[str, type[Operator]] = {
    "O01": StraightCopy,
    "O02": KilowattHours,
    "O03": OffByOne,
    "O04": ForgottenPointers,
    "O05": ClearInsteadOfPreset,
    "O10": OnceMoreToBeSure,
}


def operator_who(mistake: str | None) -> type[Operator]:
    """The operator who makes a mistake, or who makes none.

    Raises:
        UsageError: no mistake has this id.
    """
    if mistake is None:
        return Operator
    if mistake not in MISTAKES:
        raise UsageError(f"no mistake is called {mistake!r}; known: {', '.join(MISTAKES)}")
    return MISTAKES[mistake]
