"""The verdict table that ends a run on the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from bench.measurement import table_of
from bench.reports.groups import grouped
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.evidence import ScenarioRecord
    from bench.measurement import Measurement
    from bench.reports.groups import Group

Paint: TypeAlias = "Callable[[str, Verdict], str]"

_COLOURS = {Verdict.PASS: "32", Verdict.FAIL: "31", Verdict.ERROR: "31", Verdict.ABORTED: "31"}
_HEAD = ("scenario", "runs", "pass", "fail", "inconclusive", "not determinable", "verdict")
_LONGEST_NAME = 60


def no_paint(text: str, verdict: Verdict) -> str:  # noqa: ARG001  # the other painters need it
    """For pipes and files."""
    return text


def ansi_paint(text: str, verdict: Verdict) -> str:
    """For terminals: green, red, or yellow for what is neither."""
    return f"\x1b[{_COLOURS.get(verdict, '33')}m{text}\x1b[0m"


def verdict_table(
    scenarios: Sequence[ScenarioRecord],
    measurements: Mapping[str, Iterable[Measurement]],
    paint: Paint = no_paint,
) -> str:
    """One line a test function, then what was out of limits, then what the station could not tell.

    Args:
        scenarios: records with their counts.
        measurements: by pytest node id.
        paint: how a verdict is coloured; `no_paint` for a pipe.
    """
    parts = [_groups(grouped(scenarios), paint)]
    parts += [_failure(record, measurements.get(record.scenario, ()), paint) for record in scenarios if _bad(record)]
    skipped = _skipped(scenarios)
    if skipped:
        parts.append("\n".join(("skipped", *skipped)))
    undetermined = _undetermined(m for rows in measurements.values() for m in rows)
    if undetermined:
        parts.append("\n".join((paint("not determinable", Verdict.NOT_DETERMINABLE), *undetermined)))
    return "\n\n".join(parts)


def _bad(record: ScenarioRecord) -> bool:
    return record.verdict >= Verdict.INCONCLUSIVE or record.outcome in ("failed", "error")


def _groups(groups: list[Group], paint: Paint) -> str:
    rows = [_HEAD, *(_row(group) for group in groups)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    verdicts = [Verdict.NOT_SET, *(group.worst for group in groups)]
    lines = []
    for row, verdict in zip(rows, verdicts, strict=True):
        name, *counts, word = row
        figures = "  ".join(count.rjust(width) for count, width in zip(counts, widths[1:-1], strict=True))
        lines.append(f"{name.ljust(widths[0])}  {figures}  {word if row is _HEAD else paint(word, verdict)}")
    return "\n".join(lines)


def _row(group: Group) -> tuple[str, ...]:
    name = group.name if len(group.name) <= _LONGEST_NAME else f"{group.name[: _LONGEST_NAME - 1]}…"
    shown = (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_DETERMINABLE)
    counts = (str(group.counts[verdict.value] or "·") for verdict in shown)
    return (name, str(len(group.records)), *counts, group.outcome)


def _failure(record: ScenarioRecord, measurements: Iterable[Measurement], paint: Paint) -> str:
    head = f"{paint(record.verdict.words, record.verdict)}  {record.scenario}"
    table = table_of(m for m in measurements if m.verdict >= Verdict.INCONCLUSIVE)
    body = table or record.reason
    return "\n".join((head, *(f"    {line}" for line in body.splitlines())))


def _skipped(scenarios: Iterable[ScenarioRecord]) -> list[str]:
    """Each reason for which something did not run once, with how often."""
    reasons = Counter(record.reason for record in scenarios if record.outcome == "skipped")
    return [f"    {count} {'times' if count > 1 else 'time'}: {reason}" for reason, count in reasons.items()]


def _undetermined(measurements: Iterable[Measurement]) -> list[str]:
    """Each thing that could not be told once, with how often it came up."""
    found: dict[tuple[str, str, str], int] = {}
    for m in measurements:
        if m.verdict is Verdict.NOT_DETERMINABLE:
            key = (m.name, m.device or "", m.note)
            found[key] = found.get(key, 0) + 1
    return [
        f"    {name}{f' of {device}' if device else ''}: {why}{f' ({count} times)' if count > 1 else ''}"
        for (name, device, why), count in found.items()
    ]
