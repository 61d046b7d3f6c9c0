"""`meterbench sweep power-cuts` as a user types it."""

from __future__ import annotations

import json
import shlex

import pytest

from bench import cli
from bench.errors import Exit
from bench.sweep.campaign import Choice, processes_for, run
from bench.sweep.plan import Plan

ROW = ("--of", "meter", "--procedure", "clock", "--medium", "ethernet", "--save-delay", "0 s", "--off", "5 s")
BENCH = ("--of", "bench", "--procedure", "clock", "--medium", "ethernet")
SICK = ("--of", "meter", "--procedure", "transfer", "--medium", "ethernet", "--save-delay", "0 s", "--off", "5 s",
        "--defect", "D15", "--sample", "20")  # fmt: skip


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.call(["sweep", "power-cuts", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_row_a_plan_and_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *ROW, "--sample", "8")
    head, row, total = out.splitlines()
    assert (code, err) == (Exit.VERIFIED, "")
    assert head.split() == ["points", "new", "set", "old", "set", "mixtures", "recovered", "refused", "violations"]
    assert row.startswith("clock, ethernet, cut for 5 s, save delay 0 s  ")
    assert row.split()[-7:][0] == "8"
    assert row.split()[-1] == "0"
    assert total.startswith("8 cuts, 0 violations, ")


def test_without_options_the_whole_is_swept_both_ways_on_both_media(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--sample", "1", "--json", "--procedure", "restart", "--procedure", "clock")
    rows = json.loads(out)["rows"]
    assert code == Exit.VERIFIED
    assert len(rows) == 2 * (2 * 3 * 2 + 2)  # procedures; the meter: media, save delays, cuts; the bench: media
    assert {(row["of"], row["off"], row["boot"]) for row in rows} == {
        ("meter", "5 s", None), ("meter", "0 s", "500 ms"), ("bench", "5 s", None)
    }  # fmt: skip


def test_a_sick_meter_ends_it_with_1_and_the_first_cut_can_be_run_again_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = call(capsys, *SICK)
    assert code == Exit.FAILED
    again = next(line.strip() for line in out.splitlines() if line.strip().startswith("meterbench sweep"))
    assert "what was saved is kept: " in out
    code, alone, _ = call(capsys, *shlex.split(again)[3:])
    assert code == Exit.FAILED
    assert "  afterwards: the old set; a second run: done" in alone
    assert "  the procedure: " in alone


def test_json_tells_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *SICK, "--json")
    found = json.loads(out)
    assert code == Exit.FAILED
    assert found["points"] == 20
    assert found["violations"] == found["rows"][0]["violations"] > 0
    kept = next(row for row in found["rows"][0]["broken"] if row["invariant"] == "what was saved is kept")
    assert kept["found"] == "the new set was, and the old one is there"
    assert kept["command"].endswith(f"--at {kept['at']}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--save-delay", "5"), "'5' is no duration"),
        (("--off", "x"), "'x' is no duration"),
        (("--at", "5", "--sample", "3"), "--at is one moment: without"),
        (("--at", "5"), "--at is one moment of one row, and these are"),
        ((*ROW, "--at", "soon"), "--at 'soon' is no moment"),
        ((*ROW, "--at", "9" * 23), f"nothing is cut at {'9' * 23}"),
        ((*ROW, "--at", "0"), "nothing is cut at 0: from "),
        ((*ROW, "--at", "touch 1"), "nothing is cut at touch 1: from "),
        ((*BENCH, "--at", "touch 0"), "nothing is cut at touch 0: touch 1 to "),
        ((*BENCH, "--at", "touch 99999"), "nothing is cut at touch 99999: touch 1 to "),
        (("--device", "new"), 'station sim has no device "new"'),
        (("--defect", "D99"), "no defect is called 'D99'"),
        (("--device", "cm2350", "--source", "cm3350"), "nothing on it that a sweep could program"),
        (("--procedure", "transfer", "--source", "new-pm850"), "new-pm850 cannot hand its readings over to itself"),
    ],
)
def test_what_cannot_be_swept_is_one_line_and_exit_code_4(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, *words)
    assert (code, out) == (Exit.USAGE, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_choice_is_every_so_manieth_or_so_many_evenly_spread() -> None:
    plan = Plan("restart", medium="ethernet")
    whole = Choice().of(plan)
    assert Choice(every=3).of(plan) == whole[::3]
    few = Choice(sample=5).of(plan)
    assert [whole.index(moment) * 5 // len(whole) for moment in few] == [0, 1, 2, 3, 4]
    assert Choice(sample=10**6).of(plan) == whole


def test_two_processes_find_what_one_finds_in_the_same_order() -> None:
    plans = [Plan("restart", medium="ethernet"), Plan("clock", medium="ethernet")]
    told: list[tuple[int, int]] = []
    one = run(plans, Choice(sample=6), processes=1)
    two = run(plans, Choice(sample=6), processes=2, progress=lambda done, total: told.append((done, total)))
    assert [row.outcomes for row in two.rows] == [row.outcomes for row in one.rows]
    assert told == [(6, 12), (12, 12)]


def test_no_more_processes_are_started_than_there_are_shares_of_work() -> None:
    assert processes_for(shares=3, points=250, wanted=100_000) == 3
    assert processes_for(shares=3, points=250, wanted=None) == 1
    assert processes_for(shares=0, points=0, wanted=4) == 1
