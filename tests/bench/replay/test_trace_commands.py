"""`meterbench trace`: show, diff, mirror and to-test, from the command line, wrong input too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from trace_desk import FIXTURES, trace_file, transfer_traces

from bench.cli import call
from bench.replay.exchanges import load_trace
from protocols.modbus.frames import crc16

PRESET = FIXTURES / "PM850" / "any" / "energy-preset.trace.jsonl"
EVERY = sorted(FIXTURES.rglob("*.trace.jsonl"))


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = call([str(word) for word in ("trace", *words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def changed(path: Path, folder: Path, line: int, old: str, new: str) -> Path:
    """The trace with one byte of a line replaced, and the check sum made to fit where it is an RTU frame."""
    lines = path.read_text().splitlines()
    row = json.loads(lines[line - 1])
    assert old in row["hex"]
    data = bytes.fromhex(row["hex"].replace(old, new, 1))[:-2]
    lines[line - 1] = json.dumps({**row, "hex": (data + crc16(data).to_bytes(2, "little")).hex()})
    other = folder / path.name
    other.write_text("\n".join(lines) + "\n")
    return other


# -- show --------------------------------------------------------------------------------------------------------------


def test_show_tells_times_gaps_bytes_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", PRESET)
    assert code == 0
    assert "public (PM850), public example: energy-preset" in out
    assert "source: Energy preset procedure" in out
    assert "+    940.000 ms  -> 01061f3f18417422  unit 1: write command (8000) := 6209, preset energies" in out
    assert "\x1b" not in out, "no colours in a pipe"


def test_show_json_is_one_object_with_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", PRESET, "--json")
    shown = json.loads(out)
    assert shown["header"]["model"] == "PM850"
    assert len(shown["events"]) == 14
    assert shown["events"][0] | {"hex": ""} == {
        "line": 2, "t": 0, "gap": 0, "dir": "tx", "hex": "",
        "words": "unit 1: write 8022 := 4567 123 0 0 -42 0 0 ... (28 words)",
    }  # fmt: skip


# -- diff --------------------------------------------------------------------------------------------------------------


def test_a_trace_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "diff", PRESET, PRESET)
    assert code == 0
    assert "7 exchanges compared, 0 differences in bytes: the same" in out


def test_the_first_difference_is_named_with_its_line_and_register(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = changed(PRESET, tmp_path, 15, "11d7", "11d8")
    code, out, _ = run(capsys, "diff", PRESET, other)
    assert code == 1
    assert "request 7 (line 14, 6.000000 s) 010306a3001cb4a9 (unit 1: read 28 from 1700)" in out
    assert "register 1700 (real_energy_in): first 1234567 Wh, second 1234568 Wh" in out


def test_reaction_times_count_only_with_a_tolerance(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    slow = tmp_path / "slow.jsonl"
    slow.write_text(PRESET.read_text().replace("3.060000000", "3.160000000"))
    assert run(capsys, "diff", PRESET, slow)[0] == 0
    assert run(capsys, "diff", PRESET, slow, "--tolerance", "50 ms")[0] == 1
    assert run(capsys, "diff", PRESET, slow, "--tolerance", "150 ms")[0] == 0


def test_a_trace_that_goes_on_differs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shorter = tmp_path / "shorter.jsonl"
    shorter.write_text("\n".join(PRESET.read_text().splitlines()[:-2]) + "\n")
    code, out, _ = run(capsys, "diff", shorter, PRESET)
    assert code == 1
    assert "energy-preset.trace.jsonl has 1 more requests" in out


def test_another_request_is_a_difference(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = changed(PRESET, tmp_path, 14, "06a3", "06a4")
    _, out, _ = run(capsys, "diff", PRESET, other)
    assert "request: first" in out
    assert "read 28 from 1701" in out


# -- mirror ------------------------------------------------------------------------------------------------------------


def test_mirror_says_what_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "mirror", PRESET)
    assert code == 0
    assert "7 exchanges mirrored on a simulated PM850; 0 unexplained differences in bytes" in out


def test_mirror_with_a_defect_names_the_first_frame(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "mirror", PRESET, "--defect", "D01", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["first"]["number"] == 7
    assert found["first"]["line"] == 14
    assert "register 17" in found["first"]["what"]


def test_mirror_takes_a_profile_and_a_tolerance(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text("exec_delay: 3 s\n")
    code, out, _ = run(capsys, "mirror", PRESET, "--profile", profile)
    assert code == 1, "the energies are read before a slow meter has taken them over"
    assert "register 1700 (real_energy_in): recorded 1234567 Wh, simulated 0 Wh" in out
    assert run(capsys, "mirror", PRESET, "--tolerance", "1 ms")[0] == 1
    assert run(capsys, "mirror", PRESET, "--tolerance", "1 s")[0] == 0


def test_mirror_takes_the_profile_file_of_a_characterisation(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What was found out about a meter is what its traces are held against."""
    profile = tmp_path / "found.yaml"
    profile.write_text(
        "format: meterbench-profile\nversion: 1\nof: {model: PM850}\nprofile: {exec_delay: {value: 3 s, how: timed}}\n"
    )
    code, out, err = run(capsys, "mirror", PRESET, "--profile", profile)
    assert code == 1, err
    assert "register 1700 (real_energy_in): recorded 1234567 Wh, simulated 0 Wh" in out
    profile.write_text(profile.read_text().replace("PM850", "CM4250"))
    code, _, err = run(capsys, "mirror", PRESET, "--profile", profile)
    assert code == 4
    assert "this is the profile of a CM4250" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["show", "nope.jsonl"], "nope.jsonl: cannot be read: No such file"),
        (["show", "."], ".: this is a folder"),
        (["mirror", str(PRESET), "--defect", "D999"], "D999"),
        (["mirror", str(PRESET), "--model", "PM1"], "the trace is of PM1"),
        (["mirror", str(PRESET), "--profile", "nope.yaml"], "nope.yaml: no profile"),
        (["mirror", str(PRESET), "--station", "sim"], 'no device "public"'),
        (["mirror", str(PRESET), "--tolerance", "soon"], "duration"),
        (["diff", str(PRESET), str(EVERY[0])], "is of a PM850"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_4(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *words)
    assert code == 4
    assert complaint in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert run(capsys, "show", tmp_path / "pipe")[2].endswith("no regular file\n")
    assert call(["station", "check", str(tmp_path / "pipe")]) == 4
    assert "this is a pipe" in capsys.readouterr().err


# -- to-test -----------------------------------------------------------------------------------------------------------


def pytest_on(file: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)],
        check=False, capture_output=True, cwd=file.parent,
    )  # fmt: skip
    return done.returncode


