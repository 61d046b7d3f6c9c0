"""The sweep on a sample: healthy meters keep one whole set wherever they are cut, and every defect of saving is found.

The whole sweep is `meterbench sweep power-cuts` (docs/qa.md): these are a few cuts of each of its rows.
"""

from __future__ import annotations

import pytest

from bench.sweep.campaign import Choice, Row, run
from bench.sweep.jobs import JOBS
from bench.sweep.kinds import command_for
from bench.sweep.moments import moments
from bench.sweep.plan import MEDIA, VICTIMS, Medium, Plan, Victim
from bench.sweep.point import cut
from simulators.meters.powerlogic.series import SeriesMeter

#: Cuts of a row; the command's own rows have hundreds and thousands.
FEW, MANY = 7, 30


def row(plan: Plan, sample: int = FEW) -> Row:
    return run([plan], Choice(sample=sample), processes=1).rows[0]


def broken(found: Row) -> set[str]:
    return {violation.invariant for outcome in found.outcomes for violation in outcome.violations}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("procedure", JOBS)
def test_a_healthy_meter_holds_one_whole_set_wherever_it_is_cut(procedure: str, medium: Medium, victim: Victim) -> None:
    found = row(Plan(procedure, victim, medium=medium))
    assert [str(violation) for outcome in found.outcomes for violation in outcome.violations] == []
    counts = found.counts()
    assert counts["points"] == counts["old"] + counts["new"] == counts["recovered"] + counts["refused"] == FEW
    assert counts["old"] > 0
    assert counts["new"] > 0 or procedure == "restart"
    assert counts["refused"] == (counts["new"] if procedure == "transfer" else 0)


@pytest.mark.parametrize("device", ["new-cm3350", "new-cm4250", "new-pm870"])
@pytest.mark.parametrize("procedure", ["transfer", "floats"])
def test_so_does_one_of_every_family(procedure: str, device: str) -> None:
    for victim in VICTIMS:
        assert broken(row(Plan(procedure, victim, device, "cm3350", seed=5))) == set()


def test_the_draft_of_a_killed_bench_is_not_taken_for_done_by_the_next() -> None:
    """Killed before each of its last touches, and back at once, while its session is still open and shows its draft."""
    plan = Plan("setup", "bench", medium="ethernet")
    touches = [moment for moment in moments(plan) if moment.touch is not None][-14:]
    assert [cut(plan, moment).violations for moment in touches] == [[]] * len(touches)


@pytest.mark.parametrize("delay", ["50 ms", "1 s"])
@pytest.mark.parametrize("procedure", JOBS)
def test_what_was_not_saved_yet_is_as_it_was_and_is_told_so(procedure: str, delay: str) -> None:
    assert broken(row(Plan(procedure, save_delay=delay))) == set()


@pytest.mark.parametrize("boot", ["0 s", "500 ms", "2 s"])
@pytest.mark.parametrize("procedure", ["transfer", "setup", "clock", "extremes"])
def test_a_brown_out_that_nobody_notices_is_noticed(procedure: str, boot: str) -> None:
    """Back before the next request, with pointers, buffer and sentinel gone: the bench believes no 0 in their place."""
    assert broken(row(Plan(procedure, off="0 s", boot=boot), 15)) == set()


def test_the_set_that_is_found_is_the_one_that_was_saved() -> None:
    """Just before, at and just after the end of a save of one second: old, new, new."""
    plan = Plan(save_delay="1 s")
    saved = [m for m in moments(plan) if m.what.endswith(" saved")]
    assert [moment.what for moment in saved] == ["just before saved", "at saved", "just after saved"]
    assert [cut(plan, moment).side for moment in saved] == ["old", "new", "new"]


def test_around_the_execution_of_the_command_it_is_the_old_set_and_then_the_new_one() -> None:
    around = [m for m in moments(Plan()) if m.what.endswith("command executed")]
    outcomes = [cut(Plan(), moment) for moment in around]
    assert [(outcome.side, outcome.again) for outcome in outcomes] == [
        ("old", "done"),
        ("new", "refused"),
        ("new", "refused"),
    ]


FOUND = {
    "D15": ("transfer", "what was saved is kept"),
    "P33": ("transfer", "one whole set"),
    "P34": ("transfer", "the preset stamp agrees with the energies"),
    "P35": ("transfer", "what was saved is kept"),
    "P37": ("transfer", "one whole set"),
    "P38": ("transfer", "one whole set"),
    "P39": ("transfer", "one whole set"),
    "P01": ("setup", "what was saved is kept"),
    "P36": ("setup", "one whole set"),
}


@pytest.mark.parametrize("defect", FOUND)
def test_every_defect_of_saving_is_found(defect: str) -> None:
    procedure, invariant = FOUND[defect]
    found = row(Plan(procedure, medium="ethernet", defects=(defect,)), MANY if procedure == "transfer" else 3 * MANY)
    assert invariant in broken(found)
    name, _, first = next(entry for entry in found.first_of_each() if entry[0] == invariant)
    again = cut(found.plan, next(m for m in moments(found.plan) if str(m) == first.moment))
    assert name in {violation.invariant for violation in again.violations}
    assert f"--defect {defect} --seed 0 --at {first.moment}" in command_for(found.plan, first.moment)


def test_the_sweep_finds_other_defects_of_a_cut_as_well() -> None:
    assert "nothing else has changed" in broken(row(Plan("clock", medium="ethernet", defects=("P10",))))
    assert "a second run recovers" in broken(row(Plan("setup", "bench", medium="ethernet", defects=("D34",)), MANY))


def test_pointers_that_outlive_the_supply_are_found_unless_the_model_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forget(meter: SeriesMeter, _now: int) -> None:
        meter.setup = None

    executed = next(m for m in moments(Plan()) if m.what == "just after command executed")
    monkeypatch.setattr(SeriesMeter, "forget", forget)
    assert [v.invariant for v in cut(Plan(), executed).violations] == ["pointers are gone with the supply"]


def test_a_session_that_outlives_the_supply_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(meter: SeriesMeter, _now: int) -> None:
        meter._area = None

    plan = Plan("setup")
    drafted = next(m for m in moments(plan) if m.what == "after 8 of 8 bytes of unit 1: echo of 1841")
    monkeypatch.setattr(SeriesMeter, "forget", forget)
    assert "a set-up session ends with the supply" in {v.invariant for v in cut(plan, drafted).violations}
