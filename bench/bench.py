"""The bench of one scenario: an opened station with drivers, surroundings, permissions and a record of the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from bench.control import Loads, Supplies
from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic import PowerLogic, Series, make_driver
from bench.errors import UsageError
from bench.evidence import Evidence, tool_version
from bench.host import Host
from bench.procedures.energy_transfer import transfer_energy
from bench.procedures.journal import Journal
from bench.procedures.operator import Operator
from bench.procedures.supply_witness import SupplyWitness
from bench.procedures.transfer_precheck import refuse_pair, refuse_strangers
from bench.procedures.transfer_report import TransferReport
from bench.safety import Armed, Safety, refuse_broadcast
from bench.trace import TraceWriter

if TYPE_CHECKING:
    from bench.clock import Clock


class Bench:
    """What a scenario or a command works with.

    Args:
        host: the opened station.
        safety: who may write to what.
        evidence: takes the audit and the traces.
        scenario: whose bench this is, for the evidence.
        reason: why this scenario or command writes, None if it does not.
        progress: told of each step of a procedure.
    """

    def __init__(
        self,
        host: Host,
        safety: Safety,
        evidence: Evidence,
        scenario: str,
        reason: str | None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.host = host
        self.clock: Clock = host.clock
        self.station = host.station
        self.supplies = Supplies(host, lambda name: SupplyWitness(self.device(name)))
        self.loads = Loads(host)
        self.traces: dict[str, TraceWriter] = {}
        self.journal = Journal(host.clock, self._audit, progress)
        self._safety = safety
        self._evidence = evidence
        self._scenario = scenario
        self._reason = reason
        self._drivers: dict[str, PowerLogic] = {}
        self._identified: set[str] = set()

    def device(self, name: str) -> PowerLogic:
        """The driver of a device.

        Raises:
            UsageError: the station has no such device.
        """
        if name not in self._drivers:
            entry = self.station.device(name)
            link = self.host.link(entry.link)
            refuse_broadcast(self.station.link_of(entry), entry.address)
            trace = self._trace(name, entry.model, link.settings)
            clock = self.clock

            def record(direction: str, data: bytes) -> None:
                (trace.tx if direction == "tx" else trace.rx)(clock.now(), data)

            session = ModbusSession(link, entry.address, name, record)
            driver = make_driver(entry, session, clock)
            driver.on_identified = lambda found: self._evidence.identify(name, identity=str(found))
            self._drivers[name] = driver
        return self._drivers[name]

    def target(self, name: str) -> Series:
        """The driver of a device that takes a preset.

        Raises:
            UsageError: no document gives its model a preset.
        """
        driver = self.device(name)
        if not isinstance(driver, Series):
            raise UsageError(f"{name} is a {driver.model.title}: it takes no preset")
        return driver

    def arm(self, device: PowerLogic) -> Armed:
        """Permission to write to a device; the first time it is asked who it is.

        Raises:
            NotArmed: a key is missing.
            WrongDevice: another device answers than the station promises.
        """
        armed = self._safety.arm(device.name, self._reason)
        if device.name not in self._identified:
            refuse_strangers({device.name: device.identify()[1]})
            self._identified.add(device.name)
        return armed

    def transfer(
        self,
        source: PowerLogic,
        target: PowerLogic,
        *,
        operator: Operator | None = None,
        on_report: Callable[[TransferReport], None] | None = None,
    ) -> TransferReport:
        """Transfer the energies of one meter to another, with this bench's supplies, permissions and journal."""
        if operator is not None and isinstance(target, Series):
            source, target = operator.pair(source, target)
        refuse_pair(source, target)
        assert isinstance(target, Series)
        return transfer_energy(
            source,
            target,
            armed=self.arm(target),
            journal=self.journal,
            operator=operator,
            power=self.supplies if self.supplies.can_cycle(target.name) else None,
            on_report=on_report,
        )

    def write_traces(self) -> dict[str, str]:
        """Put the traces into the evidence; returns device to file name."""
        written = {device: self._evidence.trace(trace) for device, trace in self.traces.items() if len(trace)}
        return {device: name for device, name in written.items() if name}

    def _trace(self, device: str, model: str, settings: dict[str, object]) -> TraceWriter:
        clock: Literal["virtual", "wall"] = "virtual" if self.clock.virtual else "wall"
        trace = TraceWriter(self._scenario, device, model=model, link=settings, clock=clock, tool=tool_version())
        self.traces[device] = trace
        return trace

    def _audit(self, event: str, *, device: str | None = None, **facts: object) -> None:
        self._evidence.audit(event, device=device, t=self.clock.now(), scenario=self._scenario, **facts)
