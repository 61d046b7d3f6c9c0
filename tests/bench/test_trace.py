from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import trace
from bench.errors import StationError, UsageError
from bench.trace import TraceEvent, TraceWriter, file_name, read_trace

if TYPE_CHECKING:
    from pathlib import Path

READ = bytes.fromhex("010306a3001cb4a9")
SCENARIO = "scenarios/energy_preset/test_transfer.py::test_takes_over[CM2350-PM850]"


def writer(scenario: str = SCENARIO) -> TraceWriter:
    return TraceWriter(scenario, "new", model="PM850", link={"type": "sim", "baud": 9600}, tool="0.1.0")


def test_a_trace_comes_back_as_it_was_taken(tmp_path: Path) -> None:
    taken = writer()
    taken.tx(0, READ)
    taken.rx(12_291_667, b"\x01\x83\x02")
    taken.note(86_400_000_000_001, 'power "off"')
    path = taken.write(tmp_path)
    assert path is not None
    header, events = read_trace(path)
    assert list(events) == [
        TraceEvent(0, "tx", "010306a3001cb4a9"),
        TraceEvent(12_291_667, "rx", "018302"),
        TraceEvent(86_400_000_000_001, "note", mark='power "off"'),
    ]
    assert header["format"] == "meterbench-trace"
    assert (header["scenario"], header["device"], header["model"]) == (SCENARIO, "new", "PM850")
    assert (header["link"], header["clock"], header["tool"]) == ({"type": "sim", "baud": 9600}, "virtual", "0.1.0")


@given(st.lists(st.tuples(st.integers(0, 10**18), st.sampled_from(["tx", "rx"]), st.binary(min_size=1))))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, str, bytes]]) -> None:
    taken = writer()
    for t, way, data in events:
        (taken.tx if way == "tx" else taken.rx)(t, data)
    path = taken.write(tmp_path_factory.mktemp("traces"))
    read = [] if path is None else [(event.t, event.direction, event.data) for event in read_trace(path)[1]]
    assert read == events


def test_every_line_is_json_with_the_names_of_the_format(tmp_path: Path) -> None:
    taken = writer()
    taken.tx(1_500_000_000, READ)
    taken.note(1_500_000_001, "echo")
    path = taken.write(tmp_path)
    assert path is not None
    _, sent, noted = path.read_text("utf-8").splitlines()
    assert json.loads(sent) == {"t": 1.5, "dir": "tx", "hex": READ.hex()}
    assert noted == '{"t": 1.500000001, "dir": "note", "mark": "echo"}'


def test_nothing_on_the_line_leaves_no_file(tmp_path: Path) -> None:
    assert writer().write(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_long_trace_is_compressed_and_equal_traces_give_equal_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "GZIP_FROM", 1000)
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        taken = writer()
        for k in range(100):
            taken.tx(k, READ)
        path = taken.write(folder)
        assert path is not None
        written.append(path)
    assert written[0].name.endswith(".trace.jsonl.gz")
    assert written[0].read_bytes() == written[1].read_bytes()
    assert gzip.decompress(written[0].read_bytes()).count(b"\n") == 101
    assert len(list(read_trace(written[0])[1])) == 100


def test_a_secret_never_reaches_the_file(tmp_path: Path) -> None:
    taken = writer()
    taken.tx(0, b"\x01P1\x02(00000000)\x03a")
    taken.rx(1, b"\x01P1\x02(00000000)\x03a")
    taken.mask(b"00000000")
    taken.note(2, "sent (00000000)")
    path = taken.write(tmp_path)
    assert path is not None
    text = path.read_text("utf-8")
    assert b"00000000".hex() not in text
    assert "(00000000)" not in text
    sent, *_ = read_trace(path)[1]
    assert sent.hex == "01503102" + "28" + "xx" * 8 + "29" + "0361"
    assert sent.masked
    assert sent.data == b"\x01P1\x02(" + bytes(8) + b")\x03a"


@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=6), st.integers(0, 3))
def test_a_secret_is_masked_however_the_line_has_cut_it(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], skipped: int
) -> None:
    secret = b"".join(pieces)
    taken = writer()
    taken.mask(secret)
    for k, piece in enumerate([b"\xaa" * skipped, *pieces, b"\xbb"]):
        taken.tx(k, piece)
        taken.rx(k, b"\x00")  # the other direction does not come between
    path = taken.write(tmp_path_factory.mktemp("traces"))
    assert path is not None
    sent = "".join(event.hex for event in read_trace(path)[1] if event.direction == "tx")
    assert sent[2 * skipped : -2].replace("xx", "") == ""
    assert len(sent) == 2 * (skipped + len(secret) + 1)


