"""The kill matrix: what the scenarios catch of all that can be switched on, and whether they ever cry wolf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from bench.commands.run import find_scenarios
from bench.errors import UsageError
from bench.procedures.mistakes import MISTAKES, Mistake
from bench.repetition import EVERY, Case, Failure, repeat
from bench.run import Options
from bench.station import find_station
from simulators.faults.gateway import GATEWAY_DEFECTS, GatewayDefect
from simulators.faults.line_registry import fault_called
from simulators.faults.registry import Fault, load

#: The meter that hands its readings over, and the one that has the defect unless it shows on another model.
SOURCE, TARGET = "cm2350", "new-cm4250"
#: The latter by family; an Elster meter needs no other one, and meets its neighbours on its own line.
TARGETS = {"powerlogic": TARGET, "elster": "a1140"}
_FLAG = "elster"


@dataclass(slots=True)
class Matrix:
    """What a run against all defects found. Scenarios are named `folder/file.py::function`.

    Attributes:
        matrix: defect to the scenarios that failed about its symptom.
        accidental: what failed that is no symptom of the defect that was switched on, one line each.
        missed: scenarios that must catch a defect and did not, one line each.
        false_alarms: what failed on healthy devices, one line each.
        healthy_seeds: how many times the healthy devices were gone through.
        runs: how many scenarios were run in all; a matrix of none says nothing.
    """

    matrix: dict[str, list[str]]
    healthy_seeds: int
    accidental: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    runs: int = 0

    @property
    def total(self) -> int:
        """How many defects and mistakes were switched on."""
        return len(self.matrix)

    @property
    def survivors(self) -> list[str]:
        """Those that no scenario noticed."""
        return [id_ for id_, killers in self.matrix.items() if not killers]

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.total - len(self.survivors)

    @property
    def flawless(self) -> bool:
        """Whether everything was caught for the right reason and nothing else was."""
        return not (self.survivors or self.accidental or self.missed or self.false_alarms)

    def facts(self) -> dict[str, object]:
        """The object that `--json` prints."""
        return {
            "total": self.total,
            "killed": self.killed,
            "survivors": self.survivors,
            "accidental": self.accidental,
            "missed": self.missed,
            "healthy_seeds": self.healthy_seeds,
            "false_alarms": self.false_alarms,
            "runs": self.runs,
            "matrix": self.matrix,
        }


def faults(family: str | None = None, ids: Sequence[str] = ()) -> dict[str, Fault]:
    """Defects and mistakes by id, of a family and among `ids` if these are given.

    Raises:
        UsageError: no defect has this family or id.
    """
    every: dict[str, Fault] = {**dict(sorted({**load(), **GATEWAY_DEFECTS}.items())), **MISTAKES}
    families = {fault.family for fault in every.values()}
    if family is not None and family not in families:
        raise UsageError(f"no defect is of the family {family!r}; known: {', '.join(sorted(families))}")
    for id_ in ids:
        if id_ not in every:
            raise UsageError(f"no defect or mistake is called {id_!r}; known: {', '.join(every)}")
    return {id_: f for id_, f in every.items() if family in (None, f.family) and (not ids or id_ in ids)}


def kill_matrix(
    scenarios: Sequence[str],
    against: dict[str, Fault],
    seeds: int,
    *,
    targets: Mapping[str, str] = TARGETS,
    promised_only: bool = False,
) -> Matrix:
    """Run scenarios against defects and mistakes, one at a time, and `seeds` times against none.

    Args:
        scenarios: shipped ones or paths, as `meterbench run` takes them; all shipped ones if there are none.
        against: the defects and mistakes.
        seeds: how many runs of healthy devices.
        targets: by family, the device of the built-in station that has the defects, but for those that show on one
            model only.
        promised_only: run each defect against the scenarios that must catch it and no others.

    Raises:
        UsageError: there is no such scenario.
    """
    found = Matrix({id_: [] for id_ in against}, seeds)
    promises = {id_: set(fault.caught_by) for id_, fault in against.items()}
    seen: set[str] = set()

    def listen(case: Case, scenario: str, failures: Sequence[Failure]) -> None:
        function = scenario.rpartition("::")[2]
        seen.add(function)
        found.runs += 1
        fault = against.get(case.name)
        if fault is None:
            found.false_alarms += [f"{case.name}: {scenario}: {failure.name}" for failure in failures]
        elif _about(fault, failures, case):
            promises[fault.id].discard(function)
            killers = found.matrix[fault.id]
            killers += [] if scenario in killers else [scenario]
        elif failures:
            found.accidental.append(f"{fault.id}: {scenario}: {failures[0].name}")

    families = {fault.family for fault in against.values()}
    cases = [*_sick(against.values(), targets, promised_only=promised_only), *_healthy(seeds, families)]
    for result in repeat(find_scenarios(tuple(scenarios)), cases):
        listen(*result)
    found.missed = [f"{id_}: {name}" for id_, names in promises.items() for name in sorted(names & seen)]
    return found


def _about(fault: Fault, failures: Sequence[Failure], case: Case) -> bool:
    """Whether something failed about the symptom: in the scenario's body, and on the device that has the defect."""
    return any(
        fault.explains(failure.name)
        and not failure.in_setup
        and (isinstance(fault, Mistake) or failure.device in (None, *case.about))
        for failure in failures
    )


def _sick(against: Iterable[Fault], targets: Mapping[str, str], *, promised_only: bool) -> list[Case]:
    cases = []
    for fault in against:
        device = _device_of(fault.model) if fault.model else targets[fault.family]
        # What is wrong with the way to a meter shows wherever one looks, a tool's mistake on bad lines only: who
        # promises to tell it is asked, and nobody else.
        tool = isinstance(fault, Mistake) and fault.of_a_tool
        promised = promised_only or tool or isinstance(fault, GatewayDefect)
        cases.append(
            Case(
                fault.id,
                _options(fault, device),
                frozenset({device} if fault.family == _FLAG else {SOURCE, device}),
                frozenset({device}),
                only=frozenset(fault.caught_by) if promised else None,
                trial=EVERY if tool else None,
            )
        )
    return cases


def _options(fault: Fault, device: str) -> Options:
    if isinstance(fault, Mistake):
        return Options(mistake=fault.id)
    if isinstance(fault, GatewayDefect):
        entry = find_station("sim").devices[device]
        return Options(faults={entry.link: [fault_called(fault.call.format(unit=entry.address))]})
    return Options(defects={device: [fault.id]})


def _device_of(name: str) -> str:
    """The device of the built-in station that has this name, or the last one of this model: the replacement."""
    devices = find_station("sim").devices
    return name if name in devices else [device.id for device in devices.values() if device.model == name][-1]


def _healthy(seeds: int, families: AbstractSet[str]) -> list[Case]:
    """Runs without a defect: with each seed another meter of a family (an old one and a new one), other line faults."""
    devices = list(find_station("sim").devices.values())
    modbus = [[device.id for device in devices if device.link == link] for link in ("bus", "lan")]
    flag = [[device.id for device in devices if device.protocol == "flag"]]
    groups = [group for family, own in (("powerlogic", modbus), (_FLAG, flag)) if family in families for group in own]
    trials = "powerlogic" in families
    cases = []
    for seed in range(seeds):
        those = frozenset(group[seed % len(group)] for group in groups)
        cases.append(Case(f"seed {seed}", Options(seed=seed), those, those, trial=seed if trials else None))
    return cases
