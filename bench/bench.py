"""The bench of one scenario: an opened station with drivers, surroundings, permissions and a record of the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from bench.control import Loads, Supplies, controls_of
from bench.disturbances import Disturbances
from bench.drivers.driver import Driver
from bench.drivers.elster import Elster, hidden_identities, unproven_identities
from bench.drivers.flag import FlagSession
from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic import PowerLogic, Series, hidden_registers, make_driver
from bench.errors import UsageError
from bench.evidence import Evidence, tool_version
from bench.host import Host
from bench.procedures.energy_transfer import transfer_energy
from bench.procedures.journal import Journal
from bench.procedures.operator import Operator
from bench.procedures.supply_witness import witness_of
from bench.procedures.transfer_precheck import refuse_pair, refuse_strangers
from bench.procedures.transfer_report import TransferReport
from bench.redaction import serial_tag
from bench.safety import Armed, Safety, refuse_broadcast
from bench.station.secrets import password_of, wire_secrets
from bench.trace import TraceWriter
from protocols.flag.client import FlagClient

if TYPE_CHECKING:
    from pathlib import Path

    from bench.clock import Clock
    from bench.links.flag import FlagLine
    from bench.station import Device


class Bench:
    """What a scenario or a command works with.

    Args:
        host: the opened station.
        safety: who may write to what.
        evidence: takes the audit and the traces.
        scenario: whose bench this is, for the evidence.
        reason: why this scenario or command writes, None if it does not.
        progress: told of each step of a procedure.
        session: how Modbus devices are talked to; a mistake of a tool is another kind of session.
        client, line: how FLAG meters are talked to; likewise.
    """

    def __init__(
        self,
        host: Host,
        safety: Safety,
        evidence: Evidence,
        scenario: str,
        reason: str | None,
        progress: Callable[[str], None] | None = None,
        *,
        session: type[ModbusSession] = ModbusSession,
        client: type[FlagClient] = FlagClient,
        line: type[FlagLine] | None = None,
    ) -> None:
        self.host = host
        self.clock: Clock = host.clock
        self.station = host.station
        self.supplies = Supplies(host, lambda name: witness_of(self.device(name)), self._note)
        self.loads = Loads(host, self._note)
        self.disturbances = Disturbances(host)
        self.traces: dict[str, TraceWriter] = {}
        #: Where to write the trace of the one device that a command is about; None leaves it to the evidence.
        self.record: Path | None = None
        self.journal = Journal(host.clock, self._audit, progress)
        self._safety = safety
        self._evidence = evidence
        self._scenario = scenario
        self._reason = reason
        self._session = session
        self._client = client
        self._line = line
        self._told: dict[str, int] = {}
        self._drivers: dict[str, PowerLogic | Elster] = {}
        self._identified: set[str] = set()

    def device(self, name: str) -> Any:
        """The driver of a device, of its own family: a `PowerLogic` or an `Elster`.

        Raises:
            UsageError: the station has no such device.
        """
        if name not in self._drivers:
            entry = self.station.device(name)
            make = self._flag_driver if entry.protocol == "flag" else self._modbus_driver
            self._drivers[name] = driver = make(entry)
            driver.on_identified = lambda found: self._evidence.identify(name, identity=str(found))
        return self._drivers[name]

    def powerlogic(self, name: str) -> PowerLogic:
        """The driver of a PowerLogic meter.

        Raises:
            UsageError: the station has no such device, or it is of another family.
        """
        driver = self.device(name)
        if not isinstance(driver, PowerLogic):
            raise UsageError(f"{name} is an {driver.title}: it speaks FLAG and has no Modbus registers")
        return driver

    def elster(self, name: str) -> Elster:
        """The driver of an Elster meter.

        Raises:
            UsageError: the station has no such device, or it is of another family.
        """
        driver = self.device(name)
        if not isinstance(driver, Elster):
            raise UsageError(f"{name} is a {driver.title}: it does not speak FLAG")
        return driver

    def _modbus_driver(self, entry: Device) -> PowerLogic:
        link = self.host.link(entry.link)
        refuse_broadcast(self.station.link_of(entry), entry.address)
        trace = self._trace(entry, link.settings, "mbap" if link.mbap else "rtu")
        session = self._session(link, entry.address, entry.id, self._recorder(trace))
        trace.masks.registers = hidden_registers(entry.model)
        return make_driver(entry, session, self.clock)

    def _flag_driver(self, entry: Device) -> Elster:
        line = self.host.flag_line(entry.link, self._line)
        trace = self._trace(entry, line.settings, "flag")
        trace.masks.registers = hidden_identities(entry.model)
        session = FlagSession(
            line,
            entry.outstation,
            entry.id,
            partial(password_of, entry),
            self._recorder(trace),
            self._client,
            replace(line.timing, wake=entry.wake or ""),
        )
        if self.host.kind == "real":
            session.unproven = unproven_identities(entry.model)
        return Elster(entry, session, self.clock)

    def _recorder(self, trace: TraceWriter) -> Callable[[str, bytes], None]:
        clock = self.clock

        def record(direction: str, data: bytes) -> None:
            if direction == "note":
                trace.note(clock.now(), data.decode())
            else:
                (trace.tx if direction == "tx" else trace.rx)(clock.now(), data)

        return record

    def retold(self, device: str | None = None) -> str:
        """How often reads had to be repeated since this was last asked, in words: of a device, or of them all."""
        fresh = 0
        for name in self._drivers if device is None else {device}.intersection(self._drivers):
            repeated = self._drivers[name].session.repeated
            fresh += repeated - self._told.get(name, 0)
            self._told[name] = repeated
        return f"after {fresh} repeated read{'s' if fresh > 1 else ''}" if fresh else ""

    def remarks(self) -> list[str]:
        """What the line did to answers that were taken all the same, by device, each once with how often."""
        found = Counter(
            f"{name}: {remark}" for name, driver in self._drivers.items() for remark in driver.session.remarks
        )
        return [f"{text} ({count} times)" if count > 1 else text for text, count in found.items()]

    def target(self, name: str) -> Series:
        """The driver of a device that takes a preset.

        Raises:
            UsageError: no document gives its model a preset.
        """
        driver = self.device(name)
        if not isinstance(driver, Series):
            raise UsageError(f"{name} is a {driver.title}: it takes no preset")
        return driver

    def arm(self, device: Driver) -> Armed:
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
        """End every visit that is still open, and put the traces into the evidence; returns device to file name."""
        for driver in self._drivers.values():
            if isinstance(driver, Elster):
                driver.log_out()
        written = {device: self._evidence.trace(trace) for device, trace in self.traces.items() if len(trace)}
        if self.record is not None:
            for trace in self.traces.values():
                trace.close()
        return {device: name for device, name in written.items() if name}

    def may_broadcast(self, device: str) -> bool:
        """Whether a message to everybody can be sent on a device's line: no stranger can be there who would obey."""
        return "broadcast" in controls_of(self.host, device)

    def may_spoil(self, device: str) -> bool:
        """Whether what cannot be brought back may be tried on a device: nobody needs it, because it is simulated."""
        return "spoil" in controls_of(self.host, device)

    def _trace(self, entry: Device, settings: dict[str, Any], frames: str) -> TraceWriter:
        clock: Literal["virtual", "wall"] = "virtual" if self.clock.virtual else "wall"
        where = {"outstation": entry.outstation} if entry.protocol == "flag" else {"unit": entry.address}
        facts: dict[str, object] = {**where, "controls": controls_of(self.host, entry.id)}
        if entry.serial is not None:
            facts["serial"] = serial_tag(entry.serial)
        trace = TraceWriter(
            self._scenario, entry.id, model=entry.model, link=settings, clock=clock, tool=tool_version(),
            frames=frames, facts=facts,
        )  # fmt: skip
        for secret in wire_secrets(self.station):
            trace.mask(secret)
        self.traces[entry.id] = trace
        if self.record is not None:
            trace.stream(self.record)
        elif self._evidence.folder is not None and clock == "wall":
            trace.stream(self._evidence.folder / "traces" / trace.name)
        return trace

    def _note(self, device: str, text: str) -> None:
        if device in self.traces:
            self.traces[device].note(self.clock.now(), text)

    def _audit(self, event: str, *, device: str | None = None, **facts: object) -> None:
        self._evidence.audit(event, device=device, t=self.clock.now(), scenario=self._scenario, **facts)
