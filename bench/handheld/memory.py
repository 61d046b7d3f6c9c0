"""The memory of a hand-held unit: a folder with what was loaded, what was read, and what became of each visit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.errors import UsageError
from bench.handheld.readings import Reading, readings_of
from bench.handheld.records import Contents, Record, encode_records, read_records, replace_file
from bench.lists.model import MeterEntry
from bench.station.mistakes import suggestion

LOAD, READINGS, VISITS = "load.hhu", "readings.res", "visits.bud"
_UNFINISHED = ".snapshot.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """That a meter holds the scheme that was to be brought to it.

    Attributes:
        scheme: its id.
        serial: serial number of the meter; another meter in its place is programmed.
        sha256: of the text of the scheme.
        at: when it was programmed, ISO.
    """

    scheme: str
    serial: str
    sha256: str
    at: str


class Memory:
    """What lies in the folder of a unit.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def loaded(self) -> Contents:
        """What was loaded.

        Raises:
            UsageError: nothing, or the load is damaged.
        """
        if not (self.folder / LOAD).exists():
            raise UsageError("is no loaded unit; load it with meterbench handheld load UNIT LIST", self.folder)
        return read_records(self.folder / LOAD, "HHU")

    @property
    def list_name(self) -> str:
        """The name of the loaded list.

        Raises:
            UsageError: as of `loaded`.
        """
        return str(self.loaded.head["list"])

    def entries(self, names: Collection[str] = ()) -> list[MeterEntry]:
        """The meters of the loaded list with these names, all if none is given.

        Raises:
            UsageError: nothing is loaded, the load is damaged, or there is no such meter.
        """
        try:
            found = {e.name: e for e in map(MeterEntry.model_validate, self.loaded.records)}
        except ValidationError:
            raise UsageError("holds an entry of another version of meterbench; load it again", self.folder) from None
        for name in names:
            if name not in found:
                hint = suggestion(name, found)
                raise UsageError(f"the unit has no meter {name}{hint} it has: {', '.join(found)}", self.folder)
        return [entry for entry in found.values() if not names or entry.name in names]

    def line(self, name: str) -> int:
        """On which line of the load the entry of a meter stands."""
        return next(k for k, record in enumerate(self.loaded.records, 2) if record["name"] == name)

    def scheme(self, entry: MeterEntry) -> str:
        """The text of the scheme of a meter that is programmed."""
        return str(self.loaded.head["schemes"][entry.scheme])

    def readings(self) -> list[Reading]:
        """What has been read and not yet been unloaded.

        Raises:
            UsageError: the file is damaged; says which record.
        """
        return readings_of(self.folder / READINGS) if (self.folder / READINGS).exists() else []

    def visits(self) -> list[Record]:
        """What became of each meter that was gone to.

        Raises:
            UsageError: the file is damaged; says which record.
        """
        path = self.folder / VISITS
        return list(read_records(path, "BUD").records) if path.exists() else []

    def keep_readings(self, readings: Iterable[Reading]) -> None:
        """Put these in the place of the readings."""
        self._write(READINGS, "RES", [reading.as_record() for reading in readings])

    def keep_visits(self, visits: Iterable[Record]) -> None:
        """Put these in the place of the visits."""
        self._write(VISITS, "BUD", visits)

    def _write(self, name: str, kind: str, records: Iterable[Record]) -> None:
        replace_file(self.folder / name, encode_records(kind, {"list": self.list_name}, records))

    # -- what was programmed -----------------------------------------------------------------------------------------

    def snapshots(self) -> list[Path]:
        """What meters held before this unit programmed them."""
        return sorted(self.folder.glob("*.json"))

    def snapshot(self, name: str) -> Path:
        """Where it is kept what a meter held while its programming is unfinished."""
        return self.folder / f"{name}{_UNFINISHED}"

    def unfinished(self) -> dict[str, Path]:
        """The snapshots of programmings that were broken off, by the name of the meter."""
        return {path.name.removesuffix(_UNFINISHED): path for path in sorted(self.folder.glob(f"*{_UNFINISHED}"))}

    def unloaded(self) -> dict[str, Path]:
        """Where the snapshot of an unfinished programming was brought by unloading, by the name of the meter."""
        try:
            known: Mapping[str, Any] = self.loaded.head.get("unloaded", {})
        except UsageError:
            return {}  # what cannot be read promises nothing
        return {
            name: Path(known[name]["file"])
            for name, path in self.unfinished().items()
            if name in known and known[name]["sha256"] == _sha256(path.read_bytes())
        }

    def remember_unloaded(self, folder: Path) -> None:
        """Remember that copies of what is unfinished are in `folder`; the unit needs its own to take it up."""
        unfinished = self.unfinished()
        if unfinished:
            contents = self.loaded
            brought = {
                name: {"sha256": _sha256(path.read_bytes()), "file": str((folder / path.name).absolute())}
                for name, path in unfinished.items()
            }
            head = {**contents.head, "unloaded": brought}
            replace_file(self.folder / LOAD, encode_records("HHU", head, contents.records))

    def holds(self, entry: MeterEntry, serial: str) -> Mark | None:
        """When this meter was given the scheme of its entry, None if it was not."""
        found = self._marks().get(entry.name)
        same = found is not None and (found.serial, found.sha256) == (serial, self._digest(entry))
        return found if same else None

    def mark(self, entry: MeterEntry, serial: str, scheme: str, at: str) -> None:
        """Remember that a meter holds its scheme, before anything else is said of it: no later visit writes it."""
        contents = self.loaded
        marks = self._marks() | {entry.name: Mark(scheme, serial, self._digest(entry), at)}
        head = {**contents.head, "programmed": {name: asdict(mark) for name, mark in marks.items()}}
        replace_file(self.folder / LOAD, encode_records("HHU", head, contents.records))

    def put_by(self, entry: MeterEntry, scheme: str) -> None:
        """A programming is finished: what the meter held before is kept under the name of what it holds now."""
        unfinished, plain = self.snapshot(entry.name), re.sub(r"[^A-Za-z0-9_-]+", "_", scheme).strip("_") or "none"
        if not unfinished.exists():
            return
        path, number = self.folder / f"{entry.name}.before-{plain}.json", 1
        while path.exists():
            number += 1
            path = path.with_name(f"{entry.name}.before-{plain}.{number}.json")
        unfinished.replace(path)

    def _marks(self) -> dict[str, Mark]:
        found: Mapping[str, Any] = self.loaded.head.get("programmed", {})
        return {name: Mark(**mark) for name, mark in found.items()}

    def _digest(self, entry: MeterEntry) -> str:
        return _sha256(self.scheme(entry).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
