"""Operator and tool mistakes that can be switched on (`--mistake O03`), numbered as in the domain reference.

Each is an operator who errs in one step. A scenario that no mistake can fail is not a test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic import PowerLogic, Series
from bench.drivers.powerlogic.series import POINTER_RESULT
from bench.drivers.powerlogic.values import EnergyReading
from bench.errors import ForeignAnswer, NoAnswer, UsageError
from bench.links.link import Link
from bench.procedures import flag_mistakes as _flag  # noqa: F401  # they are registered where they are defined
from bench.procedures import reading_mistakes as _reading  # noqa: F401  # they are registered where they are defined
from bench.procedures.head_end import HeadEnd
from bench.procedures.mistake import MISTAKES, Mistake
from bench.procedures.operator import Operator
from bench.procedures.reading import Growth
from bench.safety import Armed
from protocols.flag.client import FlagClient
from protocols.modbus.frames import crc16, encode_rtu
from protocols.modbus.heard import Heard
from protocols.modbus.rules import rtu_answer_end
from protocols.powerlogic.energy import WORDS, decode_set, encode_set
from protocols.powerlogic.tables import command_code
from protocols.powerlogic.words import signed

if TYPE_CHECKING:
    from bench.links.flag import FlagLine

__all__ = ["MISTAKES", "Mistake", "client_of", "head_end_of", "line_of", "operator_who", "session_of"]
_KILO = 1000
_TRANSFER = "test_new_meter_takes_over_the_readings"
_ONCE = "test_a_write_under_a_line_fault_goes_out_once"
_TRUE = "test_a_reading_under_a_line_fault_is_true_or_none"
_UNTRUE = "^(values that are not the meter's|told unclearly|wrong after the fault)$"
_AGAIN = "test_a_second_preset_erases_nothing"
#: From one register to the next on a front panel.
_BY_HAND = 20_000_000_000
#: How long a tool waits before it gives an answer up.
_A_LOST_ANSWER = 1_000_000_000


def _mistake(
    id_: str, title: str, symptom: str, *, shows: str, caught_by: str = _TRANSFER
) -> Callable[[type[Operator]], type[Operator]]:
    def register(kind: type[Operator]) -> type[Operator]:
        MISTAKES[id_] = Mistake(
            id=id_, title=title, symptom=symptom, shows=shows, caught_by=(caught_by,), operator=kind
        )
        return kind

    return register


@_mistake("O01", "the block of a CM2 is copied as it was read", "status 0, and three quantities have changed places",
          shows="(real|reactive|apparent) energy total|^apparent total$")  # fmt: skip
class StraightCopy(Operator):
    """The words go into the buffer in the order of the old meter."""

    def arrange(self, reading: EnergyReading) -> list[int]:
        """The words in the order in which the old meter showed them."""
        return list(reading.words)


@_mistake("O02", "the values are typed in kWh", "every energy is a thousandth of what it was",
          shows="(real|reactive|apparent) energy (in|out|total)")  # fmt: skip
class KilowattHours(Operator):
    """A unit is forgotten."""

    def arrange(self, reading: EnergyReading) -> list[int]:
        """A thousandth of each value."""
        return encode_set({quantity: value // _KILO for quantity, value in reading.values.items()})


@_mistake("O03", "register 8022 is taken for PDU address 8022", "everything lands one register too high",
          shows="buffer read-back")  # fmt: skip
class OffByOne(Operator):
    """A register number is used as an address."""

    def fill_buffer(self, target: Series, armed: Armed, words: Sequence[int]) -> None:
        """Write the block one register too high."""
        target.session.write_block(armed, self.aim.data + 1, words)


@_mistake("O04", "the pointers are not set", "the sentinel in 8021 does not change", shows="^procedure$")
class ForgottenPointers(Operator):
    """A step is left out."""

    def aim_pointers(self, target: Series, armed: Armed) -> None:
        """Do nothing."""


@_mistake("O05", "6210 is typed for 6209", "every energy is cleared with status 0",
          shows="(real|reactive|apparent) energy|changed beside the energies")  # fmt: skip
class ClearInsteadOfPreset(Operator):
    """The neighbouring code is typed."""

    def command(self, target: Series, armed: Armed) -> None:
        """Write the neighbouring code."""
        target.issue(armed, command_code(target.model.family, "clear_energies"))


@_mistake("O06", "the old and the new meter are swapped", "the old meter would take the readings of the new one",
          shows="raised (NotATarget|TransferRefused): .*(takes no|can hand|swapped)")  # fmt: skip
class Swapped(Operator):
    """The cables, or the names, are mixed up."""

    def pair(self, source: PowerLogic, target: Series) -> tuple[PowerLogic, PowerLogic]:
        """The other way round."""
        return target, source


@_mistake("O07", "the old meter is read register by register under load", "the readings are of different instants",
          shows="raised TransferRefused: .*not of one instant")  # fmt: skip
class ReadByHand(Operator):
    """Registers are read off the front panel, one after the other."""

    def read(self, source: PowerLogic, growth: Growth) -> EnergyReading:
        """Twenty-eight registers, twenty seconds apart."""
        del growth
        asked, words = source.clock.now(), []
        for offset in range(WORDS * len(source.model.order)):
            words.append(signed(source.session.read(source.energy_register + offset)[0]))
            source.clock.sleep(_BY_HAND)
        values = decode_set(words, source.model.order)
        return EnergyReading(values, tuple(words), asked, source.clock.now())


@_mistake("O08", "the new meter has another transformer ratio", "the readings are right and every increment is wrong",
          shows="raised TransferRefused: .*every increment wrong")  # fmt: skip
class WrongRatio(Operator):
    """The new meter was commissioned for the transformers of another feeder."""

    def prepare(self, target: Series, armed: Armed) -> None:
        """Program twice the current transformer ratio."""
        target.program(armed, {"ct_primary": 2 * target.ratios().ct_primary})


@_mistake("O09", "a program that polls the command registers is not stopped", "pointers change between two steps",
          shows="^procedure$")  # fmt: skip
class PollingGoesOn(Operator):
    """Somebody else's software has its own use for 8000-8049."""

    def aim_pointers(self, target: Series, armed: Armed) -> None:
        """Aim, and have the result pointer taken away by the other program."""
        super().aim_pointers(target, armed)
        target.session.write(armed, POINTER_RESULT, self.aim.data + 100)


