"""Recording at the device's end: what each served device heard and said, at the exact instants of its world.

One trace a device, `<device>.trace.jsonl`. Its header holds what the device began with (station entries, seed, time of
day, defects, kept state), so that `meterbench trace mirror` can put the same device in the same place again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from bench.drivers.elster import hidden_identities
from bench.drivers.powerlogic import hidden_registers
from bench.errors import UsageError
from bench.evidence import tool_version
from bench.redaction import serial_tag
from bench.station.secrets import wire_secrets
from bench.trace import TraceWriter
from protocols.modbus.frames import FrameError, MbapSplitter, decode_rtu
from simulators.lines.character_line import Drop
from simulators.lines.framing import Framing
from simulators.lines.network import Connection
from simulators.lines.tap import Tap
from simulators.meters.powerlogic.state import state_of
from simulators.stage import ETHERNET

if TYPE_CHECKING:
    from bench.station import Station
    from simulators.stage import Stage

BROADCAST, DIRECT = 0, 255
#: What of a device entry is nobody's business but the bench's.
_NOT_TOLD = ("serial", "power", "load")
_SECRET_PROFILE = ("command_password",)
_LENGTH_END = 6
_UNIT_AT = {"mbap": 6, "rtu": 0}


class Recording:
    """Listens to every link of a stage.

    Args:
        stage: what is recorded.
        writers: the trace of each device.
    """

    def __init__(self, stage: Stage, writers: Mapping[str, TraceWriter]) -> None:
        self._stage = stage
        self._writers = writers
        #: The beginning of a request, by the connection that has not brought the rest yet, as long as there is one.
        self._begun: WeakKeyDictionary[Connection, bytes] = WeakKeyDictionary()
        #: Speed and framing with which a FLAG meter last heard or said something.
        self._framings: dict[str, Framing] = {}
        links = {stage.devices[name].link for name in writers}
        for link in sorted(links):
            if stage.speaks_flag(link):
                stage.flag.line(link).tap = self._flag_tap
                continue
            primary = "mbap" if stage.links[link].medium == ETHERNET else "rtu"
            stage.line(link).tap = self._tap(link, via="line" if primary == "mbap" else "")
            if primary == "mbap":
                stage.network(link).tap = self._tap(link, via="")

    def _tap(self, link: str, *, via: str) -> Tap:
        units = self._stage.on(link)

        def hear(where: object, way: str, t: int, data: bytes) -> None:
            if isinstance(where, Connection):
                for frame in self._frames(where, way, data):
                    self._keep(units, frame[_UNIT_AT["mbap"]], way, t, frame, via)
            else:
                self._keep(units, _unit_of(data), way, t, data, via)

        return hear

    def _flag_tap(self, where: object, way: str, t: int, data: bytes) -> None:
        """On a line of characters each meter is told of what it hears and says itself, and at which speed."""
        if not isinstance(where, Drop) or where.name not in self._writers:
            return
        writer = self._writers[where.name]
        if self._framings.get(where.name) != where.framing:
            self._framings[where.name] = where.framing
            writer.note(t, f"line {where.framing}")
        (writer.tx if way == "tx" else writer.rx)(t, data)

    def _frames(self, where: Connection, way: str, data: bytes) -> list[bytes]:
        """The whole frames that a piece of a connection's stream completes; answers come whole."""
        if not self._begun and len(data) > _LENGTH_END and int.from_bytes(data[4:_LENGTH_END], "big") + 6 == len(data):
            return [data]  # nearly always; what is no frame at all is nobody's in the next step
        if way == "tx" and self._begun:
            data = self._begun.pop(where, b"") + data
        splitter = MbapSplitter()
        try:
            frames = splitter.feed(data)
        except FrameError:
            return []
        whole = sum(map(len, frames))
        if way == "tx" and whole < len(data) and splitter.broken is None:
            self._begun[where] = data[whole:]
        return frames

    def _keep(self, units: Mapping[int, str], unit: int | None, way: str, t: int, data: bytes, via: str) -> None:
        for device in (units[unit],) if unit is not None and unit in units else _everybody(units, unit):
            writer = self._writers.get(device)
            if writer is not None:
                (writer.tx if way == "tx" else writer.rx)(t, data, via)

    def note(self, device: str, text: str) -> None:
        """Something that the line does not show was done to a device, now."""
        if device in self._writers:
            self._writers[device].note(self._stage.world.now, text)

    def close(self) -> None:
        """Complete every file, also when another one cannot be.

        Raises:
            StationError: the disk refuses.
        """
        with ExitStack() as stack:
            for writer in self._writers.values():
                stack.callback(writer.close)


