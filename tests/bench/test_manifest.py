from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from bench.manifest import seal_of, verify_manifest, write_manifest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "traces").mkdir()
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "audit.jsonl").write_text("a\n")
    (tmp_path / "traces" / "x.trace.jsonl").write_text("b\n")
    write_manifest(tmp_path)
    return tmp_path


def test_a_sealed_folder_is_whole(folder: Path) -> None:
    assert verify_manifest(folder) == []


def test_the_seal_can_be_checked_with_sha256sum_and_sort(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    paths = ["audit.jsonl", "run.json", "traces/x.trace.jsonl"]
    assert sorted(manifest["files"]) == paths
    lines = sorted(f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}\n" for path in paths)
    assert manifest["seal"] == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_a_changed_file_is_noticed(folder: Path) -> None:
    (folder / "audit.jsonl").write_text("c\n")
    assert verify_manifest(folder) == ["audit.jsonl: changed"]


def test_a_lost_file_is_noticed(folder: Path) -> None:
    (folder / "traces" / "x.trace.jsonl").unlink()
    assert verify_manifest(folder) == ["traces/x.trace.jsonl: missing"]


def test_an_added_trace_is_noticed_and_a_report_is_welcome(folder: Path) -> None:
    (folder / "traces" / "y.trace.jsonl.gz").write_text("")
    (folder / "report.html").write_text("")
    assert verify_manifest(folder) == ["traces/y.trace.jsonl.gz: not in the manifest"]


def test_a_file_changed_together_with_its_hash_breaks_the_seal(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "audit.jsonl").write_text("c\n")
    manifest["files"]["audit.jsonl"] = hashlib.sha256(b"c\n").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert verify_manifest(folder) == ["manifest.json: the seal does not fit the list of files"]


def test_the_seal_depends_on_names_and_contents_and_not_on_order() -> None:
    assert seal_of({"a": "1", "b": "2"}) == seal_of({"b": "2", "a": "1"}) != seal_of({"a": "2", "b": "1"})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1, "seal": ""}', '{"files": {}}', "\xff"])
def test_a_broken_manifest_is_a_problem_and_no_crash(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    (problem,) = verify_manifest(folder)
    assert problem.startswith("manifest.json: unreadable")


def test_a_folder_that_was_never_sealed(tmp_path: Path) -> None:
    assert verify_manifest(tmp_path) == ["manifest.json: missing, the folder was never sealed"]


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd"])
def test_a_manifest_cannot_lead_out_of_its_folder(folder: Path, path: str) -> None:
    files = {path: "0"}
    (folder / "manifest.json").write_text(json.dumps({"files": files, "seal": seal_of(files)}))
    assert f"{path}: outside the folder" in verify_manifest(folder)
