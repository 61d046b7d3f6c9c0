"""A run's exit code and evidence, from what the scenarios found; without pytest around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench_stand import LAN, station_of, two_meters

from bench.cli import call
from bench.commands.device import exit_of, opened
from bench.errors import BenchError, Exit, NoAnswer, NoCall, StationError
from bench.manifest import verify_manifest
from bench.run import Options, Run, Scenario, skipped
from bench.verdicts import Verdict


@contextmanager
def a_run(folder: Path, policy: str = "", evidence: bool = False) -> Iterator[Run]:  # noqa: FBT002  # a test's
    station = station_of(two_meters(link=LAN) + policy, folder)
    run = Run(station, Options(evidence=folder / "evidence" if evidence else None))
    try:
        yield run
    finally:
        run.abandon()


def measured(run: Run, name: str, verdict: Verdict | None) -> Scenario:
    """A scenario that measured one value with this verdict, or nothing."""
    scenario = Scenario(run, name, "title", None, ["new"], ["identify"])
    if verdict is Verdict.NOT_DETERMINABLE:
        scenario.measure.not_determinable("value", "a means to")
    elif verdict is not None:
        scenario.measure("value", 1, device="new").is_(1 if verdict is Verdict.PASS else 0)
    scenario.finish()
    run.keep(scenario.record("passed" if verdict is Verdict.PASS else "failed", ""), scenario.measure.flush())
    return scenario


PYTEST_OK, PYTEST_FAILED, PYTEST_INTERNAL, PYTEST_USAGE, PYTEST_NOTHING = 0, 1, 3, 4, 5


@pytest.mark.parametrize(
    ("verdict", "pytests", "expected"),
    [
        (Verdict.PASS, PYTEST_OK, Exit.VERIFIED),
        (Verdict.FAIL, PYTEST_FAILED, Exit.FAILED),
        (Verdict.PASS, PYTEST_INTERNAL, Exit.FAILED),
        (Verdict.PASS, PYTEST_USAGE, Exit.USAGE),
        (Verdict.NOT_DETERMINABLE, PYTEST_OK, Exit.NOTHING),
        (None, PYTEST_OK, Exit.NOTHING),
        (None, PYTEST_NOTHING, Exit.NOTHING),
    ],
)
def test_the_exit_code_of_a_run(verdict: Verdict | None, pytests: int, expected: Exit, tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        measured(run, "a", verdict)
        assert run.verdict_of_run(pytests) is expected


def test_a_broken_station_counts_more_than_a_failure_and_an_interrupt_more_than_that(tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        scenario = measured(run, "a", Verdict.PASS)
        scenario.broke(StationError("link line: the adapter is gone"))
        assert run.broken == {"line": "link line: the adapter is gone"}
        assert run.verdict_of_run(PYTEST_FAILED) is Exit.STATION
        run.interrupted = True
        assert run.verdict_of_run(PYTEST_FAILED) is Exit.INTERRUPTED


def test_a_scenario_on_a_broken_link_is_refused_and_opens_nothing(tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        run.broken["line"] = "link line: the adapter is gone"
        with pytest.raises(StationError, match="link line broke earlier: link line: the adapter is gone"):
            Scenario(run, "a", "title", None, ["new"], [])
        assert run.current is None


def test_a_run_goes_on_behind_one_call_in_vain_and_not_behind_two(tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        scenario = measured(run, "a", Verdict.PASS)
        vain = NoCall("link line: dialled 3 times in vain: BUSY")
        scenario.broke(vain)
        assert run.verdict_of_run(0) is Exit.STATION
        Scenario(run, "b", "title", None, ["new"], []).finish()
        scenario.broke(vain)
        with pytest.raises(StationError, match="link line broke earlier: link line: dialled"):
            Scenario(run, "c", "title", None, ["new"], [])


def test_a_port_that_goes_behind_a_call_in_vain_ends_it(tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        scenario = measured(run, "a", Verdict.PASS)
        scenario.broke(NoCall("link line: dialled 3 times in vain: BUSY"))
        scenario.broke(StationError("link line: the adapter is gone"))
        with pytest.raises(StationError, match="broke earlier"):
            Scenario(run, "b", "title", None, ["new"], [])


def test_what_a_policy_requires_must_have_been_exercised(tmp_path: Path) -> None:
    with a_run(tmp_path, "policy: {required: [identify]}\n") as run:
        measured(run, "a", Verdict.PASS)
        assert run.unexercised() == ["identify"]
        assert run.verdict_of_run(PYTEST_OK) is Exit.NOTHING
        run.exercised.add("identify")
        assert run.verdict_of_run(PYTEST_OK) is Exit.VERIFIED


def test_the_digest_holds_what_was_measured_and_not_in_which_order_it_ran(tmp_path: Path) -> None:
    def digest(*order: tuple[str, Verdict]) -> str:
        with a_run(tmp_path) as run:
            for name, verdict in order:
                measured(run, name, verdict)
            return run.digest()

    one, two = ("a", Verdict.PASS), ("b", Verdict.FAIL)
    assert digest(one, two) == digest(two, one)
    assert digest(one, two) != digest(one, ("b", Verdict.PASS))
    assert digest(one) != digest(one, two)


def test_an_interrupted_scenario_is_aborted_and_keeps_what_it_measured(tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        scenario = Scenario(run, "a", "title", None, ["new"], [])
        assert run.current is scenario
        scenario.measure("value", 1).is_(1)
        scenario.bench.device("new").read_energies()
        scenario.finish()
        scenario.finish()
        record = scenario.interrupted()
    assert (record.verdict, record.outcome) == (Verdict.ABORTED, "error")
    assert record.end == "0.022000000"


def test_a_scenario_that_opens_nothing_costs_no_world(tmp_path: Path) -> None:
    with a_run(tmp_path) as run:
        scenario = Scenario(run, "a", "title", None, [], [])
        scenario.finish()
        assert scenario.traces == {}
        assert scenario.span == ("0.000000000", "0.000000000")
    assert skipped("a", "title", "why").verdict is Verdict.NOT_SET


# -- a bench outside pytest --------------------------------------------------------------------------------------------


def facts(folder: Path) -> dict[str, object]:
    assert verify_manifest(folder) == []
    found: dict[str, object] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def test_a_command_that_only_looks_has_verified_nothing_and_is_no_failure(tmp_path: Path) -> None:
    with opened("look", "sim", ("pm850",), evidence=tmp_path / "ev") as scenario:
        scenario.bench.device("pm850").read_energies()
        assert exit_of(scenario) is Exit.VERIFIED
    assert facts(tmp_path / "ev")["exit"] == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoAnswer("silent", device="pm850"), 1),
        (StationError("link bus: gone"), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError(), 1),
    ],
)
def test_a_command_that_is_broken_off_closes_its_evidence_with_its_code(
    error: BaseException, code: int, tmp_path: Path
) -> None:
    def look() -> None:
        with opened("look", "sim", ("pm850",), evidence=tmp_path / "ev") as scenario:
            scenario.bench.device("pm850").read_energies()
            raise error

    with pytest.raises(type(error)):
        look()
    assert facts(tmp_path / "ev")["exit"] == code
    (row,) = [json.loads(line) for line in (tmp_path / "ev" / "scenarios.jsonl").read_text().splitlines()]
    assert row["outcome"] == "error"
    assert (tmp_path / "ev" / row["traces"][0]).is_file()
    if isinstance(error, BenchError):
        assert row["reason"] == str(error)


def test_a_command_that_found_something_wrong_is_1(tmp_path: Path) -> None:
    with opened("look", "sim", ("pm850",), evidence=tmp_path / "ev") as scenario:
        scenario.measure("value", 1).is_(0)
        assert exit_of(scenario) is Exit.FAILED
    assert facts(tmp_path / "ev")["exit"] == 1


def test_a_command_that_could_determine_nothing_is_5(tmp_path: Path) -> None:
    with opened("look", "sim", ("pm850",), evidence=tmp_path / "ev") as scenario:
        scenario.measure.not_determinable("value", "a means to")
    assert facts(tmp_path / "ev")["exit"] == 5


def test_a_command_that_could_not_determine_a_part_of_it_is_5_too(tmp_path: Path) -> None:
    """Energies that arrived and may be gone after a power cut are no transfer that was verified."""
    with opened("look", "sim", ("pm850",), evidence=tmp_path / "ev") as scenario:
        scenario.measure("value", 0).is_(0)
        scenario.measure.not_applicable("another value", "this model has none")
        assert exit_of(scenario) is Exit.VERIFIED
        scenario.measure.not_determinable("energies survive a power cycle", "power control")
        assert exit_of(scenario) is Exit.NOTHING
    assert facts(tmp_path / "ev")["exit"] == 5


def test_a_transfer_without_power_control_ends_with_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["transfer", "--from", "cm2350", "--to", "new-pm850", "--json"]
    assert call([*words, "--evidence", "with"]) == 0
    monkeypatch.setattr("bench.control.Supplies.can_cycle", lambda *_: False)
    capsys.readouterr()
    assert call([*words, "--evidence", "without"]) == 5
    found = json.loads(capsys.readouterr().out)
    assert (found["exit"], found["verdict"], found["result"]) == (5, "not_determinable", 0)
    assert {row["name"] for row in found["measurements"] if row["verdict"] != "pass"} == {
        "energies survive a power cycle"
    }
    assert facts(tmp_path / "without")["exit"] == 5
