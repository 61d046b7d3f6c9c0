"""The HTML report: one self-contained page without script and without foreign host, a pure function of the run folder.

Here the run is arranged for the reader; `report.html.j2` only draws it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.measurement import plain
from bench.reports import wire
from bench.reports.groups import grouped, matrix_of, split_id
from bench.reports.words import digit_groups, duration
from bench.verdicts import DECISION_RULE, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.evidence import ScenarioRecord
    from bench.measurement import Measurement
    from bench.reports.run import AuditEntry, Run
SYMBOLS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.INCONCLUSIVE: "≈",
    Verdict.NOT_DETERMINABLE: "?",
    Verdict.NOT_APPLICABLE: "∅",
    Verdict.NOT_SET: "·",
    Verdict.ABORTED: "■",
    Verdict.ERROR: "!",
}
"""Beside the colour, for readers and printers that see none."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario as the page shows it; `anchor` is where links to it lead."""

    anchor: str
    record: ScenarioRecord
    file: str
    function: str
    parameter: str
    measurements: list[Measurement]

    @property
    def bad(self) -> bool:
        """Whether it belongs to what has to be looked at first."""
        return self.record.verdict >= Verdict.INCONCLUSIVE or self.record.outcome in ("failed", "error")

    @property
    def offending(self) -> list[Measurement]:
        """Its values that are out of limits, or not clearly inside."""
        return [m for m in self.measurements if m.verdict >= Verdict.INCONCLUSIVE]

    @property
    def reason(self) -> str:
        """Why it ended as it did, where its values do not say so themselves."""
        return "" if self.offending and self.record.reason.startswith("out of limits") else self.record.reason

    @property
    def bench_time(self) -> str:
        """How long it took on the bench clock."""
        return duration(self.record.start, self.record.end)

    @property
    def wall_time(self) -> str:
        """How long it took by the wall clock."""
        return duration(0, self.record.wall)


def render(run: Run) -> str:
    """The page for a run, as `bench.reports.run.load` gave it."""
    scenarios = _scenarios(run)
    by_id = {scenario.record.scenario: scenario for scenario in scenarios}
    verdict, word, sentence = run.headline
    groups = grouped(run.scenarios)
    devices, idle = _devices(run)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            verdict=verdict,
            word=word,
            sentence=sentence,
            bar=[(v, run.verdicts[v]) for v in reversed(Verdict) if run.verdicts[v]],
            facts=_facts(run),
            devices=devices,
            idle=idle,
            rule=DECISION_RULE,
            matrices=[(group, matrix_of(group)) for group in groups],
            groups=[(group, [by_id[record.scenario] for record in group.records]) for group in groups],
            scenario_of=lambda record: by_id[record.scenario],
            bad=sorted((s for s in scenarios if s.bad), key=lambda s: -s.record.verdict.severity),
            undetermined=_undetermined(scenarios),
            audit=_audit(run.audit),
            trace_of=lambda name: wire.trace_view(run.folder, name),
            points_of=lambda s: wire.points(run.folder, s.record, s.offending),
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("bench", "reports")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(figures=_figures, shown=_shown, hexed=_hexed, clock=_clock, duration=duration)
    environment.globals.update(symbols=SYMBOLS, Verdict=Verdict)
    return environment


def _scenarios(run: Run) -> list[Scenario]:
    return [
        Scenario(f"s{k}", record, *split_id(record.scenario), run.measurements.get(record.scenario, []))
        for k, record in enumerate(run.scenarios, 1)
    ]


def _facts(run: Run) -> list[tuple[str, str]]:
    """What a reader has to know to repeat the run, in the order in which it is asked for."""
    facts = run.facts
    pairs = [
        ("Station", facts["station"].get("name")),
        ("Host", facts.get("host")),
        ("Seed", facts.get("seed")),
        ("Exit code", facts.get("exit")),
        ("Started", facts.get("started")),
        ("Finished", facts.get("finished")),
        ("Operator", facts.get("operator")),
        ("meterbench", facts.get("meterbench")),
        ("Platform", f"Python {facts['python']} on {facts['platform']}" if "python" in facts else ""),
        ("Command", " ".join(map(str, facts.get("argv", ())))),
        ("Digest", facts.get("digest")),
        ("Seal of the evidence", run.seal),
    ]
    return [(label, str(value)) for label, value in pairs if value not in (None, "")]


def _devices(run: Run) -> tuple[list[tuple[str, dict[str, str]]], list[str]]:
    """Each device that took part, with what the station file says of it and what it says of itself; and the others."""
    wired = run.facts["station"].get("devices", {})
    told = run.facts.get("devices", {})
    seen = {*told, *(name for record in run.scenarios for name in record.devices), *(e.device for e in run.audit)}
    names = [*wired, *(name for name in told if name not in wired)]
    shown = [
        (name, {key: words for key, value in facts.items() if key != "simulate" and (words := _shown(value))})
        for name in names
        if name in seen
        for facts in ({**wired.get(name, {}), **told.get(name, {})},)
    ]
    return shown, [name for name in names if name not in seen]


def _undetermined(scenarios: Sequence[Scenario]) -> list[tuple[str, str, str, list[Scenario]]]:
    """Each thing that could not be told once: name, device, what the station lacks, and where it came up."""
    found: dict[tuple[str, str, str], list[Scenario]] = {}
    for scenario in scenarios:
        for m in scenario.measurements:
            if m.verdict is Verdict.NOT_DETERMINABLE:
                found.setdefault((m.name, m.device or "", m.note), []).append(scenario)
    return [(*key, where) for key, where in found.items()]


def _audit(entries: Sequence[AuditEntry]) -> list[tuple[str, list[AuditEntry]]]:
    """What was done to each device; what was done to none comes last."""
    by_device: dict[str, list[AuditEntry]] = {}
    for entry in entries:
        by_device.setdefault(entry.device or "", []).append(entry)
    return sorted(by_device.items(), key=lambda item: (not item[0], item[0]))


def _figures(value: Any) -> Markup:
    """A value, or limits in words, with their digits grouped by style: copying them gives the bare numbers."""
    text = plain(value)
    parts = re.split(r"(-?\d[\d.]*)", text) if isinstance(value, str) else ["", text, ""]
    return Markup("").join(_grouped(part) if k % 2 else part for k, part in enumerate(parts))


def _grouped(number: str) -> Markup:
    groups = digit_groups(number)
    if len(groups) == 1:
        return Markup("{}").format(number)
    return Markup("").join(Markup("<i>{}</i>").format(group) for group in groups)


def _shown(value: Any) -> str:
    """Anything from a station file or an audit entry as one short text."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(_shown, value))
    return plain(value)


def _hexed(text: str) -> str:
    return " ".join(text[k : k + 2] for k in range(0, len(text), 2))


def _clock(t: str) -> str:
    """Bench seconds to the microsecond."""
    whole, _, fraction = t.partition(".")
    return f"{whole}.{fraction[:6]:0<6}"
