"""The question of the clock."""

from __future__ import annotations

from pathlib import Path

from bench_stand import stand, two_meters

from bench.characterisation.drift import clock_drift
from bench.characterisation.finding import Unknown
from simulators.world import SECOND

DAY = 86_400 * SECOND


def test_a_clock_that_stands_is_told_and_not_waited_for(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        on.host.stage.meters["new"].clock._drift_ppm = -1_000_000  # no healthy meter changes its drift
        found = clock_drift(on.new, on.bench.clock, None)
        assert isinstance(found, Unknown)
        assert "a clock that goes" in found.lacks
        assert on.bench.clock.now() < DAY
