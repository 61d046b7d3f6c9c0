"""The mirror: recorded requests go to a simulated meter at the recorded times, and its answers are held against them.

A trace that `meterbench serve --record` took at the device's end holds all that the device began with, so a healthy
simulated device differs in no bit and no nanosecond. A trace of a real meter does not: the simulated one is then given
what the trace tells of it (`priming.py`), and what time, load and an unknown past may have moved is told apart from
what nothing explains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from bench.errors import UsageError
from bench.replay.difference import Comparison, compare
from bench.replay.exchanges import MBAP, RTU, Exchange, Trace
from bench.replay.frames import asked_registers, pdu_of, unit_of
from bench.replay.priming import prime, profile_seen
from bench.stage import stage_of
from bench.station import Station, station_from_text
from bench.trace import TraceEvent
from protocols.modbus.pdu import FunctionCode
from protocols.modbus.responder import Responder
from protocols.modbus.server import RtuBus, RtuServer, TcpServer
from protocols.powerlogic.tables import models
from simulators.gateway import TIMEOUT
from simulators.lines.framing import Framing
from simulators.meters.powerlogic.state import StateError, parse, put_back
from simulators.power.feeder import Load
from simulators.stage import ETHERNET, LinkPlan, Stage
from simulators.world import World

_LOAD = re.compile(r"load (-?\d+) mW, (-?\d+) mvar")
_LATEST = 1 << 62
#: Sub-functions of function 8 that show a counter (AP 6.8).
_COUNTERS = range(11, 19)


@dataclass(frozen=True, slots=True)
class Options:
    """How the simulated side is to differ from what the trace says.

    Attributes:
        model: another model than that of the header.
        station, device: take the simulated device from a station file.
        profile: profile values.
        defects: firmware defects to switch on.
    """

    model: str = ""
    station: Station | None = None
    device: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)
    defects: Sequence[str] = ()


@dataclass(slots=True)
class Mirrored:
    """What mirroring came to."""

    comparison: Comparison
    model: str
    #: Whether the device began as recorded, or was primed from the trace.
    exact: bool
    simulated: list[Exchange]


def mirror(trace: Trace, options: Options | None = None) -> Mirrored:
    """Feed a trace to a simulated meter.

    Raises:
        UsageError: the trace does not say of which model it is, or something asked for does not exist.
    """
    options = options or Options()
    recorded = trace.exchanges()
    if not recorded:
        raise UsageError("the trace holds no request", trace.path)
    if trace.header.get("start") and options.station is None and not options.model:
        stage, device = _as_recorded(trace, options)
        simulated = list(_fed(trace, recorded, stage, device))
        found = compare(stage.devices[device].model, recorded, simulated)
        if len(stage.on(stage.devices[device].link)) > 1:
            _explain_counters(found, recorded)
        return Mirrored(found, trace.model, True, simulated)
    stage, device = _as_seen(trace, recorded, options)
    model = stage.devices[device].model
    past = prime(stage, device, recorded, model)
    simulated = list(_fed(trace, recorded, stage, device))
    found = compare(model, recorded, simulated, past.explain_of(simulated))
    _explain_counters(found, recorded)
    _explain_repetitions(found, recorded)
    return Mirrored(found, model, False, simulated)


def _explain_counters(found: Comparison, recorded: Sequence[Exchange]) -> None:
    """Function 8 counts what was on the line; what others said there is not in the trace of one device."""
    counters = {
        exchange.number
        for exchange in recorded
        if (pdu := pdu_of(exchange.request.data, exchange.frames)) is not None
        and pdu[0] == FunctionCode.DIAGNOSTICS
        and int.from_bytes(pdu[1:3], "big") in _COUNTERS
    }
    found.differences = [
        replace(d, cause="traffic: counts what others said on the line") if d.number in counters else d
        for d in found.differences
    ]


def _explain_repetitions(found: Comparison, recorded: Sequence[Exchange]) -> None:
    """An answer that was lost or damaged on the line is none of the meter's, if the same question then brought one."""
    lost = {
        before.number
        for before, after in pairwise(recorded)
        if asked_registers(before) is not None
        and _question(before) == _question(after)
        and not _is_sound(before)
        and _is_sound(after)
    }
    found.differences = [
        replace(d, cause="line: asked again, and then answered") if d.number in lost else d for d in found.differences
    ]


def _question(exchange: Exchange) -> tuple[int, bytes | None]:
    data, frames = exchange.request.data, exchange.frames
    return unit_of(data, frames), pdu_of(data, frames)


def _is_sound(exchange: Exchange) -> bool:
    """Whether a whole frame of the unit that was asked came."""
    answer, frames = exchange.answer, exchange.frames
    return pdu_of(answer, frames) is not None and unit_of(answer, frames) == unit_of(exchange.request.data, frames)


# -- the simulated side ------------------------------------------------------------------------------------------------


def _as_recorded(trace: Trace, options: Options) -> tuple[Stage, str]:
    """The very device that was recorded, where it began."""
    start = trace.header["start"]
    try:
        content = start["station"]
        entry = content["devices"][trace.device]
        entry.setdefault("simulate", {}).setdefault("profile", {}).update(options.profile)
        station = station_from_text(json.dumps(content, indent=1), f"{trace.path}: header")
        defects = {name: list(ids) for name, ids in start.get("defects", {}).items() if name in content["devices"]}
        defects.setdefault(trace.device, []).extend(options.defects)
        epoch, seed, state = datetime.fromisoformat(start["epoch"]), int(start["seed"]), start.get("state")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the header does not say what the device began with: {error!r}", trace.path, 1) from None
    stage = _staged(station, seed, defects, trace, epoch)
    if state is not None:
        try:
            put_back(stage.meters[trace.device], 0, parse(stage.meters[trace.device], state))
        except StateError as error:
            raise UsageError(f"the state in the header does not fit: {error}", trace.path, 1) from None
    return stage, trace.device


