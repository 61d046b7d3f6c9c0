"""Running an earlier run again on its own recorded wire, with no device: does every verdict come out as it did?

The station is that of the run, with every link replaced by its traces. Scenarios that were skipped then, or did not
run, have no trace and are skipped, and so are those that put faults on a simulated line and look behind it: a recording
has no such line. What was done to supplies and loads was recorded with its consequences: it is not done again, and only
its time passes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import Exit, UsageError
from bench.evidence import ScenarioRecord
from bench.reports.run import Run as Recorded
from bench.reports.run import load
from bench.station import Station, station_from_text
from bench.station.devices import FLAG_MODELS, MODBUS_MODELS

if TYPE_CHECKING:
    from bench.measurement import Measurement

MATCHINGS = ("strict", "lenient")
#: Who asks for this fixture needs a simulated line.
_DISTURBS = "disturbances"


def recorded_run(folder: Path) -> Recorded:
    """The earlier run.

    Raises:
        UsageError: there is none in the folder, it was killed, changed since it was sealed, or left no traces.
    """
    recorded = load(folder)
    if recorded.aborted:
        raise UsageError(f"{folder}: the run was killed before it ended, and run.json does not say on which station")
    if recorded.problems:
        raise UsageError(f"{folder}: {recorded.problems[0]}; what was changed since it was sealed proves nothing")
    if recorded.scenarios and not any("::" in record.scenario for record in recorded.scenarios):
        raise UsageError(f"{folder}: this is the evidence of a command; only a run of scenarios can be replayed")
    if not any((folder / "traces").glob("*")):
        raise UsageError(f"{folder}: the run has left no traces to replay")
    return recorded


def recorded_station(recorded: Recorded, matching: str = "strict") -> Station:
    """The station of an earlier run, with its traces for links; FLAG meters are left out, a visit has no replay.

    Raises:
        UsageError: it had FLAG meters only.
    """
    content: dict[str, Any] = json.loads(json.dumps(recorded.facts["station"]))
    modbus = {name: entry for name, entry in content["devices"].items() if entry["model"] in MODBUS_MODELS}
    if not modbus:
        raise UsageError("the run had FLAG meters only, and a FLAG visit cannot be replayed", recorded.folder)
    content["devices"] = modbus
    used = {entry["link"] for entry in modbus.values()}
    content["links"] = {name: link for name, link in content["links"].items() if name in used}
    trace = str((recorded.folder / "traces").absolute())
    content["links"] = {
        name: {"type": "replay", "trace": trace, "matching": matching, "timeout": link["timeout"]}
        for name, link in content["links"].items()
    }
    for device in content["devices"].values():
        device.pop("simulate", None)
    return station_from_text(json.dumps(content, indent=1), str(recorded.folder / "run.json"))


def recorded_mistake(recorded: Recorded) -> str | None:
    """The operator's mistake that the run was asked for."""
    words: list[str] = list(recorded.facts.get("argv", ()))
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == "--mistake":
            return value or following
    return None


def why_not(recorded: Recorded, node: str) -> str:
    """Why a scenario cannot be replayed; empty if it can."""
    record = record_of(recorded, node)
    if record is None:
        return "not in the recorded run"
    if record.outcome == "skipped" and not record.traces:
        return f"skipped in the recorded run: {record.reason}"
    return ""


def cannot_replay(fixtures: Collection[str]) -> str:
    """Why a scenario that asks for such fixtures has no replay; empty if it has one."""
    return "it puts faults on a simulated line, and a recording has none" if _DISTURBS in fixtures else ""


def record_of(recorded: Recorded, node: str) -> ScenarioRecord | None:
    """The record of a scenario, also if it was run from another folder then."""
    exact = next((record for record in recorded.scenarios if record.scenario == node), None)
    if exact is not None:
        return exact
    last = node.rpartition("/")[2]
    alike = [record for record in recorded.scenarios if record.scenario.rpartition("/")[2] == last]
    return alike[0] if len(alike) == 1 else None


@dataclass(slots=True)
class Comparison:
    """What a replay came to, beside what was recorded."""

    scenarios: int = 0
    verdicts: int = 0
    values: int = 0
    #: Scenarios of the recorded run that have no replay.
    left_out: int = 0
    #: Those of FLAG meters, whose visits cannot be replayed.
    flag: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.scenarios:
            return "replay: no scenario of the recorded run was replayed"
        found = f"replay: {self.scenarios} scenarios and {self.verdicts} verdicts"
        if self.left_out:
            found += f" (not {self.left_out} that put faults on a simulated line)"
        if self.flag:
            found += f" (not {self.flag} of FLAG meters)"
        if self.differences:
            return f"{found}, {len(self.differences)} not as recorded"
        values = f"; {self.values} values differ without changing one" if self.values else ""
        return f"{found}, every one as recorded{values}"

    def exit(self, code: Exit) -> Exit:
        """The exit code of the run: that of the replay itself, unless it came out otherwise than recorded."""
        return Exit.DIVERGED if self.differences else code


def compare(
    recorded: Recorded,
    records: list[ScenarioRecord],
    measured: Mapping[str, list[Measurement]],
    left_out: Collection[str] = (),
) -> Comparison:
    """Hold every replayed scenario against its record; those of `left_out` have no replay."""
    devices = recorded.facts["station"]["devices"]
    flag = {name for name, entry in devices.items() if entry["model"] in FLAG_MODELS}
    found = Comparison(flag=sum(not flag.isdisjoint(record.devices) for record in recorded.scenarios))
    for record in records:
        before = record_of(recorded, record.scenario)
        if before is None or (before.outcome == "skipped" and not before.traces):
            continue
        if record.scenario in left_out:
            found.left_out += 1
            continue
        found.scenarios += 1
        if record.outcome != before.outcome:
            reason = record.reason.split("\n")[0]
            found.differences.append(f"{record.scenario}: {record.outcome}, recorded {before.outcome}: {reason}")
        _compare_measurements(
            found, record.scenario, recorded.measurements.get(before.scenario, []), measured.get(record.scenario, [])
        )
    return found


def _compare_measurements(found: Comparison, scenario: str, before: list[Measurement], now: list[Measurement]) -> None:
    found.verdicts += len(now)
    if len(before) != len(now):
        found.differences.append(f"{scenario}: {len(now)} measurements, recorded {len(before)}")
    for old, new in zip(before, now, strict=False):
        if (old.name, old.verdict) != (new.name, new.verdict):
            told = f"{new.name} = {new.value}: {new.verdict.words}, recorded {old.name} = {old.value}"
            found.differences.append(f"{scenario}: {told}: {old.verdict.words}")
        elif str(old.value) != str(new.value):
            found.values += 1
