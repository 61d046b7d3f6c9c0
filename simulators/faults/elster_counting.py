"""Defects of Elster meters in counting: directions, apparent energy, rates, and what a power cut leaves."""

from __future__ import annotations

from typing import Any

from protocols.elster.tables import Source
from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.meters.elster.measuring import INDEX, SOURCES
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_QUADRANTS = "test_each_quadrant_has_its_registers"


def _exchanged(rates: tuple[int, ...], changed: dict[Source, int]) -> tuple[int, ...]:
    return tuple(changed.get(source, rates[INDEX[source]]) for source in SOURCES)


@defect("E53", "registers are saved every two hours only", "a power cut takes back what was counted since",
        shows="^import after a power cut$", caught_by="test_a_power_cut_keeps_the_registers",
        family=_FAMILY)  # fmt: skip
def saved_every_two_hours(meter: Meter) -> None:
    """The power-fail interrupt saves nothing."""
    decide(meter, saves_at_power_fail=False)


@defect("E54", "energy that flows out is added to what flowed in", "export stands still while import grows",
        shows="^(import|export) grew on export, ", caught_by=_QUADRANTS, family=_FAMILY)  # fmt: skip
def export_as_import(meter: Meter) -> None:
    """The direction is dropped."""

    def counted(_sick: Any, rates: tuple[int, ...]) -> tuple[int, ...]:
        both = rates[INDEX[Source.IMPORT]] + rates[INDEX[Source.EXPORT]]
        return _exchanged(rates, {Source.IMPORT: both, Source.EXPORT: 0})

    decide(meter, counted=counted)


@defect("E81", "apparent energy counts the real power", "kVAh are kWh whatever the power factor",
        why="a build option for meters without reactive measurement, left on",
        shows="^VA( import| export)? grew on ", caught_by=_QUADRANTS, family=_FAMILY)  # fmt: skip
def apparent_is_real(meter: Meter) -> None:
    """VA registers are fed with W."""

    def counted(_sick: Any, rates: tuple[int, ...]) -> tuple[int, ...]:
        real_in, real_out = rates[INDEX[Source.IMPORT]], rates[INDEX[Source.EXPORT]]
        return _exchanged(rates, {Source.VA_IMPORT: real_in, Source.VA_EXPORT: real_out, Source.VA: real_in + real_out})

    decide(meter, counted=counted)


@defect("E82", "a rate that ends goes on counting", "after a switching time two rates count",
        why="the mask of the new rates is set and that of the old ones not cleared",
        shows="^rate 1 counted", caught_by="test_a_rate_counts_from_its_switching_time",
        family=_FAMILY)  # fmt: skip
def rates_pile_up(meter: Meter) -> None:
    """Active rates are added to."""
    decide(meter, active_rates=lambda before, wanted: before | wanted)
