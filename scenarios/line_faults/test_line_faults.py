"""No wrong value is accepted, no write goes out twice, what happened is told, and afterwards the line is usable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest

from bench.bench import Bench
from bench.drivers.powerlogic import Series
from bench.measure import Measure
from bench.procedures.commissioning import clear_as_new
from bench.procedures.operator import Operator
from bench.procedures.reading import growth_of
from bench.safety import Armed
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.words import signed
from scenarios.line_faults.conftest import TRIALS, UNANSWERABLE, Disturbed, Trial
from scenarios.marks import catches, destructive

each_fault = pytest.mark.parametrize("trial", TRIALS, ids=[trial.id for trial in TRIALS])
#: Set-up registers of one word each with different values: an answer that belongs to another question shows.
ASKED = ("ct_primary", "ct_secondary", "nominal_frequency", "power_demand_interval")
ROUNDS = 3
Energies = Mapping[Quantity, int]
COMMAND, PRESET = 8000, 6209
SCRATCH = 8100
#: What the bench may say of a request that came to nothing.
TOLD = (
    r"no answer from unit|what came is no answer|two answers came that differ|another master asks|unit \d+ answered|"
    r"what is sent comes back; write echo: true|was lost|cannot open|the gateway reports|was echoed as|words where|"
    r"function \d+ was answered as"
)


@destructive("a meter is armed so that its set-up is the same for reading and writing under a fault")
@catches("O12", "O13")
@each_fault
def test_a_reading_under_a_line_fault_is_true_or_none(trial: Trial, disturbed: Disturbed, measure: Measure) -> None:
    """Every value that is accepted is the meter's own; what is not accepted is told; then the line is usable."""
    meter, wrong, accepted = disturbed.meter, [], 0
    with disturbed.on():
        for name in ASKED * ROUNDS:
            with disturbed.told_if_broken():
                words = meter.words(name)
                accepted += 1
                if [signed(word) for word in words] != _truth(disturbed, name):
                    wrong.append(f"{name}: {words}")
        before = disturbed.energies()
        with disturbed.told_if_broken():
            reading = meter.read_energies()
            wrong += _outside(before, reading.values, disturbed.energies())
    measure("values that are not the meter's", "; ".join(wrong) or "none", device=meter.name).is_("none")
    _judge_told(disturbed, measure)
    _judge_usable(disturbed, measure)
    least = 0 if trial.fault.id in UNANSWERABLE else 1
    measure("values accepted", accepted, device=meter.name, note=trial.fault.behaviour).at_least(least)


@destructive("writes to the user area of a meter under a line fault")
@catches("O11")
@each_fault
def test_a_write_under_a_line_fault_goes_out_once(trial: Trial, disturbed: Disturbed, measure: Measure) -> None:
    """A write whose answer is lost is not sent again: what is read back afterwards is the old word or the new one."""
    meter, armed = disturbed.meter, disturbed.bench.arm(disturbed.meter)
    meter.session.write_block(armed, SCRATCH, [0] * 9)
    heard = disturbed.disturbances.arrivals(meter.name)
    with disturbed.on():
        for offset in range(6):
            with disturbed.told_if_broken():
                meter.session.write(armed, SCRATCH + offset, 100 + offset)
        with disturbed.told_if_broken():
            meter.session.write_block(armed, SCRATCH + 6, [106, 107, 108])
    twice = [f"{write} {count} times" for write, count in Counter(heard).items() if count > 1]
    told = trial.fault.title
    measure("writes that arrived twice", "; ".join(twice) or "none", device=meter.name, note=told).is_("none")
    words = meter.session.read(SCRATCH, 9)
    odd = [str(word) for offset, word in enumerate(words) if word not in (0, 100 + offset)]
    measure("words that are neither old nor new", "; ".join(odd) or "none", device=meter.name).is_("none")
    _judge_told(disturbed, measure)
    _judge_usable(disturbed, measure)


@destructive("presets the energies of a meter under a line fault")
@each_fault
def test_a_transfer_under_a_line_fault_leaves_old_or_new(
    trial: Trial, disturbed: Disturbed, bench: Bench, operator: type[Operator], measure: Measure
) -> None:
    """The fault begins with the command: it arrives once at most, and the energies are the old set or the new one."""
    meter = disturbed.meter
    clear_as_new(meter, bench.arm(meter), bench.journal)
    heard = disturbed.disturbances.arrivals(meter.name)
    handed_over = disturbed.source.read_energies().values
    growth, began, before = growth_of(meter), bench.clock.now(), disturbed.energies()

    class UnderAFault(operator):  # type: ignore[misc, valid-type]  # whoever is at the bench today
        def command(self, target: Series, armed: Armed) -> None:
            """The line goes bad just before the command."""
            disturbed.begin()
            super().command(target, armed)

    try:
        with disturbed.told_if_broken():
            bench.transfer(disturbed.source, meter, operator=UnderAFault())
    finally:
        disturbed.end()
    now, most = disturbed.energies(), growth.at_most(bench.clock.now() - began)
    sets = {"the old set": before, "the new set": handed_over}
    found = [name for name, known in sets.items() if all(abs(now[q] - known[q]) <= most for q in Quantity)]
    known = (" or ".join(found) or "a mixture", ("the old set", "the new set"))
    measure("energies afterwards", known[0], device=meter.name, note=trial.fault.title).one_of(known[1])
    commands = sum(first == COMMAND and words[0] == PRESET for _, first, words in heard)
    measure("6209 arrived", commands, device=meter.name).at_most(1)
    _judge_told(disturbed, measure)
    _judge_usable(disturbed, measure)


def _truth(disturbed: Disturbed, name: str) -> list[int]:
    row = disturbed.meter.map[name]
    return disturbed.disturbances.truth(disturbed.meter.name, row.number, row.count)


def _outside(before: Energies, found: Energies, after: Energies) -> list[str]:
    """The energies that were not what the meter held at any moment between asking and answering."""
    return [q.title for q in Quantity if not min(before[q], after[q]) <= found[q] <= max(before[q], after[q])]


def _judge_told(disturbed: Disturbed, measure: Measure) -> None:
    """Whatever was not accepted was told in words that name what happened."""
    unclear = [text for text in disturbed.told if not re.search(TOLD, text)]
    measure("told unclearly", "; ".join(unclear) or "nothing", device=disturbed.meter.name).is_("nothing")


def _judge_usable(disturbed: Disturbed, measure: Measure) -> None:
    """The fault has ended: every question is answered at once."""
    meter = disturbed.meter
    repeated = meter.session.retried
    found = {name: [signed(word) for word in meter.words(name)] for name in ASKED}
    wrong = [name for name, words in found.items() if words != _truth(disturbed, name)]
    measure("wrong after the fault", "; ".join(wrong) or "nothing", device=meter.name).is_("nothing")
    measure("repeated after the fault", meter.session.retried - repeated, device=meter.name).is_(0)
