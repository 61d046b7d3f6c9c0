"""Defects of saving: what of a change is safe when the supply fails. They show at a cut and at nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.powerlogic.energy import BASE, Quantity
from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.metering.energy import WH
from simulators.meters.powerlogic.firmware import energies_of
from simulators.meters.powerlogic.meter import Meter

_SOON = "test_a_cut_soon_after_a_preset_leaves_one_set"
_BUSY = "test_a_meter_that_is_written_to_saves_too"
_SETUP = "test_a_cut_soon_after_programming_leaves_one_setup"
_ENERGIES = r"(energy .*|energies|preset stamp) after a power c"
#: Between two pieces of one save: a slow serial memory, one page in each round of a background task.
_ROUND = 100_000_000
#: How long a whole save takes, and how long some wait for the writes to end before they begin.
_SAVE, _QUIET = 700_000_000, 5_000_000_000
_NEVER = 1 << 62
_TWO_WORDS = BASE**2 * WH


@defect("P33", "energies are saved one after the other", "a cut soon after a preset leaves some old and some new",
        why="the page of each quantity is written in a round of its own, and nothing marks the set as whole",
        shows=_ENERGIES, caught_by=_SOON)  # fmt: skip
def saved_one_by_one(meter: Meter) -> None:
    """Each energy is safe a round after the one before."""
    decide(meter, preset_save_time=lambda now, delay: [now + delay + _ROUND * (i + 1) for i in range(len(Quantity))])


@defect("P34", "the time of a preset is not saved", "after a cut the energies are new and 3290 tells of no preset",
        why="a forgotten save: the table of times is written with the resets, and a preset is none of them",
        shows="preset stamp|^a second transfer$|after the second time",
        caught_by=(_SOON, "test_a_second_preset_erases_nothing"))  # fmt: skip
def stamp_not_saved(meter: Meter) -> None:
    """The time of the preset stays in fast memory."""

    def save_time(name: str, now: int, delay: int) -> int:
        return _NEVER if name == "energy_preset_time" else now + delay

    decide(meter, stamp_save_time=save_time)


@defect("P35", "each write puts the save off", "a meter that is written to all the time loses a preset at a cut",
        why="a timer that waits for the end of a series of writes is started again by each of them, without a limit",
        shows=_ENERGIES, caught_by=_BUSY)  # fmt: skip
def put_off_for_ever(meter: Meter) -> None:
    """The save begins when five seconds have passed without a write."""

    def put_off(sick: Meter, now: int) -> None:
        sick.journal.put_off(now, now + _QUIET)

    decide(meter, preset_save_time=lambda now, delay: now + delay + _QUIET, after_write=put_off)


@defect("P36", "a set-up is saved in two halves", "a cut soon after 9021 leaves new ratios and the old demand",
        why="the demand has a memory page of its own, written after the start that follows, by another task",
        shows="set-up after a power cut", severity="function", caught_by=_SETUP)  # fmt: skip
def setup_in_halves(meter: Meter) -> None:
    """The demand is safe some time after the rest."""
    decide(meter, demand_save_time=lambda now, delay: now + delay + _SAVE)


@defect("P37", "only the lower words of the old energies come back", "a cut soon after a preset leaves impossible ones",
        why="the copy that undoes an unfinished save was laid out for energies of two words",
        shows=_ENERGIES, caught_by=_SOON)  # fmt: skip
def upper_words_stay(meter: Meter) -> None:
    """What is taken back keeps the upper two words of what was loaded."""
    loaded: list[tuple[int, list[int]]] = []

    def note(sick: Meter, now: int) -> None:
        loaded[:] = [(now + _SAVE, sick.energies_picojoule(now))]

    def forget(_sick: Meter, now: int) -> None:
        loaded[:] = [entry for entry in loaded if entry[0] > now]

    def mix(sick: Meter, now: int) -> None:
        for _, new in loaded:
            old = sick.energies_picojoule(now)
            sick.put_energies(now, [n - n % _TWO_WORDS + o % _TWO_WORDS for n, o in zip(new, old, strict=True)])
        loaded.clear()

    decide(meter, preset_save_time=lambda now, delay: now + delay + _SAVE, after_preset=note,
           before_power_loss=forget, after_boot=mix)  # fmt: skip


@defect("P38", "each start takes the other of two copies", "a cut brings the energies from before the preset back",
        why="two copies against a cut in mid-save, and a start that takes the other one instead of the newer one",
        shows=_ENERGIES, caught_by=_SOON)  # fmt: skip
def the_other_copy(meter: Meter) -> None:
    """The energies before a preset and those since change places with every start."""
    other: list[list[int]] = []

    def load(words: Sequence[int], before: Sequence[int]) -> list[int]:
        other[:] = [list(before)]
        return energies_of(words, before)

    def swap(sick: Meter, now: int) -> None:
        if other:
            stale, other[0] = other[0], sick.energies_picojoule(now)
            sick.put_energies(now, stale)

    decide(meter, energies_of=load, after_boot=swap)


@defect("P39", "memory is erased before it is written", "a cut soon after a preset leaves energies of zero",
        why="a flash page can only be erased as a whole, and the only copy lies in it",
        shows=_ENERGIES, caught_by=_SOON)  # fmt: skip
def erased_first(meter: Meter) -> None:
    """Until the new energies are written there are none."""
    safe_at = [0]

    def begin(_sick: Meter, now: int) -> None:
        safe_at[0] = now + _SAVE

    def lose(sick: Meter, now: int) -> None:
        if now < safe_at[0]:
            sick.put_energies(now, [0] * len(Quantity), safe_at=now)

    decide(meter, after_preset=begin, before_power_loss=lose)
