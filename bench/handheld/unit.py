"""The hand-held unit: a folder that is loaded, carried round and unloaded.

It holds `load.hhu` (the list and its schemes), `readings.res` and `visits.bud`. Passwords are not carried: an entry
says where its password is found, and whoever reads the meter looks there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.errors import BenchError, DeviceError, UsageError
from bench.handheld.alone import alone_in
from bench.handheld.memory import LOAD, Memory
from bench.handheld.readings import Reading, joined
from bench.handheld.records import Record, encode_records, replace_file
from bench.handheld.unloading import Unloaded, unload
from bench.lists.model import MeterEntry, MeterList

READ, DONE = "read", "done"

#: Reads one meter; raises BenchError where that fails.
ReadMeter = Callable[[MeterEntry], Sequence[Reading]]
#: Programs the scheme of a meter.
ProgramMeter = Callable[[MeterEntry], "Programmed"]


@dataclass(frozen=True, slots=True)
class Programmed:
    """What became of a programming: the scheme's id, "done" or what happened, and each section's state.

    `before` says when an earlier visit has done it; nothing was written then. `undetermined` says that nothing is wrong
    but not everything could be proved: it is not done, and the next visit looks again.
    """

    scheme: str
    result: str
    sections: Mapping[str, str]
    before: str = ""
    undetermined: bool = False


class Interrupted(KeyboardInterrupt):
    """The operator broke off in the middle of a programming; `programmed` says what the meter holds."""

    REASON = "interrupted by the operator"

    def __init__(self, meter: str, programmed: Programmed) -> None:
        super().__init__()
        self.meter = meter
        self.programmed = programmed


@dataclass(frozen=True, slots=True)
class Visit:
    """What became of one meter of the round."""

    meter: str
    at: str
    outcome: str
    readings: int = 0
    programmed: Programmed | None = None

    def as_record(self) -> dict[str, Any]:
        """The visit, ready for JSON."""
        record = {"meter": self.meter, "at": self.at, "outcome": self.outcome, "readings": self.readings}
        if self.programmed is None:
            return record
        told = {k: v for k, v in asdict(self.programmed).items() if k != "undetermined"}
        return record | (told if self.programmed.before else {k: v for k, v in told.items() if k != "before"})


def _tell_nobody(_visit: Visit) -> None:
    """Whoever looks at the list of visits in the end."""


class HandheldUnit:
    """A unit whose memory is the folder `memory`."""

    def __init__(self, memory: Path) -> None:
        self.memory = Memory(memory)

    def load(self, meters: MeterList, now: datetime) -> dict[str, Path]:
        """Load a list with the schemes that it names.

        Returns:
            Where the snapshots of unfinished programmings were unloaded, by meter: the unit has forgotten them.

        Raises:
            UsageError: the unit holds readings, visits or snapshots that were not unloaded.
            StationError: its memory cannot be written.
        """
        memory = self.memory
        try:
            memory.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be the memory of a unit: {error.strerror}", memory.folder) from None
        with alone_in(memory.folder):
            self._refuse_to_forget()
            forgotten = memory.unloaded()
            folder = Path(meters.file).parent
            names = dict.fromkeys(meter.scheme for meter in meters.meters if meter.scheme)
            schemes = {name: (folder / name).read_text("utf-8-sig") for name in names}
            entries = [meter.model_dump(mode="json", exclude_none=True) for meter in meters.meters]
            head = {"list": meters.name, "loaded": now.isoformat(), "schemes": schemes}
            replace_file(memory.folder / LOAD, encode_records("HHU", head, entries))
            memory.keep_readings([])
            memory.keep_visits([])
            for name in forgotten:
                memory.snapshot(name).unlink()
        return forgotten

    def _refuse_to_forget(self) -> None:
        memory = self.memory
        held = [
            f"{len(found)} {what}"
            for found, what in ((memory.readings(), "readings"), (memory.visits(), "visits"))
            if found
        ]
        known = {memory.snapshot(name) for name in memory.unloaded()}
        held += [f"{path.name} of a meter that it programmed" for path in memory.snapshots() if path not in known]
        if held:
            raise UsageError(f"the unit holds {', '.join(held)}; unload them first", memory.folder)

    def visit(
        self,
        read_meter: ReadMeter,
        now: Callable[[], datetime],
        names: Collection[str] = (),
        program_meter: ProgramMeter | None = None,
        tell: Callable[[Visit], None] = _tell_nobody,
    ) -> list[Visit]:
        """Read the meters one by one; one that fails is written down and does not stop the round.

        After every meter its readings are on the disk, so that a unit that is switched off has lost one at the most.
        Where the list says so, and there is `program_meter`, its scheme is programmed when it has been read; where an
        earlier visit of this load has done it, it is not written once more.

        Args:
            read_meter: reads one meter.
            now: the time of day.
            names: the meters to go to, all if none is given.
            program_meter: programs one meter.
            tell: told of each visit when it is on the disk.

        Raises:
            UsageError: nothing is loaded, or another program is at work in the memory.
            StationError: the memory is full: the round ends, what was read before is kept.
        """
        entries = self.memory.entries(names)
        made: list[Visit] = []
        with alone_in(self.memory.folder):
            for entry in entries:
                made.append(self._visited(entry, read_meter, now, program_meter))
                self._write_down(made[-1])
                tell(made[-1])
        return made

    def _visited(
        self, entry: MeterEntry, read_meter: ReadMeter, now: Callable[[], datetime], program_meter: ProgramMeter | None
    ) -> Visit:
        visit = Visit(entry.name, now().isoformat(), Interrupted.REASON)
        try:
            visit, serial = self._read_one(entry, read_meter, now)
            if entry.program and program_meter is not None and visit.outcome == READ:
                programmed = self._program_one(entry, serial, program_meter, visit.at)
                visit = replace(visit, programmed=programmed)
        except KeyboardInterrupt as error:
            self._write_down(replace(visit, programmed=error.programmed) if isinstance(error, Interrupted) else visit)
            raise
        return visit

    def _write_down(self, visit: Visit) -> None:
        self.memory.keep_visits([*self.memory.visits(), visit.as_record()])

    def _read_one(self, entry: MeterEntry, read_meter: ReadMeter, now: Callable[[], datetime]) -> tuple[Visit, str]:
        """Read a meter; the visit, and the serial number that answered."""
        try:
            found = read_meter(entry)
            strangers = [r for r in found if r.meter != entry.name]
            if strangers:
                raise DeviceError(f"a reading of {strangers[0].meter} came", device=entry.name)
            everything = joined(self.memory.readings(), found)
        except BenchError as error:
            return Visit(entry.name, now().isoformat(), str(error)), ""
        self.memory.keep_readings(everything)
        return Visit(entry.name, now().isoformat(), READ, len(found)), found[0].serial if found else ""

    def _program_one(self, entry: MeterEntry, serial: str, program_meter: ProgramMeter, at: str) -> Programmed:
        assert entry.scheme is not None
        memory = self.memory
        known = memory.holds(entry, serial)
        if known is not None:
            memory.put_by(entry, known.scheme)
            return Programmed(known.scheme, DONE, {}, before=known.at)
        try:
            made = program_meter(entry)
        except BenchError as error:
            return Programmed(entry.scheme, str(error), {})
        if made.result == DONE:
            memory.mark(entry, serial, made.scheme, at)
            memory.put_by(entry, made.scheme)
        return made

    # -- what it holds -----------------------------------------------------------------------------------------------

    def entries(self, names: Collection[str] = ()) -> list[MeterEntry]:
        """The meters of the loaded list with these names, all if none is given.

        Raises:
            UsageError: nothing is loaded, the load is damaged, or there is no such meter.
        """
        return self.memory.entries(names)

    def readings(self) -> list[Reading]:
        """What it has read and not yet been unloaded."""
        return self.memory.readings()

    def visits(self) -> list[Record]:
        """What became of each meter it went to."""
        return self.memory.visits()

    def unload(self, folder: Path, *, overwrite: bool) -> Unloaded:
        """Bring readings, visits and snapshots into `folder`, as `LIST.RES` and `LIST.BUD`, and empty the unit.

        What is needed to take up a programming that is unfinished also stays in the unit.

        Raises:
            UsageError: a file is damaged, or a reading contradicts one that is there; nothing was changed.
            StationError: a file cannot be written; the unit keeps what it has.
        """
        return unload(self.memory, folder, overwrite=overwrite)
