"""What a preset does with fractions, signs and the end of the range, and whether a block read is of one instant."""

from collections.abc import Callable

import pytest

from bench.bench import Bench
from bench.characterisation import loading
from bench.characterisation.finding import Profile
from bench.characterisation.reading import reads_at_once
from bench.drivers.powerlogic import Series
from bench.safety import Armed
from protocols.powerlogic.tables import commands
from scenarios.marks import destructive, hardware

pytestmark = [hardware, pytest.mark.usefixtures("energies_saved")]


@destructive("presets the energies again and again under a small load")
def test_what_becomes_of_a_part_of_a_watt_hour(target: Series, bench: Bench, armed: Armed, profile: Profile) -> None:
    """Cleared by a preset, or kept below it."""
    profile.keep("fraction", loading.fraction(target, bench, armed))


@destructive("presets the energies with words of mixed signs")
def test_words_of_mixed_signs(target: Series, bench: Bench, armed: Armed, profile: Profile) -> None:
    """Shown with one sign at once, or as they were loaded."""
    profile.keep("normalise_signs", loading.normalises_signs(target, bench, armed))


@destructive("puts the energies beside the end of their range")
def test_what_follows_the_last_digit(target: Series, bench: Bench, armed: Armed, profile: Profile) -> None:
    """9999 9999 9999 9999 and one more."""
    profile.keep("rollover", loading.rollover(target, bench, armed))


@destructive("presets the energies, beside carries if need be")
def test_whether_a_block_is_of_one_instant(target: Series, bench: Bench, armed: Armed, profile: Profile) -> None:
    """28 words that are read while energies move."""
    profile.keep("atomic_block_read", reads_at_once(target, bench, armed))


@destructive("locks the meter with 1411, presets the energies, and unlocks it with 1410")
def test_whether_the_revenue_lock_keeps_a_preset_away(
    target: Series, bench: Bench, armed: Armed, profile: Profile, asked_for: Callable[[str], str]
) -> None:
    """6209 behind a revenue lock."""
    name = "revenue_lock_blocks_preset"
    if "revenue_lock" not in commands(target.model.family).values():
        profile.not_applicable(name, f"a {target.model.title} has no command for a revenue lock")
    elif why := asked_for("revenue-lock"):
        profile.unknown(name, why)
    else:
        profile.keep(name, loading.revenue_lock(target, bench, armed))