@_mistake("O10", "the procedure is repeated to be sure", "what was counted since the first time is gone",
          shows="after the second time", caught_by=_AGAIN)  # fmt: skip
class OnceMoreToBeSure(Operator):
    """The command is sent again while the load runs."""

    def repeats(self, target: Series, armed: Armed, words: Sequence[int]) -> bool:
        """Do it all once more with the words that were noted."""
        target.plant_sentinels(armed, self.aim.result)
        self.fill_buffer(target, armed, words)
        self.aim_pointers(target, armed)
        self.command(target, armed)
        target.await_result(self.aim.result)
        target.clear_pointers(armed)
        return True


@_mistake("D32", "6209 is sent again because its answer was lost", "what was counted since is taken back",
          shows="after the second time", caught_by=_AGAIN)  # fmt: skip
class BlindRetry(Operator):
    """A tool repeats every write that was not answered."""

    def repeats(self, target: Series, armed: Armed, words: Sequence[int]) -> bool:
        """Write what was written once more, and take the old result word for the new one."""
        self.fill_buffer(target, armed, words)
        self.aim_pointers(target, armed)
        self.command(target, armed)
        target.clock.sleep(_A_LOST_ANSWER)
        target.clear_pointers(armed)
        return True


@_mistake("D33", "two masters fill one buffer", "the buffer holds words of both", shows="buffer read-back")
class SecondMaster(Operator):
    """A second port of the meter leads to the same buffer, and somebody presets through it."""

    def fill_buffer(self, target: Series, armed: Armed, words: Sequence[int]) -> None:
        """Fill the buffer, and have its second half filled by the other one."""
        super().fill_buffer(target, armed, words)
        half = len(words) // 2
        target.session.write_block(armed, self.aim.data + half, [9] * half)


