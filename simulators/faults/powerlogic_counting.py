"""Defects in how energies are counted: at which rates, over carries, at the end of the register, over power cuts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from protocols.powerlogic.energy import BASE, LIMIT, Quantity, encode
from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.metering.energy import whole_wh
from simulators.meters.powerlogic.firmware import words_of
from simulators.meters.powerlogic.meter import Meter

_AN_ENERGY = "(real|reactive|apparent) energy (in|out|total)"
_COUNTS_ON = "test_the_meter_counts_on_from_there"
_QUARTER = 900_000_000_000


@defect("D17", "energy is counted twice after a preset", "the energies grow faster than the power explains",
        shows=_AN_ENERGY + "|read at once|kept over a master reset", caught_by=_COUNTS_ON)  # fmt: skip
def counted_twice(meter: Meter) -> None:
    """The preset starts the counting once more and does not stop the one that runs."""

    def start_again(sick: Meter, now: int) -> None:
        decide(sick, counted=lambda _sick, rates: tuple(2 * rate for rate in rates))
        sick.after_change(now)

    decide(meter, after_preset=start_again)


@defect("D20", "the accumulation mode is ignored", "a signed meter adds what was exported instead of subtracting it",
        shows="real energy total", caught_by="test_signed_totals_subtract_what_flows_out")  # fmt: skip
def mode_ignored(meter: Meter) -> None:
    """Totals are absolute whatever 3232 says."""
    decide(meter, total_rates=lambda _signed, real, reactive: (abs(real), abs(reactive)))


@defect("D22", "the register turns negative at its end", "after 9999 9999 9999 9999 comes a negative energy",
        shows="beyond the register", caught_by="test_the_register_ends_in_an_orderly_way")  # fmt: skip
def negative_at_the_end(meter: Meter) -> None:
    """The overflow is taken for a sign."""
    decide(meter, beyond_limit=lambda wh, _rollover: wh - 2 * (LIMIT + 1) if wh > 0 else wh + 2 * (LIMIT + 1))


@defect("D23", "the carry between the two lowest words is lost after a preset", "10,000 Wh are gone at the next carry",
        shows=_AN_ENERGY + "|kept over a master reset", caught_by="test_the_next_watt_hour_carries")  # fmt: skip
def carry_lost(meter: Meter) -> None:
    """A preset leaves the upper words to the words that were loaded, and they are not carried into."""
    upper: dict[str, int] = {}

    def note(sick: Meter, now: int) -> None:
        for quantity, value in zip(Quantity, sick.energies_picojoule(now), strict=True):
            upper[quantity.value] = abs(whole_wh(value)) // BASE

    def show(name: str, value: int) -> Sequence[int]:
        if name not in upper:
            return words_of(name, value)
        sign = -1 if value < 0 else 1
        return encode(sign * (upper[name] * BASE + abs(value) % BASE))

    decide(meter, after_preset=note, words_of=show)


@defect("P10", "the meter counts through a power cut", "after a cut it has counted what the load drew meanwhile",
        why="after a start the time since the last save is filled with the last power, as if only a task had been late",
        shows=_AN_ENERGY + " after a power c", caught_by="test_a_power_cut_takes_and_adds_nothing")  # fmt: skip
def counts_without_supply(meter: Meter) -> None:
    """What flows while the meter is dead is added when it starts."""
    lost: list[tuple[int, tuple[int, ...]]] = []

    def note(sick: Meter, now: int) -> None:
        lost.append((now, sick.energy_rates()))

    def fill(sick: Meter, now: int) -> None:
        while lost:
            since, rates = lost.pop()
            values = sick.energies_picojoule(now)
            sick.put_energies(now, [v + rate * (now - since) for v, rate in zip(values, rates, strict=True)])

    decide(meter, before_power_loss=note, after_boot=fill)


@defect("P11", "energies are saved every quarter of an hour only", "a power cut takes back what was counted since",
        why="a save that was made rare to spare the memory, and that the power-fail interrupt forgets",
        shows=_AN_ENERGY + " after a power c", caught_by="test_a_power_cut_takes_and_adds_nothing")  # fmt: skip
def saved_now_and_then(meter: Meter) -> None:
    """A cut brings back the energies of the last quarter, or of the last preset if that is later."""
    saved_at = [0]

    def note(_sick: Meter, now: int) -> None:
        saved_at[0] = now

    def lose(sick: Meter, now: int) -> None:
        since = max(saved_at[0], now - now % _QUARTER)
        values = zip(sick.energies_picojoule(now), sick.energy_rates(), strict=True)
        sick.put_energies(now, [value - rate * (now - since) for value, rate in values])

    decide(meter, after_preset=note, before_power_loss=lose)


@defect("P15", "reactive energy is counted by its magnitude", "energy that flows out is added to what flowed in",
        why="a quadrant: the sign of the reactive power is dropped where that of the real power is not",
        shows="reactive energy (in|out) (grew|counted)", caught_by="test_each_energy_grows_on_its_side")  # fmt: skip
def reactive_on_one_side(meter: Meter) -> None:
    """Both directions of reactive energy go to the incoming one."""

    def counted(_sick: Any, rates: tuple[int, ...]) -> tuple[int, ...]:
        real_in, reactive_in, real_out, reactive_out, *rest = rates
        return (real_in, reactive_in + reactive_out, real_out, 0, *rest)

    decide(meter, counted=counted)


@defect("P16", "energy is counted at the ratio of the last power-up", "power follows a new ratio, energy not",
        why="a stale cache: the multiplier of the pulses is worked out at power-up, and a set-up only restarts",
        shows="counted at twice the ratio", caught_by="test_a_ratio_scales_what_is_measured")  # fmt: skip
def stale_multiplier(meter: Meter) -> None:
    """The ratio of the energies is renewed when the supply fails, and by nothing else."""
    known = [meter.believed]

    def counted(sick: Meter, rates: tuple[int, ...]) -> tuple[int, ...]:
        now = sick.believed
        factor = Fraction(known[0].current * known[0].voltage) / (now.current * now.voltage)
        return tuple(round(rate * factor) for rate in rates)

    def renew(sick: Meter, _now: int) -> None:
        known[0] = sick.believed

    decide(meter, counted=counted, before_power_loss=renew)


@defect("P30", "energy is counted in steps of ten Wh", "the lowest digit never moves",
        why="a resolution: pulses of an older output are counted instead of the energy itself",
        shows=_AN_ENERGY + "|read at once|energies after|conditional energy",
        caught_by="test_every_watt_hour_is_shown")  # fmt: skip
def coarse_steps(meter: Meter) -> None:
    """Energies are shown cut to ten Wh."""

    def show(name: str, value: int) -> Sequence[int]:
        return words_of(name, value - value % 10 if value >= 0 else -(-value - -value % 10))

    decide(meter, words_of=show)
