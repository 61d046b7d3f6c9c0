"""A run folder read back: the one source that every report is derived from.

A run that was killed has no `run.json` and perhaps a last line that is cut short. What it did write is read all the
same, because the audit of a killed run is what its owner needs most.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from bench.errors import Exit, UsageError
from bench.evidence import ScenarioRecord, Step
from bench.manifest import NAME, verify_manifest
from bench.measurement import Measurement
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One state-changing command, or its result; `t` in bench seconds, `wall` in UTC."""

    seq: int
    event: str
    device: str | None
    t: str
    wall: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything a run folder holds.

    Attributes:
        folder: where it was read from; traces are read from there when a report shows them.
        facts: content of `run.json`; for a killed run what the first audit entry says of it.
        scenarios: in the order they ended.
        measurements: by pytest node id.
        audit: every state-changing command.
        seal: the seal of the manifest, empty if there is none.
        problems: what is wrong with the folder itself: cut lines, changed files, a missing end.
        aborted: whether the run never came to its end.
    """

    folder: Path
    facts: Mapping[str, Any]
    scenarios: list[ScenarioRecord]
    measurements: dict[str, list[Measurement]]
    audit: list[AuditEntry]
    seal: str = ""
    problems: list[str] = field(default_factory=list)
    aborted: bool = False

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """How many measurements have each verdict, counted from the measurements themselves."""
        counted = Counter(m.verdict for rows in self.measurements.values() for m in rows)
        return {verdict: counted[verdict] for verdict in Verdict}

    @property
    def headline(self) -> tuple[Verdict, str, str]:
        """The result in plain words: a verdict for its colour, one word, and one sentence."""
        return headline(self.scenarios, self.verdicts, None if self.aborted else int(self.facts["exit"]))


def headline(
    scenarios: list[ScenarioRecord], verdicts: Mapping[Verdict, int], exit_code: int | None
) -> tuple[Verdict, str, str]:
    """What a run comes to. `exit_code` is None for a run that was killed before it ended."""
    checks = _counts_in_words(verdicts)
    skipped = sum(record.outcome == "skipped" for record in scenarios)
    if skipped:
        checks += f"; {skipped} of {len(scenarios)} scenarios skipped"
    failed = sum(record.outcome in ("failed", "error") for record in scenarios)
    bad = f"{failed} of {len(scenarios)} scenarios failed; {checks}"
    results: dict[int | None, tuple[Verdict, str, str]] = {
        None: (Verdict.ABORTED, "Aborted", f"the run was killed before it ended: {checks}"),
        Exit.INTERRUPTED: (Verdict.ABORTED, "Interrupted", f"the operator stopped the run: {checks}"),
        Exit.STATION: (Verdict.ERROR, "Station broken", f"the station failed, not the device: {checks}"),
        Exit.USAGE: (Verdict.ERROR, "Not run", "the bench was misused, nothing can be said"),
        Exit.NOTHING: (Verdict.NOT_DETERMINABLE, "Nothing verified", checks),
        Exit.VERIFIED: (Verdict.PASS, "Verified", checks),
    }
    if exit_code == Exit.VERIFIED and Verdict.worst(v for v in verdicts if verdicts[v]) >= Verdict.FAIL:
        return Verdict.FAIL, "Failed", bad  # whatever the exit code says, a page never calls this verified
    if exit_code == Exit.VERIFIED and verdicts.get(Verdict.INCONCLUSIVE):
        return Verdict.INCONCLUSIVE, "Verified in part", checks
    return results.get(exit_code, (Verdict.FAIL, "Failed", bad))


def _counts_in_words(verdicts: Mapping[Verdict, int]) -> str:
    """Worst first, as in "3 checks failed, 267 passed, 5 not determinable"."""
    words = {
        Verdict.FAIL: "failed",
        Verdict.ERROR: "in error",
        Verdict.ABORTED: "aborted",
        Verdict.INCONCLUSIVE: "inconclusive",
        Verdict.PASS: "passed",
        Verdict.NOT_DETERMINABLE: "not determinable",
    }
    counted = [(verdicts[verdict], word) for verdict, word in words.items() if verdicts.get(verdict)]
    if not counted:
        return "no check was made"
    (count, word), *rest = counted
    first = f"{count} {'check' if count == 1 else 'checks'} {word}"
    return ", ".join([first, *(f"{count} {word}" for count, word in rest)])


def load(folder: Path) -> Run:
    """Read a run folder, ended or killed.

    Raises:
        UsageError: there is no run in it, or a line in the middle of a file is not what it should be.
    """
    if not any((folder / name).exists() for name in ("run.json", "audit.jsonl")):
        raise UsageError(f"{folder}: holds no run")
    problems: list[str] = []
    audit = _rows(folder / "audit.jsonl", lambda row: AuditEntry(**row), problems)
    measured = _rows(folder / "measurements.jsonl", Measurement.from_dict, problems)
    scenarios = _rows(folder / "scenarios.jsonl", _scenario, problems)
    aborted = not (folder / "run.json").exists()
    facts: dict[str, Any] = _killed(audit) if aborted else _json(folder / "run.json")
    problems += ["aborted run: no run.json"] if aborted else verify_manifest(folder)
    by_scenario: dict[str, list[Measurement]] = {record.scenario: [] for record in scenarios}
    for row in measured:
        by_scenario.setdefault(row.scenario, []).append(row)
    return Run(
        folder=folder,
        facts=facts,
        scenarios=scenarios,
        measurements=by_scenario,
        audit=audit,
        seal=_json(folder / NAME).get("seal", "") if (folder / NAME).exists() else "",
        problems=problems,
        aborted=aborted,
    )


def _killed(audit: list[AuditEntry]) -> dict[str, Any]:
    """As much of `run.json` as the audit of a killed run tells."""
    begun = next((entry for entry in audit if entry.event == "run started"), None)
    if begun is None:
        return {"station": {"name": ""}}
    return {**begun.facts, "station": {"name": begun.facts.get("station", "")}, "started": begun.wall}


def _scenario(row: dict[str, Any]) -> ScenarioRecord:
    row["verdict"] = Verdict(row["verdict"])
    row["steps"] = tuple(Step(**step) for step in row.get("steps", ()))
    row["devices"], row["traces"] = tuple(row.get("devices", ())), tuple(row.get("traces", ()))
    row["remarks"] = tuple(row.get("remarks", ()))
    return ScenarioRecord(**row)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"unreadable: {error}", path) from error
    if not isinstance(content, dict):
        raise UsageError("no JSON object", path, 1)
    return content


def _rows(path: Path, make: Callable[[dict[str, Any]], T], problems: list[str]) -> list[T]:
    """The records of a JSON Lines file; a last line without its end is named as a problem and left out."""
    if not path.exists():
        problems.append(f"{path.name}: missing")
        return []
    *lines, rest = path.read_text("utf-8", errors="replace").split("\n")
    if rest:
        problems.append(f"{path.name}:{len(lines) + 1}: cut short")
    return [_record(path, number, line, make) for number, line in enumerate(lines, 1)]


def _record(path: Path, number: int, line: str, make: Callable[[dict[str, Any]], T]) -> T:
    try:
        return make(json.loads(line))
    except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError) as error:
        raise UsageError(f"not a record of a run: {error!r}", path, number) from error
