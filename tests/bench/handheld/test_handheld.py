"""The hand-held unit: it goes round, and nothing that it brings back is lost or stands twice."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import whole_file
from bench.errors import NoAnswer, StationError, UsageError
from bench.handheld.readings import Reading, joined
from bench.handheld.records import decode_records, encode_records, read_records, replace_file
from bench.handheld.unit import HandheldUnit
from bench.lists.load import load_list
from bench.lists.model import MeterEntry

NORTH = Path(__file__).parents[1] / "lists" / "north.yaml"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def reading(meter: str, value: str = "1.5", at: str = "2026-11-21T12:00:00", quantity: str = "import") -> Reading:
    return Reading(meter, "5074494", quantity, value, "kWh", at, "2026-11-21T12:00:01+00:00")


def reads(entry: MeterEntry) -> Sequence[Reading]:
    return [reading(entry.name), reading(entry.name, quantity="export")]


@pytest.fixture
def unit(tmp_path: Path) -> HandheldUnit:
    found = HandheldUnit(tmp_path / "unit")
    found.load(load_list(NORTH), NOON)
    return found


def now() -> datetime:
    return NOON


def test_a_round_brings_readings_and_visits_back(unit: HandheldUnit, tmp_path: Path) -> None:
    made = unit.visit(reads, now)
    assert [(visit.meter, visit.outcome, visit.readings) for visit in made] == [
        ("mill", "read", 2), ("pump", "read", 2), ("quarry", "read", 2),
    ]  # fmt: skip
    path, held, added = unit.unload(tmp_path / "office", overwrite=False)
    assert (path.name, held, added) == ("north.RES", 6, 6)
    visits = read_records(tmp_path / "office" / "north.BUD", "BUD").records
    assert [visit["meter"] for visit in visits] == ["mill", "pump", "quarry"]
    assert (unit.readings(), unit.visits()) == ([], [])


def test_one_meter_that_is_silent_does_not_stop_the_round(unit: HandheldUnit) -> None:
    def some(entry: MeterEntry) -> Sequence[Reading]:
        if entry.name == "mill":
            raise NoAnswer("no answer", device="mill")
        return reads(entry)

    made = unit.visit(some, now)
    assert [visit.outcome for visit in made] == ["mill: no answer", "read", "read"]
    assert len(unit.readings()) == 4
    assert unit.visits()[0]["outcome"] == "mill: no answer"


def test_going_round_twice_makes_no_reading_stand_twice(unit: HandheldUnit) -> None:
    unit.visit(reads, now)
    unit.visit(reads, now, ["mill"])
    assert len(unit.readings()) == 6
    assert len(unit.visits()) == 4


def test_a_reading_of_another_meter_is_not_taken(unit: HandheldUnit) -> None:
    assert unit.visit(lambda _entry: [reading("other")], now, ["mill"])[0].outcome == "mill: a reading of other came"
    assert unit.readings() == []


def test_a_meter_that_the_list_does_not_have_is_named(unit: HandheldUnit) -> None:
    with pytest.raises(UsageError, match=r"the unit has no meter mil; did you mean mill\?"):
        unit.visit(reads, now, ["mil"])


def test_a_unit_with_readings_is_not_loaded_over(unit: HandheldUnit) -> None:
    unit.visit(reads, now)
    with pytest.raises(UsageError, match="holds 6 readings, 3 visits; unload them first"):
        unit.load(load_list(NORTH), NOON)


def test_no_password_is_carried_and_no_reference_is_lost(unit: HandheldUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILL_PASSWORD", "SEKRET77")
    unit.visit(reads, now)
    carried = b"".join(path.read_bytes() for path in unit.memory.folder.iterdir())
    assert b"SEKRET77" not in carried
    assert unit.entries(["mill"])[0].password is not None


# -- append and overwrite ----------------------------------------------------------------------------------------------


def test_appending_never_duplicates(unit: HandheldUnit, tmp_path: Path) -> None:
    office = tmp_path / "office"
    for _ in range(3):
        unit.visit(reads, now)
        path, held, _ = unit.unload(office, overwrite=False)
    assert held == 6
    assert len(read_records(path, "RES").records) == 6
    unit.visit(lambda entry: [reading(entry.name, at="2026-11-21T13:00:00")], now)
    assert unit.unload(office, overwrite=False)[1:] == (9, 3)


def test_a_reading_that_contradicts_one_that_is_there_changes_nothing(unit: HandheldUnit, tmp_path: Path) -> None:
    office = tmp_path / "office"
    unit.visit(reads, now)
    path, _, _ = unit.unload(office, overwrite=False)
    before = path.read_bytes()
    unit.visit(lambda entry: [reading(entry.name, "2.5")], now)
    with pytest.raises(UsageError, match=r"mill, import at 2026-11-21T12:00:00: 1.5 kWh is there already and 2.5 kWh"):
        unit.unload(office, overwrite=False)
    assert path.read_bytes() == before
    assert len(unit.readings()) == 3


def test_overwriting_keeps_the_old_file_beside_the_new_one(unit: HandheldUnit, tmp_path: Path) -> None:
    office = tmp_path / "office"
    unit.visit(reads, now)
    path, _, _ = unit.unload(office, overwrite=False)
    old = path.read_bytes()
    unit.visit(lambda entry: [reading(entry.name, "2.5")], now)
    assert unit.unload(office, overwrite=True)[1:] == (3, 3)
    asides = [p for p in office.glob("north.*.RES") if p != path]
    assert [p.read_bytes() for p in asides] == [old]
    assert "2.5" in path.read_text("utf-8")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_disk_that_is_full_is_told_and_loses_nothing(
    unit: HandheldUnit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    office = tmp_path / "office"
    unit.visit(reads, now)
    path, _, _ = unit.unload(office, overwrite=False)
    old = path.read_bytes()
    unit.visit(lambda entry: [reading(entry.name, at="2026-11-21T13:00:00")], now)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(whole_file.os, "fsync", full)
        with pytest.raises(StationError, match="No space left on device; the old file is as it was"):
            unit.unload(office, overwrite=overwrite)
    assert path.read_bytes() == old
    assert len(unit.readings()) == 3
    assert [p.name for p in office.iterdir() if p.name.endswith(".part")] == []
    assert unit.unload(office, overwrite=False)[1:] == (9, 3)


def test_an_unloading_that_was_cut_half_way_makes_nothing_stand_twice(
    unit: HandheldUnit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = tmp_path / "office"
    unit.visit(reads, now)
    rename, renamed = Path.replace, []

    def second_fails(path: Path, target: Path) -> Path:
        renamed.append(target.name)
        if target.name == "north.RES":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", second_fails)
        with pytest.raises(KeyboardInterrupt):
            unit.unload(office, overwrite=False)
    assert renamed == ["north.BUD", "north.RES"]
    assert unit.unload(office, overwrite=False)[1:] == (6, 6)
    assert len(read_records(office / "north.BUD", "BUD").records) == 3


def test_a_unit_that_is_switched_off_in_a_write_has_the_old_readings(
    unit: HandheldUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit.visit(reads, now, ["mill"])

    def cut(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            unit.visit(reads, now, ["pump"])
    assert {r.meter for r in unit.readings()} == {"mill"}
    unit.visit(reads, now, ["pump"])
    assert len(unit.readings()) == 4


# -- the file ----------------------------------------------------------------------------------------------------------

texts = st.dictionaries(st.text(max_size=8), st.text(max_size=12) | st.integers() | st.none(), max_size=4)


@given(st.lists(texts, max_size=6))
def test_records_go_into_a_file_and_come_back(found: list[dict[str, object]]) -> None:
    contents = decode_records(encode_records("RES", {"list": "north"}, found))
    assert (contents.kind, list(contents.records), contents.problems) == ("RES", found, ())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    contents = decode_records(data)
    assert contents.problems
    assert contents.records == ()


WHOLE = encode_records("RES", {"list": "north"}, [{"meter": name} for name in ("mill", "pump", "quarry")])


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_a_file_that_is_cut_at_any_byte_says_so_and_keeps_what_is_whole(cut: int) -> None:
    contents = decode_records(WHOLE[:cut])
    assert contents.problems
    whole_lines = WHOLE[:cut].count(b"\n")
    assert len(contents.records) == min(max(whole_lines - 1, 0), 3)


def test_every_bit_that_falls_over_is_noticed_and_its_record_named() -> None:
    ends = [k for k, byte in enumerate(WHOLE) if byte == ord("\n")]
    for bit in range(8 * len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[bit // 8] ^= 1 << bit % 8
        contents = decode_records(bytes(damaged))
        assert contents.problems, bit
        line = sum(end < bit // 8 for end in ends) + 1
        assert contents.problems[0][0] in {line, line + 1, len(ends), len(ends) + 1}


def test_a_damaged_file_is_refused_by_its_record(tmp_path: Path) -> None:
    path = tmp_path / "north.RES"
    path.write_bytes(WHOLE.replace(b"pump", b"bump"))
    with pytest.raises(UsageError, match=r"north\.RES:3: record 2 is damaged; 2 records are whole"):
        read_records(path, "RES")
    path.write_bytes(WHOLE)
    with pytest.raises(UsageError, match="is a RES file, not a BUD file"):
        read_records(path, "BUD")


def test_a_record_that_was_taken_out_with_its_line_is_missed() -> None:
    lines = WHOLE.splitlines(keepends=True)
    contents = decode_records(b"".join([*lines[:2], *lines[3:]]))
    assert contents.problems[0] == (3, "record 2 is missing: record 3 stands in its place")


def test_a_record_that_was_exchanged_with_a_good_check_sum_breaks_the_seal() -> None:
    other = encode_records("RES", {"list": "north"}, [{"meter": "mill"}, {"meter": "PUMP"}, {"meter": "quarry"}])
    lines, others = WHOLE.splitlines(keepends=True), other.splitlines(keepends=True)
    contents = decode_records(b"".join([*lines[:2], others[2], *lines[3:]]))
    assert contents.problems == ((5, "the seal does not fit: something was changed"),)


def test_a_file_of_a_later_version_is_refused() -> None:
    head = encode_records("RES", {}, [])
    later = head.replace(b'"version": 1', b'"version": 2')
    assert decode_records(later).problems
    real = encode_records("RES", {"version": 2}, [])
    assert "is of version 2; this release reads version 1" in decode_records(real).problems[0][1]


def test_replacing_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@given(st.lists(st.sampled_from([reading("a"), reading("b"), reading("a", at="2026-11-21T13:00:00")]), max_size=9))
def test_joining_is_without_duplicates_and_keeps_everything(found: list[Reading]) -> None:
    assert joined(found, found) == list(dict.fromkeys(found))