def generated(capsys: pytest.CaptureFixture[str], trace: Path, folder: Path) -> Path:
    test = folder / "test_generated.py"
    test.unlink(missing_ok=True)
    code, out, err = run(capsys, "to-test", trace, "-o", test)
    assert (code, err) == (0, "")
    assert str(test) in out
    return test


def body_of(test: Path) -> dict[str, object]:
    """The generated functions, run in this process: a subprocess for each of many would take minutes."""
    found: dict[str, object] = {"__file__": str(test)}
    exec(compile(test.read_text(), str(test), "exec"), found)
    return {name: value for name, value in found.items() if name.startswith("test_")}


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.parts[-3]}/{path.name.partition('.')[0]}")
def test_a_generated_test_of_every_fixture_passes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, path: Path
) -> None:
    (function,) = body_of(generated(capsys, path, tmp_path)).values()
    function()  # type: ignore[operator]


def test_the_generated_test_is_one_that_pytest_runs_and_fails_when_a_byte_changes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trace = tmp_path / PRESET.name
    trace.write_text(PRESET.read_text())
    test = generated(capsys, trace, tmp_path)
    assert "'real_energy_in'" not in test.read_text()
    assert '"real_energy_in": "1234567 Wh"' in test.read_text()
    assert pytest_on(test) == 0
    changed(PRESET, tmp_path, 15, "11d7", "11d8")
    assert pytest_on(test) == 1


