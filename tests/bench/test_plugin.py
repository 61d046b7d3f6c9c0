"""The plugin in sessions of its own: exit codes, skips with reasons, verdicts without tracebacks, whole evidence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from bench_stand import LAN, golden_meter, modbus_tcp, tcp_stand_in, two_meters

from bench.errors import StationError
from bench.manifest import verify_manifest

# Imported here once, so that each session in this process does not import them anew.
PRELOADED = [
    import_module(name)
    for name in (
        "bench.launch",
        "bench.links.sim",
        "bench.links.tcp",
        "bench.procedures.commissioning",
        "bench.procedures.mistakes",
        "simulators.faults.powerlogic_preset",
    )
]
pytest_plugins = ["pytester"]

PASSING = '''
def test_passes(target, measure):
    """A word is read."""
    measure("words", len(target.read_energies().words), device=target.name).is_(28)
'''
FAILING = '''
def test_fails(target, measure):
    """What is wrong is said, and what comes after it too."""
    measure("result word", 82, device=target.name).is_(0)
    measure("words", len(target.read_energies().words), device=target.name).is_(28)
'''
WRITES = """
import pytest
@pytest.mark.destructive("clears the energies")
def test_writes(target, bench, measure):
    target.command(bench.arm(target), "clear_energies")
    measure("energies", sum(target.read_energies().values.values()), device=target.name).at_most(1000)
"""
FILLS_THE_DISK = """
from bench.plugin import RUN
def test_first(target, measure, pytestconfig):
    files = pytestconfig.stash[RUN].evidence._files
    files["measurements.jsonl"].close()
    files["measurements.jsonl"] = open("/dev/full", "w")
    measure("one", 1).is_(1)
def test_second(target, measure):
    measure("two", 2).is_(2)
"""
ONE = ("--device=new-pm850",)


@pytest.fixture(autouse=True)
def _no_station_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METERBENCH_STATION", raising=False)


def run(pytester: pytest.Pytester, scenario: str, *words: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=scenario)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *words)


MARKED = """
import pytest
@pytest.mark.hardware
def test_theirs():
    pass
@pytest.mark.hardware
def test_ours(meter):
    pass
"""


def test_a_hardware_mark_of_somebody_else_is_let_alone(pytester: pytest.Pytester) -> None:
    """Of a folder above them only the scenario is left out; asked for by its file it runs."""
    pytester.mkdir("lab")
    pytester.makepyfile(**{"lab/test_marked": MARKED, "test_here": MARKED})
    words = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--station=sim", *ONE)
    pytester.runpytest_inprocess(*words).assert_outcomes(passed=2, deselected=2)
    pytester.runpytest_inprocess("lab/test_marked.py", *words).assert_outcomes(passed=2)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def lab(folder: Path, text: str | None = None) -> str:
    """A station file of one's own: simulated, but nothing is given up unless it says so."""
    file = folder / "lab.yaml"
    file.write_text(two_meters(link=LAN) if text is None else text, encoding="utf-8")
    return str(file)


# -- exit codes --------------------------------------------------------------------------------------------------------


