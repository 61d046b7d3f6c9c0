"""Resets and power cuts: how long the meter is away and what it remembers."""

import pytest

from bench.bench import Bench
from bench.characterisation import memory
from bench.characterisation.finding import Profile
from bench.drivers.powerlogic import Series
from bench.safety import Armed
from scenarios.marks import destructive, hardware

pytestmark = hardware


@destructive("resets the meter again and again")
def test_how_long_it_is_silent(target: Series, armed: Armed, profile: Profile) -> None:
    """From a soft reset to the first answer."""
    profile.keep("boot", memory.boot_time(target, armed))


@destructive("resets the meter")
def test_whether_pointers_survive_a_reset(target: Series, armed: Armed, profile: Profile) -> None:
    """8017 to 8019 and the user area."""
    profile.keep("keep_pointers", memory.keeps_pointers(target, armed))


@destructive("presets the energies and interrupts the supply, again and again")
@pytest.mark.usefixtures("energies_saved")
def test_how_soon_a_preset_is_safe(target: Series, bench: Bench, armed: Armed, profile: Profile) -> None:
    """How long after a preset a power cut still takes it back."""
    profile.keep("save_delay", memory.save_time(target, bench, armed))
