"""`meterbench serve`: what is said before any port opens."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from bench import cli

MODBUS = """
schema: 1
name: desk
links: {bus: {type: sim}}
devices: {old: {model: CM2350, link: bus, address: 3}}
"""


@pytest.fixture(autouse=True)
def _no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("bench.commands.serve"), "serve", lambda *_given, **_named: None)


@pytest.mark.parametrize(
    ("speed", "warned"), [("20", "1120, a1140-tcp pass 20 times as fast too: 0.095 s for"), ("1", ""), ("0.5", "")]
)
def test_who_serves_flag_meters_fast_is_told_what_becomes_of_their_patience(
    capsys: pytest.CaptureFixture[str], speed: str, warned: str
) -> None:
    assert cli.call(["serve", "--station", "sim", "--speed", speed]) == 0
    said = capsys.readouterr().err
    assert warned in said
    assert bool(said) is bool(warned)


def test_modbus_meters_have_no_patience_to_lose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "desk.yaml").write_text(MODBUS, "utf-8")
    assert cli.call(["serve", "--station", str(tmp_path / "desk.yaml"), "--speed", "20"]) == 0
    assert capsys.readouterr().err == ""
