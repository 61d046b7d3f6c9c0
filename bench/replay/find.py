"""Which trace is a device's: in a file, in the folder of `serve --record`, or among the traces of a run."""

from __future__ import annotations

from pathlib import Path

from bench.errors import UsageError
from bench.replay.exchanges import Trace, load_trace
from bench.trace import file_name, read_trace

SUFFIXES = (".trace.jsonl", ".trace.jsonl.gz")


def trace_of(where: Path, device: str, scenario: str = "") -> Trace | None:
    """The trace of a device; None if there is none of it.

    Args:
        where: a trace, or a folder with traces.
        device: its id in the station file.
        scenario: whose trace it should be, where a folder has those of many.

    Raises:
        UsageError: no such file or folder, a broken trace, or more than one that could be meant.
    """
    if not where.is_dir():
        return _in_file(where, device)
    for name in (file_name(scenario, device), f"{device}.trace.jsonl"):
        for path in (where / name, where / f"{name}.gz"):
            if path.is_file():
                return load_trace(path)
    found = [] if scenario_known(where, scenario) else _of_device(where, device)
    if len(found) > 1:
        raise UsageError(f"{where}: {len(found)} traces are of {device}, for example {found[0].name}; name one")
    return load_trace(found[0]) if found else None


def scenario_known(where: Path, scenario: str) -> bool:
    """Whether a folder holds traces of many scenarios, so that only those of this one count."""
    return (where.parent / "scenarios.jsonl").exists() and bool(scenario)


def _in_file(where: Path, device: str) -> Trace | None:
    if not where.exists():
        raise UsageError(f"{where}: there is no such trace")
    trace = load_trace(where)
    return trace if trace.device in ("", device) else None


def _of_device(where: Path, device: str) -> list[Path]:
    paths = sorted(path for path in where.iterdir() if path.name.endswith(SUFFIXES))
    return [path for path in paths if read_trace(path)[0].get("device") == device]