def test_verified_and_passed_is_0(pytester: pytest.Pytester) -> None:
    result = run(pytester, PASSING, "--station=sim", *ONE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*station sim, virtual host*", "*1 passed*"])


def test_a_scenario_runs_without_any_option_on_the_built_in_station(pytester: pytest.Pytester) -> None:
    assert run(pytester, PASSING).parseoutcomes() == {"passed": 5}


def test_out_of_limits_is_1_with_a_table_and_no_traceback(pytester: pytest.Pytester) -> None:
    result = run(pytester, FAILING, "--station=sim", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL*result word*82*new-pm850*"])
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "OutOfLimits" not in text
    assert re.search(r"test_it\.py:\d", text) is None


def test_inconclusive_is_1(pytester: pytest.Pytester) -> None:
    body = PASSING.replace(".is_(28)", ".in_zones(0, 20, fail_below=0, fail_above=40)")
    result = run(pytester, body, "--station=sim", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["INCONCLUSIVE*words*"])


def test_a_bad_answer_of_the_device_is_1_and_one_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_reads(target, measure):\n    target.session.read(40000)\n", "--station=sim", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["the device: new-pm850: exception 02 (illegal data address)"])
    assert "Traceback" not in result.stdout.str()


def test_a_mistake_in_the_scenario_keeps_its_traceback(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_reads(target):\n    target.no_such_thing\n", "--station=sim", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*test_it.py:2: AttributeError*"])


def test_nothing_verified_is_5(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_looks(target):\n    target.read_energies()\n", "--station=sim", *ONE)
    assert result.ret == 5
    result.stdout.fnmatch_lines(["nothing was verified", "*1 passed*"])


def test_a_station_may_want_only_a_warning_of_that(pytester: pytest.Pytester) -> None:
    text = two_meters(link=LAN) + "policy: {on_nothing_verified: warn}\n"
    result = run(pytester, "def test_looks(target):\n    pass\n", f"--station={lab(pytester.path, text)}")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["nothing was verified"])


def test_nothing_collected_is_5(pytester: pytest.Pytester) -> None:
    assert run(pytester, PASSING, "--station=sim", "-k", "no_such_scenario").ret == 5


def test_values_that_nobody_judged_verify_nothing(pytester: pytest.Pytester) -> None:
    assert run(pytester, 'def test_it(measure):\n    measure("x", 1)\n', "--station=sim").ret == 5


def test_a_required_capability_that_was_not_exercised_is_5(pytester: pytest.Pytester) -> None:
    needs = 'import pytest\n\n@pytest.mark.needs("read-energy")' + PASSING
    required = two_meters(link=LAN) + "policy: {required: [read-energy, set-clock]}\n"
    result = run(pytester, needs, f"--station={lab(pytester.path, required)}")
    assert result.ret == 5
    result.stdout.fnmatch_lines(["required and not verified: set-clock"])
    assert "required and not verified: read-energy" not in result.stdout.str()


def test_a_failed_scenario_has_not_exercised_what_it_needs(pytester: pytest.Pytester) -> None:
    needs = 'import pytest\n\n@pytest.mark.needs("read-energy")' + FAILING
    required = two_meters(link=LAN) + "policy: {required: [read-energy]}\n"
    result = run(pytester, needs, f"--station={lab(pytester.path, required)}")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["required and not verified: read-energy"])


def test_a_file_that_cannot_be_collected_is_4_and_no_interruption(pytester: pytest.Pytester) -> None:
    result = run(pytester, "import no_such_module\n", "--station=sim", "--evidence=ev")
    assert result.ret == 4
    assert json.loads((pytester.path / "ev" / "run.json").read_text())["exit"] == 4


# -- wrong usage: one line, before any port opens ----------------------------------------------------------------------

