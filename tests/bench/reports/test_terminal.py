from __future__ import annotations

from bench.evidence import ScenarioRecord
from bench.measure import Measure, Unit
from bench.measurement import Measurement
from bench.reports.terminal import ansi_paint, verdict_table
from bench.verdicts import Verdict

GOOD, BAD = "scenarios/reading/test_x.py::test_voltage[PM850]", "scenarios/reading/test_x.py::test_voltage[CM2350]"


def run_of_two() -> tuple[list[ScenarioRecord], dict[str, list[Measurement]]]:
    good, bad = Measure(GOOD, lambda: 0), Measure(BAD, lambda: 0)
    good("voltage", 230, Unit.V, device="new").between(200, 250)
    good.not_determinable("survives a power cycle", "the station lacks power control", "new")
    bad("voltage", 12, Unit.V, device="old", note="low word lost").between(200, 250)
    bad.not_determinable("survives a power cycle", "the station lacks power control", "new")
    records = [
        ScenarioRecord(scenario=GOOD, outcome="passed", verdict=good.worst, counts={"pass": 1, "not_determinable": 1}),
        ScenarioRecord(scenario=BAD, outcome="failed", verdict=bad.worst, counts={"fail": 1, "not_determinable": 1}),
    ]
    return records, {GOOD: good.flush(), BAD: bad.flush()}


def test_the_table_says_what_there_is_to_know() -> None:
    assert verdict_table(*run_of_two()) == "\n".join(
        (
            "scenario            runs  pass  fail  inconclusive  not determinable  verdict",
            "reading/x: voltage     2     1     1             ·                 2  fail",
            "",
            f"fail  {BAD}",
            "    FAIL  voltage  12 V  200 … 250  old  low word lost",
            "",
            "not determinable",
            "    survives a power cycle of new: the station lacks power control (2 times)",
        )
    )


def test_a_pipe_gets_no_colour_and_a_terminal_does() -> None:
    assert "\x1b" not in verdict_table(*run_of_two())
    assert "\x1b[31mfail\x1b[0m" in verdict_table(*run_of_two(), ansi_paint)
    assert ansi_paint("x", Verdict.PASS) == "\x1b[32mx\x1b[0m"


def test_an_exception_is_shown_by_its_reason() -> None:
    record = ScenarioRecord(scenario=BAD, outcome="error", verdict=Verdict.ERROR, reason="StationError: relay stuck")
    assert verdict_table([record], {}).endswith(f"error  {BAD}\n    StationError: relay stuck")


def test_an_empty_run_has_a_head_and_nothing_else() -> None:
    assert verdict_table([], {}).count("\n") == 0


def test_a_long_name_does_not_push_the_verdict_off_the_screen() -> None:
    record = ScenarioRecord(scenario=f"t.py::test_{'x' * 300}", outcome="passed", verdict=Verdict.PASS)
    assert max(map(len, verdict_table([record], {}).splitlines())) < 140


def test_what_was_skipped_is_told_once_for_each_reason() -> None:
    def skipped(number: int, reason: str) -> ScenarioRecord:
        return ScenarioRecord(
            scenario=f"a.py::test_x[{number}]", outcome="skipped", verdict=Verdict.NOT_SET, reason=reason
        )

    table = verdict_table([skipped(1, "no key"), skipped(2, "no key"), skipped(3, "no meter")], {})
    assert table.splitlines()[1].endswith("skipped")
    assert "    2 times: no key\n    1 time: no meter" in table
