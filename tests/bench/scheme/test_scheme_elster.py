"""Schemes against the simulated meters of the built-in station, over their own lines and through the real driver."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from bench.bench import Bench
from bench.cli import call
from bench.safety import Armed
from bench.scheme.elster import ElsterScheme

FIXTURES = Path(__file__).parents[3] / "fixtures" / "schemes"
PASSWORD = "SEKRET77"
CASES = {"a1140": "industrial", "a1140-tcp": "industrial", "a1700": "grid_supply_point", "a1120": "tariff_only"}


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METER_PASSWORD_LEVEL_3", PASSWORD)
    monkeypatch.delenv("METERBENCH_STATION", raising=False)


@pytest.mark.parametrize("meter", CASES)
def test_a_scheme_is_programmed_into_a_simulated_meter(meter: str, capsys: pytest.CaptureFixture[str]) -> None:
    scheme = str(FIXTURES / f"{CASES[meter]}.yaml")
    assert call(["scheme", "program", scheme, meter, "--user", "JDOE", "--on", "2026-11-21", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "pass"
    assert set(found["sections"].values()) <= {"new", "unchanged"}
    assert found["sections"]["tariff"] == "new"
    rows = {row["name"]: row for row in found["measurements"]}
    assert rows["programming counter went up by"]["verdict"] == "pass"
    assert Path(found["snapshot"]).exists()


def test_no_password_stands_in_what_a_programming_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["scheme", "program", str(FIXTURES / "industrial.yaml"), "a1140", "--user", "JDOE"]) == 0
    told = capsys.readouterr()
    left = [_unpacked(path) for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"393333303031" in data for data in left)  # W1 933001 as the trace shows it: what follows is cut out
    seen = b"\n".join([*left, told.out.encode(), told.err.encode()]).upper()
    digits = PASSWORD.encode().hex().upper().encode()
    for secret in (
        PASSWORD.encode(),
        digits,
        digits.hex().encode(),
    ):  # as text, as W1 sends it, and that as a trace shows
        assert secret.upper() not in seen


def _unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_what_a_meter_holds_is_exported_and_is_a_good_scheme(capsys: pytest.CaptureFixture[str]) -> None:
    for meter in ("a1140", "a1700", "a1120"):
        assert call(["scheme", "export", meter, "-o", f"{meter}.yaml"]) == 0
        assert call(["scheme", "check", f"{meter}.yaml"]) == 0
        assert call(["scheme", "diff", f"{meter}.yaml", "--meter", meter]) == 0  # also where it was never named
        assert call(["scheme", "verify", f"{meter}.yaml", meter]) == 0
        assert f"{meter} holds scheme (none)" in capsys.readouterr().out


def test_a_scheme_for_another_model_is_refused_before_the_meter_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["scheme", "program", str(FIXTURES / "industrial.yaml"), "a1700", "--user", "JDOE"]) == 4
    assert "scheme IND-3T-2 is for A1140, not for an A1700" in capsys.readouterr().err


def _interrupted_supply(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Interrupt the meter's supply just before its `at`-th write."""
    benches: list[Bench] = []
    make, write = Bench.__init__, ElsterScheme.write_object
    count = itertools.count(1)

    def made(bench: Bench, *words: Any, **named: Any) -> None:
        make(bench, *words, **named)
        benches.append(bench)

    def cut(meter: ElsterScheme, armed: Armed, identity: int, data: bytes) -> None:
        if next(count) == at:
            benches[-1].supplies.cycle(meter.name)
        write(meter, armed, identity, data)

    monkeypatch.setattr(Bench, "__init__", made)
    monkeypatch.setattr(ElsterScheme, "write_object", cut)


@pytest.mark.parametrize("at", [2, 6, 9])
def test_a_supply_that_fails_between_two_writes_costs_a_visit_and_not_the_scheme(
    at: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scheme = str(FIXTURES / "industrial.yaml")
    with monkeypatch.context() as patched:
        _interrupted_supply(patched, at)
        code = call(["scheme", "program", scheme, "a1140", "--user", "JDOE", "--on", "2026-11-21", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["verdict"], len(found["unconfirmed"])) == (0, "pass", 1)
    rows = {row["name"]: row for row in found["measurements"]}
    assert rows["user in the programming log"]["value"] == "JDOE"


def test_a_supply_that_fails_at_a_password_costs_a_visit_too_for_it_is_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        _interrupted_supply(patched, 15)
        words = ["scheme", "program", str(FIXTURES / "industrial.yaml"), "a1140", "--on", "2026-11-21", "--json"]
        assert call(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["unconfirmed"], found["sections"]["passwords"]) == (["password_3"], "new")


def test_a_programming_that_outlasts_its_password_goes_on_in_visits_that_are_named_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clocks: list[Any] = []
    make, write = Bench.__init__, ElsterScheme.write_object

    def made(bench: Bench, *words: Any, **named: Any) -> None:
        make(bench, *words, **named)
        clocks.append(bench.clock)

    def slow(meter: ElsterScheme, armed: Armed, identity: int, data: bytes) -> None:
        write(meter, armed, identity, data)
        clocks[-1].sleep(40_000_000_000)

    monkeypatch.setattr(Bench, "__init__", made)
    monkeypatch.setattr(ElsterScheme, "write_object", slow)
    words = ["scheme", "program", str(FIXTURES / "industrial.yaml"), "a1140", "--user", "JDOE", "--on", "2026-11-21"]
    assert call([*words, "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["measurements"]}
    assert rows["programming counter went up by"]["value"] == "4"
    assert rows["programming counter went up by"]["note"] == "4, before: 0; written in 4 visits"
    assert rows["user in the programming log"]["value"] == "JDOE"
