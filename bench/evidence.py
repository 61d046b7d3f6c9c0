"""The run folder: everything a run has found, written while it happens and sealed when it ends.

```
scenarios.jsonl      one line a scenario: outcome, verdict, times, devices, traces, steps
measurements.jsonl   one line a measurement, written when its scenario ends
audit.jsonl          one line a state-changing command, on the disk before the next one is sent
traces/              the wire, one file a scenario and device
run.json             what ran where, with which result; written last, so a run that was killed has none
manifest.json        SHA-256 of every file, and one over all of them: the seal
```

`bench/reports/run.py` reads such a folder; every report is derived from it and from nothing else.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from bench.errors import StationError, UsageError
from bench.manifest import write_manifest
from bench.measurement import Measurement, seconds
from bench.redaction import redacted_words
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.trace import TraceWriter

FORMAT = "meterbench-run"
VERSION = 1
Outcome: TypeAlias = Literal["passed", "failed", "skipped", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@cache
def tool_version() -> str:
    """The version of the installed meterbench, "uninstalled" when it runs from a bare source tree."""
    try:
        return metadata.version("meterbench")
    except metadata.PackageNotFoundError:
        return "uninstalled"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a procedure, for the reader of the report; times in bench seconds with nine decimals."""

    name: str
    start: str = ""
    end: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRecord:
    """One scenario, as it stands in `scenarios.jsonl`.

    Attributes:
        scenario: pytest node id.
        title: first line of the docstring, empty if it has none.
        outcome: passed, failed, skipped or error, as pytest says.
        verdict: the worst of its measurements, or worse if it ended with an exception.
        reason: why it failed or was skipped, empty if it passed.
        start, end: bench time in seconds with nine decimals.
        wall: how long it took by the wall clock, in seconds.
        devices: ids of the devices it asked for.
        traces: files of the run folder.
        counts: number of measurements by verdict; filled in by `Evidence.scenario`.
        remarks: what the line did to the readings that were taken all the same: repeated reads, stray bytes.
    """

    scenario: str
    outcome: Outcome
    verdict: Verdict
    title: str = ""
    reason: str = ""
    start: str = "0.000000000"
    end: str = "0.000000000"
    wall: float = 0.0
    devices: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    remarks: tuple[str, ...] = ()


