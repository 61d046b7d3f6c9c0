"""What an energy transfer proved: each fact of the report becomes a measurement with its limits."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.measure import Measure, Unit
from bench.procedures.transfer_report import PowerCycle, TransferReport
from protocols.powerlogic.energy import Quantity

if TYPE_CHECKING:
    from bench.drivers.powerlogic.values import EnergyReading

_UNITS = {"Wh": Unit.WH, "varh": Unit.VARH, "VAh": Unit.VAH}
#: What a Series 2000 meter shows in another order (the starred rows of Table 1).
_REORDERED = (Quantity.REAL_TOTAL, Quantity.REACTIVE_TOTAL, Quantity.APPARENT_TOTAL)
#: How far the stamp may lie before the clock that was read after it.
_STAMP_AGE = timedelta(seconds=60)


def unit_of(quantity: Quantity) -> Unit:
    """The unit of an energy."""
    return _UNITS[quantity.unit]


def judge_transfer(report: TransferReport, measure: Measure) -> None:
    """Measure everything that must be true after a transfer.

    Raises:
        StationError: the station broke after the preset; everything that was known by then is measured.
    """
    target = report.target
    _judge_identities(report, measure)
    buffer = "as written" if report.buffer == report.words else report.stopped or "otherwise than written"
    measure("buffer read-back", buffer, device=target).is_("as written")
    if report.stopped:
        measure("procedure", f"stopped: {report.stopped}", device=target).is_("went through")
        return
    unknown = "lost in a restart of the meter" if report.result_lost else "still the sentinel"
    measure("result word", unknown if report.result is None else report.result, device=target).is_(0)
    _judge_energies(report, measure)
    _judge_order(report, measure)
    _judge_stamp(report, measure)
    disturbed = "; ".join(report.disturbed or []) or "nothing"
    measure("changed beside the energies", disturbed, device=target).is_("nothing")
    measure("pointers restored", bool(report.pointers_restored), device=target).is_(expected=True)
    _judge_power_cycle(report, measure)


def _judge_identities(report: TransferReport, measure: Measure) -> None:
    for device, findings in report.findings.items():
        for finding in findings:
            if finding.assumed and not finding.agrees:
                why = f"a public source for the identity (found {finding.found}, assumed {finding.expected})"
                measure.not_determinable(finding.what, why, device=device)
            elif not finding.assumed:
                measure(finding.what, finding.found, device=device).is_(finding.expected)


def _judge_energies(report: TransferReport, measure: Measure) -> None:
    """Each energy is what was handed over, and no more than the load can have added since the command."""
    assert report.after is not None
    assert report.handed_over is not None
    assert report.growth is not None
    span = report.since_command
    if all(abs(value) <= report.could_have_grown(quantity) for quantity, value in report.handed_over.values.items()):
        lacks = f"readings of {report.source} that a cleared meter would not show as well"
        measure.not_determinable("that the energies arrived", lacks, device=report.target)
        return
    for quantity, handed_over in report.handed_over.values.items():
        low = handed_over - report.growth.down(quantity, span)
        high = handed_over + report.could_have_grown(quantity)
        outer = handed_over + report.growth.at_most(span)
        measure(quantity.title, report.after[quantity], unit_of(quantity), device=report.target).in_zones(
            low, high, fail_below=low, fail_above=max(high, outer)
        )


def _judge_order(report: TransferReport, measure: Measure) -> None:
    """Apparent energy is never less than real energy counted over the same time; a rotated block shows here."""
    assert report.after is not None
    assert report.handed_over is not None
    old = report.handed_over
    if _order_is_hidden(report):
        lacks = f"readings of {report.source} whose totals differ by more than the load adds"
        measure.not_determinable("that the totals are in their order", lacks, device=report.target)
    if old[Quantity.APPARENT_TOTAL] < abs(old[Quantity.REAL_TOTAL]):
        why = f"the readings of {report.source} themselves have less apparent than real energy"
        measure.not_applicable("apparent energy at least real energy", why, device=report.target)
        return
    new = report.after
    slack = report.could_have_grown(Quantity.REAL_TOTAL)
    measure("apparent total", new[Quantity.APPARENT_TOTAL], Unit.VAH, device=report.target).at_least(
        abs(new[Quantity.REAL_TOTAL]) - slack
    )


def _order_is_hidden(report: TransferReport) -> bool:
    """Whether two of the totals that a Series 2000 meter shows in another order are so alike that a swap hides."""
    assert report.handed_over is not None
    values = sorted(report.handed_over[quantity] for quantity in _REORDERED)
    slack = max(report.could_have_grown(quantity) for quantity in _REORDERED)
    return any(second - first <= slack for first, second in pairwise(values))


def _judge_stamp(report: TransferReport, measure: Measure) -> None:
    """The meter itself notes a preset at 3290: proof that the command ran, whatever the result word says."""
    stamp, clock = report.stamp_after, report.clock_after
    if stamp is None or clock is None:
        measure("preset stamp (3290)", "none", device=report.target).is_("of this preset")
        return
    fresh = stamp != report.stamp_before and -_STAMP_AGE < clock - stamp < _STAMP_AGE
    shown = "of this preset" if fresh else f"{stamp:%Y-%m-%d %H:%M:%S}, the clock shows {clock:%Y-%m-%d %H:%M:%S}"
    measure("preset stamp (3290)", shown, device=report.target).is_("of this preset")


def _judge_power_cycle(report: TransferReport, measure: Measure) -> None:
    cycle = report.power_cycle or PowerCycle(lacks=f"power control of {report.target}")
    name = "energies survive a power cycle"
    if cycle.broke is not None:
        measure.not_determinable(name, f"power control of {report.target} that works", device=report.target)
        raise cycle.broke
    limits = _limits_after_cycle(report, cycle)
    # Energies that are gone need no other evidence; energies that are there prove nothing without it.
    if cycle.lacks and (cycle.reading is None or _all_kept(cycle.reading, limits)):
        measure.not_determinable(name, cycle.lacks, device=report.target)
        return
    assert cycle.reading is not None
    for quantity, (low, high) in limits.items():
        measure(
            f"{quantity.title} after a power cycle", cycle.reading[quantity], unit_of(quantity), device=report.target
        ).between(low, high)


def _limits_after_cycle(report: TransferReport, cycle: PowerCycle) -> dict[Quantity, tuple[int, int]]:
    """What each energy may be after the supply was away; nothing where it was not read."""
    if cycle.reading is None or cycle.growth is None or report.after is None:
        return {}
    span = cycle.reading.answered_at - report.after.asked_at
    growth = cycle.growth
    return {q: (kept - growth.down(q, span), kept + growth.within(q, span)) for q, kept in report.after.values.items()}


def _all_kept(reading: EnergyReading, limits: dict[Quantity, tuple[int, int]]) -> bool:
    return all(low <= reading[quantity] <= high for quantity, (low, high) in limits.items())
