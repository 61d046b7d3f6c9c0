from __future__ import annotations

from bench.evidence import Evidence, RunFacts, ScenarioRecord
from bench.reports.junit import scenario_properties, suite_properties
from bench.verdicts import Verdict


def test_the_suite_says_what_ran_where() -> None:
    evidence = Evidence(None)
    evidence.begin(RunFacts(station="lab-3", host="virtual", seed=0))
    properties = dict(suite_properties(evidence.close(digest="d1", exit=5), seal="5ea1"))
    assert properties["meterbench.station"] == "lab-3"
    assert properties["meterbench.host"] == "virtual"
    assert properties["meterbench.seed"] == "0"
    assert properties["meterbench.digest"] == "d1"
    assert properties["meterbench.exit"] == "5"
    assert properties["meterbench.seal"] == "5ea1"
    assert {f"meterbench.verdict.{verdict.value}" for verdict in Verdict} < set(properties)


def test_a_real_station_without_seed_and_seal_says_nothing_of_them() -> None:
    evidence = Evidence(None)
    evidence.begin(RunFacts(station="lab-3", host="real"))
    properties = dict(suite_properties(evidence.close(digest="", exit=0)))
    assert not {"meterbench.seed", "meterbench.seal"} & set(properties)


def test_a_test_says_how_long_it_took_on_the_bench_clock() -> None:
    record = ScenarioRecord(
        scenario="x", outcome="passed", verdict=Verdict.PASS, start="1.500000000", end="86401.500000001"
    )
    assert scenario_properties(record) == [
        ("meterbench.verdict", "pass"),
        ("meterbench.start", "1.500000000"),
        ("meterbench.duration", "86400.000000001"),
    ]
