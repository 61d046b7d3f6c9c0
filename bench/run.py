"""One run: a station, its permissions and its evidence, and what has become of it so far."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.bench import Bench
from bench.errors import Exit, NoCall, StationError
from bench.evidence import Evidence, RunFacts, ScenarioRecord, Step
from bench.host import Host, host_kind
from bench.measure import Measure
from bench.measurement import Measurement, seconds
from bench.procedures.mistakes import client_of, line_of, session_of
from bench.safety import Safety
from bench.verdicts import Verdict
from simulators.faults.line_registry import Call

if TYPE_CHECKING:
    from bench.characterisation.finding import Findings
    from bench.replay.rerun import Comparison
    from bench.reports.run import Run as Recorded
    from bench.station import Station
    from bench.trace import TraceWriter

#: What breaks a link for the rest of the run; a number that is dialled in vain does so the second time.
_FOR_GOOD = 2


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for."""

    allowed: tuple[str, ...] = ()
    evidence: Path | None = None
    seed: int = 0
    defects: Mapping[str, list[str]] = field(default_factory=dict)
    mistake: str | None = None
    #: The earlier run whose wire is replayed.
    replay: Recorded | None = None
    #: Line faults by simulated link.
    faults: Mapping[str, Sequence[Call]] = field(default_factory=dict)
    argv: Sequence[str] = ()
    write_profile: Path | None = None
    overwrite_profile: bool = False
    also_ask: tuple[str, ...] = ()
    #: How long (ns) the clock of a meter is watched; None for what the host allows.
    watch_clock: int | None = None


class Run:
    """A run of scenarios on a station.

    Raises:
        UsageError: an option names a device that is not there, or the evidence folder cannot be used.
    """

    def __init__(self, station: Station, options: Options) -> None:
        self.station = station
        self.options = options
        self.kind = host_kind(station)
        self.safety = Safety(station, options.allowed)
        self.evidence = Evidence(options.evidence, durable=self.kind != "virtual")
        try:
            self.evidence.begin(
                RunFacts(
                    station=station.name,
                    host=self.kind,
                    resolved=station.resolved(),
                    seed=options.seed if self.kind == "virtual" else None,
                    argv=options.argv,
                )
            )
        except StationError:
            self.evidence.abandon()
            raise
        self.records: list[ScenarioRecord] = []
        self.measurements: dict[str, list[Measurement]] = {}
        #: What broke of the station, by link; further scenarios on it are errors and not failures.
        self.broken: dict[str, str] = {}
        #: In how many scenarios a link's number was dialled in vain.
        self.unreached: Counter[str] = Counter()
        self.exercised: set[str] = set()
        #: What was found out about meters, by device.
        self.findings: dict[str, Findings] = {}
        self.profile_line = ""
        self.profile_written: Path | None = None
        #: The scenario that is open, for an operator's Ctrl-C in the middle of it.
        self.current: Scenario | None = None
        self.interrupted = False
        #: Whether a scenario asked a recorded wire what was not recorded: nothing can be said of the device then.
        self.diverged = False
        #: What a replay came to, when the run has ended.
        self.compared: Comparison | None = None
        #: Scenarios that a recorded wire cannot serve.
        self.unreplayable: set[str] = set()
        self._digests: dict[str, str] = {}
        self._host: Host | None = None

    # -- hosts -------------------------------------------------------------------------------------------------------

    def open(self, scenario: str) -> Host:
        """The host of a scenario: a fresh world for each where time is virtual, one for all where it is not."""
        if self.kind == "virtual":
            return self._new_host(self._seed(scenario), scenario)
        if self._host is None:
            self._host = self._new_host(self.options.seed)
        return self._host

    def _new_host(self, seed: int, scenario: str = "") -> Host:
        options = self.options
        return Host(self.station, seed=seed, defects=dict(options.defects), faults=options.faults, scenario=scenario)

    def release(self, scenario: str, host: Host) -> None:
        """A scenario has ended."""
        if self.kind == "virtual":
            self._digests[scenario] = host.digest
            host.close()

    def _seed(self, scenario: str) -> int:
        key = hashlib.blake2b(f"{self.options.seed}\0{scenario}".encode(), digest_size=6)
        return int.from_bytes(key.digest(), "big")

    # -- results -----------------------------------------------------------------------------------------------------

    def keep(self, record: ScenarioRecord, measurements: list[Measurement]) -> ScenarioRecord:
        """A scenario's record and measurements, into the evidence."""
        counted = self.evidence.scenario(record, measurements)
        self.records.append(counted)
        self.measurements[record.scenario] = measurements
        return counted

    @property
    def verified(self) -> int:
        """How many measurements were judged."""
        return sum(m.verdict.verified for rows in self.measurements.values() for m in rows)

    def digest(self) -> str:
        """One fingerprint of everything that happened and was measured; empty where time is not virtual."""
        if self.kind != "virtual":
            return ""
        whole = hashlib.blake2b(f"seed {self.options.seed}\n".encode(), digest_size=16)
        for scenario in sorted(self.measurements):
            whole.update(f"{scenario} {self._digests.get(scenario, '')}\n".encode())
            for measurement in self.measurements[scenario]:
                whole.update(measurement.to_json().encode())
        return whole.hexdigest()

    def verdict_of_run(self, exitstatus: int) -> Exit:
        """The exit code, from pytest's own and from what the scenarios found."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if self.broken:
            return Exit.STATION
        if exitstatus == Exit.USAGE:
            return Exit.USAGE
        if self.diverged:
            return Exit.DIVERGED
        if exitstatus not in (Exit.VERIFIED, Exit.NOTHING):
            return Exit.FAILED
        unverified = not self.verified and self.station.policy.on_nothing_verified == "fail"
        return Exit.NOTHING if unverified or self.unexercised() else Exit.VERIFIED

    def unexercised(self) -> list[str]:
        """Capabilities that the station's policy requires and that no passed scenario has exercised."""
        return [name for name in self.station.policy.required if name not in self.exercised]

    def abandon(self) -> None:
        """Give ports and files back when the session never got as far as its end; after `close` nothing is left."""
        if self._host is not None:
            self._host.close()
            self._host = None
        self.evidence.abandon()

    def close(self, exit_code: Exit) -> None:
        """Write what remains of the evidence and close every port."""
        if self._host is not None:
            self._host.close()
            self._host = None
        self.evidence.close(digest=self.digest(), exit=exit_code)


