"""Other people's tools meet the same line faults on real ports; a link that dies closes the connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from bench.errors import UsageError
from bench.faults import check_faults, faults_by_link
from bench.serving import Serving, control
from bench.station import find_station
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers
from simulators.faults.line_registry import fault_called
from simulators.stage import ETHERNET, DevicePlan, LinkPlan, Stage
from simulators.world import World

READ = read_registers(3200, 1)
ASKED = {"modbus-tcp": encode_mbap(1, 1, READ), "raw-tcp": encode_rtu(1, READ), "rfc2217": encode_rtu(1, READ)}


def served(body: Callable[[Serving, Stage], Awaitable[None]], *faults: str, medium: str = "rs485") -> None:
    async def whole() -> None:
        plan = LinkPlan("bus", medium=medium, faults=[fault_called(fault) for fault in faults])
        stage = Stage(World(), [plan], [DevicePlan("meter", "PM850", "bus", 1)])
        async with Serving(stage) as serving:
            await asyncio.wait_for(body(serving, stage), 20)

    asyncio.run(whole())


def url(serving: Serving, kind: str) -> str:
    return next(end.url for end in serving.endpoints if end.kind == kind)


def talk(address: str, asked: bytes, within: float = 0.6) -> tuple[bytes, bool]:
    """What a port answers within a time, and whether it was closed."""
    parts = urlsplit(address)
    heard = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), 5) as connection:
        connection.settimeout(within)
        connection.sendall(asked)
        try:
            while piece := connection.recv(4096):
                heard += piece
        except TimeoutError:
            return heard, False
    return heard, True


@pytest.mark.parametrize("kind", ["modbus-tcp", "raw-tcp", "rfc2217"])
@pytest.mark.parametrize("medium", ["rs485", ETHERNET])
def test_a_lost_answer_is_lost_on_every_port(kind: str, medium: str) -> None:
    async def body(serving: Serving, stage: Stage) -> None:
        heard, _ = await asyncio.to_thread(talk, url(serving, kind), ASKED[kind])
        stage.calm("bus")
        again, _ = await asyncio.to_thread(talk, url(serving, kind), ASKED[kind], 0.3)
        assert READ[:1] + b"\x02" in again
        assert READ[:1] + b"\x02" not in heard

    served(body, "drop(p=100%)", medium=medium)


@pytest.mark.parametrize(("kind", "medium"), [("modbus-tcp", ETHERNET), ("raw-tcp", "rs485"), ("rfc2217", "rs485")])
def test_a_link_that_dies_closes_the_connection_and_takes_a_new_one_when_it_is_back(kind: str, medium: str) -> None:
    async def body(serving: Serving, _stage: Stage) -> None:
        heard, closed = await asyncio.to_thread(talk, url(serving, kind), ASKED[kind], 3.0)
        assert closed
        await asyncio.sleep(0.5)
        again, closed = await asyncio.to_thread(talk, url(serving, kind), ASKED[kind])
        assert READ[:1] + b"\x02" in again
        assert len(heard) < len(again)
        assert not closed

    served(body, "link-dies(p=100%, times=1, for=300ms)", medium=medium)


def test_a_gateway_that_maps_wrongly_is_served_in_front_of_a_line() -> None:
    async def body(serving: Serving, stage: Stage) -> None:
        heard, _ = await asyncio.to_thread(talk, url(serving, "modbus-tcp"), ASKED["modbus-tcp"], 0.9)
        assert heard[7:] == bytes.fromhex("83 0B"), "unit 9, which is asked instead, does not exist"
        stage.calm("bus")

    served(body, "D40(unit=1, to=9)")


def test_a_fault_comes_and_goes_by_the_control_door() -> None:
    async def body(serving: Serving, stage: Stage) -> None:
        async def said(*words: str) -> dict[str, object]:
            return await asyncio.to_thread(control, serving.control, words)

        assert await said("fault", "bus", "drop(p=5%,", "way=both)") == {
            "ok": True,
            "link": "bus",
            "faults": ["drop(p=5%, way=both)"],
        }
        assert (await said("status"))["faults"] == {"bus": ["drop(p=5%, way=both)"]}
        assert stage.line("bus").disturbance is not None
        assert (await said("fault", "bus", "off"))["faults"] == []
        assert stage.line("bus").disturbance is None
        assert "did you mean drop?" in str((await said("fault", "bus", "dorp"))["error"])
        assert 'no link "lan"; there are: bus' in str((await said("fault", "lan", "drop"))["error"])

    served(body)


def test_what_may_be_served_is_more_than_what_may_be_run() -> None:
    """A served line has a gateway in front of it, and a served meter on an Ethernet its own serial port."""
    station = find_station("sim")
    faults = faults_by_link(["bus:D40", "lan:echo"])
    check_faults(station, faults, served=True)
    with pytest.raises(UsageError):
        check_faults(station, faults)
