"""What a unit has brought back goes into files that may be there already: added to, or put in their place.

The unit is emptied last, so whatever happens before, the next unloading finds everything; and what was brought half is
brought whole then, and nothing stands twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.errors import UsageError
from bench.handheld.alone import alone_in
from bench.handheld.memory import Memory
from bench.handheld.readings import joined, readings_of
from bench.handheld.records import Record, encode_records, read_records, replace_file


class Unloaded(NamedTuple):
    """The .RES file, how many readings it holds, and how many of them are new."""

    file: Path
    readings: int
    new: int


def unload(memory: Memory, folder: Path, *, overwrite: bool) -> Unloaded:
    """Bring readings, visits and snapshots into `folder`, as `LIST.RES` and `LIST.BUD`, and empty the unit.

    The snapshot of a programming that is unfinished also stays in the unit: the next visit takes it up with it.

    Args:
        memory: of the unit.
        folder: where to.
        overwrite: put new files in the place of the old ones, which are kept beside them under the name of their
            seal; otherwise append what is not there yet.

    Raises:
        UsageError: a file is damaged, or a reading contradicts one that is there, or another program is at work in
            one of the folders; nothing was changed.
        StationError: a file cannot be written; the unit keeps what it has.
    """
    name = memory.list_name
    if folder.resolve() == memory.folder.resolve():
        raise UsageError("is the unit itself; name the folder that it is unloaded into", folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be made: {error.strerror}", folder) from None
    with alone_in(memory.folder), alone_in(folder):
        found = _brought(memory, folder / f"{name}.RES", folder / f"{name}.BUD", overwrite=overwrite)
        snapshots = memory.snapshots()
        for path in snapshots:
            _bring(path, folder / path.name)
        memory.remember_unloaded(folder)
        memory.keep_readings([])
        memory.keep_visits([])
        for path in set(snapshots) - set(memory.unfinished().values()):
            path.unlink()
    return found


def _brought(memory: Memory, readings: Path, visits: Path, *, overwrite: bool) -> Unloaded:
    """Readings and visits, on the disk."""
    there = readings_of(readings) if readings.exists() and not overwrite else []
    gone = list(read_records(visits, "BUD").records) if visits.exists() and not overwrite else []
    try:
        everything = joined(there, memory.readings())
    except UsageError as error:
        raise UsageError(f"{error.reason}; --overwrite keeps both, in two files", readings) from None
    went, head = _added(gone, memory.visits()), {"list": memory.list_name}
    if overwrite:
        for path in (readings, visits):
            _put_aside(path)
    replace_file(visits, encode_records("BUD", head, went))
    replace_file(readings, encode_records("RES", head, [reading.as_record() for reading in everything]))
    return Unloaded(readings, len(everything), len(everything) - len(there))


def _added(there: Sequence[Record], brought: Sequence[Record]) -> list[Record]:
    """Both, in order; a visit that stands in both stands once."""
    known = {json.dumps(record, sort_keys=True) for record in there}
    return [*there, *(record for record in brought if json.dumps(record, sort_keys=True) not in known)]


def _bring(path: Path, place: Path) -> None:
    """Copy a file; one of these contents may be there from an earlier unloading."""
    data = path.read_bytes()
    if not place.exists() or place.read_bytes() != data:
        _put_aside(place)
        replace_file(place, data)


def _put_aside(path: Path) -> None:
    """Keep the file that is about to be replaced, under the name of its contents: a second copy is the same one."""
    if not path.exists():
        return
    data = path.read_bytes()
    copy = path.with_name(f"{path.stem}.{hashlib.sha256(data).hexdigest()[:12]}{path.suffix}")
    if not copy.exists():
        replace_file(copy, data)
