"""A computer's port, a modem, and a line with meters at the other end."""

from typing import Any

from talkers import Talker

from simulators.lines.character_line import CharacterLine
from simulators.lines.exchange import Exchange
from simulators.lines.framing import Framing
from simulators.lines.modem import Modem, ModemPlan
from simulators.world import SECOND, World

NUMBER = "01132000"
#: A line that never fails, in 50 ms there and back: what is tested is the modem.
SURE = "rs232_direct"
EIGHT = Framing(9600, "8N1")


class Desk:
    """The computer's side: what is typed and what has come back."""

    def __init__(
        self,
        *meters: Talker,
        profile: str = SURE,
        seed: int = 1,
        numbers: dict[str, CharacterLine | str] | None = None,
        framing: Framing = EIGHT,
        **plan: Any,
    ) -> None:
        self.world = World(seed)
        self.far = CharacterLine(self.world, "meters", "network")
        for number, meter in enumerate(meters or (Talker({b"?": (b"here", None)}, line=(9600, "8N1")),)):
            self.far.attach(meter, name=f"meter{number}")
        book = {NUMBER: self.far, "999": "busy", "888": "no answer"} if numbers is None else numbers
        self.modem = Modem(self.world, "modem", ModemPlan({}, profile=profile, **plan), Exchange(book))
        self.port = self.modem.terminal.open(framing)

    def heard(self, wait: int = SECOND) -> bytes:
        self.world.sleep(wait)
        return self.port.inbox.take(99_999, self.world.now)

    def type(self, text: bytes, wait: int = SECOND) -> bytes:
        self.port.write(text)
        return self.heard(wait)

    def connect(self) -> None:
        self.type(b"ATE0\r")
        assert self.type(b"ATDT" + NUMBER.encode() + b"\r", 4 * SECOND) == b"\r\nCONNECT 9600\r\n"
