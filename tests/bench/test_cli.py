"""The commands as a user types them: what they print, on which stream, and with which exit code they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from bench_stand import LAN, golden_meter, modbus_tcp, tcp_stand_in, two_meters

from bench import cli
from bench.commands.run import default_folder, find_scenarios
from bench.errors import Exit, StationError, UsageError
from bench.manifest import verify_manifest
from protocols.modbus.frames import decode_rtu
from protocols.modbus.server import TcpServer
from simulators.meters.powerlogic import build_meter

#: What a transfer that was broken off leaves to whoever comes next.
LOOK = "read 1700-1727 and 3290 before anything is repeated"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METERBENCH_STATION", raising=False)
    monkeypatch.chdir(tmp_path)


class Said:
    """What a command said, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> Said:
        capsys.readouterr()
        code = cli.call(list(words))
        shown = capsys.readouterr()
        return Said(code, shown.out, shown.err)

    return call


def lab(text: str | None = None) -> str:
    Path("lab.yaml").write_text(two_meters(link=LAN) if text is None else text, encoding="utf-8")
    return "lab.yaml"


# -- words -------------------------------------------------------------------------------------------------------------

HELP = [[], *[[name] for name in cli.COMMANDS], ["station", "check"], ["defects", "list"], ["defects", "run"]]


@pytest.mark.parametrize("words", HELP, ids=lambda words: " ".join(words) or "meterbench")
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(words: list[str], option: str, call: Any) -> None:
    said = call(*words, option)
    assert said.code == 0
    assert said.out.startswith("Usage: meterbench")
    assert said.err == ""


def test_the_help_of_all_names_every_command_with_a_line(call: Any) -> None:
    shown = call("--help").out
    assert all(name in shown and text in shown for name, (_, text) in cli.COMMANDS.items())


def test_the_version_is_told(call: Any) -> None:
    assert call("--version").out.startswith("meterbench, version ")


