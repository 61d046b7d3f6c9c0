"""A scenario that no defect can fail is not a test: every defect and mistake that can be switched on is caught.

Two things are checked on two meters: that the scenarios which claim to catch it do fail, and that what fails is about
its symptom and not about anything else.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.procedures.mistakes import MISTAKES
from simulators.faults.registry import load

#: What the failing measurements are called, by the symptom of the catalogue (powerlogic.md section 9).
AN_ENERGY = "(real|reactive|apparent) energy"
SYMPTOMS = {
    "D02": AN_ENERGY,
    "D03": AN_ENERGY,
    "D04": "(real|reactive) energy",
    "D06": "result word",
    "D08": r"result with word ([5-9]|[12]\d) out of range",
    "D09": r"energies after word \d+ out of range",
    "D11": "result",
    "D15": "energy .* after a power cycle",
    "D20": "real energy total",
    "D25": "changed beside the energies",
    "D30": "energies after a direct write",
    "O01": "(reactive|apparent) energy total",
    "O02": AN_ENERGY,
    "O03": "buffer read-back",
    "O04": "procedure",
    "O05": "changed beside the energies",
    "O10": "after the second time",
}
#: O06 is made by hand: the scenario that claims it swaps the meters itself.
BY_HAND = {"O06"}
TARGETS = ("new-pm850", "new-cm4250")
FAILING = ("fail", "inconclusive")


def modules() -> list[str]:
    root = Path(str(files("scenarios")))
    return [".".join(path.relative_to(root.parent).with_suffix("").parts) for path in root.rglob("test_*.py")]


def claims() -> dict[str, set[str]]:
    """Defect or mistake -> the scenarios that say they catch it, as `folder/file.py::name`."""
    found: dict[str, set[str]] = {}
    for module in modules():
        for name, function in vars(import_module(module)).items():
            for mark in getattr(function, "pytestmark", []):
                if name.startswith("test_") and mark.name == "catches":
                    path = module.removeprefix("scenarios.").replace(".", "/") + ".py"
                    for id_ in mark.args:
                        found.setdefault(id_, set()).add(f"{path}::{name}")
    return found


CLAIMS = claims()


def run(scenarios: set[str], device: str, *switch: str, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run scenarios against a CM2350 and one target; the exit code and the measurements of the evidence."""
    evidence = folder / "evidence"
    code = cli.call(
        ["run", *sorted(scenarios), "--device", "cm2350", "--device", device, "--evidence", str(evidence), *switch]
    )
    rows = (evidence / "measurements.jsonl").read_text(encoding="utf-8").splitlines()
    return code, [json.loads(row) for row in rows]


def test_every_defect_and_mistake_has_a_symptom_and_a_scenario() -> None:
    known = {*load(), *MISTAKES}
    assert known == set(SYMPTOMS)
    assert known <= set(CLAIMS), f"claimed by no scenario: {sorted(known - set(CLAIMS))}"


def test_every_claim_names_something_of_the_catalogue() -> None:
    assert all(re.fullmatch(r"[DO]\d\d", id_) for id_ in CLAIMS)


@pytest.mark.parametrize("device", TARGETS)
@pytest.mark.parametrize("id_", SYMPTOMS)
def test_what_claims_to_catch_it_fails_and_says_why(
    id_: str, device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = ("--mistake", id_) if id_ in MISTAKES else ("--defect", f"{device}:{id_}")
    code, rows = run(CLAIMS[id_], device, *switch, folder=tmp_path)
    assert code == 1
    failing = [row for row in rows if row["verdict"] in FAILING]
    assert {row["scenario"].split("/")[-1].split("[")[0] for row in failing} == {
        claim.split("/")[-1] for claim in CLAIMS[id_]
    }
    assert any(re.search(SYMPTOMS[id_], row["name"]) for row in failing)
    assert all(row["device"] == device for row in failing)
    shown = capsys.readouterr().out
    assert "Traceback" not in shown
    assert re.search(rf"FAIL.*{failing[0]['name'][:20]}", shown, re.IGNORECASE)


@pytest.mark.parametrize("device", TARGETS)
def test_without_any_of_them_the_same_scenarios_pass(device: str, tmp_path: Path) -> None:
    everything = set().union(*(CLAIMS[id_] for id_ in {*SYMPTOMS, *BY_HAND}))
    code, rows = run(everything, device, folder=tmp_path)
    assert code == 0
    assert {row["verdict"] for row in rows} <= {"pass", "not_applicable", "not_determinable"}


@pytest.mark.parametrize("id_", ["D15", "D20"])
def test_a_defect_of_one_meter_leaves_the_others_green(id_: str, tmp_path: Path) -> None:
    _, rows = run(CLAIMS[id_], "new-pm870", "--device", "new-pm850", "--defect", f"new-pm850:{id_}", folder=tmp_path)
    assert {row["device"] for row in rows if row["verdict"] in FAILING} == {"new-pm850"}
    assert {row["device"] for row in rows if row["verdict"] == "pass"} >= {"new-pm870"}
