"""The bridge to Allure: steps of the procedure, one step a measurement, the wire in words, bench times as parameters.

Call it while the test is still running for allure-pytest (inside `pytest_runtest_call`), and only if that plugin is
active. Never one step a frame: nobody reads a thousand steps, and Allure's page takes long to draw them.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measurement import plain, table_of
from bench.replay.exchanges import Trace
from bench.reports.wire import in_lines, points_in, told
from bench.reports.words import duration
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.evidence import Step
    from bench.measurement import Measurement
    from bench.trace import TraceWriter

MOST_STEPS = 200
"""Up to here each measurement is a step; beyond it, passed ones are put together by device."""


def attach(
    measurements: Sequence[Measurement],
    traces: Sequence[TraceWriter],
    steps: Sequence[Step],
    start: str,
    end: str,
    *,
    broken_off: bool = False,
) -> None:
    """Add what one scenario found to its Allure result.

    Args:
        measurements: in the order they were taken.
        traces: the wire traces.
        steps: of the scenario's procedures.
        start: bench time at its start, in seconds.
        end: bench time at its end, in seconds.
        broken_off: whether an error ended the scenario.
    """
    import allure  # noqa: PLC0415  # only needed when allure-pytest is active

    allure.dynamic.parameter("bench start", f"{start} s", excluded=True)
    allure.dynamic.parameter("bench end", f"{end} s", excluded=True)
    allure.dynamic.parameter("bench duration", duration(start, end), excluded=True)
    if steps:
        _procedure(allure, steps)
    if len(measurements) <= MOST_STEPS:
        for measurement in measurements:
            _step(allure, measurement)
    else:
        _grouped_steps(allure, measurements)
    offending = [m for m in measurements if m.verdict >= Verdict.INCONCLUSIVE]
    for writer in traces:
        if len(writer):
            _wire(allure, writer, offending, broken_off=broken_off and not offending)


def write_environment(results: Path, run: Mapping[str, Any], seal: str) -> None:
    """What ran where, for the page's "Environment"; of results that cannot be written allure-pytest complains."""
    facts = {"Station": run["station"]["name"], "Host": run["host"], "Seed": run["seed"], "Digest": run["digest"],
             "Seal of the evidence": seal, "meterbench": run["meterbench"]}  # fmt: skip
    text = "".join(f"{name.replace(' ', '_')}={value}\n" for name, value in facts.items() if value not in (None, ""))
    with suppress(OSError):
        (results / "environment.properties").write_text(text, encoding="latin-1", errors="backslashreplace")


def _procedure(allure: Any, steps: Sequence[Step]) -> None:
    with allure.step(f"procedure: {len(steps)} steps"):
        for step in steps:
            words = f"{step.start} s, {duration(step.start, step.end)}: {step.name}"
            with suppress(AssertionError), allure.step(words):
                if step.note:
                    raise AssertionError(step.note)


def _wire(allure: Any, writer: TraceWriter, offending: Sequence[Measurement], *, broken_off: bool) -> None:
    """The wire as it was, in words, and on failure the points to look at first."""
    trace = Trace(Path(writer.name), writer.header, writer.masked_events())
    if offending or broken_off:
        for point in points_in(trace, offending, broken_off=broken_off):
            text = f"{point.title}: {point.why}\n\n{in_lines([*point.before, *point.events])}"
            allure.attach(text, name=f"look here first: {trace.device}", attachment_type="text/plain", extension="txt")
    words = in_lines(told(trace))
    allure.attach(words, name=f"wire of {trace.device} in words", attachment_type="text/plain", extension="txt")
    raw = {"attachment_type": "application/x-ndjson", "extension": "jsonl"}
    allure.attach(writer.text(), name=f"wire trace of {trace.device}", **raw)


def title(m: Measurement) -> str:
    """One measurement in one line: "new: energy in 1234 Wh, 1000 … 2000: pass"."""
    parts = (f"{m.device}:" if m.device else "", m.name, plain(m.value), m.unit)
    told = " ".join(part for part in parts if part)
    return f"{told}{f', {m.limits}' if m.limits else ''}: {m.verdict.words}"


def _step(allure: Any, m: Measurement) -> None:
    # Allure takes the status of a step from the exception that leaves it; the verdict itself falls elsewhere.
    with suppress(AssertionError), allure.step(title(m)):
        if m.verdict >= Verdict.INCONCLUSIVE:
            raise AssertionError(m.note or m.verdict.words)


def _grouped_steps(allure: Any, measurements: Sequence[Measurement]) -> None:
    for m in measurements:
        if m.verdict >= Verdict.INCONCLUSIVE:
            _step(allure, m)
    rest = sorted((m for m in measurements if m.verdict < Verdict.INCONCLUSIVE), key=lambda m: m.device or "")
    for device, rows in groupby(rest, key=lambda m: m.device or "station"):
        group = list(rows)
        with allure.step(f"{device}: {len(group)} measurements"):
            allure.attach(table_of(group), name="measurements", attachment_type="text/plain", extension="txt")
