"""A file is there whole or not at all, and what is said of it is true."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from bench import whole_file
from bench.errors import StationError
from bench.whole_file import write_whole


def test_a_folder_that_cannot_be_settled_does_not_undo_the_replacing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, settle, refused = tmp_path / "a", os.fsync, list[int]()
    write_whole(path, b"old", "the old file is as it was")

    def network_file_system(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            refused.append(handle)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        settle(handle)

    monkeypatch.setattr(whole_file.os, "fsync", network_file_system)
    write_whole(path, b"new", "the old file is as it was")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert len(refused) == (os.name == "posix")


def test_a_file_that_cannot_be_forced_to_the_disk_is_not_put_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_whole(path, b"old", "the old file is as it was")

    def broken(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(whole_file.os, "fsync", broken)
    with pytest.raises(StationError, match="the old file is as it was"):
        write_whole(path, b"new", "the old file is as it was")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