WRONG = {
    "no such command": (["fly"], "No such command 'fly'"),
    "no such option": (["run", "--fly"], "No such option"),
    "no such scenario": (
        ["run", "no_such_scenario"],
        "no scenario is called 'no_such_scenario'; shipped: characterisation, communication, counting",
    ),
    "no such test file": (["run", "reading/test_nothing.py"], "no scenario is called 'reading/test_nothing.py'"),
    "no such station": (["run", "--station", "no.yaml"], "no.yaml:1: there is no such file"),
    "no such device": (["read", "nobody"], 'station sim has no device "nobody"'),
    "no device at all": (["read"], "Missing argument 'DEVICE'"),
    "no target": (["transfer", "--from", "cm2350"], "Missing option '--to'"),
    "a transfer to itself": (
        ["transfer", "--from", "pm850", "--to", "pm850"],
        "cannot hand its readings over to itself",
    ),
    "a cm2 as target": (["transfer", "--from", "pm850", "--to", "cm2350"], "no public document shows command 6209"),
    "an unknown third key": (["run", "--allow-destructive", "nobody"], 'has no device "nobody"'),
    "an unknown defect": (["run", "--defect", "pm850:D99"], "no defect is called 'D99'"),
    "a defect without a device": (["run", "--defect", "D04"], "--defect takes DEVICE:ID"),
    "an unknown mistake": (["run", "--mistake", "O99"], "no mistake is called 'O99'"),
    "no number": (["run", "--seed", "x"], "is not a valid integer"),
    "no evidence there": (["report", "nothing"], "nothing"),
    "no station file": (["station", "check", "no.yaml"], "no.yaml:1: there is no such file"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_words_are_4_and_one_line_on_stderr(what: str, call: Any) -> None:
    words, expected = WRONG[what]
    said = call(*words)
    assert said.code == Exit.USAGE
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert expected in line
    assert list(Path.cwd().iterdir()) == []


def test_a_mistake_in_a_station_file_is_told_with_its_line(call: Any) -> None:
    file = lab(two_meters(link=LAN).replace("PM850", "PM851"))
    for words in (["run", "--station", file], ["read", "new", "--station", file], ["station", "check", file]):
        said = call(*words)
        assert said.code == 4
        assert said.err.startswith("lab.yaml:6: ")
        assert said.err.count("\n") == 1


# -- run ---------------------------------------------------------------------------------------------------------------


def test_a_file_of_the_shipped_scenarios_runs_and_leaves_its_evidence(call: Any) -> None:
    said = call("run", "reading/test_identity.py", "--device", "pm850", "--evidence", "ev")
    assert said.code == 0
    assert "station sim, virtual host" in said.out
    assert "2 passed" in said.out
    assert verify_manifest(Path("ev")) == []
    assert "<html" in Path("ev/report.html").read_text(encoding="utf-8")
    assert json.loads(Path("ev/run.json").read_text())["exit"] == 0


def test_in_a_pipe_there_are_no_dots(call: Any) -> None:
    said = call("run", "reading/test_identity.py", "--no-evidence")
    assert said.out.lstrip().startswith("-----")
    assert "..." not in said.out
    assert "%]" not in said.out


def test_what_stands_behind_two_dashes_is_pytests(call: Any) -> None:
    said = call("run", "reading", "--no-evidence", "--device", "pm850", "--", "-k", "frequency")
    assert said.code == 0
    assert "1 passed" in said.out
    assert "deselected" in said.out


def test_one_scenario_by_its_name(call: Any) -> None:
    said = call("run", "reading/test_registers.py::test_powers_add_up", "--no-evidence", "--device", "cm4250")
    assert "1 passed" in said.out


def test_ones_own_scenarios_run_too(call: Any) -> None:
    Path("mine").mkdir()
    Path("mine/test_mine.py").write_text("def test_mine(measure):\n    measure('x', 2).is_(2)\n")
    assert "1 passed" in call("run", "mine", "--no-evidence").out
    assert "1 passed" in call("run", ".", "--no-evidence").out
    assert "1 passed" in call("run", "./mine/test_mine.py", "--no-evidence").out


def test_the_result_as_json_is_one_object_and_the_rest_is_on_stderr(call: Any) -> None:
    said = call("run", "reading/test_clock.py", "--device", "pm850", "--json", "--seed", "7", "--evidence", "ev")
    assert said.code == 0
    assert said.json["exit"] == 0
    assert said.json["seed"] == 7
    assert said.json["evidence"] == "ev"
    assert said.json["verdicts"]["pass"] == 2
    assert "2 passed" in said.err


def test_two_runs_with_one_seed_have_one_digest(call: Any) -> None:
    words = ("run", "reading", "--device", "pm850", "--json", "--no-evidence", "--seed")
    first, second, other = (call(*words, seed).json["digest"] for seed in ("1", "1", "2"))
    assert first == second != other


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--mistake", "O05"), 1),
        (("--defect", "new-pm850:D15"), 1),
        ((), 0),
        (("--", "-k", "nothing_like_it"), 5),
    ],
)
def test_exit_codes_of_run(words: tuple[str, ...], code: int, call: Any) -> None:
    wanted = ("run", "energy_preset/test_transfer.py::test_new_meter_takes_over_the_readings", "--no-evidence")
    said = call(*wanted, "--device", "cm2350", "--device", "new-pm850", *words)
    assert said.code == code
    assert "Traceback" not in said.out + said.err


def test_without_the_keys_nothing_is_verified_and_the_reasons_are_in_the_evidence(call: Any) -> None:
    said = call("run", "energy_preset/test_values.py", "--station", lab(), "--evidence", "ev")
    assert said.code == 5
    assert "nothing was verified" in said.out
    rows = [json.loads(line) for line in Path("ev/scenarios.jsonl").read_text().splitlines()]
    assert {row["outcome"] for row in rows} == {"skipped"}
    assert all("add --allow-destructive new" in row["reason"] for row in rows)


def test_a_port_that_does_not_exist_is_3(call: Any) -> None:
    text = "schema: 1\nname: x\nlinks: {l: {type: serial, port: /dev/no-such}}\n"
    text += "devices:\n  m: {model: PM850, link: l, address: 1}\n"
    said = call("run", "reading/test_clock.py", "--station", lab(text), "--no-evidence")
    assert said.code == 3
    assert "the station broke: link l: cannot open /dev/no-such" in said.out


def test_a_page_that_cannot_be_written_changes_no_result(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_evidence: Path, target: Path) -> None:
        raise UsageError(f"{target}: cannot be written: No space left on device")

    monkeypatch.setattr("bench.commands.report.write_page", full)
    said = call("run", "reading/test_clock.py", "--device", "pm850", "--evidence", "ev")
    assert said.code == 0
    assert said.err.endswith("no report: ev/report.html: cannot be written: No space left on device\n")
    assert " passed" in said.out
    assert verify_manifest(Path("ev")) == []


