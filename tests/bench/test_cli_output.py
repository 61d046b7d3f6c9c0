"""Standard output that takes no more, and evidence folders of one second."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.commands.run import default_folder

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this platform has no device that is always full")
@pytest.mark.parametrize("words", [["station", "check", "sim"], ["defects", "list"]])
def test_a_full_output_is_one_line_and_the_stations_fault(words: list[str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bench", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    assert done.stderr == "the output cannot be written: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe whose reader has left is told differently there")
def test_a_reader_who_has_left_is_told_nothing() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "defects", "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaint = process.communicate(timeout=30)
    assert complaint == b""


def test_runs_of_one_second_never_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: default_folder("lab 3"), range(24)))
    assert len(set(folders)) == 24
    assert all(folder.is_dir() for folder in folders)
