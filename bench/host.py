"""The host of a run: a station with its clock, its links and, for what is simulated, its world.

Three hosts carry the same scenarios: *virtual* (every link is simulated or recorded; the world's time), *served*
(every link leads to a `meterbench serve` on this machine; wall time) and *real*. A station with both simulated and
real links is real: its world is then kept in pace with the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from bench import served
from bench.clock import Clock, VirtualClock, WallClock, virtual_time
from bench.errors import UsageError
from bench.links import Link, make_flag_line, make_link
from bench.stage import stage_of
from simulators.faults.line_registry import Call
from simulators.stage import Stage
from simulators.world import SECOND, World

if TYPE_CHECKING:
    from bench.links.flag import FlagLine
    from bench.station import Station

HostKind = Literal["virtual", "served", "real"]
#: A day of virtual time is more than any scenario needs; a run that goes on is a loop.
BUDGET = 40 * 86_400 * SECOND


class Host:
    """An opened station.

    Args:
        station: what the station file says.
        seed: of the simulated side.
        defects: defects to switch on, by simulated device.
        scenario: whose host it is, for a link that replays the trace of one.
        faults: line faults to switch on, by simulated link.
        stage: a simulated side that another host has left; the next one finds it as it is.

    Raises:
        UsageError: a simulated device has a profile value or a defect that does not exist.
    """

    def __init__(
        self,
        station: Station,
        *,
        seed: int = 0,
        defects: dict[str, list[str]] | None = None,
        faults: Mapping[str, Sequence[Call]] | None = None,
        scenario: str = "",
        stage: Stage | None = None,
    ) -> None:
        self.station = station
        self.scenario = scenario
        self.kind = host_kind(station)
        self.world = World(seed, budget=BUDGET if self.kind == "virtual" else None) if stage is None else stage.world
        self.clock: Clock = VirtualClock(self.world) if self.kind == "virtual" else WallClock()
        self._cleanup = ExitStack()
        self._links: dict[str, Link] = {}
        self._flag_lines: dict[str, FlagLine] = {}
        self.stage: Stage = _staged(station, self.world, defects or {}, faults) if stage is None else stage
        if self.kind == "virtual":
            self._cleanup.enter_context(virtual_time(self.world))
        elif self.stage.devices:
            self._pace()

    def _pace(self) -> None:
        """Let the simulated part of a real station wait for the wall clock before anything happens in it."""

        def wait(when: int) -> None:
            ahead = when - self.clock.now()
            if ahead > 0:
                time.sleep(ahead / SECOND)

        self.world.pace = wait

    def catch_up(self) -> None:
        """Bring a paced world up to the wall clock; a virtual one is never behind."""
        if self.world.pace is not None:
            self.world.advance_to(self.clock.now())

    def link(self, name: str) -> Link:
        """The link of a station entry, made when first needed."""
        if name not in self._links:
            self._links[name] = make_link(self.station.links[name], self)
        return self._links[name]

    def flag_line(self, name: str, kind: type[FlagLine] | None = None) -> FlagLine:
        """The same link as FLAG meters use it, made when first needed; of another kind for a careless tool."""
        if name not in self._flag_lines:
            self._flag_lines[name] = make_flag_line(self.station.links[name], self, kind)
        return self._flag_lines[name]

    def simulates(self, device: str) -> bool:
        """Whether a device of the station is simulated in this process."""
        return device in self.stage.devices

    def recorded_controls(self, device: str) -> frozenset[str] | None:
        """What could be done to the surroundings of a device when it was recorded; None if it is not a recording."""
        name = self.station.device(device).link
        if self.station.links[name].type != "replay":
            return None
        from bench.links.replay import RecordedLink  # noqa: PLC0415  # that module needs this one

        link = self.link(name)
        assert isinstance(link, RecordedLink)
        return frozenset(link.tape.headers.get(device, {}).get("controls", ()))

    def on_close(self, action: Callable[[], None]) -> None:
        """Have something done when the host is closed."""
        self._cleanup.callback(action)

    def close(self) -> None:
        """Close every link and give the clock back."""
        for link in self._links.values():
            link.close()
        for line in self._flag_lines.values():
            line.close()
        self._links.clear()
        self._flag_lines.clear()
        self._cleanup.close()

    @property
    def digest(self) -> str:
        """The fingerprint of everything that happened in the world."""
        return self.world.digest.hexdigest()


def check_defects(station: Station, defects: dict[str, list[str]]) -> None:
    """Whether defects can be switched on: each exists, and its device is simulated.

    Raises:
        UsageError: one does not exist, or its device does not.
    """
    if defects:
        _staged(station, World(), defects)


def _staged(
    station: Station,
    world: World,
    defects: dict[str, list[str]],
    faults: Mapping[str, Sequence[Call]] | None = None,
) -> Stage:
    try:
        return stage_of(station, world, defects, faults)
    except (KeyError, ValueError) as error:
        raise UsageError(str(error.args[0] if error.args else error), station.file) from None


def host_kind(station: Station) -> HostKind:
    """virtual, served or real, from where the links lead."""
    if all(link.type in ("sim", "replay") for link in station.links.values()):
        return "virtual"
    return "served" if served.leads_only_there(station) else "real"