def test_evidence_in_a_folder_that_has_some_is_refused(call: Any) -> None:
    words = ("run", "reading/test_clock.py", "--device", "pm850", "--evidence", "ev")
    assert call(*words).code == 0
    said = call(*words)
    assert said.code == 4
    assert "ev: holds the evidence of an earlier run" in said.err


def test_evidence_has_a_folder_of_its_own_for_each_run() -> None:
    first = default_folder("lab")
    second = default_folder("lab")
    assert first != second
    assert first.parent == second.parent == Path("evidence")


@pytest.mark.parametrize(
    ("station", "shown"),
    [("../../etc/x", "etc-x"), ("Halle 3: Süd", "Halle-3-S-d"), ("n" * 99, "n" * 40), ("試", "station")],
)
def test_whatever_a_station_is_called_its_evidence_stays_in_the_folder_for_it(station: str, shown: str) -> None:
    folder = default_folder(station)
    assert folder.parent == Path("evidence")
    assert folder.name.partition("-")[2] == shown


def test_scenarios_are_found_among_the_shipped_ones_first() -> None:
    shipped = Path(str(files("scenarios")))
    assert find_scenarios(()) == [shipped]
    assert find_scenarios(("reading",)) == [shipped / "reading"]
    Path("reading").mkdir()
    assert find_scenarios(("reading", "./reading", ".")) == [shipped / "reading", Path("reading"), Path()]
    with pytest.raises(UsageError, match="shipped: characterisation, communication, counting, energy_preset"):
        find_scenarios(("elsewhere",))


SLOW = """
import time
def test_waits(meter, measure, bench):
    measure("before", 1, device=meter.name).is_(1)
    meter.read_energies()
    print("waiting", flush=True)
    open("waiting", "w").close()
    time.sleep(30)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another Ctrl-C")
@pytest.mark.parametrize(
    "end",
    [
        signal.SIGINT,
        *(
            pytest.param(getattr(signal, name, None), marks=pytest.mark.skipif(sys.platform == "win32", reason="POSIX"))
            for name in ("SIGTERM", "SIGHUP")
        ),
    ],
)
def test_ctrl_c_and_whatever_else_ends_a_run_give_130_and_whole_evidence(end: signal.Signals) -> None:
    with tcp_stand_in(modbus_tcp({1: golden_meter()})) as server:
        text = f"""\
schema: 1
name: net
links: {{net: {{type: tcp, host: 127.0.0.1, port: {server.port}}}}}
devices:
  m: {{model: PM850, link: net, address: 1}}
