"""The energies of a meter that is asked what it does with energies: saved before, put back afterwards, and said so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.bench import Bench
from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.series import DONE
from bench.errors import Refused
from bench.procedures.preset import preset_energies
from bench.procedures.reading import growth_of, read_twice
from bench.safety import Armed
from protocols.powerlogic.energy import Quantity


@contextmanager
def energies_kept(meter: Series, bench: Bench, armed: Armed) -> Iterator[None]:
    """Whatever happens inside, the seven energies are afterwards what they were, as far as the meter takes a preset.

    What the meter would have counted meanwhile is lost. The audit has the readings before the first of them is
    overwritten, so that a person can put them back where the bench could not.

    Raises:
        Refused: the meter did not take them back.
    """
    before = read_twice(meter, growth_of(meter)).values
    facts = {quantity.value: value for quantity, value in before.items()}
    bench.journal.audit("energies saved, to be put back", device=meter.name, **facts)
    try:
        yield
    finally:
        with bench.journal.step(f"put the energies of {meter.name} back, as they were read before"):
            found = preset_energies(meter, before, armed=armed, journal=bench.journal)
        bench.journal.audit("energies put back", device=meter.name, result=found.result, **facts)
        wrong = [
            quantity.title
            for quantity in Quantity
            if abs(found.after[quantity] - before[quantity]) > found.most(quantity)
        ]
        if found.result != DONE or wrong:
            told = f"result {found.result}" + (f"; {', '.join(wrong)} differ" if wrong else "")
            reason = f"the energies were overwritten and not put back ({told}); the audit says what they were"
            raise Refused(reason, code=found.result, device=meter.name)
