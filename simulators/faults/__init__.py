"""Defects: firmware bugs that can be switched on, each with an id, a symptom and the scenarios that must catch it.

A defect is one function with its row of facts; switching it on replaces decisions of one meter's firmware
(:mod:`simulators.meters.powerlogic.firmware`) and touches no other meter. One file holds one family of thought:

::

    powerlogic_preset         what 6209 makes of its 28 words
    powerlogic_commands       8000 and its pointers, resets, the clock
    powerlogic_setup          set-up sessions and what is kept of them
    powerlogic_saving         what of a change is safe when the supply fails
    powerlogic_counting       energies between presets: load, carry, rollover, power cuts
    powerlogic_showing        what registers say of it
    powerlogic_communication  frames, function codes, broadcasts
    elster_frames             check characters, sign-on, times, blocks, data stream
    elster_security           challenges, passwords, levels, what is refused
    elster_saving             what is kept of a scheme, when, and what goes with it
"""

from simulators.faults.registry import DEFECTS, Defect, Fault, switch_on

__all__ = ["DEFECTS", "Defect", "Fault", "switch_on"]