"""
        Path("test_slow.py").write_text(SLOW)
        words = [sys.executable, "-m", "bench", "run", "./test_slow.py", "--station", lab(text), "--evidence", "ev"]
        words[1:3] = ["-c", "from bench.cli import main; main()"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not Path("waiting").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(end)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert verify_manifest(Path("ev")) == []
    facts = json.loads(Path("ev/run.json").read_text())
    assert (facts["exit"], facts["host"], facts["verdicts"]["pass"]) == (130, "real", 1)
    (row,) = [json.loads(line) for line in Path("ev/scenarios.jsonl").read_text().splitlines()]
    assert row["reason"] == "interrupted by the operator"
    assert len(list(Path("ev/traces").iterdir())) == 1


# -- read --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["cm2350", "new-cm3350", "cm4250", "new-pm850"])
def test_a_device_is_read(device: str, call: Any) -> None:
    said = call("read", device)
    assert said.code == 0
    assert said.err == ""
    assert said.out.splitlines()[0] == device
    assert "real energy in" in said.out
    assert re.search(r"power factor total +0\.\d+ (lagging|leading)$", said.out, re.MULTILINE)


def test_a_reading_as_json(call: Any) -> None:
    found = call("read", "pm850", "--json").json
    assert found["device"] == "pm850"
    assert found["identification"].startswith("Schneider Electric PM850")
    assert found["energies"]["real_energy_out"] == {"value": 1_234_567, "unit": "Wh"}
    assert found["accumulation"] == "absolute"
    assert found["clock"].startswith("2026-03-10 0")


def test_another_model_at_the_address_is_shown_and_is_1(call: Any) -> None:
    said = call("read", "new", "--station", lab(two_meters(link=LAN, of_new=", profile: {product_name: PM820}")))
    assert said.code == 1
    assert "found PM820, expected PM850: DOES NOT AGREE" in said.out


def test_an_assumed_identity_that_differs_is_not_verified_and_no_failure(call: Any) -> None:
    text = two_meters(old="CM3350", link=LAN, of_old=", profile: {product_id: 99}")
    said = call("read", "old", "--station", lab(text))
    assert said.code == 0
    assert "found 99, expected 3350: not verified (assumed)" in said.out


def test_a_silent_device_is_1_and_a_dead_port_is_3(call: Any) -> None:
    with tcp_stand_in(lambda _data: b"") as server:
        text = (
            f"schema: 1\nname: x\nlinks: {{l: {{type: tcp, host: 127.0.0.1, port: {server.port}, timeout: 100 ms}}}}\n"
        )
        devices = "devices:\n  m: {model: PM850, link: l, address: 1}\n"
        silent = call("read", "m", "--station", lab(text + devices))
        dead = call("read", "m", "--station", lab(text.replace(str(server.port), "1") + devices))
    assert (silent.code, silent.err) == (1, "m: no answer from unit 1 on link l within 0.1 s\n")
    assert (dead.code, dead.err) == (3, "link l: cannot open 127.0.0.1:1\n")


# -- transfer ----------------------------------------------------------------------------------------------------------


def test_a_transfer_says_what_it_proved(call: Any) -> None:
    said = call("transfer", "--from", "cm2350", "--to", "new-pm850", "--evidence", "ev")
    assert said.code == 0
    assert said.err == ""
    assert "PASS             result word" in said.out
    assert "cm2350 to new-pm850: pass" in said.out
    assert said.out.endswith("evidence: ev\n")
    assert "result word" in Path("ev/report.html").read_text(encoding="utf-8")
    assert verify_manifest(Path("ev")) == []
    assert json.loads(Path("ev/run.json").read_text())["exit"] == 0


def test_a_transfer_as_json(call: Any) -> None:
    found = call("transfer", "--from", "pm820", "--to", "new-cm4250", "--json").json
    assert (found["exit"], found["result"], found["stopped"]) == (0, 0, "")
    assert found["handed_over"]["reactive_energy_in"] == 1234
    assert all(found["after"][name] >= value for name, value in found["handed_over"].items())
    assert [step["title"] for step in found["steps"]][-1] == "interrupt the supply and read again"
    assert {row["verdict"] for row in found["measurements"]} == {"pass"}


def test_a_transfer_leaves_evidence_wherever_it_is_made(call: Any) -> None:
    """What is written to a meter is written down, whether or not anybody thought of naming a folder."""
    found = call("transfer", "--from", "pm820", "--to", "new-pm850", "--json").json
    assert verify_manifest(Path(found["evidence"])) == []
    assert call("transfer", "--from", "pm820", "--to", "new-pm850", "--dry-run", "--json").json["evidence"] is None


@pytest.mark.parametrize("as_json", [False, True])
def test_a_relay_that_breaks_after_the_preset_is_told_after_what_was_found(
    as_json: bool, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(_supplies: object, device: str) -> None:
        raise StationError(f"{device}: 'relay 4' ended with 2: it is stuck")

    monkeypatch.setattr("bench.control.Supplies.cycle", stuck)
    words = ("transfer", "--from", "cm2350", "--to", "new-pm850", *(["--json"] if as_json else []))
    said = call(*words)
    assert said.code == Exit.STATION
    assert said.err.splitlines()[-1] == "new-pm850: 'relay 4' ended with 2: it is stuck"
    if as_json:
        assert (said.json["result"], said.json["exit"]) == (0, Exit.STATION)
    else:
        assert "PASS             result word" in said.out


def test_the_evidence_of_a_transfer_names_its_keys(call: Any) -> None:
    keys = ("--station", lab(), "--allow-destructive", "new", "--single-writes")
    assert call("transfer", "--from", "old", "--to", "new", *keys, "--evidence", "ev").code == 0
    argv = json.loads(Path("ev/run.json").read_text())["argv"]
    assert argv == ["meterbench", "transfer", "--from", "old", "--to", "new", *keys]


@pytest.mark.parametrize(
    ("lost", "writes", "state"),
    [
        ("10 1F50 0003", 2, "the command was not sent: the energies are the old ones; pointers restored"),
        ("06 1F3F 1841", 9, f"the command was answered with 0; {LOOK}; pointers restored"),
        ("11", 0, "nothing was written"),
    ],
)
def test_a_transfer_that_is_broken_off_says_what_is_written(lost: str, writes: int, state: str, call: Any) -> None:
    """The answer to one request is lost: it is told what became of the meter, and not only what became of the line."""
    meters = {3: golden_meter("CM2350"), 1: build_meter("PM850")}
    meter_side, began, swallowed = TcpServer(meters), time.monotonic_ns(), []

    def handle(data: bytes) -> bytes:
        mine = data[6] == 1 and data[7:].startswith(bytes.fromhex(lost)) and (lost == "11" or not swallowed)
        swallowed.extend([data] * mine)
        answers = meter_side.receive(data, time.monotonic_ns() - began)
        return b"" if mine else b"".join(reply.data for reply in answers)

    with tcp_stand_in(handle) as server:
        link = f"{{type: tcp, host: 127.0.0.1, port: {server.port}, timeout: 0.1 s}}"
        text = f"""\
