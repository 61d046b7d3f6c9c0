"""The hand-held unit: a folder that is loaded, carried round and unloaded.

It holds `load.hhu` (the list and its schemes), `readings.res` and `visits.bud`. Passwords are not carried: an entry
says where its password is found, and whoever reads the meter looks there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.errors import BenchError, DeviceError, UsageError
from bench.handheld.readings import Reading, joined, reading_of
from bench.handheld.records import Contents, Record, encode_records, read_records, replace_file
from bench.lists.model import MeterEntry, MeterList
from bench.station.mistakes import suggestion

LOAD, READINGS, VISITS = "load.hhu", "readings.res", "visits.bud"

#: Reads one meter; raises BenchError where that fails.
ReadMeter = Callable[[MeterEntry], Sequence[Reading]]
#: Programs the scheme of a meter: its entry, the text of the file, and the unit's memory, where snapshots are kept.
ProgramMeter = Callable[[MeterEntry, str, Path], "Programmed"]


@dataclass(frozen=True, slots=True)
class Programmed:
    """What became of a programming: the scheme's id, "done" or what happened, and each section's state."""

    scheme: str
    result: str
    sections: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """What became of one meter of the round."""

    meter: str
    at: str
    outcome: str
    readings: int = 0
    programmed: Programmed | None = None

    @property
    def done(self) -> bool:
        """Whether the meter was read, and programmed where it was to be."""
        return self.outcome == "read" and (self.programmed is None or self.programmed.result == "done")

    def as_record(self) -> dict[str, Any]:
        """The visit, ready for JSON."""
        record = {"meter": self.meter, "at": self.at, "outcome": self.outcome, "readings": self.readings}
        return record if self.programmed is None else record | asdict(self.programmed)


class HandheldUnit:
    """A unit whose memory is the folder `memory`."""

    def __init__(self, memory: Path) -> None:
        self.memory = memory

    # -- loading -----------------------------------------------------------------------------------------------------

    def load(self, meters: MeterList, now: datetime) -> None:
        """Load a list with the schemes that it names.

        Raises:
            UsageError: the unit holds readings or snapshots that were not unloaded.
            StationError: its memory cannot be written.
        """
        if self.readings():
            raise UsageError(f"the unit holds {len(self.readings())} readings; unload them first", self.memory)
        if self.snapshots():
            held = ", ".join(path.name for path in self.snapshots())
            raise UsageError(f"the unit holds {held} of meters that it programmed; unload first", self.memory)
        self._make()
        folder = Path(meters.file).parent
        names = dict.fromkeys(meter.scheme for meter in meters.meters if meter.scheme)
        schemes = {name: (folder / name).read_text("utf-8") for name in names}
        entries = [meter.model_dump(mode="json", exclude_none=True) for meter in meters.meters]
        head = {"list": meters.name, "loaded": now.isoformat(), "schemes": schemes}
        replace_file(self.memory / LOAD, encode_records("HHU", head, entries))
        self._write(READINGS, "RES", [])
        self._write(VISITS, "BUD", [])

    def _make(self) -> None:
        try:
            self.memory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be the memory of a unit: {error.strerror}", self.memory) from None

    def _loaded(self) -> Contents:
        if not (self.memory / LOAD).exists():
            raise UsageError("is no loaded unit; load it with meterbench handheld load UNIT LIST", self.memory)
        return read_records(self.memory / LOAD, "HHU")

    @property
    def list_name(self) -> str:
        """The name of the loaded list.

        Raises:
            UsageError: nothing is loaded, or the load is damaged.
        """
        return str(self._loaded().head["list"])

    def entries(self, names: Collection[str] = ()) -> list[MeterEntry]:
        """The meters of the loaded list with these names, all if none is given.

        Raises:
            UsageError: nothing is loaded, the load is damaged, or there is no such meter.
        """
        try:
            found = {e.name: e for e in map(MeterEntry.model_validate, self._loaded().records)}
        except ValidationError:
            raise UsageError("holds an entry of another version of meterbench; load it again", self.memory) from None
        for name in names:
            if name not in found:
                hint = suggestion(name, found)
                raise UsageError(f"the unit has no meter {name}{hint} it has: {', '.join(found)}")
        return [entry for entry in found.values() if not names or entry.name in names]

    # -- the round ---------------------------------------------------------------------------------------------------

    def visit(
        self,
        read_meter: ReadMeter,
        now: Callable[[], datetime],
        names: Collection[str] = (),
        program_meter: ProgramMeter | None = None,
    ) -> list[Visit]:
        """Read the meters one by one; one that fails is written down and does not stop the round.

        After every meter its readings are on the disk, so that a unit that is switched off has lost one at the most.
        Where the list says so, and there is `program_meter`, its scheme is programmed when it has been read.

        Raises:
            UsageError: nothing is loaded.
            StationError: the memory is full: the round ends, what was read before is kept.
        """
        entries = self.entries(names)
        made = []
        for entry in entries:
            visit = self._visit_one(entry, read_meter, now)
            if entry.program and program_meter is not None and visit.outcome == "read":
                visit = replace(visit, programmed=self._program_one(entry, program_meter))
            made.append(visit)
            self._write(VISITS, "BUD", [*self.visits(), visit.as_record()])
        return made

    def _visit_one(self, entry: MeterEntry, read_meter: ReadMeter, now: Callable[[], datetime]) -> Visit:
        try:
            found = read_meter(entry)
            strangers = [r for r in found if r.meter != entry.name]
            if strangers:
                raise DeviceError(f"a reading of {strangers[0].meter} came", device=entry.name)
            everything = joined(self.readings(), found)
        except BenchError as error:
            return Visit(entry.name, now().isoformat(), str(error))
        self._write(READINGS, "RES", [reading.as_record() for reading in everything])
        return Visit(entry.name, now().isoformat(), "read", len(found))

    def _program_one(self, entry: MeterEntry, program_meter: ProgramMeter) -> Programmed:
        assert entry.scheme is not None
        try:
            return program_meter(entry, self._loaded().head["schemes"][entry.scheme], self.memory)
        except BenchError as error:
            return Programmed(entry.scheme, str(error), {})

    def snapshots(self) -> list[Path]:
        """What meters held before this unit programmed them."""
        return sorted(self.memory.glob("*.json"))

    def readings(self) -> list[Reading]:
        """What it has read and not yet been unloaded.

        Raises:
            UsageError: the file is damaged; says which record.
        """
        return [reading_of(record) for record in self._records(READINGS, "RES")]

    def visits(self) -> list[Record]:
        """What became of each meter it went to.

        Raises:
            UsageError: the file is damaged; says which record.
        """
        return list(self._records(VISITS, "BUD"))

    def _records(self, name: str, kind: str) -> Iterable[Record]:
        path = self.memory / name
        return read_records(path, kind).records if path.exists() else ()

    def _write(self, name: str, kind: str, records: Iterable[Record]) -> None:
        replace_file(self.memory / name, encode_records(kind, {"list": self.list_name}, records))

    # -- unloading ---------------------------------------------------------------------------------------------------

    def unload(self, folder: Path, *, overwrite: bool) -> tuple[Path, int, int]:
        """Bring readings, visits and snapshots into `folder`, as `LIST.RES` and `LIST.BUD`, and empty the unit.

        Args:
            folder: where to.
            overwrite: put new files in the place of the old ones, which are kept beside them under the name of their
                seal; otherwise append what is not there yet.

        Returns:
            The .RES file, how many readings it holds, and how many of them are new.

        Raises:
            UsageError: a file is damaged, or a reading contradicts one that is there; nothing was changed.
            StationError: a file cannot be written; the unit keeps what it has.
        """
        name, snapshots = self.list_name, {path: path.read_bytes() for path in self.snapshots()}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be made: {error.strerror}", folder) from None
        readings, visits = folder / f"{name}.RES", folder / f"{name}.BUD"
        brought, went = self.readings(), self.visits()
        there = [reading_of(r) for r in read_records(readings, "RES").records] if _kept(readings, overwrite) else []
        gone = list(read_records(visits, "BUD").records) if _kept(visits, overwrite) else []
        everything = joined(there, brought)
        if overwrite:
            for path in (readings, visits):
                _put_aside(path)
        records = [reading.as_record() for reading in everything]
        replace_file(visits, encode_records("BUD", {"list": name}, [*gone, *(v for v in went if v not in gone)]))
        replace_file(readings, encode_records("RES", {"list": name}, records))
        for path, data in snapshots.items():
            _put_aside(folder / path.name)
            replace_file(folder / path.name, data)
        self._write(READINGS, "RES", [])
        self._write(VISITS, "BUD", [])
        for path in snapshots:
            path.unlink()
        return readings, len(everything), len(everything) - len(there)


def _kept(path: Path, overwrite: bool) -> bool:  # noqa: FBT001  # it is the answer to one question
    return path.exists() and not overwrite


def _put_aside(path: Path) -> None:
    """Keep the file that is about to be replaced, under the name of its contents: a second copy is the same one."""
    if not path.exists():
        return
    data = path.read_bytes()
    copy = path.with_name(f"{path.stem}.{hashlib.sha256(data).hexdigest()[:12]}{path.suffix}")
    if not copy.exists():
        replace_file(copy, data)
