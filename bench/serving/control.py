"""The control door: a line of text in, a line of JSON out. It switches supplies and sets loads, as a relay would.

::

    power DEVICE off|on                  the meter's own supply
    power DEVICE cycle [SECONDS]         off, and on again; answered when it is on (2 s if absent)
    load DEVICE WATTS [POWER_FACTOR]     three-phase real power, negative when the plant generates (1 if absent)
    fault LINK FAULT|off                 put a line fault on a link (docs/faults.md), or take all of them off
    status                               every device, and how well the clock is kept

It listens on loopback only: whoever reaches it may interrupt any supply.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from bench.control import load_note
from bench.errors import StationError, UsageError
from simulators.faults.line_parameters import FaultError
from simulators.faults.line_registry import fault_called
from simulators.power.feeder import Load
from simulators.world import SECOND

if TYPE_CHECKING:
    from simulators.realtime import RealTime
    from simulators.stage import Stage

#: How long a supply stays off in a cycle, in seconds, and the longest that may be asked for.
OFF_TIME, _LONGEST_OFF = 2.0, 3600.0
#: More (W) than any feeder carries.
_LARGEST_LOAD = 1e12
_LONGEST_LINE = 1024
_CONNECT_TIMEOUT, _ANSWER_TIMEOUT = 5.0, 30.0
_USAGE = "power DEVICE off|on|cycle [SECONDS], load DEVICE WATTS [POWER_FACTOR], fault LINK FAULT|off, or status"

Reply = Callable[[dict[str, Any]], None]


def _unnoted(_device: str, _text: str) -> None:
    """Nobody keeps a trace."""


class CommandError(ValueError):
    """A line that is no command; the message goes back to who sent it."""


class Controller:
    """Carries out the commands on a stage.

    Args:
        stage: what is controlled.
        realtime: its world, kept in pace.
        note: told of every switching and every change of a load, when it happens.
    """

    def __init__(self, stage: Stage, realtime: RealTime, note: Callable[[str, str], None] = _unnoted) -> None:
        self._stage = stage
        self._realtime = realtime
        self._note = note

    def obey(self, line: str, reply: Reply) -> None:
        """Carry out one line; `reply` is called once, now or when a cycle has ended."""
        try:
            self._obey(line.split(), reply)
        except CommandError as error:
            reply({"ok": False, "error": str(error)})

    def _obey(self, words: list[str], reply: Reply) -> None:
        match words:
            case ["status"]:
                reply({"ok": True, **self._realtime.act(self._status)})
            case ["power", device, "off" | "on" as state]:
                self._switch(self._known(device), on=state == "on")
                reply({"ok": True, "device": device, "supply": state})
            case ["power", device, "cycle"]:
                self._cycle(self._known(device), OFF_TIME, reply)
            case ["power", device, "cycle", seconds]:
                self._cycle(self._known(device), _number(seconds, "a time in seconds", 0, _LONGEST_OFF), reply)
            case ["load", device, watts, *rest] if len(rest) < 2:  # noqa: PLR2004  # one power factor
                self._load(self._known(device), watts, rest[0] if rest else "1", reply)
            case ["fault", link, first, *rest]:
                self._fault(link, " ".join((first, *rest)), reply)
            case _:
                raise CommandError(f"not understood: it is {_USAGE}")

    def _known(self, device: str) -> str:
        if device not in self._stage.devices:
            raise CommandError(f'there is no device "{device}"; there are: {", ".join(self._stage.devices)}')
        return device

    def _switch(self, device: str, *, on: bool) -> None:
        self._realtime.act(lambda: self._supply(device, on=on))

    def _supply(self, device: str, *, on: bool) -> None:
        self._stage.switch_supply(device, on=on)
        self._note(device, "supply on" if on else "supply off")

    def _cycle(self, device: str, seconds: float, reply: Reply) -> None:
        world = self._stage.world

        def back() -> None:
            self._supply(device, on=True)
            reply({"ok": True, "device": device, "supply": "on", "off_for": seconds})

        def begin() -> None:
            self._supply(device, on=False)
            world.call_at(world.now + round(seconds * SECOND), back)

        self._realtime.act(begin)

    def _load(self, device: str, watts: str, power_factor: str, reply: Reply) -> None:
        real = round(_number(watts, "a power in W", -_LARGEST_LOAD, _LARGEST_LOAD) * 1000)
        factor = _number(power_factor, "a power factor", -1, 1)
        if factor == 0:
            raise CommandError("a power factor of 0 would leave no real power")
        load = Load.of(real, factor)

        def change() -> None:
            self._stage.set_load(device, load)
            self._note(device, load_note(load))

        self._realtime.act(change)
        reply({"ok": True, "device": device, "load": real / 1000, "power_factor": factor})

    def _fault(self, link: str, text: str, reply: Reply) -> None:
        stage = self._stage
        if link not in stage.links:
            raise CommandError(f'there is no link "{link}"; there are: {", ".join(stage.links)}')
        if text == "off":
            self._realtime.act(lambda: stage.calm(link))
        else:
            try:
                call = fault_called(text)
            except FaultError as error:
                raise CommandError(str(error)) from None
            self._realtime.act(lambda: stage.disturb(link, call))
        reply({"ok": True, "link": link, "faults": [str(call) for call in stage.faults_on(link)]})

    def _status(self) -> dict[str, Any]:
        realtime, stage = self._realtime, self._stage
        now = stage.world.now
        return {
            "now": now,
            "speed": realtime.speed,
            "lateness": realtime.lateness.summary(),
            "faults": {link: [str(call) for call in calls] for link in stage.links if (calls := stage.faults_on(link))},
            "devices": {
                name: {
                    "model": plan.model,
                    "supply": "on" if stage.feeders[name].auxiliary else "off",
                    "listening": stage.listening(name),
                    "load": stage.feeders[name].load.real / 1000,
                }
                for name, plan in stage.devices.items()
            },
        }


def _number(text: str, noun: str, lowest: float, highest: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not lowest <= number <= highest:  # not a number compares false
        raise CommandError(f'"{text}" is not {noun} from {lowest:g} to {highest:g}')
    return number


class _Caller(asyncio.Protocol):
    """One connection: lines in, one line of JSON for each."""

    def __init__(self, door: ControlDoor) -> None:
        self._door = door
        self._rest = b""
        self._unanswered = 0
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._door.callers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self._door.callers.discard(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._unanswered += len(lines)
        for line in lines:
            self._door.controller.obey(line.decode("utf-8", "replace"), self._reply)
        if len(self._rest) > _LONGEST_LINE:
            self.transport.close()

    def eof_received(self) -> bool:
        self._ended = True
        return self._unanswered > 0  # who has said everything may still wait for the end of a cycle

    def _reply(self, answer: dict[str, Any]) -> None:
        self._unanswered -= 1
        if self.transport.is_closing():
            return
        self.transport.write(json.dumps(answer).encode() + b"\n")
        if self._ended and not self._unanswered:
            self.transport.close()


class ControlDoor:
    """The listening port of a controller."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.callers: set[_Caller] = set()
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> int:
        """Listen on loopback; returns the port, which the system chooses for 0.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.get_running_loop().create_server(partial(_Caller, self), "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no longer, and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for caller in list(self.callers):
            caller.transport.abort()
        await asyncio.sleep(0)  # for asyncio to tell them


def control(url: str, words: Sequence[str]) -> dict[str, Any]:
    """Send one command to a control door and wait for its answer.

    Args:
        url: as the server has told it, `tcp://127.0.0.1:PORT`.
        words: the command.

    Raises:
        UsageError: the URL is none.
        StationError: nobody answers there, or what answers is no control door.
    """
    host, port = _address(url)
    seconds = next((float(word) for word in words[3:] if word.replace(".", "", 1).isdecimal()), OFF_TIME)
    try:
        with socket.create_connection((host, port), _CONNECT_TIMEOUT) as connection:
            connection.settimeout(_ANSWER_TIMEOUT + seconds)
            connection.sendall(" ".join(words).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except OSError as error:
        raise StationError(f"control {url}: {error.strerror or error}") from None
    except ValueError:
        raise StationError(f"control {url}: what answers there is no control door") from None
    if not isinstance(answer, dict) or "ok" not in answer:
        raise StationError(f"control {url}: what answers there is no control door")
    return answer


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:  # a port that is no number
        pass
    raise UsageError(f'"{url}" is not the URL of a control door; write it as in tcp://127.0.0.1:1502')
