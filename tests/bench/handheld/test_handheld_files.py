"""The files of the unit under attack: killed in the middle, two at once, changed on the way, of a later release."""

from __future__ import annotations

import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.cli import call
from bench.errors import StationError, UsageError
from bench.handheld.alone import alone_in
from bench.handheld.readings import Reading, readings_of
from bench.handheld.records import decode_records, encode_records, read_records, replace_file
from bench.handheld.unit import HandheldUnit
from bench.lists.load import load_list
from bench.lists.model import MeterEntry
from bench.scheme.snapshot import Snapshot, write_snapshot

NORTH = Path(__file__).parents[1] / "lists" / "north.yaml"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RECORDS = [{"meter": f"m{k}", "outcome": "read"} for k in range(200)]


@pytest.fixture
def unit(tmp_path: Path) -> HandheldUnit:
    found = HandheldUnit(tmp_path / "unit")
    found.load(load_list(NORTH), NOON)
    return found


def now() -> datetime:
    return NOON


def reads(entry: MeterEntry) -> list[Reading]:
    return [Reading(entry.name, "1", "import", "1.5", "kWh", "2026-11-21T12:00:00", NOON.isoformat())]


APPENDING = """\
import sys
from pathlib import Path
from bench.handheld.records import encode_records, read_records, replace_file
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    known = list(read_records(path, "BUD").records)
    replace_file(path, encode_records("BUD", {}, [*known[-900:], *({"meter": f"m{k}"} for k in range(100))]))
"""


def test_a_program_that_is_killed_while_it_appends_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "north.BUD"
    replace_file(path, encode_records("BUD", {}, RECORDS))
    for _ in range(4):
        appending = subprocess.Popen([sys.executable, "-c", APPENDING, str(path)], stdout=subprocess.PIPE)
        assert appending.stdout is not None
        appending.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            appending.wait(0.05)
        appending.kill()
        appending.communicate()
        assert len(read_records(path, "BUD").records) >= len(RECORDS)


HOLDING = """\
import sys
from pathlib import Path
from bench.handheld.alone import alone_in
with alone_in(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_second_program_is_refused_and_a_killed_one_is_in_nobodys_way(
    unit: HandheldUnit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unit.memory.folder
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holding.stdout is not None
    holding.stdout.readline()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = "another meterbench handheld is at work here; wait until it has ended"
    with pytest.raises(UsageError, match=said):
        unit.visit(reads, now)
    with pytest.raises(UsageError, match=said):
        unit.load(load_list(NORTH), NOON)
    assert call(["handheld", "unload", str(folder), str(tmp_path / "office")]) == 4
    assert capsys.readouterr().err == f"{folder}: {said}\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    holding.kill()
    holding.communicate()
    assert {path.name for path in folder.iterdir()} == set(before)
    assert not any("journal" in name for name in before)
    assert len(unit.visit(reads, now)) == 3


def test_two_units_are_not_unloaded_into_one_folder_at_once(unit: HandheldUnit, tmp_path: Path) -> None:
    unit.visit(reads, now)
    office = tmp_path / "office"
    office.mkdir()
    with alone_in(office), pytest.raises(UsageError, match="another meterbench handheld is at work here"):
        unit.unload(office, overwrite=False)
    assert len(unit.readings()) == 3
    assert unit.unload(office, overwrite=False).new == 3


def test_a_unit_is_not_unloaded_into_itself(unit: HandheldUnit) -> None:
    unit.visit(reads, now)
    with pytest.raises(UsageError, match="is the unit itself; name the folder that it is unloaded into"):
        unit.unload(unit.memory.folder / ".." / "unit", overwrite=True)
    assert len(unit.readings()) == 3


def test_a_unit_with_visits_only_is_not_loaded_over(unit: HandheldUnit) -> None:
    def silent(_entry: MeterEntry) -> list[Reading]:
        raise StationError("no answer")

    unit.visit(silent, now)
    with pytest.raises(UsageError, match="holds 3 visits; unload them first"):
        unit.load(load_list(NORTH), NOON)


def test_a_contradiction_says_how_both_are_kept(unit: HandheldUnit, tmp_path: Path) -> None:
    unit.visit(reads, now)
    unit.unload(tmp_path / "office", overwrite=False)
    unit.visit(lambda entry: [Reading(*reads(entry)[0].key[:3], "2.5", "kWh", "2026-11-21T12:00:00", "")], now)
    with pytest.raises(UsageError, match=r"north\.RES: mill, import .*; --overwrite keeps both, in two files"):
        unit.unload(tmp_path / "office", overwrite=False)


@pytest.mark.parametrize("append", [True, False])
def test_a_file_of_a_later_release_is_neither_read_nor_added_to(
    append: bool, unit: HandheldUnit, tmp_path: Path
) -> None:
    unit.visit(reads, now)
    office = tmp_path / "office"
    office.mkdir()
    later = encode_records("RES", {"version": 2}, [])
    (office / "north.RES").write_bytes(later)
    with pytest.raises(UsageError, match=r"north\.RES:1: is of version 2; this release reads version 1; a newer"):
        unit.unload(office, overwrite=False)
    assert (office / "north.RES").read_bytes() == later
    assert len(unit.readings()) == 3
    if not append:  # what cannot be read is kept all the same
        unit.unload(office, overwrite=True)
        assert [path.read_bytes() for path in office.glob("north.*.RES")] == [later]


def test_a_file_that_went_through_an_editor_says_what_happened_to_it(tmp_path: Path) -> None:
    path = tmp_path / "north.BUD"
    path.write_bytes(encode_records("BUD", {}, RECORDS).replace(b"\n", b"\r\n"))
    with pytest.raises(UsageError, match=r"north\.BUD:1: its ends of lines were changed on the way; copy it as it is"):
        read_records(path, "BUD")


def test_a_record_that_is_no_reading_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "north.RES"
    good = reads(load_list(NORTH).meters[0])[0].as_record()
    for bad, said in (({"meter": "m"}, "has other entries"), (good | {"value": 1.5}, "something else than text")):
        path.write_bytes(encode_records("RES", {}, [good, bad]))
        with pytest.raises(UsageError, match=rf"north\.RES:3: .*{said}"):
            readings_of(path)


def test_a_record_that_is_nested_too_deep_is_damaged() -> None:
    head, _ = encode_records("BUD", {}, []).splitlines(keepends=True)
    told = b'R\t1\t{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert decode_records(head + told + f"\t{zlib.crc32(told):08X}\n".encode()).problems[0] == (
        2,
        "record 1 is damaged",
    )


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "north.RES"
    with pytest.raises(StationError, match=r"north\.RES: cannot be written: .*; the old file is as it was"):
        replace_file(path, b"one")
    snapshot = Snapshot("a1140", "A1140", "", "A", 0, {"scheme_id": bytes(8)})
    with pytest.raises(StationError, match=r"north\.RES: cannot be written: .*so nothing was programmed"):
        write_snapshot(snapshot, path)
