"""Serving a station: its world in the wall clock's time, every door open, until somebody says stop."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from bench import served
from bench.errors import UsageError
from bench.serving.control import ControlDoor, Controller
from bench.serving.endpoints import Doors, Endpoint, ports_from, reason_of
from bench.serving.memory import read_state, restore_state, save_state
from bench.serving.recording import Recording, recorded
from bench.serving.station_file import check_via, write_station
from bench.stage import stage_of
from simulators.realtime import RealTime, new_loop
from simulators.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from bench.station import Station
    from simulators.faults.line_registry import Call
    from simulators.stage import Stage

#: What ends a server: Ctrl-C, a service manager, a terminal that is closed, and Ctrl-Break on Windows.
_STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@dataclass(frozen=True, slots=True)
class Where:
    """On which ports to serve: the address, the first port to count up from (None: any), world seconds a second."""

    host: str = "127.0.0.1"
    base_port: int | None = None
    speed: float = 1.0


class Serving:
    """A stage on real ports for as long as the block lasts; inside a running asyncio loop.

    Args:
        stage: what is served.
        where: the ports.
        recording: told of connections, supplies and loads.

    Raises:
        UsageError: a port is taken, or a host or speed does not exist.
    """

    def __init__(self, stage: Stage, where: Where | None = None, recording: Recording | None = None) -> None:
        where = where or Where()
        note = _unnoted if recording is None else recording.note
        if not 0 < where.speed < math.inf:
            raise UsageError(f"a speed of {where.speed:g} does not exist: it is above 0")
        self.stage = stage
        ports = ports_from(where.base_port)
        self.realtime = RealTime(stage.world, speed=where.speed)
        self._ports = ports
        self._doors = Doors(stage, self.realtime, where.host, ports, note)
        self._control = ControlDoor(Controller(stage, self.realtime, note))
        self._registration: served.Registration | None = None
        #: The URL of the control door.
        self.control = ""

    @property
    def endpoints(self) -> list[Endpoint]:
        """Every way to every device."""
        return self._doors.endpoints

    async def __aenter__(self) -> Self:
        """Open everything, or nothing."""
        try:
            await self._doors.open()
            await self._open_control()
            self._registration = served.Registration([end.target for end in self.endpoints])
            self._beat()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _open_control(self) -> None:
        port = next(self._ports)
        try:
            opened = await self._control.open(port)
        except OSError as error:
            raise UsageError(f"cannot listen for control on 127.0.0.1:{port}: {reason_of(error)}") from None
        self.control = f"tcp://127.0.0.1:{opened}"

    def _beat(self) -> None:
        if self._registration is not None:
            self._registration.touch()
            self.realtime.loop.call_later(served.HEARTBEAT, self._beat)

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        registration, self._registration = self._registration, None
        if registration is not None:
            registration.remove()
        await self._control.close()
        await self._doors.close()
        self.realtime.close()


def serve(
    station: Station,
    *,
    emit: Callable[[dict[str, Any]], None],
    host: str = "127.0.0.1",
    base_port: int | None = None,
    speed: float = 1.0,
    state: Path | None = None,
    seed: int = 0,
    defects: dict[str, list[str]] | None = None,
    faults: Mapping[str, Sequence[Call]] | None = None,
    station_out: Path | None = None,
    via: str = "tcp",
    record: Path | None = None,
) -> None:
    """Serve the simulated links of a station until SIGTERM or Ctrl-C.

    Args:
        station: its sim links are served, whatever else it has.
        emit: told one endpoint after the other (`device`, `model`, `address`, `kind`, `url`, for serial kinds `baud`,
            `framing`, `link`), then `{"ready": True, "control": URL}`.
        host: the address to listen on; the control door stays on loopback.
        base_port: the first port, the others count up from it; None lets the system choose.
        speed: how many world seconds pass in one second.
        state: where the meters' state is kept: restored now if the file exists, saved at the end.
        seed: of the world.
        defects: firmware defects to switch on, by device.
        faults: line faults to switch on, by link.
        station_out: where to write a station file that leads here.
        via: how that file reaches the devices: tcp, pty or rfc2217.
        record: a new folder for the trace of each device.

    Raises:
        UsageError: nothing to serve, a taken port, a state file that does not fit.
        StationError: the state or the station file cannot be written.
    """
    check_via(via)
    _check_served(station)
    kept = read_state(state) if state is not None else None
    stage = _stage(station, seed, defects or {}, faults)
    if state is not None and kept is not None:
        restore_state(state, kept, stage)

    def announce(serving: Serving) -> None:
        for end in serving.endpoints:
            emit(end.as_dict())
        if station_out is not None:
            boot = {name: round(stage.meter(name).profile.boot / speed) for name in stage.devices}
            write_station(station_out, station, serving.endpoints, serving.control, via=via, boot=boot)
        emit({"ready": True, "control": serving.control})

    start = {"seed": seed, "defects": {name: ids for name, ids in (defects or {}).items() if ids}}
    with (
        recorded(record, stage, station, start, kept=kept is not None) as recording,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        runner.run(_serve(stage, Where(host, base_port, speed), announce, recording))
    if state is not None:
        save_state(state, stage)


def _check_served(station: Station) -> None:
    simulated = {link.id for link in station.links.values() if link.type == "sim"}
    if not any(device.link in simulated for device in station.devices.values()):
        raise UsageError(f"station {station.name} has no device on a sim link: there is nothing to serve", station.file)


def _stage(
    station: Station,
    seed: int,
    defects: dict[str, list[str]],
    faults: Mapping[str, Sequence[Call]] | None,
) -> Stage:
    local = datetime.now()  # noqa: DTZ005  # a meter keeps local time without a zone
    try:
        return stage_of(station, World(seed), defects, faults, epoch=local)
    except (KeyError, ValueError) as error:
        raise UsageError(str(error.args[0] if error.args else error), station.file) from None


def _unnoted(_device: str, _text: str) -> None:
    """Nobody keeps a trace."""


async def _serve(stage: Stage, where: Where, announce: Callable[[Serving], None], recording: Recording | None) -> None:
    stop = asyncio.Event()
    _stop_on_signals(asyncio.get_running_loop(), stop)
    async with Serving(stage, where, recording) as serving:
        announce(serving)
        await serving.realtime.run(stop)
        serving.realtime.catch_up()


def _stop_on_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    for name in _STOP_SIGNALS:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) is signal.SIG_IGN:  # nohup
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
