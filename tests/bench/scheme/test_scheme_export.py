"""What a meter holds becomes a scheme that says exactly that: to the meter itself, and to a second one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bench import whole_file
from bench.cli import call
from bench.commands.device import opened
from bench.run import Scenario
from bench.scheme.difference import differences
from bench.scheme.export import Held, read_held, scheme_text
from bench.scheme.load import load_scheme, scheme_from_text
from bench.scheme.model import UNFINISHED, Scheme
from bench.scheme.plan import plan_of
from bench.scheme.programming import Programming
from bench.scheme.station import meter_of
from bench.station import StationFileError

FIXTURES = Path(__file__).parents[3] / "fixtures" / "schemes"
NAMES = {"A1120": "tariff_only", "A1140": "industrial", "A1700": "grid_supply_point"}
STATION = """\
schema: 1
name: two
links: {one: {type: sim, medium: network}, other: {type: sim, medium: network}}
devices:
  first: {model: MODEL, link: one, password: simulated, protection: sacrificial}
  second: {model: MODEL, link: other, password: simulated, protection: sacrificial}
"""


def held_by(scenario: Scenario, name: str) -> Held:
    meter = meter_of(scenario, name)
    meter.log_in(None, 0, "")
    try:
        return read_held(meter)
    finally:
        meter.log_out()


def programmed(scenario: Scenario, name: str, scheme: Scheme) -> None:
    meter = meter_of(scenario, name)
    plan = plan_of(scheme, meter.model, {})
    armed = scenario.run.safety.arm(name, "a test")
    assert Programming(meter, plan, armed=armed, journal=scenario.bench.journal, user="JDOE").run().stopped == ""


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("model", NAMES)
def test_an_export_is_programmed_into_a_second_meter_and_nothing_differs(
    model: str, named: bool, tmp_path: Path
) -> None:
    station = tmp_path / "two.yaml"
    station.write_text(STATION.replace("MODEL", model), "utf-8")
    given = load_scheme(FIXTURES / f"{NAMES[model]}.yaml").without_passwords().model_copy(update={"clock": None})
    with opened("two", str(station), (), reason="a test", allowed=("first", "second")) as scenario:
        programmed(scenario, "second" if not named else "first", given)  # so that the two meters differ
        first = held_by(scenario, "first")
        assert first.scheme_id == (given.id if named else "")
        exported = scheme_from_text(scheme_text(first), "held.yaml")
        assert exported.id == first.scheme_id
        programmed(scenario, "second", exported)
        second = held_by(scenario, "second")
    assert (second.scheme_id, second.problems) == (first.scheme_id, {})
    assert differences(first.sections, second.sections) == []


@pytest.mark.parametrize("scheme_id", [" A", "094", "true", "~", "1e5", "-1", "'", '"', "#A", "A: B"])
def test_whatever_a_meter_is_called_its_export_says_so(scheme_id: str) -> None:
    sections = {"demand": "{period: 30 min}"}
    text = scheme_text(Held("A1140", scheme_id, {}, {})) + "".join(f"{k}: {v}\n" for k, v in sections.items())
    assert scheme_from_text(text, "held.yaml").id == scheme_id


def test_a_mixture_is_exported_as_one_and_no_scheme_is_called_so() -> None:
    text = scheme_text(Held("A1140", UNFINISHED, {}, {})) + "demand: {period: 30 min}\n"
    assert text.startswith("# 795 reads *PARTIAL: a programming was broken off, this is a mixture\n")
    assert scheme_from_text(text, "held.yaml").id == ""
    with pytest.raises(StationFileError, match=r"s\.yaml:2: id: \*PARTIAL says in a meter that a programming was"):
        scheme_from_text("scheme: 1\nid: '*PARTIAL'\nversion: 1\nmodels: [A1140]\ndemand: {period: 30 min}\n", "s.yaml")


def test_only_an_export_has_no_name() -> None:
    with pytest.raises(StationFileError, match=r"s\.yaml:2: id: must not be empty; only an export"):
        scheme_from_text("scheme: 1\nid: ''\nversion: 1\nmodels: [A1140]\ndemand: {period: 30 min}\n", "s.yaml")


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("METERBENCH_STATION", raising=False)


@pytest.mark.usefixtures("_folder")
def test_a_full_disk_leaves_no_piece_of_an_export(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(whole_file.os, "fsync", full)
        assert call(["scheme", "export", "a1140", "-o", "held.yaml"]) == 3
    said = "held.yaml: cannot be written: No space left on device; nothing was exported"
    assert capsys.readouterr().err.splitlines() == [said]
    assert list(Path().iterdir()) == []
    assert call(["scheme", "export", "a1140", "-o", "held.yaml"]) == 0


@pytest.mark.usefixtures("_folder")
def test_an_export_that_has_no_place_is_refused_before_the_meter_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    for output in ("none/held.yaml", "file/held.yaml"):
        assert call(["scheme", "export", "a1140", "-o", output]) == 4
        assert capsys.readouterr().err == f"{output}: cannot be written here: there is no such folder\n"
