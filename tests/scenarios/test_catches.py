"""A scenario that no defect can fail is not a test: every defect and mistake that can be switched on is caught.

What fails must be about the symptom, on the device that has the defect; what else fails is an accident, and counts.
"""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.defects import TARGET, TARGETS, Matrix, _healthy, _sick, faults, kill_matrix
from bench.procedures.mistakes import Mistake

SCENARIOS = Path(str(files("scenarios")))
FAULTS = faults()
FAILING = ("fail", "inconclusive")
#: The last number of the list of Elster defects in the domain reference.
LAST_OF_THE_REFERENCE = 60
#: Takes the assertion out of the scenario that catches D30.
WEAK = ('judge_unchanged(before.values, fresh, measure, since, "a direct write")', "pass")


def modules() -> list[str]:
    return [".".join(path.relative_to(SCENARIOS.parent).with_suffix("").parts) for path in SCENARIOS.rglob("test_*.py")]


def functions() -> dict[str, Any]:
    """Every shipped scenario by its name, which no other scenario has."""
    found = [(name, it) for m in modules() for name, it in vars(import_module(m)).items() if name.startswith("test_")]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    """Everything against everything, and a few healthy runs."""
    return kill_matrix((), FAULTS, seeds=5)


@pytest.fixture(scope="module")
def elsewhere() -> Matrix:
    """The scenarios that promise to catch it, on another meter of its family."""
    targets = {"powerlogic": "new-pm850", "elster": "a1700"}
    return kill_matrix((), FAULTS, seeds=0, targets=targets, promised_only=True)


def test_what_must_catch_it_exists() -> None:
    assert {name for fault in FAULTS.values() for name in fault.caught_by} <= set(functions())


def test_every_mark_is_a_promise_of_the_catalogue() -> None:
    marked = {
        (id_, name)
        for name, function in functions().items()
        for mark in getattr(function, "pytestmark", [])
        if mark.name == "catches"
        for id_ in mark.args
    }
    assert marked <= {(id_, name) for id_, fault in FAULTS.items() for name in fault.caught_by}
    assert {id_ for id_, _ in marked} == set(FAULTS)


@pytest.mark.parametrize("id_", FAULTS)
def test_it_is_caught_and_for_the_right_reason(id_: str, matrix: Matrix) -> None:
    killers = {scenario.rpartition("::")[2] for scenario in matrix.matrix[id_]}
    assert killers >= set(FAULTS[id_].caught_by)
    assert [line for line in matrix.accidental if line.startswith(id_)] == []


@pytest.mark.parametrize("id_", [id_ for id_, fault in FAULTS.items() if not fault.model])
def test_it_is_caught_on_another_meter_too(id_: str, elsewhere: Matrix) -> None:
    killers = {scenario.rpartition("::")[2] for scenario in elsewhere.matrix[id_]}
    assert killers == set(FAULTS[id_].caught_by)
    assert [line for line in elsewhere.accidental if line.startswith(id_)] == []


def test_healthy_meters_stay_green(matrix: Matrix) -> None:
    assert matrix.healthy_seeds == 5
    assert matrix.false_alarms == []
    assert matrix.flawless