schema: 1
name: lossy
links: {{line: {link}}}
devices:
  old: {{model: CM2350, link: line, address: 3}}
  new: {{model: PM850, link: line, address: 1, protection: sacrificial}}
"""
        said = call("transfer", "--from", "old", "--to", "new", "--station", lab(text), "--allow-destructive", "new")
    assert said.code == 1
    told, where, why = said.err.splitlines()
    assert told == f"new: {state}"
    assert why == "new: no answer from unit 1 on link line within 0.1 s"
    assert len(written(where.removeprefix("evidence: "))) == writes


def test_a_transfer_that_is_refused_is_1_and_one_line(call: Any) -> None:
    text = two_meters(link=LAN, of_new=", energies: {apparent_energy_total: 9999999}")
    said = call("transfer", "--from", "old", "--to", "new", "--station", lab(text), "--allow-destructive", "new")
    assert said.code == 1
    assert said.err.startswith("evidence: evidence")
    assert "\nnew has counted 9999999 VAh and old only 2000000: are they swapped?" in said.err
    assert said.err.count("\n") == 2


def test_a_transfer_without_the_keys_is_4_before_any_port_opens(call: Any) -> None:
    with tcp_stand_in(lambda _data: b"") as server:
        link = f"{{type: tcp, host: 127.0.0.1, port: {server.port}}}"
        text = two_meters(link=link).replace(", simulate: {load: 0 kW}", "")
        text = "\n".join(line.split(", simulate:")[0] + "}" if "old:" in line else line for line in text.splitlines())
        said = call("transfer", "--from", "old", "--to", "new", "--station", lab(text))
        assert server.requests == []
    assert said.code == 4
    assert "add --allow-destructive new" in said.err


@pytest.mark.parametrize("how", [[], ["--single-writes"]], ids=["block", "single writes"])
def test_a_dry_run_shows_exactly_what_a_transfer_writes_and_writes_nothing(how: list[str], call: Any) -> None:
    """The frames of the plan are those that the transfer then sends, in their order."""
    words = ("transfer", "--from", "old", "--to", "new", *how)
    keys = ("--station", lab(), "--allow-destructive", "new")
    plan = call(*words, *keys[:2], "--dry-run", "--json", "--evidence", "plan").json
    assert json.loads(Path("plan/run.json").read_text())["exit"] == plan["exit"] == 0
    assert written("plan") == []
    assert call(*words, *keys, "--evidence", "done").code == 0
    planned = [decode_rtu(bytes.fromhex(write["rtu"]))[1] for write in plan["writes"]]
    assert written("done") == planned


def written(evidence: str) -> list[bytes]:
    """The PDUs that wrote, from the traces of the wire."""
    events = [
        json.loads(line)
        for path in sorted(Path(evidence, "traces").glob("*new*.jsonl"))
        for line in path.read_text().splitlines()[1:]
    ]
    sent = [bytes.fromhex(event["hex"])[7:] for event in events if event["dir"] == "tx"]
    return [pdu for pdu in sent if pdu[0] in (6, 16)]


def test_a_dry_run_for_a_person(call: Any) -> None:
    said = call("transfer", "--from", "cm2350", "--to", "new-pm850", "--dry-run")
    assert said.code == 0
    assert "dry run, nothing was written: cm2350 to new-pm850" in said.out
    assert "8000  command               04 06 1f 3f 18 41" in said.out


# -- station, report, defects ------------------------------------------------------------------------------------------


def test_a_station_file_is_checked(call: Any) -> None:
    said = call("station", "check", lab())
    assert said.code == 0
    assert said.out.startswith("lab.yaml: station two, virtual host\n")
    assert "read-only" in said.out
    assert "sacrificial, with --allow-destructive new" in said.out
    assert call("station", "check", "lab.yaml", "--json").json["ok"] is True
    assert call("station", "check", "sim").code == 0


def test_a_report_is_made_of_an_evidence_folder(call: Any) -> None:
    call("run", "reading/test_clock.py", "--device", "pm850", "--evidence", "ev")
    said = call("report", "ev", "-o", "page.html")
    assert (said.code, said.out) == (0, "page.html\n")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "the clock went" in page
    assert "read clock month ... clock second (6 registers from 3093)" in page
    assert call("report", "ev", "-o", "again.html", "--json").json["problems"] == []
    assert Path("again.html").read_text(encoding="utf-8") == page


def test_a_report_of_evidence_that_was_changed_says_so_and_is_1(call: Any) -> None:
    call("run", "reading/test_clock.py", "--device", "pm850", "--evidence", "ev")
    Path("ev/traces/another.trace.jsonl").write_text("{}\n", encoding="utf-8")
    said = call("report", "ev", "-o", "page.html")
    assert said.code == 1
    assert said.err == "ev: traces/another.trace.jsonl: not in the manifest\n"


def test_the_defects_and_mistakes_are_listed(call: Any) -> None:
    rows = call("defects", "list", "--json").json
    assert {row["id"] for row in rows} >= {"D04", "D15", "O01", "O05", "O10"}
    assert {row["severity"] for row in rows} == {"billing", "function", "cosmetic"}
    assert next(row for row in rows if row["id"] == "D30")["caught_by"] == [
        "test_the_live_energies_take_no_direct_write"
    ]
    families = [call("defects", "list", "--family", name, "--json").json for name in ("powerlogic", "elster")]
    assert len(families[0]) == 88
    assert len(families[0]) + len(families[1]) == len(rows)
    assert not {key for row in rows for key in row} & {"install", "operator", "session", "client", "line", "head_end"}
    assert "D15  defect   billing   the preset is not saved" in call("defects", "list").out


# -- a process of its own ----------------------------------------------------------------------------------------------


def test_help_imports_nothing_that_it_does_not_need() -> None:
    code = "import sys; from bench.cli import call; call(['--help'])\n"
    code += "print([name for name in ('pymodbus', 'pydantic', 'pytest') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize(
    "words", [["transfer", "--from", "pm820", "--to", "new-pm850"], ["run", "reading/test_clock.py"]]
)
def test_a_terminal_that_lacks_characters_shows_others(encoding: str, words: list[str]) -> None:
    code = f"from bench.cli import main; main({words!r})"
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode(encoding)
    shown = done.stdout.decode(encoding)
    assert "\\" not in shown
    assert len(shown.splitlines()) > 5


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes a stream otherwise there")
def test_closed_streams_swallow_what_is_said() -> None:
    code = "from bench.cli import main; main(['run', 'reading/test_clock.py', '--device', 'pm850', '--no-evidence'])"
    done = subprocess.run(["sh", "-c", '"$0" -c "$1" >&- 2>&-', sys.executable, code], check=False)
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="head is not there")
def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "from bench.cli import main; main(['read', 'pm850'])"
    command = f'"{sys.executable}" -c "{code}" | head -1'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("pm850\n", "")


def test_presets_without_their_keys_verify_nothing(call: Any) -> None:
    """A green run that verified nothing is what a user fears most: every preset is skipped for want of a key."""
    said = call("run", "energy_preset", "--station", lab(), "--no-evidence")
    assert said.code == Exit.NOTHING
    assert "nothing was verified" in said.out
    assert "add --allow-destructive" in said.out


NEW_METERS = """\
schema: 1
name: new
links: {desk: {type: sim}}
devices:
  old: {model: CM2350, link: desk, address: 3}
  new: {model: PM850, link: desk, address: 1, protection: sacrificial}
"""


def test_readings_that_show_nothing_are_not_called_taken_over(call: Any) -> None:
    """A meter fresh from its box hands zeros over: whether they arrived, and in which order, cannot be seen."""
    words = ("transfer", "--from", "old", "--to", "new", "--allow-destructive", "new", "--station", lab(NEW_METERS))
    said = call(*words, "--json")
    assert said.json["verdict"] == "not_determinable"
    undetermined = {row["name"] for row in said.json["measurements"] if row["verdict"] == "not_determinable"}
    assert undetermined >= {"that the energies arrived", "that the totals are in their order"}
    assert not [row for row in said.json["measurements"] if row["name"] == "real energy total"]
