"""Speed and character framing of a serial line, and how long things take on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from protocols.modbus.frames import t1_5, t3_5

_SECOND = 1_000_000_000
#: What a pty carries, whatever is set: it drops parity and seven bits, and the C library refuses to set them twice in a
#: row, which is what pymodbus does on connecting (`simulators/doors/pty.py`).
PTY_FRAME = "8N1"


@dataclass(frozen=True)
class Framing:
    """Speed in Bd and framing such as "8N1": data bits, parity, stop bits.

    Raises:
        ValueError: a framing or speed that does not exist.
    """

    baud: int = 9600
    frame: str = "8N1"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[78][NEO][12]", self.frame):
            raise ValueError(f"{self.frame!r} is no framing: data bits 7 or 8, parity N, E or O, stop bits 1 or 2")
        if self.baud <= 0:
            raise ValueError(f"{self.baud} Bd is no speed")

    @property
    def data_bits(self) -> int:
        """7 or 8."""
        return int(self.frame[0])

    @property
    def parity(self) -> str:
        """N, E or O."""
        return self.frame[1]

    @property
    def stop_bits(self) -> int:
        """1 or 2."""
        return int(self.frame[2])

    @cached_property
    def character_bits(self) -> int:
        """Bits on the wire for one character, start bit included."""
        return 1 + self.data_bits + (self.parity != "N") + self.stop_bits

    @cached_property
    def character_scale(self) -> int:
        """Character bits times a second in ns: what :meth:`time_of` multiplies with before it divides by the speed."""
        return self.character_bits * _SECOND

    def time_of(self, characters: int) -> int:
        """How long (ns) so many characters take, rounded once."""
        return characters * self.character_scale // self.baud

    @cached_property
    def silence(self) -> int:
        """The silence (ns) that ends a Modbus RTU frame: 3.5 characters, 1.75 ms above 19,200 Bd."""
        return t3_5(self.baud, self.character_bits)

    @cached_property
    def gap(self) -> int:
        """The longest silence (ns) that a Modbus RTU frame may hold inside: 1.5 characters, 0.75 ms above 19,200 Bd."""
        return t1_5(self.baud, self.character_bits)

    def __str__(self) -> str:
        return f"{self.baud} {self.frame}"
