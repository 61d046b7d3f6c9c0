"""Defects of Elster meters in what they show: the readout, and instantaneous values."""

from __future__ import annotations

from protocols.elster.tables import obis
from simulators.faults.change import decide
from simulators.faults.registry import defect, raised
from simulators.meters.elster import firmware
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_SOUND, _REGISTERS = "test_every_data_set_is_sound", "test_the_readout_shows_the_registers"


@defect("E47", "the readout has a decimal comma", "a reader stops in the middle of a number",
        shows="^(form of .*|data sets|breaches of IEC 62056-21 by the meter)$|"
        + raised("ForeignAnswer", "readout: line [0-9]+, column [0-9]+: a decimal comma"), severity="function",
        caught_by=_SOUND, family=_FAMILY)  # fmt: skip
def decimal_comma(meter: Meter) -> None:
    """The number is written as the display's language has it."""
    decide(
        meter,
        energy_text=lambda value, digits, decimals: firmware.energy_text(value, digits, decimals).replace(".", ","),
    )


@defect("E60", "the instantaneous value of before is shown until the new one is ready", "volts are shown for hertz",
        shows="^value before it was ready$", severity="function", caught_by="test_a_value_waits_for_its_ready_bit",
        model="A1700", family=_FAMILY)  # fmt: skip
def previous_value(meter: Meter) -> None:
    """606 is not emptied by a request."""
    decide(meter, instant_value=lambda before, fresh, ready: fresh if ready else before)


@defect("E145", "the readout shows the serial number of the factory", "the readings of all meters are one meter's",
        why="the number is taken from the program memory, and only the identity's is programmed at the end of the line",
        shows="^serial number shown", caught_by="test_the_readout_says_whose_it_is", family=_FAMILY)  # fmt: skip
def factory_number(meter: Meter) -> None:
    """Zeros, as long as the number is."""
    head = f"{obis()['serial_number'].code}("
    decide(meter, line_text=lambda line: f"{head}{'0' * len(meter.serial)})" if line.startswith(head) else line)


@defect("E96", "the readout has no units", "a number that could be kWh or MWh", severity="function",
        why="the unit is left out to save bytes at 300 baud", shows="^form of", caught_by=_REGISTERS,
        family=_FAMILY)  # fmt: skip
def no_units(meter: Meter) -> None:
    """Only the number is in the brackets."""
    decide(meter, unit_text=lambda _unit: "")


@defect("E97", "a field of the readout grows beyond its digits", "9999999 is followed by 10000000",
        why="the number is formatted from the whole register, and the width is taken for a minimum",
        shows="^form of import$", caught_by=_REGISTERS, model="A1120", family=_FAMILY)  # fmt: skip
def field_grows(meter: Meter) -> None:
    """No digit is cut off at the left."""

    def text(value: int, digits: int, decimals: int) -> str:
        whole = f"{value // 10 ** (6 - decimals):0{digits + decimals}d}"
        return f"{whole[:-decimals]}.{whole[-decimals:]}" if decimals else whole

    decide(meter, energy_text=text)