def weakened(folder: Path) -> Path:
    """A copy of the preset scenarios without the assertion that catches D30."""
    copy = folder / "energy_preset"
    shutil.copytree(SCENARIOS / "energy_preset", copy)
    module = copy / "test_refusals.py"
    text = module.read_text("utf-8")
    assert text.count(WEAK[0]) == 1
    module.write_text(text.replace(*WEAK), "utf-8")
    return copy


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """`defects run` with its JSON object."""
    code = cli.call(["defects", "run", "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_a_weakened_scenario_lets_its_defect_survive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--only", "D30", "--only", "D07", "--seeds", "1")
    code, found = run(str(SCENARIOS / "energy_preset"), *only, capsys=capsys)
    assert (code, found["survivors"]) == (0, [])
    code, found = run(str(weakened(tmp_path)), *only, capsys=capsys)
    assert (code, found["total"], found["killed"], found["survivors"]) == (1, 2, 1, ["D30"])
    assert found["missed"] == ["D30: test_the_live_energies_take_no_direct_write"]
    assert found["matrix"]["D07"]


def test_a_scenario_that_cries_wolf_is_found_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit that is too tight fails on a healthy meter, and with a defect that it is not about."""
    scenario = "def test_wolf(target, measure):\n    measure('voltage', 229, device=target.name).is_(230)\n"
    (tmp_path / "test_wolf.py").write_text(scenario, "utf-8")
    code, found = run(str(tmp_path / "test_wolf.py"), "--only", "D30", "--seeds", "2", capsys=capsys)
    wolf = f"{tmp_path.name}/test_wolf.py::test_wolf: voltage"
    assert code == 1
    assert (found["survivors"], found["accidental"]) == (["D30"], [f"D30: {wolf}"])
    assert found["false_alarms"] == [f"seed 0: {wolf}", f"seed 1: {wolf}"]


def test_what_breaks_in_the_set_up_is_no_kill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The symptom's own words, raised before the scenario begins, are an accident all the same."""
    scenario = (
        "import pytest\n\n"
        "@pytest.fixture\ndef broken(target):\n    raise RuntimeError('energies after a direct write')\n\n"
        "def test_breaks(target, broken, measure):\n    pass\n"
    )
    (tmp_path / "test_breaks.py").write_text(scenario, "utf-8")
    code, found = run(str(tmp_path / "test_breaks.py"), "--only", "D30", "--seeds", "0", capsys=capsys)
    assert (code, found["killed"], len(found["accidental"])) == (1, 0, 1)
    assert "raised RuntimeError: energies after a direct write" in found["accidental"][0]


def test_scenarios_that_cannot_be_collected_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_typo.py").write_text("def test_typo(:\n", "utf-8")
    assert cli.call(["defects", "run", str(tmp_path / "test_typo.py"), "--only", "D30"]) == 4
    assert "the scenarios did not run" in capsys.readouterr().err
    assert cli.call(["defects", "run", "--only", "D99"]) == 4
    (tmp_path / "test_none.py").write_text("def test_x():\n    assert 0\n")
    assert cli.call(["defects", "run", str(tmp_path / "test_none.py"), "--only", "D15", "--seeds", "1"]) == 5
    assert "no defect or mistake is called 'D99'" in capsys.readouterr().err
    assert cli.call(["defects", "run", "--family", "abacus"]) == 4
    assert "known: elster, powerlogic" in capsys.readouterr().err


def test_the_matrix_is_told_in_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["defects", "run", "reading", "--only", "P23", "--only", "D04", "--seeds", "0"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "D04  SURVIVED"
    assert lines[1].startswith("P23  killed by reading/test_registers.py::test_frequency_is_the_nominal_one")
    assert lines[2].startswith("1 of 2 killed, 1 survived, 0 accidents, 0 promises not kept, 0 false alarms")


@pytest.mark.parametrize("id_", ["D15", "D20"])
def test_a_defect_of_one_meter_leaves_the_others_green(id_: str, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    scenarios = ["energy_preset/test_transfer.py", "programming/test_setup.py"]
    words = ["--device", "cm2350", "--device", "new-pm870", "--device", "new-pm850", "--defect", f"new-pm850:{id_}"]
    assert cli.call(["run", *scenarios, *words, "--evidence", str(evidence)]) == 1
    rows = [json.loads(row) for row in (evidence / "measurements.jsonl").read_text("utf-8").splitlines()]
    assert {row["device"] for row in rows if row["verdict"] in FAILING} == {"new-pm850"}
    assert {row["device"] for row in rows if row["verdict"] == "pass"} >= {"new-pm870"}


def test_every_fault_says_what_it_is() -> None:
    assert FAULTS.keys() >= {"D01", "D42", "O01", "O10", "P01", "P15"}
    for id_, fault in FAULTS.items():
        assert fault.id == id_
        assert fault.title
        assert fault.symptom
        assert fault.caught_by
        assert fault.severity in ("billing", "function", "cosmetic")
        assert bool(fault.why) == is_our_own(id_), id_
        assert not fault.explains("raised NoAnswer: no answer from unit 2 on link lan within 1 s")
    assert TARGET == "new-cm4250"
    assert {fault.family for fault in FAULTS.values()} == {"powerlogic", "elster"}
    assert sum(isinstance(fault, Mistake) for fault in faults("powerlogic").values()) == 15


def test_a_mistake_of_meters_and_tools_alike_is_there_for_both() -> None:
    both = ("01", "02", "03", "04", "16", "23", "24", "58")
    assert [f"{who}{number}" for number in both for who in "ET" if f"{who}{number}" not in FAULTS] == []


def is_our_own(id_: str) -> bool:
    """Whether no reference has it: it then says what makes it plausible."""
    return id_.startswith("P") or (id_[0] == "E" and int(id_[1:]) > LAST_OF_THE_REFERENCE)


@pytest.mark.parametrize("family", ["powerlogic", "elster"])
def test_a_matrix_of_one_family_runs_that_family_only(family: str) -> None:
    other = {"powerlogic": {"a1140", "a1700"}, "elster": {"new-pm850", "cm2350"}}[family]
    cases = [*_sick(faults(family).values(), TARGETS, promised_only=False), *_healthy(8, {family})]
    assert {fault.family for fault in faults(family).values()} == {family}
    assert not {device for case in cases for device in case.devices} & other


def test_healthy_runs_go_through_all_meters_of_the_families() -> None:
    devices = [case.devices for case in _healthy(4, {"elster"})]
    assert set(map(frozenset, devices)) == {frozenset({name}) for name in ("a1140", "a1700", "a1120", "a1140-tcp")}
    assert [case.trial for case in _healthy(2, {"elster"})] == [None, None]
    assert [(sorted(case.devices), case.trial) for case in _healthy(2, {"powerlogic"})] == [
        (["cm2350", "new-cm3350"], 0),
        (["cm3350", "new-cm4250"], 1),
    ]
