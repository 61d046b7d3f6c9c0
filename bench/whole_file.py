"""A file that is there whole or not at all: written beside its place, forced to the disk, then renamed into it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bench.errors import StationError


def write_whole(path: Path, data: bytes, otherwise: str) -> None:
    """Put `data` where `path` is; when this returns it is on the disk, as far as the file system promises that.

    Args:
        path: the file; what was there before is replaced.
        data: its content.
        otherwise: what is said of the state of things if that fails, as in "nothing was programmed".

    Raises:
        StationError: no room, or no right to write; what was there before is as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")  # two programs never write the same one
    try:
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StationError(f"{path}: cannot be written: {error.strerror}; {otherwise}") from None
    with suppress(OSError):  # the file is replaced, and some network file systems refuse to settle a folder
        _settle(path.parent)


def _settle(folder: Path) -> None:
    """Force the renaming to the disk, where a folder can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
