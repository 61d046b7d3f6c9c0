"""Cutting a programming of a scheme: the sample that runs every time, and every invariant seen to be broken."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bench import cli
from bench.errors import Exit, UsageError
from bench.scheme.report import State
from bench.sweep.campaign import Choice, run
from bench.sweep.scheme_invariants import about_the_audit, about_the_meter, about_the_report, visits_kept
from bench.sweep.scheme_moments import undisturbed
from bench.sweep.scheme_plan import METERS, SCHEMES, SchemePlan
from bench.sweep.scheme_point import cut_scheme
from bench.sweep.scheme_stand import Attempt, SchemeStand
from bench.sweep.scheme_truth import Truth, items, sections, side, truth_of
from bench.sweep.stand import Notices
from protocols.elster.tables import Source

CUTS = (("meter", "1 s", "50 ms"), ("meter", "1 s", "1 s"), ("meter", "10 min", "50 ms"),
        ("line", "0 s", "50 ms"), ("line", "10 min", "50 ms"), ("bench", "0 s", "50 ms"))  # fmt: skip
LONG = SchemePlan(off="10 min")


@pytest.mark.parametrize("model", METERS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sample_of_cuts_leaves_no_silent_mixture(model: str, scheme: str) -> None:
    plans = [SchemePlan(model, scheme, *cut) for cut in CUTS]  # type: ignore[arg-type]  # names of who is cut off
    found = run(plans, Choice(sample=5), processes=1)
    assert [str(v) for row in found.rows for outcome in row.outcomes for v in outcome.violations] == []
    assert found.points == 5 * len(CUTS)
    sides = {outcome.side for row in found.rows for outcome in row.outcomes}
    assert sides == {"old", "new", "between"}


def test_every_byte_on_the_line_is_a_moment() -> None:
    found = undisturbed(SchemePlan())
    assert found.octets > 1_000
    bytes_cut = [moment for moment in found.moments if moment.what.startswith("after ")]
    assert len(bytes_cut) >= found.octets
    assert {"just before changed", "just after saved"} <= {moment.what for moment in found.moments}


def test_a_bench_is_killed_before_each_touch_too() -> None:
    found = undisturbed(SchemePlan(victim="bench")).moments
    assert [m.touch for m in found if m.touch is not None] == list(
        range(1, 1 + sum(m.touch is not None for m in found))
    )


def test_equal_seeds_cut_alike() -> None:
    moment = undisturbed(LONG).moments[700]
    assert cut_scheme(LONG, moment) == cut_scheme(LONG, moment)


#: What the sweep must say of a sick meter, cut where the programming is nearly over.
SICK = {
    "E111": "no silent mixture",
    "E112": "a meter between two schemes is not written over",
    "E113": "no silent mixture",
    "E114": "the programming log counts what was kept",
    "E118": "what was counted is untouched",
    "E119": "what was counted is untouched",
}


@pytest.mark.parametrize("defect", SICK)
def test_a_sick_meter_is_found(defect: str) -> None:
    plan = replace(LONG, defects=(defect,))
    found = run([plan], Choice(sample=12), processes=1)
    assert SICK[defect] in {v.invariant for outcome in found.rows[0].outcomes for v in outcome.violations}


# -- every invariant can be broken -------------------------------------------------------------------------------------


class Done:
    """A programming that went through, and the meter before and after it."""

    def __init__(self) -> None:
        self.stand = SchemeStand(SchemePlan())
        self.program = self.stand.plan.program()
        self.before = self.look()
        first = len(self.stand.tap.frames)
        self.attempt = self.stand.program(self.program)
        self.frames = self.stand.tap.frames[first:]

    def look(self) -> Truth:
        return truth_of(self.stand.meter, self.program, self.stand.world.now)

    def meter(self, *, visits: int = 1) -> list[str]:
        found = about_the_meter(self.program, self.before, self.look(), visits=visits)
        return [violation.invariant for violation in found]

    def report(self) -> list[str]:
        held = self.look().held
        found = about_the_report(self.program, self.before.held, self.attempt, held, None, heard_since=True)
        return [violation.invariant for violation in found]

    def audit(self) -> list[str]:
        return [violation.invariant for violation in about_the_audit(self.attempt, self.frames, died=False)]


@pytest.fixture
def done() -> Iterator[Done]:
    it = Done()
    yield it
    it.stand.close()


def test_nothing_is_wrong_with_a_programming_that_went_through(done: Done) -> None:
    assert done.attempt.ended == "went through"
    assert (done.meter(), done.report(), done.audit()) == ([], [], [])
    assert side(done.program, done.before.held, done.look().held) == "new"


def half_a_password(done: Done) -> None:
    done.stand.meter.security.passwords[2] = b"SWEP0002"


def an_old_section(done: Done) -> None:
    done.stand.meter.configuration.objects["demand_period"] = done.before.held["demand_period"]


def a_count_too_many(done: Done) -> None:
    done.stand.meter.programmings.count += 1


def another_user(done: Done) -> None:
    latest = done.stand.meter.programmings.latest
    info = replace(latest[0].info, user=b"SOMEBODY    ")
    done.stand.meter.programmings.latest = (replace(latest[0], info=info), *latest[1:])


def a_wh_more(done: Done) -> None:
    done.stand.meter.count_input(done.stand.world.now, Source.IMPORT, 1)


def no_billing(done: Done) -> None:
    done.stand.meter.billing.sets.clear()


def a_shorter_profile(done: Done) -> None:
    recorder = done.stand.meter.recorder
    assert recorder is not None
    recorder.days[0].entries.pop(0)


METER: dict[str, tuple[Callable[[Done], None], str]] = {
    "a password that is neither": (half_a_password, "a password is whole"),
    "one section that is old": (an_old_section, "no silent mixture"),
    "a programming nobody did": (a_count_too_many, "the programming log counts what was kept"),
    "somebody else's name": (another_user, "the programming log names who programmed"),
    "a watt hour": (a_wh_more, "what was counted is untouched"),
    "billing sets that are gone": (no_billing, "what was counted is untouched"),
    "a record that is gone": (a_shorter_profile, "what was counted is untouched"),
}


@pytest.mark.parametrize("what", METER)
def test_a_meter_that_is_not_right_is_found(what: str, done: Done) -> None:
    damage, invariant = METER[what]
    damage(done)
    assert invariant in done.meter()


def test_a_report_of_a_section_that_is_otherwise_is_found(done: Done) -> None:
    an_old_section(done)
    assert done.report() == ["the report says what the meter holds"]


def test_a_report_that_calls_unknown_what_can_be_read_is_found(done: Done) -> None:
    assert done.attempt.report is not None
    done.attempt.report.states["demand_period"] = State.UNKNOWN
    assert "the report says what the meter holds" in done.report()
    done.attempt.report.silent = True
    assert "the report says what the meter holds" not in done.report()


def drop(event: str) -> Callable[[Attempt], None]:
    def dropped(attempt: Attempt) -> None:
        attempt.entries = [entry for entry in attempt.entries if entry["event"] != event]

    return dropped


def late(attempt: Attempt) -> None:
    for entry in attempt.entries:
        entry["t"] += 10**12


def talkative(attempt: Attempt) -> None:
    attempt.entries.append({"event": "write", "t": 0, "facts": {"data": "SWEPT-03"}})


def unkept(attempt: Attempt) -> None:
    attempt.kept = None


AUDITS = {
    "writes that nobody wrote down": (drop("write"), "the audit names every write"),
    "writes that are written down afterwards": (late, "the audit names every write"),
    "no end": (drop("verify"), "the audit says how it ended"),
    "a password": (talkative, "no password stands in the audit"),
    "no snapshot": (unkept, "a snapshot is kept before the first write"),
}


@pytest.mark.parametrize("what", AUDITS)
def test_an_audit_that_is_not_right_is_found(what: str, done: Done) -> None:
    damage, invariant = AUDITS[what]
    damage(done.attempt)
    assert done.audit() == [invariant]


def test_sides_are_told_apart(done: Done) -> None:
    old, new = done.before.held, done.look().held
    marked = {**new, "demand_period": old["demand_period"], "scheme_id": b"*PARTIAL"}
    assert side(done.program, old, old) == "old"
    assert side(done.program, old, marked) == "between"
    assert side(done.program, old, {**marked, "scheme_id": old["scheme_id"]}) == "mixture"
    assert items(done.program, old, marked)["scheme_id"] == "mixed"
    assert sections(done.program, old, {**new, "profile_mask": old["profile_mask"]})["profile"] == "mixed"


def test_a_visit_counts_when_something_of_it_was_kept() -> None:
    notices = Notices([("changed", 10), ("changed", 20), ("supply lost", 22), ("changed", 40)])
    assert visits_kept(notices, [5, 30], 5, 0) == 2
    assert visits_kept(notices, [5, 15, 30], 5, 0) == 2  # what was changed at 20 was lost at 22
    assert visits_kept(notices, [5, 15, 30], 1, 0) == 3
    assert visits_kept(notices, [5, 15, 30], 1, 15) == 2


# -- the command -------------------------------------------------------------------------------------------------------

ROW = ("--model", "A1140", "--scheme", "settings", "--of", "meter", "--off", "10 min", "--save-delay", "50 ms")


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.call(["sweep", "scheme-cuts", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_row_a_plan_and_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *ROW, "--sample", "3")
    head, row, total = out.splitlines()
    assert (code, err) == (Exit.VERIFIED, "")
    assert head.split() == ["points", "new", "old", "between", "silent", "programmed", "resumed", "violations"]
    assert row.split()[-8:] == ["3", "1", "1", "1", "0", "2", "1", "0"]
    assert total.startswith("3 cuts, 0 violations, ")


def test_the_first_cut_that_broke_it_can_be_run_again_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *ROW, "--sample", "8", "--defect", "E113", "--json")
    found = json.loads(out)
    assert (code, found["points"]) == (Exit.FAILED, 8)
    broken = found["rows"][0]["broken"][0]
    assert (broken["invariant"], found["rows"][0]["model"]) == ("no silent mixture", "A1140")
    code, out, _ = call(capsys, *shlex.split(broken["command"])[3:])
    assert code == Exit.FAILED
    assert "  afterwards: the mixture set" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--off", "x"), "'x' is no duration"),
        (("--save-delay", "5"), "'5' is no duration"),
        (("--at", "5", "--sample", "3"), "--at is one moment: without"),
        (("--at", "5"), "--at is one moment of one row, and these are 12"),
        ((*ROW, "--at", "0"), "nothing is cut at 0: from "),
        (("--defect", "P33"), "no defect is called 'P33'"),
    ],
)
def test_what_cannot_be_swept_is_one_line_and_exit_code_4(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, *words)
    assert (code, out) == (Exit.USAGE, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_meter_that_cannot_be_swept_is_named() -> None:
    with pytest.raises(UsageError, match="no scheme settings of an A1120 can be swept"):
        SchemePlan("A1120")
