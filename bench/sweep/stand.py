"""The world of one cut: two meters, a bench that can be killed, and the fresh bench of whoever comes afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.powerlogic import PowerLogic, Series
from bench.errors import UsageError
from bench.evidence import Evidence
from bench.host import Host
from bench.links import Link
from bench.safety import Safety
from bench.sweep.plan import Plan
from bench.sweep.tap import Tap
from simulators.lines.serial_line import Port
from simulators.meters.powerlogic.series import SeriesMeter
from simulators.power.feeder import Load
from simulators.world import SECOND

#: A past of the device: a demand interval at twice the load, then one at its own, so that there is what a reset takes.
_BUSY, _CALM = 16 * 60 * SECOND, 33 * 60 * SECOND


class Killed(BaseException):
    """The process of the bench is gone. No handler and no `finally` of it reaches the world outside any more."""


@dataclass(slots=True)
class Gate:
    """What the bench has to pass to reach wire, clock or disk; shut for good when its process is killed.

    Attributes:
        touches: how often it has begun to touch wire or disk.
        die_before: the touch before which it dies, if any.
    """

    dead: bool = False
    touches: int = 0
    die_before: int | None = None

    def look(self) -> None:
        """Go on if there is still somebody."""
        if self.dead:
            raise Killed

    def touch(self) -> None:
        """The same, and count it."""
        self.look()
        self.touches += 1
        if self.touches == self.die_before:
            self.dead = True
            raise Killed


class Tape(Evidence):
    """An audit in memory. What stands in it would be on the disk: every entry is put there before the bench goes on."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(None, durable=False)
        self.entries: list[dict[str, Any]] = []
        self._gate = gate

    def audit(self, event: str, *, device: str | None = None, t: int = 0, **facts: object) -> None:
        """Keep an entry."""
        self._gate.touch()
        self.entries.append({"event": event, "device": device, "t": t, "facts": facts})


class GatedClock:
    """The bench's clock, as long as there is a bench."""

    virtual = True

    def __init__(self, clock: Clock, gate: Gate) -> None:
        self._clock = clock
        self._gate = gate

    def now(self) -> int:
        """As the clock says."""
        self._gate.look()
        return self._clock.now()

    def sleep(self, duration: int) -> None:
        """As the clock does."""
        self._gate.look()
        self._clock.sleep(duration)


@dataclass(slots=True)
class Notices:
    """What the device noticed: its internal steps and their instants (ns)."""

    steps: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, step: str, at: int) -> None:
        """Take note of a step."""
        self.steps.append((step, at))

    def of(self, step: str) -> list[int]:
        """The instants of one kind of step."""
        return [at for name, at in self.steps if name == step]


class Stand:
    """Two meters with a past, and a bench at work on them.

    Raises:
        UsageError: the plan names what there is not, or a device that takes no preset.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._host = Host(plan.station(), seed=plan.seed, defects={plan.device: list(plan.defects)})
        self.world, self.stage = self._host.world, self._host.stage
        self.tap = Tap()
        self.world.digest = self.tap
        found = self.stage.meters[plan.device]
        if not isinstance(found, SeriesMeter):
            self._host.close()
            raise UsageError(
                f"{plan.device} is a {found.model.title}: there is nothing on it that a sweep could program"
            )
        self.meter = found
        self.unit = self.stage.devices[plan.device].address
        self.notices = Notices()
        self._give_past()
        self.meter.notice = self.notices
        self.gate = Gate()
        self._open()

    def _give_past(self) -> None:
        name, load = self.plan.device, self.stage.devices[self.plan.device].load
        self.stage.set_load(name, Load(2 * load.real, 2 * load.reactive))
        self.meter.count_conditional(self.world.now, on=True)
        self.world.advance_to(_BUSY)
        self.meter.before_change(self.world.now)
        self.meter.end_increment(self.world.now)
        self.stage.set_load(name, load)
        self.world.advance_to(_CALM)

    def _open(self) -> None:
        host, gate = self._host, self.gate
        host.clock = GatedClock(host.clock, gate)
        for name in host.station.links:
            put_gate(host.link(name), gate)
        catch_up = host.catch_up

        def catching_up() -> None:
            gate.look()
            catch_up()

        host.catch_up = catching_up  # type: ignore[method-assign]  # the bench switches a supply through this door
        self.tape = Tape(gate)
        self.bench = Bench(host, Safety(host.station), self.tape, "sweep", f"power cuts in {self.plan.procedure}")

    @property
    def target(self) -> Series:
        """The driver of the device."""
        return self.bench.target(self.plan.device)

    @property
    def source(self) -> PowerLogic:
        """The driver of the meter that hands over."""
        return self.bench.powerlogic(self.plan.source)

    # -- cuts --------------------------------------------------------------------------------------------------------

    def cut_supply_at(self, when: int) -> None:
        """Have the device lose its supply at an instant (ns), and get it back when the plan says."""
        self.world.call_at(when, lambda: self.stage.switch_supply(self.plan.device, on=False))
        self.world.call_at(when + self.plan.off_time, lambda: self.stage.switch_supply(self.plan.device, on=True))

    def kill_bench_at(self, when: int) -> None:
        """Have the process of the bench gone at an instant (ns): what it is sending breaks off."""

        def kill() -> None:
            self.gate.dead = True
            for name, link in self.stage.links.items():
                if link.medium != "ethernet":
                    self.stage.line(name).break_off(lambda burst: isinstance(burst.sender, Port))
            raise Killed

        self.world.call_at(when, kill)

    def let_pass_until(self, when: int) -> None:
        """Let the world go on without anybody at the bench."""
        try:
            self.world.advance_to(when)
        except Killed:  # the cut came when the procedure was over
            self.world.advance_to(when)

    def return_with_a_fresh_bench(self) -> None:
        """Somebody comes, sees to the supply, and opens a bench with nothing left in memory."""
        self._host.close()
        if not self.stage.feeders[self.plan.device].auxiliary:  # who was killed in a power cycle has left it off
            self.stage.switch_supply(self.plan.device, on=True)
        self._host = Host(self._host.station, stage=self.stage)
        self.gate = Gate()
        self._open()

    def close(self) -> None:
        """Give everything back."""
        self._host.close()


def put_gate(link: Link, gate: Gate) -> None:
    """Have every use of a link pass the gate."""
    link.client = passing(link.client, gate.touch)  # type: ignore[method-assign]  # one link of one world
    link.after_mishap = passing(link.after_mishap, gate.look)  # type: ignore[method-assign]  # as above


def passing(action: Callable[..., Any], gate: Callable[[], None]) -> Callable[..., Any]:
    """An action that passes the gate first."""

    def passed(*words: Any) -> Any:
        gate()
        return action(*words)

    return passed