def test_a_rerun_keeps_the_trace_of_the_first_run(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        taken = writer("t.py::test_x")
        taken.tx(0, READ)
        path = taken.write(tmp_path)
        assert path is not None
        names.append(path.name)
    assert names == ["t.py_test_x.new.trace.jsonl", "t.py_test_x.new.2.trace.jsonl", "t.py_test_x.new.3.trace.jsonl"]


def test_a_full_disk_is_the_station_s_fault(tmp_path: Path) -> None:
    taken = writer()
    taken.tx(0, READ)
    with pytest.raises(StationError, match="gone"):
        taken.write(tmp_path / "gone")


@given(st.text(), st.text())
def test_file_names_are_safe_everywhere(scenario: str, device: str) -> None:
    name = file_name(scenario, device)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)\.", name)
    assert not name.startswith((".", "-"))
    assert len(name) <= 180


@pytest.mark.parametrize(
    ("scenario", "device", "name"),
    [
        (SCENARIO, "new", "scenarios_energy_preset_test_transfer.py_test_takes_over_CM2350-PM850.new.trace.jsonl"),
        ("../../etc/passwd", "new", "etc_passwd.new.trace.jsonl"),
    ],
)
def test_file_names_stay_readable(scenario: str, device: str, name: str) -> None:
    assert file_name(scenario, device) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [("t[a b]", "t[a_b]"), ("t[ä]", "t[ö]"), ("x" * 300, "x" * 301), ("CON", "_CON"), ("t[a\\b]", "t[a?b]")],
)
def test_ids_that_look_alike_do_not_share_a_file(one: str, other: str) -> None:
    assert file_name(one, "new") != file_name(other, "new")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", ":1: no meterbench-trace"),
        ("[1]\n", ":1: no JSON object"),
        ("{\n", ":1: no JSON"),
        ('{"format": "meterbench-trace", "version": 2}\n', ":1: no meterbench-trace of version 1"),
        ('{"format": "meterbench-trace", "version": 1}\n{"t": "soon"}\n', ":2: no event of a trace"),
        ('{"format": "meterbench-trace", "version": 1}\n{"t": 1, "dir": "tx", "hex": "0g"}\n', ":2: no event"),
        ('{"format": "meterbench-trace", "version": 1}\n{"t": 1, "dir": "up", "hex": "00"}\n', ":2: no event"),
        ('{"format": "meterbench-trace", "version": 1}\n\xff', ":2: no JSON"),
    ],
)
def test_a_broken_trace_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "x.trace.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=re.escape(complaint)):
        list(read_trace(path)[1])


def test_written_through_a_killed_run_has_told_all_but_its_last_exchange(tmp_path: Path) -> None:
    taken = writer()
    path = tmp_path / "x.trace.jsonl"
    taken.stream(path)
    assert not path.exists(), "no file without a byte"
    second = 10**9
    taken.tx(0, READ)
    taken.rx(1, b"\x01")
    taken.tx(second, READ)
    assert [event.t for event in read_trace(path)[1]] == [0, 1]
    taken.rx(second + 1, b"\x02")
    assert taken.write(tmp_path) == path
    assert [event.t for event in read_trace(path)[1]] == [0, 1, second, second + 1]
    assert [event.line for event in read_trace(path)[1]] == [2, 3, 4, 5]


def test_written_through_and_written_whole_are_the_same(tmp_path: Path) -> None:
    through, whole = writer(), writer()
    through.stream(tmp_path / "x.trace.jsonl")
    for taken in (through, whole):
        for k in range(5):
            taken.tx(10**9 * k, READ, via="line" if k == 3 else "")
            taken.rx(10**9 * k + 1, bytes([k]))
        taken.note(10**10, "supply off")
    path = through.close()
    assert path is not None
    assert path.read_text("utf-8") == whole.text()


def test_nothing_on_the_line_leaves_no_file_written_through_either(tmp_path: Path) -> None:
    taken = writer()
    taken.stream(tmp_path / "x.trace.jsonl")
    assert taken.close() is None
    assert list(tmp_path.iterdir()) == []


def test_credentials_of_a_link_stay_out_of_the_header() -> None:
    taken = TraceWriter("s", "d", link={"type": "rfc2217", "url": "rfc2217://me:hunter2@192.0.2.7:4001"})
    assert "hunter2" not in taken.text()


def test_a_file_cut_short_is_named_with_its_line(tmp_path: Path) -> None:
    taken = writer()
    for k in range(2000):
        taken.tx(k, k.to_bytes(8, "big"))
    whole = gzip.compress(taken.text().encode())
    path = tmp_path / "x.trace.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"x\.trace\.jsonl\.gz:\d+: the file is damaged"):
        list(read_trace(path)[1])