WRONG = {
    "an unknown device for the third key": (("--allow-destructive=nobody",), '*no device "nobody"*'),
    "an unknown device": (("--device=nobody",), '*no device "nobody"*'),
    "an unknown defect": (("--defect=new-pm850:D99",), "*no defect is called 'D99'*"),
    "a defect of nobody": (("--defect=nobody:D04",), "*no simulated device is called nobody*"),
    "a defect without a device": (("--defect=D04",), "*--defect takes DEVICE:ID, not 'D04'*"),
    "an unknown mistake": (("--mistake=O99",), "*no mistake is called 'O99'*"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_words_are_4_and_one_line(what: str, pytester: pytest.Pytester) -> None:
    words, said = WRONG[what]
    result = run(pytester, PASSING, "--station=sim", *words)
    assert result.ret == 4
    shown = [line for line in result.stderr.lines if line.strip()]
    assert len(shown) == 1
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


def test_a_wrong_station_file_is_4_with_file_and_line_before_any_port_opens(pytester: pytest.Pytester) -> None:
    with tcp_stand_in(modbus_tcp({1: golden_meter()})) as server:
        text = f"""\
schema: 1
name: lab
links: {{net: {{type: tcp, host: 127.0.0.1, port: {server.port}}}}}
devices:
  new: {{model: PM850, link: net, address: 1, colour: red}}
"""
        result = run(pytester, PASSING, f"--station={lab(pytester.path, text)}")
        assert server.requests == []
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *lab.yaml:5: *colour*"])


def test_a_wrong_station_of_the_environment_is_4_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERBENCH_STATION", "no-such-file.yaml")
    result = run(pytester, PASSING)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: no-such-file.yaml:1: there is no such file"])


def test_the_station_may_come_from_the_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERBENCH_STATION", lab(pytester.path))
    result = run(pytester, PASSING)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*station two, virtual host*"])


# -- the three keys ----------------------------------------------------------------------------------------------------


def test_without_the_keys_what_writes_is_skipped_with_the_reason_and_nothing_is_5(pytester: pytest.Pytester) -> None:
    result = run(pytester, WRITES, f"--station={lab(pytester.path)}", "-rs")
    assert result.ret == 5
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*new is not armed: the command line does not name it (add --allow-destructive new)*"])


def test_with_the_keys_it_runs(pytester: pytest.Pytester) -> None:
    result = run(pytester, WRITES, f"--station={lab(pytester.path)}", "--allow-destructive=new")
    assert result.ret == 0


def test_the_station_has_a_key_of_its_own(pytester: pytest.Pytester) -> None:
    text = two_meters(link=LAN).replace("protection: sacrificial", "protection: read-only")
    result = run(pytester, WRITES, f"--station={lab(pytester.path, text)}", "--allow-destructive=new")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *lab.yaml:6: *the station protects it*"])


def test_a_scenario_that_does_not_say_so_cannot_write(pytester: pytest.Pytester) -> None:
    quiet = WRITES.replace('@pytest.mark.destructive("clears the energies")\n', "")
    result = run(pytester, quiet, "--station=sim", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["refused: new-pm850 is not armed: the scenario is not marked destructive*"])


def test_another_model_at_the_address_is_not_written_to(pytester: pytest.Pytester) -> None:
    text = two_meters(link=LAN, of_new=", profile: {product_name: PM820}")
    words = (f"--station={lab(pytester.path, text)}", "--allow-destructive=new", "--evidence=ev")
    result = run(pytester, WRITES, *words)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["the device: new: product name is PM820, the station promises PM850"])
    (trace,) = (pytester.path / "ev" / "traces").glob("*.jsonl")
    functions = {bytes.fromhex(event["hex"])[7] for event in lines(trace)[1:] if event["dir"] == "tx"}
    assert functions == {17, 43}


# -- not determinable --------------------------------------------------------------------------------------------------


def test_a_check_that_cannot_be_made_is_skipped_and_not_counted(pytester: pytest.Pytester) -> None:
    body = """
from bench.errors import Undeterminable
def test_raises(target, measure):
    raise Undeterminable("what a power cycle shows", "power control of new")
def test_records(target, measure):
    measure.not_determinable("what a load shows", "a changeable load on new", device=target.name)
"""
    result = run(pytester, body, "--station=sim", *ONE, "--evidence=ev", "-rs")
    assert result.ret == 5
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*not determinable: what a power cycle shows*lacks power control of new*"])
    verdicts = json.loads((pytester.path / "ev" / "run.json").read_text())["verdicts"]
    assert (verdicts["not_determinable"], verdicts["pass"]) == (2, 0)


def test_what_was_found_before_stands(pytester: pytest.Pytester) -> None:
    body = """
from bench.errors import Undeterminable
def test_finds(target, measure):
    measure("value", 1, device=target.name).is_(0)
    raise Undeterminable("what a power cycle shows", "power control of new")
"""
    result = run(pytester, body, "--station=sim", *ONE)
    assert result.ret == 1
    result.assert_outcomes(failed=1)


def test_what_a_call_has_lost_is_neither_good_nor_bad(pytester: pytest.Pytester) -> None:
    body = """
from bench.errors import CallLost
def test_calls(target, measure):
    measure("value", 1, device=target.name).is_(1)
    raise CallLost("no answer to the command: the call was lost", device=target.name)
"""
    result = run(pytester, body, "--station=sim", *ONE, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*not determinable: new-pm850: no answer*: the call was lost*a call that holds*"])


def test_beside_something_that_was_verified_it_does_not_hide_that(pytester: pytest.Pytester) -> None:
    body = PASSING + '    measure.not_determinable("what a load shows", "a changeable load")\n'
    assert run(pytester, body, "--station=sim", *ONE).parseoutcomes() == {"passed": 1}


def test_a_device_that_lacks_a_capability_is_not_asked(pytester: pytest.Pytester) -> None:
    body = 'import pytest\n\n@pytest.mark.needs("program-setup")' + PASSING.replace("target", "meter")
    result = run(pytester, body, "--station=sim", "--device=cm2350", "-rs")
    assert result.ret == 5
    result.stdout.fnmatch_lines(["*station sim has no device with program-setup*"])


# -- the station breaks ------------------------------------------------------------------------------------------------

TWO_LINKS = """\
schema: 1
name: half
links:
  dead: {type: tcp, host: 127.0.0.1, port: 1, timeout: 100 ms}
  live: {type: sim, medium: ethernet}
devices:
  gone: {model: PM850, link: dead, address: 1}
  here: {model: PM850, link: live, address: 1}
"""
READS = """
def test_first(meter, measure):
    measure("words", len(meter.read_energies().words), device=meter.name).is_(28)
def test_second(meter, measure):
    measure("words", len(meter.read_energies().words), device=meter.name).is_(28)
"""


def test_a_device_that_cannot_be_brought_back_over_a_broken_link_is_not_to_blame(pytester: pytest.Pytester) -> None:
    body = """
from bench.errors import NoAnswer, StationError
def test_changes(target, measure):
    measure("value", 1, device=target.name).is_(1)
    try:
        raise StationError("link lan: the adapter is gone")
    finally:
        try:
            raise TimeoutError
        except TimeoutError:
            raise NoAnswer("no answer to the write", device=target.name) from None
"""
    result = run(pytester, body, "--station=sim", *ONE)
    assert result.ret == 3
    told = "link lan: the adapter is gone; and then new-pm850: no answer to the write"
    result.stdout.fnmatch_lines([f"station broken: lan: {told}"])


def test_a_broken_link_is_3_and_later_scenarios_on_it_are_errors(pytester: pytest.Pytester) -> None:
    result = run(pytester, READS, f"--station={lab(pytester.path, TWO_LINKS)}", "--evidence=ev")
    assert result.ret == 3
    result.stdout.fnmatch_lines(["station broken: dead: link dead: cannot open 127.0.0.1:1"])
    assert "Traceback" not in result.stdout.str()
    records = {row["scenario"].split("::")[1]: row for row in lines(pytester.path / "ev" / "scenarios.jsonl")}
    assert {name: row["outcome"] for name, row in records.items()} == {
        "test_first[gone]": "error",
        "test_first[here]": "passed",
        "test_second[gone]": "error",
        "test_second[here]": "passed",
    }
    assert "link dead broke earlier" in records["test_second[gone]"]["reason"]
    assert json.loads((pytester.path / "ev" / "run.json").read_text())["exit"] == 3


def test_a_station_that_breaks_before_the_body_is_3_too(pytester: pytest.Pytester) -> None:
    body = """
import pytest
@pytest.fixture
def prepared(meter):
    meter.read_energies()
def test_it(prepared, measure):
    measure("x", 1).is_(1)
"""
    result = run(pytester, body, f"--station={lab(pytester.path, TWO_LINKS)}", "--device=gone")
    assert result.ret == 3


# -- evidence, JUnit, Allure -------------------------------------------------------------------------------------------


def test_the_evidence_is_whole_and_sealed(pytester: pytest.Pytester) -> None:
    result = run(pytester, PASSING + FAILING + WRITES, "--station=sim", *ONE, "--evidence=ev")
    assert result.ret == 1
    folder = pytester.path / "ev"
    assert {path.name for path in folder.iterdir()} == {
        "run.json",
        "measurements.jsonl",
        "scenarios.jsonl",
        "audit.jsonl",
        "manifest.json",
        "traces",
    }
    assert verify_manifest(folder) == []
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["exit"], facts["seed"], facts["host"], facts["station"]["name"]) == (1, 0, "virtual", "sim")
    assert facts["verdicts"]["pass"] == 3
    assert facts["verdicts"]["fail"] == 1
    rows = lines(folder / "measurements.jsonl")
    assert [row["verdict"] for row in rows] == ["pass", "fail", "pass", "pass"]
    assert all((folder / row["trace"]).is_file() for row in rows)
    assert len(list((folder / "traces").iterdir())) == 3


def test_evidence_is_never_written_over(pytester: pytest.Pytester) -> None:
    assert run(pytester, PASSING, "--station=sim", *ONE, "--evidence=ev").ret == 0
    before = (pytester.path / "ev" / "run.json").read_text()
    result = run(pytester, FAILING, "--station=sim", *ONE, "--evidence=ev")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: ev: holds the evidence of an earlier run; name a new folder"])
    assert (pytester.path / "ev" / "run.json").read_text() == before


def test_to_look_at_what_there_is_is_no_run(pytester: pytest.Pytester) -> None:
    """An editor asks so what it can start, and takes any other code for a broken project."""
    result = run(pytester, PASSING, "--station=sim", *ONE, "--collect-only")
    assert result.ret == 0
    assert "nothing was verified" not in result.stdout.str()
    assert run(pytester, "import nonsense_that_is_not_there", "--station=sim", "--collect-only").ret == 4


def test_several_processes_at_one_station_are_refused(pytester: pytest.Pytester) -> None:
    """As pytest-xdist would start them."""
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--numprocesses', type=int)")
    result = run(pytester, PASSING, "--station=sim", *ONE, "--numprocesses=2")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: scenarios share one station and one evidence folder: run them without -n *"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")
