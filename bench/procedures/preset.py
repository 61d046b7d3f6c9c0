"""A bare preset: words into the buffer, the command, the result. For scenarios that try its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.series import BUFFER, RESULT, STATUS
from bench.drivers.powerlogic.values import EnergyReading
from bench.procedures.journal import Journal
from bench.procedures.reading import Growth, growth_of
from bench.safety import Armed
from protocols.powerlogic.energy import Quantity, encode_set
from protocols.powerlogic.tables import command_code


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset came to: the result word (None: unchanged), the energies after it and what can have grown since."""

    result: int | None
    after: EnergyReading
    growth: Growth
    commanded_at: int

    def most(self, quantity: Quantity) -> int:
        """The most that a quantity can have grown between the command and the end of the reading."""
        return self.growth.within(quantity, self.after.answered_at - self.commanded_at)


def preset_words(
    meter: Series,
    words: Sequence[int],
    *,
    armed: Armed,
    journal: Journal,
    code: int | None = None,
    data: int = BUFFER,
) -> Preset:
    """Put words into the buffer, send a command (6209 unless told otherwise) and read the energies.

    Args:
        meter: a sacrificial meter.
        words: 28 words; what they hold is the scenario's business.
        armed: permission to write.
        journal: keeps the steps and the audit.
        code: another command code.
        data: where pointer #3 aims.
    """
    code = command_code(meter.model.family, "preset_energies") if code is None else code
    growth = growth_of(meter)
    with journal.step(f"command {code} with words of the scenario"):
        with meter.pointers_restored(armed):
            meter.session.write_block(armed, BUFFER, words)
            meter.aim_pointers(armed, data=data)
            meter.plant_sentinels(armed, STATUS, RESULT)  # last: a restart in between would leave 0 where it stood
            journal.audit("command", device=meter.name, register=8000, code=code, words=list(words))
            commanded_at = journal.clock.now()
            meter.issue(armed, code)
            result = meter.await_result()
        after = meter.read_energies()
    return Preset(result, after, growth, commanded_at)


def preset_energies(meter: Series, energies: Mapping[Quantity, int], *, armed: Armed, journal: Journal) -> Preset:
    """The same with seven energies in whole Wh (varh, VAh)."""
    return preset_words(meter, encode_set(dict(energies)), armed=armed, journal=journal)
