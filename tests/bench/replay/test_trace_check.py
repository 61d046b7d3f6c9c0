"""`meterbench trace check`: a recorded FLAG wire held against IEC 62056-21, from the command line, wrong input too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trace_desk import FIXTURES, trace_file

from bench.cli import call
from bench.replay.conformance import judge
from bench.replay.exchanges import load_trace
from bench.trace import TraceWriter
from protocols.flag.checker import RULES
from protocols.flag.frames import checked

MS = 1_000_000
CHARACTER = 10_000_000_000
IDENT = b"/GEC5120510070213@000\r\n"
P0 = checked(b"\x01P0\x02(FD04BE65D6157FA9)\x03")
P2 = checked(b"\x01P2\x02(669A287D6388D770)\x03")
R1 = checked(b"\x01R1\x02798001(10)\x03")
SERIAL = checked(b"\x02(30303030303030303035303734343934)\x03")
BREAK = checked(b"\x01B0\x03")
#: Who says what, how long (ms) after the last character.
VISIT = [
    ("tx", 0, b"/?094!\r\n"),
    ("rx", 300, IDENT),
    ("tx", 250, b"\x06051\r\n"),
    ("note", 0, b"line 9600 7E1"),
    ("rx", 300, P0),
    ("tx", 300, P2),
    ("rx", 300, b"\x06"),
    ("tx", 300, R1),
    ("rx", 300, SERIAL),
    ("tx", 300, BREAK),
]
Said = list[tuple[str, int, bytes]]


def flag_trace(path: Path, said: Said, *, at_device: bool = False, baud: int = 300, **header: object) -> Path:
    """A trace as the bench writes it: when it begins to send, when it has received; a device the other way round."""
    facts = {"perspective": "device"} if at_device else {}
    link = header.pop("link", {"type": "sim", "medium": "optical"})
    writer = TraceWriter("by hand", "a1140", model="A1140", link=link, frames="flag", facts={**facts, **header})  # type: ignore[arg-type]  # a link of the test's own
    now = 0
    for way, after, data in said:
        start = now + after * MS
        if way == "note":
            baud = int(data.split()[1])
            writer.note(start, data.decode())
            continue
        now = start + (len(data) * CHARACTER // baud if baud else 0)
        first = (way == "tx") is not at_device
        (writer.tx if way == "tx" else writer.rx)(start if first else now, data)
    writer.stream(path)
    found = writer.close()
    assert found is not None
    return found


def changed(index: int, *, after: int | None = None, data: bytes | None = None) -> Said:
    way, old, said = VISIT[index]
    return [*VISIT[:index], (way, old if after is None else after, said if data is None else data), *VISIT[index + 1 :]]


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = call([str(word) for word in ("trace", *words)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("at_device", [False, True])
def test_a_healthy_visit(tmp_path: Path, capsys: pytest.CaptureFixture[str], at_device: bool) -> None:
    code, out, _ = run(capsys, "check", flag_trace(tmp_path / "a.trace.jsonl", VISIT, at_device=at_device))
    assert out == "9 messages; no breaches of IEC 62056-21; times within 0.001 ms\n"
    assert code == 0


def test_the_reply_to_the_challenge_is_cut_out_and_the_rest_is_judged(tmp_path: Path) -> None:
    path = flag_trace(tmp_path / "a.trace.jsonl", changed(8, data=SERIAL[:-1] + b"\x55"))
    assert "xx" in path.read_text("utf-8")
    assert [breach.rule for breach in judge(load_trace(path)).report.breaches] == ["bcc.wrong"]


def test_a_breach_is_told_with_its_time_line_side_and_clause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "check", flag_trace(tmp_path / "a.trace.jsonl", changed(1, after=150)))
    assert code == 1
    told, summary = out.splitlines()
    assert told.split(maxsplit=6) == [
        "0.416667", "line", "3", "device", "6.4.3", "tr.short",
        "a reaction time of less than 200 ms (20 ms with a lower-case third letter): 150.0 ms",
    ]  # fmt: skip
    assert summary == "9 messages; 1 breach of IEC 62056-21; times within 0.001 ms"


def test_a_remark_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", flag_trace(tmp_path / "a.trace.jsonl", changed(6, data=b"\x15")))
    assert code == 0
    assert out.endswith("9 messages; no breaches of IEC 62056-21; 1 remark; times within 0.001 ms\n")


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = flag_trace(tmp_path / "a.trace.jsonl", changed(8, after=1_600))
    code, out, _ = run(capsys, "check", path, "--json")
    told = json.loads(out)
    assert code == 1
    assert told["file"] == str(path)
    assert told["conforms"] is False
    (breach,) = told["breaches"]
    assert breach.pop("t") > 0
    assert breach == {
        "line": 10,
        "side": "device",
        "clause": "6.4.3",
        "rule": "tr.long",
        "severity": "breach",
        "what": "a reaction time of more than 1500 ms: 1600.0 ms",
    }
    assert told["identifications"] == ["/GEC5120510070213@000"]
    assert told["messages"]["host command"] == 3


def test_the_clock_of_the_wall_is_given_20_ms_or_what_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = flag_trace(tmp_path / "a.trace.jsonl", changed(1, after=190), clock="wall")
    assert run(capsys, "check", path)[0] == 0
    assert run(capsys, "check", path, "--tolerance", "5 ms")[0] == 1


@pytest.mark.parametrize("link", [{"type": "tcp", "port": 4001}, {"type": "sim", "medium": "network"}])
def test_a_network_has_no_speed(tmp_path: Path, capsys: pytest.CaptureFixture[str], link: dict[str, object]) -> None:
    said = [("note", 0, b"line 9600 8N1"), *(row for row in VISIT if row[0] != "note")]
    path = flag_trace(tmp_path / "a.trace.jsonl", said, link=link, baud=9600)
    assert "no breaches" in run(capsys, "check", path)[1]


def test_a_modem_is_told_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [("note", 0, b"line 2400 7E1"), *(row for row in VISIT if row[0] != "note")]
    path = flag_trace(tmp_path / "a.trace.jsonl", said)
    assert "speed.start" in run(capsys, "check", path)[1]
    assert "no breaches" in run(capsys, "check", path, "--fixed-line")[1]


def test_a_pty_that_shows_one_framing_tells_nothing_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [(way, after, data.replace(b"7E1", b"8N1") if way == "note" else data) for way, after, data in VISIT]
    path = flag_trace(tmp_path / "a.trace.jsonl", [("note", 0, b"line 300 8N1"), *said])
    assert "no breaches" in run(capsys, "check", path)[1]


def test_a_trace_of_something_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    path = FIXTURES / "PM850" / "any" / "energy-preset.trace.jsonl"
    code, _, err = run(capsys, "check", path)
    assert code == 4
    assert "only FLAG can be checked; the header says frames:" in err


def test_a_trace_of_nothing_conforms_to_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = trace_file(tmp_path / "a.trace.jsonl", [(0, "note", "supply off")], model="A1140", frames="flag")
    assert run(capsys, "check", path)[1].startswith("0 messages; no breaches")


def test_a_hostile_line_does_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = flag_trace(tmp_path / "a.trace.jsonl", [("rx", 0, b"\x1b[2Jhello\x9b\r\n")])
    code, out, _ = run(capsys, "check", path)
    assert code == 1
    assert out.replace("\n", "").isprintable()


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "rules")
    assert code == 0
    assert len(out.splitlines()) == len(RULES)
    told = json.loads(run(capsys, "rules", "--json")[1])["rules"]
    assert [row["rule"] for row in told] == list(RULES)