@pytest.mark.parametrize("line", range(2, 16))
def test_any_changed_byte_of_a_frame_fails_it(capsys: pytest.CaptureFixture[str], tmp_path: Path, line: int) -> None:
    trace = tmp_path / PRESET.name
    trace.write_text(PRESET.read_text())
    (function,) = body_of(generated(capsys, trace, tmp_path)).values()
    lines = PRESET.read_text().splitlines()
    row = json.loads(lines[line - 1])
    for place in (0, 2, len(row["hex"]) // 2, len(row["hex"]) - 2):
        byte = int(row["hex"][place // 2 * 2 : place // 2 * 2 + 2], 16) ^ 0x10
        broken = f"{row['hex'][: place // 2 * 2]}{byte:02x}{row['hex'][place // 2 * 2 + 2 :]}"
        trace.write_text("\n".join([*lines[: line - 1], json.dumps({**row, "hex": broken}), *lines[line:]]) + "\n")
        with pytest.raises(Exception):  # noqa: B017  # Diverged, ForeignAnswer or an assertion: it must not pass
            function()  # type: ignore[operator]


def test_a_generated_test_of_a_whole_transfer_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for path in sorted(transfer_traces(tmp_path / "t").iterdir()):
        (function,) = body_of(generated(capsys, path, tmp_path)).values()
        function()  # type: ignore[operator]


def test_what_no_driver_sends_is_asked_as_bytes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    frame = bytes.fromhex("01 08 0000 1234")
    text = (frame + crc16(frame).to_bytes(2, "little")).hex()
    path = trace_file(tmp_path / "x.jsonl", [(0, "tx", text), (20, "rx", text)], model="CM4250")
    test = generated(capsys, path, tmp_path)
    assert f'desk.answer("{text}") == "{text}"' in test.read_text()
    (function,) = body_of(test).values()
    function()  # type: ignore[operator]


def test_an_existing_test_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    generated(capsys, PRESET, tmp_path)
    code, _, err = run(capsys, "to-test", PRESET, "-o", tmp_path / "test_generated.py")
    assert code == 4
    assert "exists already" in err


def test_exchanges_pair_requests_sent_ahead_with_their_answers(tmp_path: Path) -> None:
    asks = [f"{n:04x}00000006010306a30001" for n in (1, 2)]
    answers = [f"{n:04x}00000005010302000{n}" for n in (1, 2)]
    path = trace_file(
        tmp_path / "x.jsonl",
        [(0, "tx", asks[0]), (1, "tx", asks[1]), (20, "rx", answers[0]), (40, "rx", answers[1][:10]),
         (41, "rx", answers[1][10:])],
        frames="mbap",
    )  # fmt: skip
    first, second = load_trace(path).exchanges()
    assert (first.answer.hex(), second.answer.hex()) == tuple(answers)
    assert (first.reaction, second.reaction) == (20_000_000, 39_000_000)


@pytest.mark.parametrize("fact", ['"link": 5', '"unit": "x"', '"model": 7', '"start": []', '"device": null'])
def test_a_header_of_another_shape_is_told_on_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fact: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"format": "meterbench-trace", "version": 1, {fact}}}\n')
    for words in (["show", path], ["mirror", path], ["diff", path, PRESET], ["to-test", path]):
        code, _, err = run(capsys, *words)
        assert code == 4
        assert "x.jsonl:1: header: " in err


def test_a_trace_of_an_unknown_model_is_compared_word_by_word(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = []
    for folder, path in (("a", PRESET), ("b", changed(PRESET, tmp_path, 15, "11d7", "11d8"))):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "x.jsonl")
        files[-1].write_text(path.read_text().replace('"PM850"', '"XY1"'))
    code, out, _ = run(capsys, "diff", *files)
    assert code == 1
    assert "register 1700: first 4567, second 4568" in out