def test_a_disk_that_is_full_ends_the_run_in_one_line_and_is_3(pytester: pytest.Pytester) -> None:
    """What cannot be written down is not done: the next scenario is not begun."""
    result = run(pytester, FILLS_THE_DISK, "--station=sim", "--evidence=ev", *ONE)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["station broken: evidence: /dev/full: No space left on device"])
    result.stdout.fnmatch_lines(["evidence: ev  NOT SEALED"])
    result.assert_outcomes(passed=1)
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert not Path("ev/manifest.json").exists()


def test_a_disk_that_is_full_before_the_first_scenario_is_3(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StationError("ev/audit.jsonl: No space left on device")

    monkeypatch.setattr("bench.evidence.Evidence.audit", full)
    result = run(pytester, PASSING, "--station=sim", "--evidence=ev", *ONE)
    assert result.ret == 3
    result.stderr.fnmatch_lines(["*ev/audit.jsonl: No space left on device"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def digest(pytester: pytest.Pytester, folder: str, *words: str) -> str:
    assert run(pytester, PASSING + WRITES, "--station=sim", *ONE, f"--evidence={folder}", *words).ret == 0
    return str(json.loads((pytester.path / folder / "run.json").read_text())["digest"])


def test_one_seed_gives_one_digest_and_another_seed_another(pytester: pytest.Pytester) -> None:
    first = digest(pytester, "a", "--seed=5")
    assert len(first) == 32
    assert digest(pytester, "b", "--seed=5") == first
    assert digest(pytester, "c", "--seed=6") != first
    assert digest(pytester, "d", "--seed=5", "-k", "passes") != first


def test_junit_has_the_verdicts_and_the_virtual_times(pytester: pytest.Pytester) -> None:
    run(pytester, PASSING + FAILING, "--station=sim", *ONE, "--evidence=ev", "--junitxml=out.xml")
    suite = ET.parse(pytester.path / "out.xml").getroot().find("testsuite")
    assert suite is not None
    shown = {prop.get("name"): prop.get("value") for prop in suite.findall("properties/property")}
    facts = json.loads((pytester.path / "ev" / "run.json").read_text())
    assert {"sim", facts["digest"]} <= set(shown.values())
    seal = json.loads((pytester.path / "ev" / "manifest.json").read_text())
    assert any(value and len(value) == 64 and value in json.dumps(seal) for value in shown.values())
    case = suite.find("testcase")
    assert case is not None
    assert len(case.findall("properties/property")) >= 2


def test_allure_has_virtual_times_and_one_attachment_for_each_trace(pytester: pytest.Pytester) -> None:
    result = pytester.makepyfile(test_it=PASSING)
    assert result
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--station=sim", *ONE, "--alluredir=allure", "-p", "no:cacheprovider"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (found,) = [json.loads(path.read_text()) for path in (pytester.path / "allure").glob("*-result.json")]
    traces = [
        attachment
        for holder in [found, *found.get("steps", [])]
        for attachment in holder.get("attachments", [])
        if "trace" in attachment["name"]
    ]
    assert len(traces) == 1
    text = (pytester.path / "allure" / traces[0]["source"]).read_text()
    assert '"dir": "tx"' in text
    assert '"dir": "rx"' in text
    assert "0.022" in json.dumps(found)


# -- interrupted -------------------------------------------------------------------------------------------------------


def test_an_interrupted_run_closes_its_evidence_with_what_was_measured(pytester: pytest.Pytester) -> None:
    body = (
        PASSING
        + """
def test_then(target, measure, bench):
    measure("before", 1, device=target.name).is_(1)
    target.read_energies()
    raise KeyboardInterrupt
"""
    )
    pytester.makepyfile(test_it=body)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--station=sim", *ONE, "--evidence=ev", "-p", "no:cacheprovider"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    folder = pytester.path / "ev"
    assert verify_manifest(folder) == []
    facts = json.loads((folder / "run.json").read_text())
    assert facts["exit"] == 130
    assert facts["verdicts"]["pass"] == 2
    last = lines(folder / "scenarios.jsonl")[-1]
    assert (last["outcome"], last["verdict"], last["reason"]) == ("error", "aborted", "interrupted by the operator")
    assert (folder / last["traces"][0]).is_file()


# -- sessions that are not ours ----------------------------------------------------------------------------------------


def test_a_session_without_scenarios_pays_for_nothing(pytester: pytest.Pytester) -> None:
    heavy = ("bench.run", "bench.launch", "pydantic", "pymodbus", "simpy", "serial", "rich")
    body = f"import sys\ndef test_plain():\n    assert not [name for name in {heavy!r} if name in sys.modules]\n"
    pytester.makepyfile(test_it=body)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(words, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "station" not in done.stdout


def test_without_the_plugin_plain_tests_run(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_plain():\n    pass\n", "-p", "no:meterbench")
    assert result.ret == 0


def test_plain_tests_beside_scenarios_are_not_in_the_evidence(pytester: pytest.Pytester) -> None:
    body = PASSING + "\ndef test_plain():\n    pass\n"
    result = run(pytester, body, "--station=sim", *ONE, "--evidence=ev")
    assert result.ret == 0
    assert len(lines(pytester.path / "ev" / "scenarios.jsonl")) == 1


def test_the_marks_are_known(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.destructive(reason)*", "@pytest.mark.needs(*", "@pytest.mark.catches(*"])
