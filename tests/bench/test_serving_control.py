import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import pytest

from bench.errors import StationError, UsageError
from bench.serving import control
from bench.serving.control import ControlDoor, Controller
from simulators.power.feeder import Load
from simulators.realtime import RealTime
from simulators.stage import DevicePlan, LinkPlan, Stage
from simulators.world import World


def controlled(body: Callable[[str, Stage], Awaitable[None]], *, speed: float = 1.0) -> None:
    """Run a body against a control door on a loop of its own."""

    async def whole() -> None:
        stage = Stage(World(), [LinkPlan("bus")], [DevicePlan("meter", "PM850", "bus", 1, load=Load(5_000_000))])
        realtime = RealTime(stage.world, speed=speed)
        door = ControlDoor(Controller(stage, realtime))
        url = f"tcp://127.0.0.1:{await door.open()}"
        try:
            await asyncio.wait_for(body(url, stage), 20)
        finally:
            await door.close()
            realtime.close()

    asyncio.run(whole())


async def said(url: str, command: str) -> dict[str, Any]:
    return await asyncio.to_thread(control, url, command.split())


def test_a_supply_is_switched_and_a_load_is_set() -> None:
    async def body(url: str, stage: Stage) -> None:
        feeder = stage.feeders["meter"]
        assert await said(url, "power meter off") == {"ok": True, "device": "meter", "supply": "off"}
        assert not feeder.auxiliary
        assert not stage.meters["meter"].listening(stage.world.now)
        assert (await said(url, "power meter on"))["ok"]
        assert feeder.auxiliary
        assert (await said(url, "load meter -1200.5"))["ok"]
        assert feeder.load == Load(-1_200_500)
        assert (await said(url, "load meter 1000 -0.6"))["power_factor"] == -0.6
        assert feeder.load == Load.of(1_000_000, -0.6)

    controlled(body)


def test_a_cycle_is_answered_when_the_supply_is_back() -> None:
    async def body(url: str, stage: Stage) -> None:
        began = perf_counter()
        cycle = asyncio.create_task(said(url, "power meter cycle 0.2"))
        while (await said(url, "status"))["devices"]["meter"]["supply"] == "on":
            pass
        assert (await cycle)["off_for"] == 0.2
        assert perf_counter() - began >= 0.2
        assert stage.feeders["meter"].auxiliary

    controlled(body)


def test_a_cycle_is_two_seconds_of_the_world_if_nothing_else_is_said() -> None:
    async def body(url: str, stage: Stage) -> None:
        began = stage.world.now
        assert (await said(url, "power meter cycle"))["off_for"] == 2
        assert stage.world.now - began >= 2_000_000_000

    controlled(body, speed=100)


def test_the_status_tells_of_every_device_and_of_the_clock() -> None:
    async def body(url: str, _stage: Stage) -> None:
        status = await said(url, "status")
        assert status["devices"] == {"meter": {"model": "PM850", "supply": "on", "listening": True, "load": 5000.0}}
        assert status["speed"] == 1
        assert set(status["lateness"]) == {"count", "p50", "p99", "max"}

    controlled(body)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("", "not understood: it is power DEVICE"),
        ("power meter", "not understood"),
        ("power meter up", "not understood"),
        ("power other off", 'there is no device "other"; there are: meter'),
        ("power meter cycle soon", '"soon" is not a time in seconds from 0 to 3600'),
        ("power meter cycle -1", "not a time"),
        ("load meter nan", '"nan" is not a power in W'),
        ("load meter 1e99", "not a power"),
        ("load meter 5 1.2", "not a power factor from -1 to 1"),
        ("load meter 5 0", "a power factor of 0"),
        ("load meter 5 1 1", "not understood"),
    ],
)
def test_what_is_no_command_changes_nothing_and_says_why(command: str, reason: str) -> None:
    async def body(url: str, stage: Stage) -> None:
        answer = await said(url, command)
        assert answer["ok"] is False
        assert reason in answer["error"]
        assert (stage.feeders["meter"].auxiliary, stage.feeders["meter"].load) == (True, Load(5_000_000))

    controlled(body)


def test_commands_of_one_connection_are_answered_one_by_one_and_endless_lines_are_not_kept() -> None:
    async def body(url: str, _stage: Stage) -> None:
        host, port = url.removeprefix("tcp://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"power meter off\npower meter on\npower")
        assert [json.loads(await reader.readline())["supply"] for _ in range(2)] == ["off", "on"]
        writer.write(b"x" * 5000)
        assert await reader.read() == b""
        writer.close()

    controlled(body)


@pytest.mark.parametrize("command", [b"", b"status\n", b"power meter cycle 0.1\n"])
def test_who_has_said_everything_is_answered_and_then_hung_up_on(command: bytes) -> None:
    """A connection that stays half open for every command would use up the server's descriptors."""

    async def body(url: str, _stage: Stage) -> None:
        host, port = url.removeprefix("tcp://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(command)
        writer.write_eof()
        answers = (await asyncio.wait_for(reader.read(), 5)).splitlines()
        assert [json.loads(answer)["ok"] for answer in answers] == [True] * command.count(b"\n")
        writer.close()

    controlled(body)


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """Somebody on a port who is no control door."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


@pytest.mark.parametrize("reply", [b"HTTP/1.0 400 Bad Request\r\n", b"", b"[1]\n", b'{"fine": true}\n'])
def test_what_answers_otherwise_is_no_control_door(reply: bytes) -> None:
    with answering(reply) as url, pytest.raises(StationError, match="no control door"):
        control(url, ["status"])


def test_nobody_there_is_a_broken_station_and_a_wrong_url_wrong_usage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(StationError, match="refused"):
        control(f"tcp://127.0.0.1:{port}", ["status"])
    for url in ("127.0.0.1:1", "tcp://127.0.0.1", "http://127.0.0.1:80", "tcp://127.0.0.1:many"):
        with pytest.raises(UsageError, match="not the URL of a control door"):
            control(url, ["status"])
