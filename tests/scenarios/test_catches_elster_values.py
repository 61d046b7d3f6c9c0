"""What goes wrong with the values of Elster meters is caught by the scenarios that promise it, and by nothing amiss.

A mistake of a head-end shows on whatever it reads; a firmware defect on the model that it names, or on any.
"""

from __future__ import annotations

import pytest

from bench.commands.run import find_scenarios
from bench.defects import Matrix, faults, kill_matrix
from bench.procedures.mistakes import MISTAKES
from bench.repetition import Case, repeat
from bench.run import Options
from simulators.faults.registry import load

MODULES = {
    f"simulators.faults.elster_{name}" for name in ("counting", "billing", "profile", "logs", "clock", "showing")
}
DEFECTS = [id_ for id_, found in load().items() if found.install.__module__ in MODULES]
HEAD_ENDS = [id_ for id_, found in MISTAKES.items() if found.head_end.__module__.endswith("reading_mistakes")]
MINE = faults("elster", [*DEFECTS, *HEAD_ENDS])
FOLDERS = ("counting", "reading", "programming")
METERS = ("a1140", "a1700", "a1120", "a1140-tcp")


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    """Each against the scenarios that promise to catch it."""
    return kill_matrix(FOLDERS, MINE, seeds=0, target="a1140", promised_only=True)


@pytest.mark.parametrize("id_", MINE)
def test_it_is_caught_by_all_that_promise_it(id_: str, matrix: Matrix) -> None:
    assert {scenario.rpartition("::")[2] for scenario in matrix.matrix[id_]} == set(MINE[id_].caught_by)
    assert [line for line in matrix.accidental if line.startswith(id_)] == []


def test_those_of_the_reference_are_there() -> None:
    """Section 6 of the reference, as far as it is about values; what is meterbench's own has a reason."""
    wanted = {f"E{number}" for number in (35, 36, 37, 38, 39, 41, 42, 43, 44, 46, 47, 53, 54, 60)}
    assert wanted <= set(DEFECTS)
    assert {"T43", "T48", "T49", "T50", "T51", "T55"} <= set(HEAD_ENDS)
    assert all(MINE[id_].why for id_ in DEFECTS if id_ not in wanted)


@pytest.mark.parametrize("seed", range(2))
def test_healthy_meters_stay_green(seed: int) -> None:
    cases = [Case(f"{name}, seed {seed}", Options(seed=seed), frozenset({name}), frozenset({name})) for name in METERS]
    found = repeat(find_scenarios(FOLDERS), cases)
    assert len(found) > 4 * 20
    assert [(case.name, scenario, failures) for case, scenario, failures in found if failures] == []
