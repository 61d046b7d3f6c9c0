"""The defects and mistakes about values of Elster meters: which there must be, and that no healthy meter has one.

That each is caught, and by what, is in `test_catches.py` with all the others.
"""

from __future__ import annotations

import pytest

from bench.commands.run import find_scenarios
from bench.procedures.head_end import HeadEnd
from bench.procedures.mistakes import MISTAKES
from bench.repetition import Case, repeat
from bench.run import Options
from simulators.faults.registry import load

MODULES = {
    f"simulators.faults.elster_{name}" for name in ("counting", "billing", "profile", "logs", "clock", "showing")
}
FOLDERS = ("counting", "reading", "programming")
METERS = ("a1140", "a1700", "a1120", "a1140-tcp")


def test_those_of_the_reference_are_there() -> None:
    """Section 6 of the reference, as far as it is about values."""
    defects = {id_ for id_, found in load().items() if found.install.__module__ in MODULES}
    assert {f"E{number}" for number in (35, 36, 37, 38, 39, 41, 42, 43, 44, 46, 47, 53, 54, 60)} <= defects
    assert {"T43", "T48", "T49", "T50", "T51", "T55"} <= {i for i, f in MISTAKES.items() if f.head_end is not HeadEnd}


@pytest.mark.parametrize("seed", [11, 12])
def test_healthy_meters_stay_green(seed: int) -> None:
    cases = [Case(f"{name}, seed {seed}", Options(seed=seed), frozenset({name}), frozenset({name})) for name in METERS]
    found = repeat(find_scenarios(FOLDERS), cases)
    assert len(found) > len(METERS) * 20
    assert [(case.name, scenario, failures) for case, scenario, failures in found if failures] == []
