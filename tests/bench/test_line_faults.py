"""The bench under line faults: no wrong value is accepted, no write goes out twice, and what happened is told."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bench_stand import BUS, LAN, Stand, stand, two_meters
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cli import call
from bench.disturbances import Disturbances
from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic import PowerLogic
from bench.errors import DeviceError, ForeignAnswer, NoAnswer, StationError, Undeterminable, UsageError
from bench.faults import check_faults, faults_by_link
from bench.station import load_station
from simulators.faults.line_registry import fault_called
from simulators.world import SECOND

REGISTERS = ("ct_primary", "ct_secondary", "nominal_frequency", "power_demand_interval")
QUIET = 60 * SECOND


def put(on: Stand, *faults: str) -> None:
    for fault in faults:
        on.bench.disturbances.put("new", fault_called(fault))


def ask_all(on: Stand, rounds: int = 2) -> tuple[int, list[str], list[str]]:
    """Ask every register; how many values were taken, which were wrong, and what was told of the others."""
    taken, wrong, told = 0, [], []
    for name in REGISTERS * rounds:
        row = on.new.map[name]
        try:
            words = on.new.words(name)
        except (DeviceError, StationError) as error:
            told.append(str(error))
            continue
        taken += 1
        if words != on.bench.disturbances.truth("new", row.number, 1):
            wrong.append(f"{name}: {words}")
    return taken, wrong, told


# -- one fault, one behaviour ------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_again_and_that_is_told(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        put(on, "drop(p=100%, times=1)")
        assert on.new.words("ct_secondary") == [5]
        assert on.new.session.retried == 1
        assert on.bench.retold("new") == "after 1 repeated read"
        assert on.bench.retold("new") == ""
        assert on.bench.remarks() == ["new: read again once: no answer from unit 1 on link line within 1 s"]


def test_an_answer_that_is_owed_is_never_the_answer_to_another_request(tmp_path: Path) -> None:
    """Two answers come 3.2 s late, past the time-out and past a time-out of listening; the next question waits."""
    with stand(two_meters(), tmp_path) as on:
        put(on, "late(by=3200ms, p=100%, times=2)")
        with pytest.raises(NoAnswer):
            on.new.words("ct_primary")
        on.bench.disturbances.calm("new")
        assert on.new.words("ct_secondary") == [5]
        assert on.new.words("nominal_frequency") == [50]
        assert on.new.session.retried == 1


def test_a_tool_that_does_not_wait_takes_it(tmp_path: Path) -> None:
    """The counter-example: what the test above would find in a bench that asks on."""
    with stand(two_meters(), tmp_path) as on:
        on.new.session.recover = lambda: None  # type: ignore[method-assign]
        on.new.session.silence = lambda: ""  # type: ignore[method-assign]
        on.new.session.confirm = lambda: None  # type: ignore[method-assign]
        put(on, "late(by=2200ms, p=100%, times=2)")
        with pytest.raises(NoAnswer):
            on.new.words("ct_primary")
        assert on.new.words("ct_secondary") != [5]


def test_another_unit_is_named_and_the_time_out_keeps_running(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        put(on, "wrong-unit(p=100%)")
        began = on.bench.clock.now()
        with pytest.raises(ForeignAnswer, match="new: unit 2 answered where unit 1 was asked"):
            on.new.words("ct_primary")
        assert on.bench.clock.now() - began > 2 * SECOND


def test_an_answer_that_is_repeated_into_the_next_transaction_is_told(tmp_path: Path) -> None:
    """Nothing in RTU tells it from the right one, but the right one waits behind it and says so."""
    with stand(two_meters(), tmp_path) as on:
        on.new.words("ct_primary")
        put(on, "duplicate(p=100%, gap=14ms, times=1)")
        assert on.new.words("ct_primary") == on.new.words("ct_secondary"), "the repeated frame was taken"
        on.bench.clock.sleep(SECOND // 2)
        with pytest.raises(StationError, match="a second answer came behind the last one, and it differs"):
            on.new.words("ct_primary")


def test_a_line_that_echoes_is_told_with_the_key_to_set(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        put(on, "echo")
        with pytest.raises(StationError, match="link line: what is sent comes back; write echo: true for this link"):
            on.new.words("ct_primary")
    with stand(two_meters(link=BUS.replace("}", ", echo: true}")), tmp_path / "right") as on:
        assert on.new.words("ct_secondary") == [5]


def test_a_second_master_is_told(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        put(on, "second-master(p=100%, within=0ms)")
        with pytest.raises(ForeignAnswer, match="another master asks on this line: 01 03 06 a3 00 01"):
            on.new.words("ct_primary")


def test_a_second_master_who_asks_the_same_is_no_echo(tmp_path: Path) -> None:
    """One coincidence must not take the whole link from the run; a line that echoes does so the next time as well."""
    number = 0
    with stand(two_meters(), tmp_path) as on:
        number = on.new.map["ct_primary"].number
        assert on.new.words("ct_secondary") == [5]
        put(on, f"second-master(p=100%, times=1, within=0ms, register={number - 1})")
        assert on.new.words("ct_primary") == [100]
        assert "another master asks the same on this line, or it echoes" in on.bench.remarks()[0]
    with stand(two_meters(), tmp_path / "echo") as on:
        assert on.new.words("ct_secondary") == [5]
        put(on, "echo")
        with pytest.raises(StationError, match="write echo: true for this link"):
            on.new.words("ct_primary")


def test_bytes_in_front_and_bytes_that_nobody_asked_for_are_told(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        put(on, "noise(p=100%)")
        for name in REGISTERS * 5:
            on.new.words(name)
            on.bench.clock.sleep(SECOND // 5)
        told = " ".join(on.new.session.remarks)
        assert "bytes in front of an answer skipped" in told
        assert "bytes that nobody asked for cleared away" in told


@pytest.mark.parametrize("link", [BUS, LAN], ids=["serial", "network"])
def test_a_link_that_dies_is_the_stations_fault_and_is_opened_again(link: str, tmp_path: Path) -> None:
    with stand(two_meters(link=link), tmp_path) as on:
        put(on, "link-dies(p=100%, times=1, for=5s)")
        with pytest.raises(StationError, match=r"link line: the connection to .* was lost"):
            on.new.words("ct_primary")
        with pytest.raises(StationError, match="link line: cannot open"):
            on.new.words("ct_primary")
        on.bench.clock.sleep(5 * SECOND)
        assert on.new.words("ct_secondary") == [5]
        assert on.new.session.retried == 0


def test_a_write_on_a_link_that_dies_goes_out_once(tmp_path: Path) -> None:
    with stand(two_meters(link=LAN), tmp_path) as on:
        armed = on.bench.arm(on.new)
        heard = on.bench.disturbances.arrivals("new")
        put(on, "link-dies(p=100%, times=1, for=1s)")
        with pytest.raises(StationError):
            on.new.session.write(armed, 8100, 17)
        on.bench.clock.sleep(2 * SECOND)
        assert heard == [(6, 8100, (17,))], "the answer was lost, not the request"
        assert on.new.session.read(8100) == [17]


def test_faults_and_truth_are_for_simulated_links_only(tmp_path: Path) -> None:
    text = two_meters(link="{type: tcp, host: 127.0.0.1, port: 1}")
    text = "\n".join(line.split(", simulate:")[0] + "}" if ": {model" in line else line for line in text.splitlines())
    with stand(text, tmp_path) as on:
        with pytest.raises(Undeterminable, match="faults are never put on a real line"):
            put(on, "drop")
        with pytest.raises(Undeterminable):
            on.bench.disturbances.truth("new", 1700, 1)
        assert on.bench.disturbances.devices("serial") == on.bench.disturbances.devices("network") == []


# -- any faults at all -------------------------------------------------------------------------------------------------

SHARES = st.integers(1, 60).map(lambda percent: f"{percent}%")
LATENESS = st.integers(0, 2900)  # what a bench with a time-out of 1 s still reckons with, two of them in a row
WAYS = st.sampled_from(["answers", "requests", "both"])
COMMON = st.one_of(
    st.builds("drop(p={}, way={})".format, SHARES, WAYS),
    st.builds("duplicate(p={}, gap={}ms)".format, SHARES, st.just(0)),
    st.builds("delay(p={}, by={}ms, spread=200ms)".format, SHARES, st.integers(0, 600)),
    st.builds("truncated(p={}, way={})".format, SHARES, WAYS),
    st.builds("late(p={}, by={}ms)".format, SHARES, LATENESS),
    st.builds("wrong-unit(p={})".format, SHARES),
    st.builds("bursts(pi={}, tau={}ms)".format, SHARES, st.integers(1, 900)),
    st.builds("torn(p={}, way={}, pause={}ms)".format, SHARES, WAYS, st.integers(0, 300)),
    st.builds("link-dies(p={}, for={}ms)".format, SHARES, st.integers(0, 3000)),
)
ON_WIRES = st.one_of(
    COMMON,
    st.builds("bit-errors(rate={}e-4, parity={})".format, st.integers(1, 60), st.sampled_from(["keep", "drop"])),
    st.builds("noise(p={}, within={}ms)".format, SHARES, st.integers(0, 200)),
    st.builds("collision(p={}, way={})".format, SHARES, WAYS),
    st.builds("second-master(p={}, within={}ms)".format, SHARES, st.integers(0, 200)),
)


def check(link: str, faults: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, stand(two_meters(link=link), Path(folder)) as on:
        armed = on.bench.arm(on.new)
        heard = on.bench.disturbances.arrivals("new")
        put(on, *faults)
        _, wrong, told = ask_all(on)
        for offset in range(3):
            try:
                on.new.session.write(armed, 8100 + offset, 700 + offset)
            except (DeviceError, StationError) as error:
                told.append(str(error))
        assert wrong == []
        assert max(Counter(heard).values(), default=0) <= 1
        assert all(told)
        on.bench.disturbances.calm("new")
        on.bench.clock.sleep(QUIET)
        repeated = on.new.session.retried
        assert ask_all(on)[::2] == (8, [])
        assert on.new.session.retried == repeated


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ON_WIRES, min_size=1, max_size=3))
def test_on_wires_no_wrong_value_is_accepted_and_no_write_arrives_twice(faults: list[str]) -> None:
    check(BUS, faults)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(COMMON, min_size=1, max_size=3))
def test_on_a_network_no_wrong_value_is_accepted_and_no_write_arrives_twice(faults: list[str]) -> None:
    check(LAN, faults)


# -- the command line and the station file -----------------------------------------------------------------------------


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = call(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_catalogue_is_told_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("faults", "list", capsys=capsys)
    assert code == 0
    assert "L03   drop(p=2%, way=answers, after=0, times=0)  [serial, network, flag]" in out
    code, out, _ = run("faults", "list", "--json", capsys=capsys)
    rows: list[dict[str, Any]] = json.loads(out)
    assert len(rows) == 19
    assert {"id", "name", "title", "behaviour", "source", "media", "parameters"} == set(rows[0])


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("drop", "--fault takes LINK:FAULT, as in bus:drop"),
        ("buss:drop", 'the station has no link "buss"; did you mean bus? it has: bus, lan'),
        ("bus:dorp", 'there is no line fault "dorp"; did you mean drop?'),
        ("bus:drop(p=2)", 'L03 (drop): p: "2" is outside 0 to 1'),
        ("lan:echo", "L09 (echo) makes no sense on link lan (ethernet); it is a fault of: serial, flag"),
        ("bus:D40", "D40 (wrong-mapping) is a fault of a gateway, and the bench reaches link bus (rs485) without one"),
    ],
)
def test_a_wrong_fault_ends_in_one_line(fault: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run("run", "reading", "--no-evidence", "--fault", fault, capsys=capsys)
    assert code == 4
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_real_link_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(
        "schema: 1\nname: lab\nlinks: {desk: {type: serial, port: COM3}}\n"
        "devices: {new: {model: PM850, link: desk, address: 1}}\n"
    )
    with pytest.raises(UsageError, match="faults are put on simulated links only, never on a real line"):
        check_faults(load_station(file), faults_by_link(["desk:drop"]))


def test_a_run_under_a_fault_passes_and_tells(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    words = ("run", "reading/test_registers.py", "--device", "pm850", "--fault", "bus:drop(p=6%)", "--seed", "3")
    code, out, _ = run(*words, "--evidence", str(evidence), capsys=capsys)
    assert code == 0
    assert "told: pm850: read again once, in " in out
    assert "line faults on bus: drop(p=6%)" in out
    rows = [json.loads(row) for row in (evidence / "measurements.jsonl").read_text("utf-8").splitlines()]
    assert any("repeated read" in row.get("note", "") for row in rows)
    scenarios = [json.loads(row) for row in (evidence / "scenarios.jsonl").read_text("utf-8").splitlines()]
    assert any("read again once: no answer" in remark for row in scenarios for remark in row.get("remarks", ()))


def test_a_station_file_names_faults(tmp_path: Path) -> None:
    faulty = BUS.replace("}", ", faults: [drop, 'bursts(pi=5%, tau=200 ms)']}")
    with stand(two_meters(link=faulty), tmp_path) as on:
        assert [call.fault.id for call in on.host.stage.faults_on("line")] == ["L03", "L02"]
        assert on.host.station.resolved()["links"]["line"]["faults"] == ["drop", "bursts(pi=5%, tau=200 ms)"]
    with stand(two_meters(), tmp_path / "plain") as on:
        assert "faults" not in on.host.station.resolved()["links"]["line"]


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ("[dorp]", r'links.line.faults.0: there is no line fault "dorp"; did you mean drop\?'),
        ("[drop(p=5%, way=both)]", "put a fault with parameters in quotes"),
        ("drop", "links.line.faults"),
    ],
)
def test_a_wrong_fault_in_a_station_file_is_told_on_its_line(faults: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(two_meters(link=BUS.replace("}", f", faults: {faults}}}")))
    with pytest.raises(UsageError, match=told):
        load_station(file)


def test_a_fault_that_makes_no_sense_on_its_link_is_told(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(two_meters(link="{type: sim, medium: rs485, faults: [wrong-mapping]}").replace("faults", "faults"))
    assert load_station(file).links, "served over Modbus TCP a line has a gateway in front of it"


def test_a_session_of_another_kind_is_used_for_every_device(tmp_path: Path) -> None:
    from bench.procedures.mistakes import MISTAKES, session_of  # noqa: PLC0415  # only here

    assert session_of(None) is session_of("O01") is ModbusSession
    assert {id_ for id_, mistake in MISTAKES.items() if mistake.session is not ModbusSession} == {"O11", "O12", "O13"}


def test_a_reading_that_had_to_be_repeated_is_no_clock_that_is_wrong() -> None:
    assert call(["run", "reading/test_clock.py", "--fault", "bus:drop(p=50%, times=1)", "--no-evidence"]) == 0


def test_a_bench_that_takes_no_value_under_a_fault_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing accepted is nothing wrong, so it must be a failure of its own."""
    on, words = set[str](), PowerLogic.words

    def refusing(meter: PowerLogic, name: str) -> list[int]:
        if on:
            raise NoAnswer("no answer from unit 1", device=meter.name)
        return words(meter, name)

    put, calm = Disturbances.put, Disturbances.calm
    monkeypatch.setattr(Disturbances, "put", lambda *args: (on.add("on"), put(*args)))
    monkeypatch.setattr(Disturbances, "calm", lambda *args: (on.clear(), calm(*args)))
    monkeypatch.setattr(PowerLogic, "words", refusing)
    trial = ["line_faults/test_line_faults.py", "--no-evidence", "--", "-k", "true_or_none and delay-serial"]
    assert call(["run", *trial]) == 1
    assert "values accepted  0  \N{GREATER-THAN OR EQUAL TO} 1" in capsys.readouterr().out
