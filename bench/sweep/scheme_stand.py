"""The world of one cut in programming a scheme: an Elster meter with a past, and a bench that can be killed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.bench import Bench
from bench.errors import BenchError
from bench.host import Host
from bench.safety import Safety
from bench.scheme.elster import ElsterScheme
from bench.scheme.plan import Plan as Program
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport
from bench.scheme.snapshot import Snapshot
from bench.sweep.scheme_plan import OLD_ID, SchemePlan
from bench.sweep.stand import Gate, GatedClock, Killed, Notices, Tape, passing
from bench.sweep.tap import Tap
from protocols.elster.history import Trigger
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Port
from simulators.meters.elster.meter import Meter
from simulators.world import SECOND

_MINUTE = 60 * SECOND
#: A past of the meter: a period of the load profile, a billing set, and then a calm moment.
_BILLED, _CALM = 40 * _MINUTE, 47 * _MINUTE
USER = "SWEEP"


class SpeedTap(Tap):
    """A tap that also knows the speed of what goes over a line whose devices change it."""

    __slots__ = ("framings", "line")

    def __init__(self) -> None:
        super().__init__()
        self.line: Any = None
        self.framings: list[Framing] = []

    def note(self, now: int, what: str, data: bytes = b"") -> None:
        """Add one happening."""
        super().note(now, what, data)
        if data:
            self.framings.append(self.line.framing)


@dataclass(slots=True)
class Attempt:
    """One programming: how it ended, and what was told and kept meanwhile.

    Attributes:
        ended: "went through", "killed", or what was said.
        report: as far as there is one; a process that was killed has told nothing.
        kept: the snapshot, if it came to the disk.
        entries: the audit.
        heard: the instant (ns) at which the meter has last begun to answer.
    """

    ended: str
    report: SchemeReport | None
    kept: Snapshot | None
    entries: list[dict[str, Any]]
    heard: int


class SchemeStand:
    """A meter, its line, and a bench at work on it.

    Raises:
        UsageError: the plan names what there is not.
    """

    def __init__(self, plan: SchemePlan) -> None:
        self.plan = plan
        self._host = Host(plan.station(), seed=plan.seed, defects={plan.device: list(plan.defects)})
        self.world, self.stage = self._host.world, self._host.stage
        found = self.stage.meter(plan.device)
        assert isinstance(found, Meter)
        self.meter: Meter = found
        self.tap = SpeedTap()
        link = self.stage.devices[plan.device].link
        self.tap.line = self.line = self.stage.line(link)
        self.world.digest = self.tap
        #: When (ns) the meter has answered.
        self.answers: list[int] = []
        self.line.tap = self._note_answer
        self.notices = Notices()
        self._give_past()
        self.meter.notice = self.notices
        self._open()

    def _give_past(self) -> None:
        """A scheme of another name, a billing set, a record of the load profile."""
        meter, world = self.meter, self.world
        name = meter.entry("scheme_id")
        meter.memory["scheme_id"] = OLD_ID.encode("ascii").ljust(name.size)
        world.advance_to(_BILLED)
        meter.settle(world.now)
        meter.reset_billing(world.now, Trigger.BUTTON)
        world.advance_to(_CALM)
        meter.settle(world.now)

    def _open(self) -> None:
        host, self.gate = self._host, Gate()
        host.clock = GatedClock(host.clock, self.gate)
        flag = host.flag_line(self.stage.devices[self.plan.device].link)
        flag.run = passing(flag.run, self.gate.touch)  # type: ignore[method-assign]  # one line of one world
        self.tape = Tape(self.gate)
        self.bench = Bench(host, Safety(host.station), self.tape, "sweep", "power cuts in programming a scheme")
        self.driver = ElsterScheme(self.bench.device(self.plan.device))
        self.bench.journal.steps.clear()

    # -- programming -------------------------------------------------------------------------------------------------

    def program(self, plan: Program, **options: Any) -> Attempt:
        """Program a plan; whatever comes of it is told."""
        reports: list[SchemeReport] = []
        kept: list[Snapshot] = []
        ended = "went through"
        begun = len(self.tape.entries)

        def keep(snapshot: Snapshot) -> None:
            self.gate.touch()
            kept.append(snapshot)

        try:
            armed = Safety(self.bench.station).arm(self.plan.device, "a sweep")
            programming = Programming(
                self.driver, plan, armed=armed, journal=self.bench.journal, user=USER, keep=keep,
                on_report=reports.append, **options,
            )  # fmt: skip
            report = programming.run()
            ended = report.stopped or ended
        except Killed:
            return Attempt("killed", None, kept[0] if kept else None, self.tape.entries[begun:], self._heard())
        except BenchError as error:
            ended = str(error)
        return Attempt(ended, reports[0], kept[0] if kept else None, self.tape.entries[begun:], self._heard())

    def _heard(self) -> int:
        return self.answers[-1] if self.answers else 0

    def _note_answer(self, where: object, way: str, t: int, data: bytes) -> None:  # noqa: ARG002  # what a tap is told
        if way == "rx":
            self.answers.append(t)

    # -- cuts --------------------------------------------------------------------------------------------------------

    def cut_at(self, when: int, before: Any) -> None:
        """Cut off whoever the plan says at an instant (ns); `before` is called just before."""

        def strike() -> None:
            before()
            _STRIKES[self.plan.victim](self)

        self.world.call_at(max(when, self.world.now), strike)

    def lose_supply(self) -> None:
        """The meter loses its supply, and gets it back when the plan says."""
        device = self.plan.device
        self.stage.switch_supply(device, on=False)
        back = self.world.now + self.plan.off_time
        self.world.call_at(back, lambda: self.stage.switch_supply(device, on=True))

    def lose_line(self) -> None:
        """The call is over: nothing of what is being said arrives, and the meter forgets the visit."""
        line: Any = self.line
        line.break_off(lambda burst: isinstance(burst.sender, Port))
        if self.plan.off_time:
            line.cut(self.world.now, self.plan.off_time)
        line.lose_carrier()

    def kill_bench(self) -> None:
        """The process of the bench is gone: what it is sending breaks off."""
        self.gate.dead = True
        self.line.break_off(lambda burst: isinstance(burst.sender, Port))
        raise Killed

    def let_pass_until(self, when: int) -> None:
        """Let the world go on without anybody at the bench."""
        try:
            self.world.advance_to(when)
        except Killed:  # the cut came when the programming was over
            self.world.advance_to(when)
        self.meter.settle(self.world.now)

    def return_with_a_fresh_bench(self) -> None:
        """Somebody comes and opens a bench with nothing left in memory."""
        self.gate.dead = False
        self._host.close()
        self._host = Host(self._host.station, stage=self.stage)
        self._open()

    def close(self) -> None:
        """Give everything back."""
        self.gate.dead = False
        self._host.close()


_STRIKES = {"meter": SchemeStand.lose_supply, "line": SchemeStand.lose_line, "bench": SchemeStand.kill_bench}
