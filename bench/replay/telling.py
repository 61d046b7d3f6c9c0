"""A trace, a comparison and a mirror in words, for people and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bench.narrator import Narrator
from bench.replay.difference import UNEXPLAINED, Comparison
from bench.replay.exchanges import Trace
from bench.replay.mirror import Mirrored

#: How many differences are shown.
SHOWN = 20
_ARROWS = {"tx": "->", "rx": "<-", "note": "--"}


def rows(trace: Trace) -> Iterator[dict[str, Any]]:
    """Every event with the gap to the one before (ns) and what it says; an answer in pieces says it with its last."""
    before, narrator = trace.start, Narrator(trace.model)
    ends = {id(e.answers[-1]): e for e in trace.exchanges() if e.answers}
    for event in trace.events:
        data = event.data
        if event.direction == "rx":
            data = ends[id(event)].answer if id(event) in ends else b""
        words = event.mark or ("" if event.masked else narrator.tell(event.direction, data))
        yield {
            "line": event.line, "t": event.t, "gap": event.t - before, "dir": event.direction,
            "hex": event.hex, "words": words, **({"via": event.via} if event.via else {}),
        }  # fmt: skip
        before = event.t


def table(trace: Trace) -> Iterator[tuple[str, str]]:
    """The lines of `trace show`, each with its direction."""
    header = trace.header
    link = ", ".join(f"{key} {value}" for key, value in header.get("link", {}).items())
    yield "", f"{trace.device or '?'} ({trace.model or 'no model'}), {header.get('scenario', '')}"
    yield "", f"{trace.frames} on {link or 'no link'}; {header.get('clock', '?')} clock, {_end(trace)} end"
    for key in ("source", "confidence", "serial"):
        if key in header:
            yield "", f"{key}: {header[key]}"
    for row in rows(trace):
        told = row["words"] if row["dir"] == "note" else f"{row['hex']}  {row['words']}".rstrip()
        via = f" [{row['via']}]" if "via" in row else ""
        yield row["dir"], f"{row['t'] / 1e9:14.6f}  +{row['gap'] / 1e6:11.3f} ms  {_ARROWS[row['dir']]}{via} {told}"


def _end(trace: Trace) -> str:
    return "device's" if trace.at_device else "bench's"


def difference_lines(found: Comparison, first: str, second: str) -> Iterator[str]:
    """The unexplained differences in bytes, how many are explained by what, and the reaction times."""
    number = 0
    for difference in found.unexplained[:SHOWN]:
        if difference.number != number:
            where = f"line {difference.line}, {difference.t / 1e9:.6f} s"
            yield f"request {difference.number} ({where}) {difference.request}"
        yield f"    {difference.what}: {first} {difference.first}, {second} {difference.second}"
        number = difference.number
    if len(found.unexplained) > SHOWN:
        yield f"... and {len(found.unexplained) - SHOWN} more"
    causes = Counter(d.cause.partition(":")[0] for d in found.differences if d.cause != UNEXPLAINED)
    if causes:
        yield "explained: " + ", ".join(f"{count} by {cause}" for cause, count in causes.most_common())
    s = {name: value / 1e6 for name, value in found.timing.summary().items() if name != "count"}
    yield (
        f"reaction times, median/p95/max in ms: {first} {s['first_median']:.3f}/{s['first_p95']:.3f}/"
        f"{s['first_max']:.3f}, {second} {s['second_median']:.3f}/{s['second_p95']:.3f}/{s['second_max']:.3f}, "
        f"apart {s['shift_median']:.3f}/{s['shift_p95']:.3f}/{s['shift_max']:.3f}"
    )


def mirror_summary(found: Mirrored, late: int) -> str:
    """One line: how many exchanges, and how many differences of which kind."""
    comparison = found.comparison
    explained = len(comparison.differences) - len(comparison.unexplained)
    parts = [
        f"{comparison.exchanges} exchanges mirrored on a simulated {found.model}",
        f"{len(comparison.unexplained)} unexplained differences in bytes",
        *([f"{explained} explained"] if explained else []),
        *([f"{comparison.masked} in part not comparable (masked)"] if comparison.masked else []),
        f"{late} in timing",
        "began as recorded" if found.exact else "began as the trace shows it, which is not everything",
    ]
    return "; ".join(parts)


def as_dict(found: Comparison, late: list[tuple[int, int]]) -> dict[str, Any]:
    """A comparison ready for JSON; times in ns."""
    unexplained = found.unexplained
    return {
        "exchanges": found.exchanges,
        "masked": found.masked,
        "unexplained": len(unexplained),
        "first": unexplained[0].as_dict() if unexplained else None,
        "differences": [difference.as_dict() for difference in found.differences],
        "timing": found.timing.summary(),
        "beyond_tolerance": [{"exchange": number, "shift": shift} for number, shift in late],
    }
