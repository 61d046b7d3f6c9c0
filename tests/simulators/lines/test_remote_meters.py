"""Elster meters at the other end of a call: the same FLAG servers, on a line that never changes its speed."""

from datetime import datetime
from random import Random

import pytest

from protocols.flag.server import FlagServer
from simulators.lines.character_line import CharacterLine
from simulators.lines.exchange import exchange_of
from simulators.lines.modem import Modem, ModemPlan
from simulators.lines.pad import Pad, PadPlan
from simulators.meters.elster.build import build_meter
from simulators.world import SECOND, World

NUA = "23530412345678"
EPOCH = datetime(2026, 3, 2, 8, 30)  # noqa: DTZ001  # a meter keeps local time without a zone


def a_far_line(world: World, *outstations: str) -> CharacterLine:
    line = CharacterLine(world, "substation", "network")
    for outstation in outstations:
        meter = build_meter("A1140", None, epoch=EPOCH, outstation=outstation, stream=Random(1))
        line.attach(FlagServer(meter, via="remote", fixed_line=(9600, "8N1")), name=outstation)
    return line


@pytest.mark.parametrize("kind", ["modem", "pad"])
def test_two_meters_behind_one_call_are_signed_on_to_in_turn(kind: str) -> None:
    world = World(1)
    line = a_far_line(world, "094", "095")
    adapter: Modem | Pad
    if kind == "modem":
        plan = ModemPlan({"01132000": "substation"}, profile="rs232_direct")
        adapter = Modem(world, "link", plan, exchange_of(plan.numbers, lambda _name: line))
        call, connected = b"ATE0DT01132000\r", b"CONNECT 9600"
    else:
        pad_plan = PadPlan({NUA: "substation"}, profile="rs232_direct", again=0)
        adapter = Pad(world, "link", pad_plan, exchange_of(pad_plan.numbers, lambda _name: line))
        call, connected = NUA.encode() + b"\r", b"COM"
    port = adapter.terminal.open()

    def said(text: bytes, wait: int = 3 * SECOND // 2) -> bytes:
        """Soon enough for the meter, which reads out by itself 1.9 s behind its identification."""
        port.write(text)
        world.sleep(wait)
        return port.inbox.take(9999, world.now)

    assert connected in said(call, 4 * SECOND)
    for outstation in (b"094", b"95"):
        assert said(b"/?" + outstation + b"!\r\n").startswith(b"/GEC5")
        assert said(b"\x06056\r\n").startswith(b"\x01P0\x02(")
        assert said(b"\x01B0\x03q") == b""
    assert said(b"/?096!\r\n") == b""


def test_numbers_lead_to_lines_and_words_to_nobody() -> None:
    line = a_far_line(World(1), "094")
    exchange = exchange_of({"1": "substation", "2": "busy", "3": "OCC"}, {"substation": line}.__getitem__)
    assert [exchange.dial(number) for number in "1234"] == [line, "busy", "OCC", None]
    with pytest.raises(KeyError):
        exchange_of({"1": "elsewhere"}, {"substation": line}.__getitem__)
