"""The procedure of seed document 003, for every pair of meters that the documents allow."""

import pytest

from bench.bench import Bench
from bench.drivers.powerlogic import PowerLogic, Series
from bench.measure import Measure
from bench.procedures.operator import Aim, Operator
from bench.procedures.transfer_judgement import judge_transfer
from bench.procedures.transfer_precheck import NotATarget
from scenarios.marks import catches, destructive

SINGLE_WRITES = 28
ELSEWHERE = Aim(status=8100, result=8101, data=8110)


@destructive("overwrites the billing registers of the new meter")
@catches("D01", "D02", "D03", "D04", "D06", "D11", "D15", "D25", "D33", "O01", "O02", "O03", "O04", "O05", "O06", "O07")
@catches("O08", "O09", "P02", "P03", "P04", "P05", "P14", "P32")
def test_new_meter_takes_over_the_readings(
    old: PowerLogic, new: Series, bench: Bench, operator: type[Operator], measure: Measure
) -> None:
    """The new meter goes on where the old one ended, and only its energies have changed."""
    report = bench.transfer(old, new, operator=operator())
    judge_transfer(report, measure)


@destructive("overwrites the billing registers of the new meter")
@catches("D28")
def test_twenty_eight_single_writes_do_the_same(
    target: Series, bench: Bench, operator: type[Operator], measure: Measure, old_for: PowerLogic
) -> None:
    """A buffer filled word by word, as from a front panel, gives what the block write gives."""
    report = bench.transfer(old_for, target, operator=operator(single_writes=True))
    measure("single writes", len(report.words), device=target.name).is_(SINGLE_WRITES)
    judge_transfer(report, measure)


@destructive("overwrites the billing registers of the new meter")
@catches("D12")
def test_pointers_may_aim_elsewhere(
    target: Series, bench: Bench, operator: type[Operator], measure: Measure, old_for: PowerLogic
) -> None:
    """Status, result and buffer may lie anywhere in the user area."""
    report = bench.transfer(old_for, target, operator=operator(aim=ELSEWHERE))
    judge_transfer(report, measure)


@destructive("would overwrite a meter that takes no preset, and must not")
def test_a_meter_without_a_preset_is_refused(
    old: PowerLogic, unfit: PowerLogic, bench: Bench, measure: Measure
) -> None:
    """A Series 2000 meter hands readings over and takes none: the bench refuses before it writes."""
    before = unfit.read_energies()
    with pytest.raises(NotATarget):
        bench.transfer(old, unfit)
    measure("writes sent", len(unfit.session.writes), device=unfit.name).is_(0)
    after = unfit.read_energies()
    for quantity, value in before.values.items():
        measure(quantity.title, after[quantity] >= value, device=unfit.name).is_(expected=True)