def _unit_of(frame: bytes) -> int | None:
    """The unit of an RTU frame; None if it is damaged: then it was heard by all, and is nobody's."""
    try:
        return decode_rtu(frame)[0]
    except FrameError:
        return None


def _everybody(units: Mapping[int, str], unit: int | None) -> list[str]:
    """Who hears what is for no unit of the link: all hear damage and broadcasts; who is alone on TCP hears 255 too."""
    alone = len(units) == 1
    return list(units.values()) if unit in (None, BROADCAST) or (alone and unit == DIRECT) else []


@contextmanager
def recorded(
    folder: Path | None, stage: Stage, station: Station, start: Mapping[str, object], *, kept: bool
) -> Iterator[Recording | None]:
    """Record a stage into a new folder; without a folder, nothing.

    Args:
        folder: a folder that is new or empty.
        stage: what is recorded, before anything has happened on it.
        station: whose stage it is.
        start: seed and whatever else the headers should say.
        kept: whether the meters have a past that no station file tells.

    Raises:
        UsageError: the folder cannot be used.
    """
    if folder is None:
        yield None
        return
    _prepare(folder)
    writers = {}
    for name in stage.devices:
        writers[name] = writer_of(name, stage, station, start, kept=kept)
        writers[name].stream(folder / f"{name}.trace.jsonl")
    recording = Recording(stage, writers)
    try:
        yield recording
    finally:
        recording.close()


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if next(folder.iterdir(), None) is not None:
            raise UsageError(f"{folder}: is not empty; name a new folder for the traces")
    except OSError as error:
        raise UsageError(f"{folder}: no traces can be written here: {error.strerror or error}") from None


def writer_of(
    name: str, stage: Stage, station: Station, start: Mapping[str, object], *, kept: bool = False
) -> TraceWriter:
    """The trace of one served device, with a header that says what it began with."""
    plan, link = stage.devices[name], station.links[stage.devices[name].link]
    entry = link.model_dump(mode="json", exclude_none=True)
    where = {"outstation": plan.outstation} if plan.flag else {"unit": plan.address}
    facts: dict[str, Any] = {"perspective": "device", **where}
    serial = station.devices[name].serial
    if serial is not None:
        facts["serial"] = serial_tag(serial)
    facts["start"] = {
        **start,
        "epoch": stage.epoch.isoformat(),
        "station": _neighbourhood(station, plan.link),
        "state": state_of(stage.meters[name], stage.world.now) if kept and not plan.flag else None,
    }
    frames = "flag" if plan.flag else "mbap" if stage.links[plan.link].medium == ETHERNET else "rtu"
    writer = TraceWriter("served", name, model=plan.model, link=entry, tool=tool_version(), frames=frames, facts=facts)
    writer.masks.registers = hidden_identities(plan.model) if plan.flag else hidden_registers(plan.model)
    for secret in wire_secrets(station):
        writer.mask(secret)
    return writer


def _neighbourhood(station: Station, link: str) -> dict[str, Any]:
    """A station file of one link and its devices, without what identifies or opens anything."""
    told = station.resolved()
    devices = {name: dict(entry) for name, entry in told["devices"].items() if entry["link"] == link}
    for entry in devices.values():
        for key in _NOT_TOLD:
            entry.pop(key, None)
        profile = entry.get("simulate", {}).get("profile", {})
        for key in _SECRET_PROFILE:
            profile.pop(key, None)
    return {"schema": told["schema"], "name": "recorded", "links": {link: told["links"][link]}, "devices": devices}
