"""Defects of the Modbus side: frames, function codes, limits, broadcasts, protected registers."""

from __future__ import annotations

from protocols.modbus.pdu import MAX_READ_REGISTERS, FunctionCode
from protocols.powerlogic.words import signed, unsigned
from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.meters.powerlogic.meter import Meter

_BUFFER = range(8022, 8150)


@defect("D28", "single writes to the buffer lose the sign", "28 single writes give other energies than one block",
        shows="^(buffer read-back|procedure)$",
        caught_by="test_twenty_eight_single_writes_do_the_same")  # fmt: skip
def single_writes_differ(meter: Meter) -> None:
    """Function 6 has code of its own, and that takes a word for a magnitude."""

    def stored(function: int, first: int, values: list[int]) -> list[int]:
        if function != FunctionCode.WRITE_SINGLE_REGISTER or first not in _BUFFER:
            return values
        return [unsigned(abs(signed(value))) for value in values]

    decide(meter, stored=stored)


@defect("D29", "a wrong byte count is accepted", "a damaged write of several registers changes the buffer",
        shows="wrong byte count", severity="function", caught_by="test_a_damaged_write_is_refused")  # fmt: skip
def byte_count_ignored(meter: Meter) -> None:
    """What came is stored, whatever the request says of its length."""
    decide(meter, checks_byte_count=False)


@defect("D30", "the live energy registers take writes", "a direct write to 1700-1727 changes billing data",
        shows="energies after a direct write|answer to a direct write",
        caught_by="test_the_live_energies_take_no_direct_write")  # fmt: skip
def energies_writable(meter: Meter) -> None:
    """The write protection of the energy block is missing."""
    decide(meter, energies_writable=True)


@defect("D31", "broadcasts are executed", "what is sent to address 0 changes every meter on the line",
        shows="broadcast", caught_by="test_a_broadcast_changes_nothing")  # fmt: skip
def broadcasts_executed(meter: Meter) -> None:
    """Address 0 is taken for one's own."""
    meter.accepts_broadcast = True


@defect("P12", "125 registers are too many", "the largest request that Modbus allows is refused", severity="function",
        why="an off-by-one: `>= 125` stands where `> 125` belongs",
        shows="a full request", caught_by="test_a_full_request_is_answered")  # fmt: skip
def one_register_less(meter: Meter) -> None:
    """124 is the most."""
    decide(meter, most_registers=MAX_READ_REGISTERS - 1)


@defect("P13", "function 4 counts registers from one", "functions 3 and 4 show different registers",
        severity="function", why="an off-by-one: 30001 and 40001 were given different offsets",
        shows="words by function 4", caught_by="test_both_register_functions_show_one_space")  # fmt: skip
def input_registers_off_by_one(meter: Meter) -> None:
    """Function 4 shows the next register."""

    def first_register(function: int, address: int) -> int:
        return address + 1 + (function == FunctionCode.READ_INPUT_REGISTERS)

    decide(meter, first_register=first_register)
