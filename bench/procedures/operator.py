"""The operator's hands: the steps of an energy transfer in which a person or a tool touches the new meter.

They are apart from the procedure so that the procedure's judgement can be tried on hands that err: a mistake from
`bench.procedures.mistakes` replaces one of these steps and a scenario must notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.drivers.powerlogic import PowerLogic, Series
from bench.drivers.powerlogic.series import BUFFER, RESULT, STATUS
from bench.drivers.powerlogic.values import EnergyReading
from bench.procedures.reading import Growth, read_twice
from bench.safety import Armed
from protocols.powerlogic.energy import encode_set
from protocols.powerlogic.tables import command_code


@dataclass(frozen=True, slots=True)
class Aim:
    """Where the three pointers aim: status, result and data buffer."""

    status: int = STATUS
    result: int = RESULT
    data: int = BUFFER


class Operator:
    """An operator who follows the procedure.

    Args:
        single_writes: fill the buffer with 28 single writes, as from a front panel, instead of one block.
        aim: where the pointers are to aim.
    """

    def __init__(self, *, single_writes: bool = False, aim: Aim | None = None) -> None:
        self.single_writes = single_writes
        self.aim = aim or Aim()

    def pair(self, source: PowerLogic, target: Series) -> tuple[PowerLogic, PowerLogic]:
        """Which meter is the old one and which the new one."""
        return source, target

    def prepare(self, target: Series, armed: Armed) -> None:
        """Commission the new meter; it has come with the right ratios, so there is nothing to do."""

    def read(self, source: PowerLogic, growth: Growth) -> EnergyReading:
        """Read the old meter: whole blocks, twice.

        Raises:
            ForeignAnswer: the blocks cannot have followed one another.
        """
        return read_twice(source, growth)

    def arrange(self, reading: EnergyReading) -> list[int]:
        """The 28 words for the buffer, in the order of the new meter (Table 1)."""
        return encode_set(reading.values)

    def fill_buffer(self, target: Series, armed: Armed, words: Sequence[int]) -> None:
        """Write the words to the buffer."""
        if self.single_writes:
            for offset, word in enumerate(words):
                target.session.write(armed, self.aim.data + offset, word)
        else:
            target.session.write_block(armed, self.aim.data, words)

    def aim_pointers(self, target: Series, armed: Armed) -> None:
        """Aim the three pointers."""
        target.aim_pointers(armed, status=self.aim.status, result=self.aim.result, data=self.aim.data)

    def command(self, target: Series, armed: Armed) -> None:
        """Write the command."""
        target.issue(armed, command_code(target.model.family, "preset_energies"))

    def repeats(self, target: Series, armed: Armed, words: Sequence[int]) -> bool:
        """Asked, after a while, whether the preset was really done: this operator reads, and sends nothing again."""
        del target, armed, words
        return False