def _tool(
    id_: str, title: str, symptom: str, *, shows: str, caught_by: str
) -> Callable[[type[ModbusSession]], type[ModbusSession]]:
    """Register a mistake that is built into a tool: another way to talk to every device."""

    def register(kind: type[ModbusSession]) -> type[ModbusSession]:
        MISTAKES[id_] = Mistake(id=id_, title=title, symptom=symptom, shows=shows, caught_by=(caught_by,), session=kind)
        return kind

    return register


@_tool("O11", "a tool sends every write again that was not answered", "a command is carried out twice",
       shows="^(6209 arrived|writes that arrived twice)$", caught_by=_ONCE)  # fmt: skip
class RetriesWrites(ModbusSession):
    """What reads may do, writes do as well."""

    def write(self, armed: Armed, register: int, value: int) -> None:
        """Once more if no answer, or none that fits, came."""
        try:
            super().write(armed, register, value)
        except (NoAnswer, ForeignAnswer):
            super().write(armed, register, value)


@_tool("O12", "a tool goes on asking without waiting out a late answer", "an answer is taken for the next one",
       shows=_UNTRUE, caught_by=_TRUE)  # fmt: skip
class NeverWaits(ModbusSession):
    """The next request goes out at once, and the first answer that has its shape is taken."""

    def silence(self) -> str:
        """Ask whatever the line is doing."""
        return ""

    def confirm(self) -> None:
        """Take what came."""

    def recover(self) -> None:
        """Go on."""


@_tool("O13", "a tool does not look at the unit of an answer", "another meter's values are taken",
       shows=_UNTRUE, caught_by=_TRUE)  # fmt: skip
class TakesAnyUnit(ModbusSession):
    """A sound frame is an answer, whoever sent it."""

    def __init__(self, link: Link, unit: int, device: str, record: Callable[[str, bytes], None] | None = None) -> None:
        super().__init__(link, unit, device, record)
        if link.hearing is not None:
            link.hearing.make_out = _from_anybody


def _from_anybody(request: bytes, data: bytes) -> Heard:
    end = rtu_answer_end(data)
    if end is None or crc16(data[:end]):
        return Heard()
    return Heard(encode_rtu(request[0], data[1 : end - 2]))


def session_of(mistake: str | None) -> type[ModbusSession]:
    """How the tool talks that makes a mistake, or that makes none."""
    return MISTAKES[mistake].session if mistake in MISTAKES else ModbusSession


def client_of(mistake: str | None) -> type[FlagClient]:
    """What the tool says to FLAG meters that makes a mistake, or that makes none."""
    return MISTAKES[mistake].client if mistake in MISTAKES else FlagClient


def line_of(mistake: str | None) -> type[FlagLine] | None:
    """How the FLAG tool uses its port that makes a mistake; None as it should."""
    return MISTAKES[mistake].line if mistake in MISTAKES else None


def head_end_of(mistake: str | None) -> type[HeadEnd]:
    """What is made of what Elster meters send by the head-end that makes a mistake, or that makes none."""
    return MISTAKES[mistake].head_end if mistake in MISTAKES else HeadEnd


def operator_who(mistake: str | None) -> type[Operator]:
    """The operator who makes a mistake, or who makes none.

    Raises:
        UsageError: no mistake has this id.
    """
    if mistake is None:
        return Operator
    if mistake not in MISTAKES:
        raise UsageError(f"no mistake is called {mistake!r}; known: {', '.join(MISTAKES)}")
    return MISTAKES[mistake].operator
