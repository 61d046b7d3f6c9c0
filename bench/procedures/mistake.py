"""What a mistake at the bench is, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.drivers.modbus import ModbusSession
from bench.procedures.head_end import HeadEnd
from bench.procedures.operator import Operator
from protocols.flag.client import FlagClient
from simulators.faults.registry import Fault

if TYPE_CHECKING:
    from bench.links.flag import FlagLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake(Fault):
    """A mistake at the bench: its facts, and who makes it, an operator or the tool that talks to the meter.

    Attributes:
        operator: who presets.
        session: how Modbus meters are talked to.
        client: what is said to FLAG meters.
        line: how a FLAG tool uses its port; None as it should.
        head_end: what is made of what an Elster meter sends.
    """

    operator: type[Operator] = Operator
    session: type[ModbusSession] = ModbusSession
    client: type[FlagClient] = FlagClient
    line: type[FlagLine] | None = None
    head_end: type[HeadEnd] = HeadEnd

    @property
    def of_a_tool(self) -> bool:
        """Whether the mistake lies in how devices are talked to, or in what is made of what they say."""
        right = (ModbusSession, FlagClient, None, HeadEnd)
        return (self.session, self.client, self.line, self.head_end) != right


MISTAKES: dict[str, Mistake] = {}