class Scenario:
    """One scenario while it runs.

    Args:
        run: the run it belongs to.
        node: its pytest node id.
        title: the first line of its docstring.
        reason: why it writes, None if it does not.
        devices: the devices it was given.
        needs: the capabilities it exercises.
    """

    def __init__(
        self, run: Run, node: str, title: str, reason: str | None, devices: Collection[str], needs: Collection[str]
    ) -> None:
        self.run = run
        self.node = node
        self.measure = Measure(node, self.now, self._remark)
        self.needs = needs
        self._reason = reason
        self._title = title
        self._devices = tuple(devices)
        self._start = 0
        self._wall = time.monotonic()
        self._end: int | None = None
        self._host: Host | None = None
        self._trace_names: dict[str, str] = {}
        self.refuse_broken()
        run.current = self

    @cached_property
    def bench(self) -> Bench:
        """The bench, opened when it is first asked for: a scenario that only measures opens no station."""
        self._host = self.run.open(self.node)
        self._start = self._host.clock.now()
        mistake = self.run.options.mistake
        return Bench(
            self._host, self.run.safety, self.run.evidence, self.node, self._reason,
            session=session_of(mistake), client=client_of(mistake), line=line_of(mistake),
        )  # fmt: skip

    @property
    def traces(self) -> dict[str, TraceWriter]:
        """The wire traces so far, by device."""
        return {} if self._host is None else self.bench.traces

    def now(self) -> int:
        """Bench time in ns; 0 as long as nothing is open."""
        return 0 if self._host is None else self._host.clock.now()

    def _remark(self, device: str | None) -> str:
        """What is to be told with the next value: how many reads had to be asked twice since the last one."""
        return "" if self._host is None else self.bench.retold(device)

    def refuse_broken(self) -> None:
        """Raise StationError if a link that this scenario needs has broken before."""
        for device in self._devices:
            entry = self.run.station.devices.get(device)
            if entry is not None and entry.link in self.run.broken:
                if self.run.unreached[entry.link] == 1:
                    continue  # a number that was engaged an hour ago may be free now
                raise StationError(f"link {entry.link} broke earlier: {self.run.broken[entry.link]}")

    def broke(self, error: StationError) -> None:
        """The station broke under this scenario."""
        links = {
            self.run.station.devices[device].link for device in self._devices if device in self.run.station.devices
        }
        named = [link for link in links if f"link {link}:" in str(error)]
        for link in named or links or ("station",):
            self.run.broken.setdefault(link, str(error))
            self.run.unreached[link] += 1 if isinstance(error, NoCall) else _FOR_GOOD

    def device_trace(self, device: str) -> None:
        """Let later measurements on a device name its trace."""
        trace = self.bench.traces.get(device)
        if trace is not None and self.run.evidence.folder is not None:
            self.measure.traces[device] = f"traces/{trace.name}"

    def finish(self) -> None:
        """The body has ended: note the time and give the host back; the second time there is nothing left to do."""
        if self._host is None or self._end is not None:
            return
        self._end = self.now()
        try:
            self._trace_names = self.bench.write_traces()
        finally:
            self.run.release(self.node, self._host)

    def interrupted(self) -> ScenarioRecord:
        """The record of a scenario that the operator broke off."""
        record = self.record("error", "interrupted by the operator")
        return replace(record, verdict=Verdict.worst((self.measure.worst, Verdict.ABORTED)))

    def record(self, outcome: Any, reason: str) -> ScenarioRecord:
        """The record of the finished scenario."""
        end = self.now() if self._end is None else self._end
        worst = self.measure.worst
        verdict = _OUTCOME_VERDICT.get(outcome, worst)
        return ScenarioRecord(
            scenario=self.node,
            outcome=outcome,
            verdict=max(worst, verdict, key=lambda v: v.severity),
            title=self._title,
            reason=reason,
            start=seconds(self._start),
            end=seconds(end),
            wall=round(time.monotonic() - self._wall, 6),
            devices=self._devices,
            traces=tuple(self._trace_names.values()),
            remarks=tuple(self.bench.remarks()) if self._host is not None else (),
            steps=self.steps(),
        )

    def steps(self) -> tuple[Step, ...]:
        """The steps of its procedures so far."""
        return tuple(
            Step(step.title, seconds(step.start), seconds(step.end), "" if step.outcome == "done" else step.outcome)
            for step in (self.bench.journal.steps if self._host is not None else ())
        )

    @property
    def span(self) -> tuple[str, str]:
        """Bench time at its start and now (s)."""
        return seconds(self._start), seconds(self.now())


_OUTCOME_VERDICT = {"failed": Verdict.FAIL, "error": Verdict.ERROR}


def skipped(node: str, title: str, reason: str) -> ScenarioRecord:
    """The record of a scenario that did not run."""
    return replace(
        ScenarioRecord(scenario=node, outcome="skipped", verdict=Verdict.NOT_SET), title=title, reason=reason
    )
