"""A line of characters on a desk: a sign-on, meters on it, and what a port has heard."""

from typing import Any

from talkers import Talker

from simulators.lines.character_line import CharacterLine, CharacterPort
from simulators.lines.framing import Framing
from simulators.world import SECOND, World

SLOW = Framing(300, "7E1")
FAST = Framing(9600, "7E1")
STREAM = Framing(9600, "8N1")
REQUEST = b"/?!\r\n"
IDENTIFICATION = b"/GEC5120510070213@000\r\n"
SELECT = b"\x06056\r\n"
SIGN_ON = {REQUEST: (IDENTIFICATION, None), SELECT: (b"\x01P0\x02(0123)\x03\x00", (9600, "8N1"))}


def a_line(*devices: Talker, medium: str = "rs485", seed: int = 1, **options: Any) -> tuple[World, CharacterLine]:
    world = World(seed, budget=3600 * SECOND)
    line = CharacterLine(world, "desk", medium, **options)
    for number, device in enumerate(devices):
        line.attach(device, name=f"meter{number}")
    return world, line


def read(port: CharacterPort, world: World, until: int) -> bytes:
    world.advance_to(until)
    return port.inbox.take(99_999, world.now)