def _as_seen(trace: Trace, recorded: Sequence[Exchange], options: Options) -> tuple[Stage, str]:
    """A device as far as the trace, or a station file, tells."""
    if options.station is not None:
        device = options.device or trace.device
        options.station.device(device)
        return _staged(options.station, 0, {device: list(options.defects)}, trace, None), device
    model = options.model or trace.model
    if model not in models():
        raise UsageError(f"the trace is of {model or 'no model'}; name one: {', '.join(models())}", trace.path, 1)
    unit = int(trace.header.get("unit") or unit_of(recorded[0].request.data, recorded[0].frames))
    link = _link_like(trace)
    profile = {**profile_seen(recorded, model), **options.profile}
    content = {
        "schema": 1,
        "name": "mirror",
        "links": {"link": link},
        "devices": {
            "mirrored": {
                "model": model, "link": "link", "address": unit or 1, "simulate": {"load": "0 W", "profile": profile}
            }
        },
    }  # fmt: skip
    station = station_from_text(json.dumps(content, indent=1), f"{trace.path}: header")
    return _staged(station, 0, {"mirrored": list(options.defects)}, trace, None), "mirrored"


def _link_like(trace: Trace) -> dict[str, Any]:
    told = trace.header.get("link", {})
    if trace.frames == MBAP:
        return {"type": "sim", "medium": "ethernet"}
    return {"type": "sim", "baud": told.get("baud", 9600), "framing": told.get("framing", "8N1")}


def _staged(station: Station, seed: int, defects: dict[str, list[str]], trace: Trace, epoch: datetime | None) -> Stage:
    try:
        return stage_of(station, World(seed), {name: ids for name, ids in defects.items() if ids}, epoch=epoch)
    except (KeyError, ValueError) as error:
        raise UsageError(str(error.args[0] if error.args else error), trace.path) from None


# -- feeding -----------------------------------------------------------------------------------------------------------


def _fed(trace: Trace, recorded: Sequence[Exchange], stage: Stage, device: str) -> Iterator[Exchange]:
    """Every recorded request with what the simulated device answers, in the order of time."""
    servers = Servers(stage, device)
    by_event = {id(exchange.request): exchange for exchange in recorded}
    for event in trace.events:
        if event.direction == "note":
            _do(event, stage, device)
        elif event.direction == "tx":
            exchange = by_event[id(event)]
            answers = servers.ask(exchange, at_device=trace.at_device)
            yield Exchange(exchange.number, exchange.line, event, exchange.frames, answers)


def _do(event: TraceEvent, stage: Stage, device: str) -> None:
    """What a note says was done to the supply or the load of the device."""
    feeder = stage.meters[device].feeder
    load = _LOAD.fullmatch(event.mark)
    if load:
        feeder.change(event.t, load=Load(int(load[1]), int(load[2])))
    elif event.mark in ("supply on", "supply off"):
        feeder.switch_supply(event.t, on=event.mark == "supply on")


class Servers:
    """The simulated device as its line and as its network sees it, with everybody who is there beside it.

    Args:
        stage: the simulated side.
        device: who is asked.
    """

    def __init__(self, stage: Stage, device: str) -> None:
        plan = stage.devices[device]
        units = stage.on(plan.link)
        self._link: LinkPlan = stage.links[plan.link]
        self._unit = plan.address
        self._bus = RtuBus(RtuServer(address, stage.meters[name]) for address, name in units.items())
        responders = {address: Responder(stage.meters[name]) for address, name in units.items()}
        self._network = TcpServer(responders, gateway_timeout=TIMEOUT)

    def ask(self, exchange: Exchange, *, at_device: bool) -> list[TraceEvent]:
        """The answers to a recorded request, at the instants that the trace's end of the line would see."""
        data = exchange.request.data
        there, back = (_AT_DEVICE, _AT_DEVICE) if at_device else self._ways(exchange)
        now = exchange.request.t + there.time_of(len(data))
        server: RtuBus | TcpServer = self._bus if exchange.frames == RTU else self._network
        direct = exchange.frames == RTU or self._link.medium == ETHERNET
        turnaround = self._link.turnaround if direct else 0
        answers = []
        for reply in server.receive(data, now):
            t = now + turnaround + reply.delay + back.time_of(len(reply.data))
            answers.append(TraceEvent(min(t, _LATEST), "rx", reply.data.hex(), via=exchange.request.via))
        return answers

    def _ways(self, exchange: Exchange) -> tuple[_Way, _Way]:
        """From the bench's end: a line takes its time for every character, and a frame ends with a silence."""
        if exchange.frames == MBAP:
            return _Way(self._link.delay), _Way(self._link.delay)
        framing = self._link.framing
        return _Way(framing.silence, framing), _Way(0, framing)


@dataclass(frozen=True, slots=True)
class _Way:
    """How long bytes take from one end to the other: a fixed time, and one for each character."""

    fixed: int
    framing: Framing | None = None

    def time_of(self, size: int) -> int:
        return self.fixed + (self.framing.time_of(size) if self.framing is not None else 0)


_AT_DEVICE = _Way(0)
