"""Somebody else at the meter: who signs on meanwhile is told what that may be, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_stand import stand

from bench.bench import Bench
from bench.drivers.flag import FlagSession
from bench.errors import ForeignAnswer, NoAnswer

SECOND = 1_000_000_000
WHAT_TO_DO = "somebody else may be talking to the meter: end that visit, or wait two minutes"


@pytest.fixture(params=["optical", "rs485"])
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    text = (
        f"schema: 1\nname: flag\nlinks: {{line: {{type: sim, medium: {request.param}}}}}\n"
        "devices: {m1: {model: A1140, link: line, password: simulated, protection: sacrificial}}\n"
    )
    with stand(text, tmp_path / "bench") as opened:
        yield opened.bench


def stranger(bench: Bench) -> FlagSession:
    """Another programmer with a port of its own on the same line, who knows nothing of our visit."""
    ours = bench.elster("m1").session
    ours.line.visitor = None
    return FlagSession(ours.line, "", "m1", ours.password, timing=ours.line.timing)


def test_a_second_programmer_is_told_that_another_visit_may_be_going_on(bench: Bench) -> None:
    bench.elster("m1").session.require(1)
    second = stranger(bench)
    with pytest.raises(NoAnswer, match=f"no answer to the sign-on; {WHAT_TO_DO}.* else look at the cable") as caught:
        second.require(1)
    assert str(caught.value).count("no answer to the sign-on") == 1, "told once, although asked twice"
    bench.clock.sleep(125 * SECOND)
    second.require(1)


def test_a_piece_of_somebody_elses_visit_is_told_as_such(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = bench.host.stage.flag.meter("m1")
    monkeypatch.setattr(type(meter), "identification", lambda *_: b"\x02(30303537)\x03\x1f")
    with pytest.raises(ForeignAnswer, match=rf"is no identification message.*; {WHAT_TO_DO}.* else two meters"):
        bench.elster("m1").read_clock()


def test_a_readout_is_told_likewise(bench: Bench) -> None:
    bench.elster("m1").session.require(1)
    with pytest.raises(NoAnswer, match=WHAT_TO_DO):
        stranger(bench).readout()


def test_who_is_signed_on_hears_nothing_of_others(bench: Bench) -> None:
    meter = bench.elster("m1")
    meter.read_clock()
    bench.host.stage.switch_supply("m1", on=False)
    with pytest.raises(NoAnswer, match=r"^m1: no answer to the command; asked again"):
        meter.read_clock()
