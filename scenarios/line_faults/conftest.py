"""Fixtures of the line-fault scenarios: a fault, and two meters of the station on whose link it can be put."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from bench.bench import Bench
from bench.disturbances import Disturbances
from bench.drivers.powerlogic import PowerLogic, Series
from bench.errors import DeviceError, NotArmed, StationError
from bench.selection import capabilities_of
from protocols.powerlogic.energy import WORDS, Quantity, decode_set
from simulators.faults.line_registry import Call, LineFault, Medium, fault_called, load_line_faults

#: How hard each fault hits: enough that most of the questions meet it, not so much that none is answered.
HARD = {
    "L01": "bit-errors(rate=0.002)",
    "L02": "bursts(pi=20%)",
    "L03": "drop(p=40%)",
    "L04": "duplicate(p=60%)",
    "L06": "truncated(p=40%)",
    "L08": "wrong-unit(p=60%)",
    "L12": "collision(p=40%)",
    "L13": "second-master(p=60%)",
    "L14": "noise(p=60%)",
    "L15": "link-dies(p=30%)",
    "L16": "torn(p=60%)",
}
#: Under these nothing may be answered at all; under every other one a bench that takes no value proves nothing.
UNANSWERABLE = {"L09", "L10", "L11", "L15"}
#: A late answer comes this many time-outs after its request, and meets another one.
_LATE = 2.2
#: When everything that is still on its way has arrived, and what died is back (ns).
_AFTERWARDS = 20_000_000_000
_SERIES = "preset-energy"


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault on one medium. The number tells a repeated run which trials are its own."""

    fault: LineFault
    medium: Medium
    number: int

    @property
    def id(self) -> str:
        """How it is called in reports."""
        return f"{self.fault.name}-{self.medium}"


_MODBUS: tuple[Medium, ...] = ("serial", "network")
#: Every line fault on every Modbus medium on which it makes sense; a gateway and FLAG have scenarios of their own.
TRIALS = [
    Trial(fault, medium, number)
    for number, (fault, medium) in enumerate(
        (fault, medium) for fault in load_line_faults().values() for medium in fault.media if medium in _MODBUS
    )
]


@dataclass
class Disturbed:
    """A meter behind a line on which a fault can be put, and what was told while it was on."""

    bench: Bench
    fault: LineFault
    meter: Series
    source: PowerLogic
    told: list[str] = field(default_factory=list)

    @property
    def disturbances(self) -> Disturbances:
        """Puts faults on links."""
        return self.bench.disturbances

    @property
    def call(self) -> Call:
        """The fault with the parameters with which it is tried."""
        if self.fault.id == "L07":
            late = round(_LATE * self.meter.session.link.timeout / 1_000_000)
            return fault_called(f"late(by={late}ms, p=100%, times=2)")
        return fault_called(HARD.get(self.fault.id, self.fault.id))

    @contextmanager
    def on(self) -> Iterator[None]:
        """The fault is on; afterwards what is still on its way has time to arrive."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self) -> None:
        """The fault begins."""
        self.disturbances.put(self.meter.name, self.call)

    def end(self) -> None:
        """The fault ends, and what is still on its way has time to arrive."""
        self.disturbances.calm(self.meter.name)
        self.bench.clock.sleep(_AFTERWARDS)

    @contextmanager
    def told_if_broken(self) -> Iterator[None]:
        """What the bench says of a request that came to nothing is kept, and the scenario goes on."""
        try:
            yield
        except (DeviceError, StationError) as error:
            self.told.append(str(error))

    def energies(self) -> dict[Quantity, int]:
        """The energies that the meter itself holds now."""
        words = self.disturbances.truth(self.meter.name, self.meter.energy_register, WORDS * len(Quantity))
        return decode_set(words, self.meter.model.order)


@pytest.fixture
def disturbed(bench: Bench, disturbances: Disturbances, trial: Trial) -> Disturbed:
    """The last meter on a simulated link of the trial's medium that takes a preset and may be written to."""
    found = disturbances.devices(trial.medium)
    fit = [device for device in found if _SERIES in capabilities_of(device)]
    if not fit:
        kind = f"simulated {trial.medium} link with a meter that takes a preset"
        pytest.skip(f"station {bench.station.name} has no {kind}; faults are never put on a real line")
    modbus = [device.id for device in bench.station.devices.values() if device.protocol == "modbus"]
    others = [name for name in modbus if name != fit[-1].id]
    if not others:
        pytest.skip(f"station {bench.station.name} has no second meter")
    meter = bench.target(fit[-1].id)
    try:
        bench.arm(meter)
    except NotArmed as error:
        pytest.skip(str(error))
    return Disturbed(bench, trial.fault, meter, bench.powerlogic(others[0]))
