"""The command interface: what 8000 and its pointers do where documents are silent or disagree."""

from collections.abc import Callable

import pytest

from bench.bench import Bench
from bench.characterisation import interface, timing
from bench.characterisation.finding import Profile
from bench.drivers.powerlogic import Series
from bench.safety import Armed
from bench.station import SimLink, TcpLink
from scenarios.marks import destructive, hardware

pytestmark = hardware
energies_saved = pytest.mark.usefixtures("energies_saved")


@destructive("presets the energies it reads, again and again")
@energies_saved
def test_how_long_a_preset_takes(target: Series, armed: Armed, profile: Profile) -> None:
    """The execution time of 6209, from 8000 to 8021."""
    profile.keep("exec_delay", timing.execution_time(target, armed))


@destructive("clears the communication counters")
def test_whether_8000_is_cleared(target: Series, armed: Armed, profile: Profile) -> None:
    """What 8000 reads when a command has been carried out."""
    profile.keep("clear_command", interface.clears_command(target, armed))


@destructive("sends a command that does not exist, and clears the communication counters")
def test_what_8020_holds(target: Series, armed: Armed, profile: Profile) -> None:
    """Pointer #1 gets the status or the command code: the manuals disagree."""
    profile.keep("status_semantics", interface.status_semantics(target, armed))


@destructive("writes to read-only registers what stands there")
def test_how_a_locked_register_is_refused(target: Series, armed: Armed, profile: Profile) -> None:
    """The exception of a write to a register that takes none."""
    profile.keep("locked_write", interface.locked_write(target, armed))


@destructive("writes to 3248 what stands there")
def test_whether_floats_need_setup_mode(target: Series, armed: Armed, profile: Profile) -> None:
    """Whether 3248 takes a write outside setup mode."""
    profile.keep("needs_setup_for_floats", interface.floats_need_setup(target, armed))


@destructive("presets the energies with pointer #3 at nothing")
@energies_saved
def test_a_preset_without_a_data_pointer(target: Series, armed: Armed, profile: Profile) -> None:
    """6209 with 8019 = 0."""
    profile.keep("null_data_pointer", interface.data_pointer(target, armed, 0))


@destructive("presets the energies with pointer #3 outside the user area")
@energies_saved
def test_a_preset_with_a_data_pointer_astray(target: Series, armed: Armed, profile: Profile) -> None:
    """6209 with 8019 at other registers of the meter: its conditional energies."""
    astray = target.map["conditional_real_energy_in"].number
    profile.keep("stray_data_pointer", interface.data_pointer(target, armed, astray))


@destructive("presets the energies by one block over 8000 and its pointers")
@energies_saved
def test_one_block_over_the_command_and_its_pointers(target: Series, armed: Armed, profile: Profile) -> None:
    """Carried out with what the block brings, or with what stood there."""
    profile.keep("exec_order", interface.execution_order(target, armed))


@destructive("writes a word of the user area of every meter on the line")
def test_whether_it_obeys_a_broadcast(
    target: Series, bench: Bench, armed: Armed, profile: Profile, asked_for: Callable[[str], str]
) -> None:
    """A write to address 0."""
    link = bench.station.link_of(target.device)
    if isinstance(link, TcpLink) or (isinstance(link, SimLink) and link.medium == "ethernet"):
        profile.unknown("accepts_broadcast", "a serial line: behind a TCP port unit 0 may be the meter itself")
    elif not isinstance(link, SimLink) and (why := asked_for("broadcast")):
        profile.unknown("accepts_broadcast", why)
    else:
        profile.keep("accepts_broadcast", interface.accepts_broadcast(target, armed))
