"""Programming in a station: which of its devices take a scheme, what may go into a real one, and what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.scheme.elster import scheme_meter
from bench.scheme.meter import SchemeMeter
from bench.scheme.plan import Plan

if TYPE_CHECKING:
    from bench.run import Scenario
    from bench.station import Device


def meter_of(scenario: Scenario, name: str) -> SchemeMeter:
    """The driver of a device that takes a scheme.

    Raises:
        UsageError: it takes none.
    """
    meter = scheme_meter(scenario.bench.device(name))
    if meter is None:
        raise takes_none(scenario.bench.station.device(name))
    return meter


def takes_none(entry: Device) -> UsageError:
    """What is said of a device that takes no scheme."""
    return UsageError(f"{entry.id} is a {entry.model}: it takes no scheme; A1120, A1140 and A1700 do")


def wall_of(scenario: Scenario) -> Callable[[], datetime]:
    """The time of day to set a meter's clock to, as the bench's clock goes on.

    In virtual time it is that of the simulated world, or equal seeds would not give equal runs; else that of this
    machine, in its zone and without it.
    """
    clock, host = scenario.bench.clock, scenario.bench.host
    if clock.virtual:
        return lambda: host.stage.epoch + timedelta(microseconds=clock.now() // 1000)
    start, begun = datetime.now(UTC).astimezone().replace(tzinfo=None), clock.now()
    return lambda: start + timedelta(microseconds=(clock.now() - begun) // 1000)


def refuse_assumed(plan: Plan, meter: str) -> None:
    """Refuse to write into a real meter what no public document gives it.

    Raises:
        UsageError: the plan has such identities.
    """
    assumed = [w.item for w in plan.writes if w.item.confidence == "A"]
    if assumed:
        told = ", ".join(f"{item.number} ({item.name})" for item in assumed)
        raise UsageError(
            f"{meter} is a real meter, and no public document gives it {told}: correct "
            "fixtures/elster/configuration.csv, leave these sections out, or add --write-assumed"
        )
