"""The bridge to Allure: one step a measurement, one attachment a wire trace, bench times as parameters.

Call it while the test is still running for allure-pytest (inside `pytest_runtest_call`), and only if that plugin is
active. Never one step a frame: nobody reads a thousand steps, and Allure's page takes long to draw them.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bench.measurement import plain, table_of
from bench.reports.words import duration
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.measurement import Measurement

MOST_STEPS = 200
"""Up to here each measurement is a step; beyond it, passed ones are put together by device."""


def attach(measurements: Sequence[Measurement], traces: Mapping[str, bytes | str], start: str, end: str) -> None:
    """Add what one scenario found to its Allure result.

    Args:
        measurements: in the order they were taken.
        traces: text of each wire trace by the name it is to have.
        start: bench time at its start, in seconds.
        end: bench time at its end, in seconds.
    """
    import allure  # noqa: PLC0415  # only needed when allure-pytest is active

    allure.dynamic.parameter("bench start", f"{start} s", excluded=True)
    allure.dynamic.parameter("bench end", f"{end} s", excluded=True)
    allure.dynamic.parameter("bench duration", duration(start, end), excluded=True)
    if len(measurements) <= MOST_STEPS:
        for measurement in measurements:
            _step(allure, measurement)
    else:
        _grouped_steps(allure, measurements)
    for name, text in traces.items():
        allure.attach(text, name=name, attachment_type="application/x-ndjson", extension="jsonl")


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