Row: TypeAlias = "Measurement | ScenarioRecord | Mapping[str, Any]"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known when a run begins.

    Attributes:
        station: name of the station.
        resolved: the station file as it was understood: links, devices, policy; without secrets.
        host: what is on the other end.
        seed: the seed of every random stream; None on a real station.
        argv: the command line; values that look like secrets are cut out before they are kept.
    """

    station: str
    host: Literal["virtual", "served", "real"]
    resolved: Mapping[str, object] = field(default_factory=dict)
    seed: int | None = None
    argv: Sequence[str] = ()


class Evidence:
    """Writes the run folder. Without a folder it only counts, and costs nothing.

    Args:
        folder: a new or empty folder; None for a run without evidence.
        durable: put every audit entry on the disk before going on. A virtual run writes to no real meter and may do
            without.

    Raises:
        UsageError: the folder holds an earlier run or cannot be written.
    """

    def __init__(self, folder: Path | None = None, *, durable: bool = True) -> None:
        self.folder = folder
        self.seal = ""
        self.run: dict[str, Any] = {}
        """Content of `run.json`, complete after `close`; there without a folder too, for the terminal and for JUnit."""
        self._durable = durable
        self._facts = RunFacts(station="", host="virtual")
        self._started = _utc_now()
        self._verdicts = dict.fromkeys((v.value for v in Verdict), 0)
        self._scenarios = dict.fromkeys(OUTCOMES, 0)
        self._identities: dict[str, dict[str, Any]] = {}
        self._audited = 0
        self._files = {} if folder is None else _opened(folder)

    def begin(self, facts: RunFacts) -> None:
        """Say what is about to run; the first entry of the audit, so that a run that is killed is known by name."""
        self._facts = facts
        self.audit("run started", station=facts.station, host=facts.host, seed=facts.seed, argv=_command(facts.argv))

    def identify(self, device: str, **facts: object) -> None:
        """Keep what a device says of itself: model, serial number, firmware. Later facts add to earlier ones."""
        self._identities.setdefault(device, {}).update(facts)

    def audit(self, event: str, *, device: str | None = None, t: int = 0, **facts: object) -> None:
        """One state-changing command, or its result; on the disk when this returns.

        Args:
            event: what was done, for example "write registers".
            device: to which device.
            t: bench time in nanoseconds.
            facts: whatever says what was written; bytes become hexadecimal, what JSON does not know becomes text.
        """
        self._audited += 1
        entry = {"seq": self._audited, "event": event, "device": device, "t": seconds(t), "wall": _utc_now()}
        self._append("audit.jsonl", [entry | {"facts": facts}], durable=self._durable)

    def trace(self, writer: TraceWriter) -> str | None:
        """Write a trace into the folder and return its name there; None if it was empty or nothing is kept."""
        if self.folder is None or (path := writer.write(self.folder / "traces")) is None:
            return None
        return f"traces/{path.name}"

    def scenario(self, record: ScenarioRecord, measurements: Iterable[Measurement] = ()) -> ScenarioRecord:
        """Keep a scenario that has ended with what it measured; returns the record with its counts filled in."""
        rows = list(measurements)
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.verdict.value] = counts.get(row.verdict.value, 0) + 1
            self._verdicts[row.verdict.value] += 1
        self._scenarios[record.outcome] += 1
        complete = replace(record, counts=counts)
        self._append("measurements.jsonl", rows)
        self._append("scenarios.jsonl", [complete])
        return complete

    def close(self, *, digest: str, exit: int) -> dict[str, Any]:  # noqa: A002  # the word of the contract in run.json
        """End the run: write `run.json` and seal the folder. Returns the content of `run.json`.

        Raises:
            StationError: the folder cannot be written any more.
        """
        facts = self._facts
        self.run = {
            "format": FORMAT,
            "version": VERSION,
            "meterbench": tool_version(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "started": self._started,
            "finished": _utc_now(),
            "station": {"name": facts.station, **facts.resolved},
            "host": facts.host,
            "seed": facts.seed,
            "digest": digest,
            "exit": int(exit),
            "verdicts": self._verdicts,
            "scenarios": self._scenarios,
            "devices": self._identities,
            "operator": _operator(),
            "argv": _command(facts.argv),
        }
        if self.folder is not None:
            self._finish(self.folder)
        return self.run

    def abandon(self) -> None:
        """Let go of the files without sealing: what `load` then finds is a run that was killed."""
        for stream in self._files.values():
            with suppress(OSError):  # what a full disk refuses to take now it has refused before
                stream.close()
        self._files = {}

    def _finish(self, folder: Path) -> None:
        path = folder / "run.json"
        try:
            for stream in self._files.values():
                stream.close()
            _write_whole(path, json.dumps(self.run, indent=1, ensure_ascii=False, default=_jsonable) + "\n")
            self.seal = write_manifest(folder)
        except OSError as error:
            raise StationError(f"{error.filename or path}: {error.strerror or error}") from error

    def _append(self, name: str, rows: Iterable[Row], *, durable: bool = False) -> None:
        if not self._files:
            return
        stream = self._files[name]
        try:
            stream.writelines(_line(row) for row in rows)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        except OSError as error:
            raise StationError(f"{stream.name}: {error.strerror or error}") from error


def _opened(folder: Path) -> dict[str, IO[str]]:
    if (folder / "run.json").exists() or (folder / "audit.jsonl").exists():
        raise UsageError(f"{folder}: holds the evidence of an earlier run; name a new folder")
    try:
        if folder.is_dir() and next(folder.iterdir(), None):
            raise UsageError(f"{folder}: is not empty, and its seal would be over more than the run; name a new folder")
        (folder / "traces").mkdir(parents=True, exist_ok=True)
        names = ("measurements.jsonl", "audit.jsonl", "scenarios.jsonl")
        return {name: (folder / name).open("x", encoding="utf-8", newline="\n") for name in names}
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: no evidence can be written here: {error.strerror}") from error


def _write_whole(path: Path, text: str) -> None:
    """Write a file or none: half a `run.json` would hide from every report what the other files still tell."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _line(row: Row) -> str:
    if isinstance(row, Measurement):
        return row.to_json() + "\n"
    plain = asdict(row) if isinstance(row, ScenarioRecord) else row
    return json.dumps(plain, ensure_ascii=False, default=_jsonable) + "\n"


def _jsonable(value: object) -> object:
    return value.hex() if isinstance(value, bytes | bytearray) else str(value)


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _operator() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, or no pwd module on Windows
        return None


def _command(argv: Sequence[str]) -> list[str]:
    """The command line without its secrets; the program by its name, for where it is installed is nobody's business."""
    program, *words = redacted_words(argv) or [""]
    name = PurePath(program).name
    return ["meterbench" if name == "__main__.py" else name, *words]
