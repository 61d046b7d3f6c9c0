"""What a meter counts: four quadrants, modes, ratios, partial energies, the end of the register, torn reads."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from meter_desk import HOUR, MINUTE, MS, SECOND, Desk

from protocols.powerlogic.energy import LIMIT, Quantity, decode
from protocols.powerlogic.words import signed
from simulators.metering.energy import WH
from simulators.meters.powerlogic import Installation
from simulators.power.feeder import Load

KILOWATT = 1_000_000
ZERO = dict.fromkeys(Quantity, 0)
MODELS = ["CM2350", "CM3350", "CM4250", "PM850"]
NEW: dict[Quantity, int] = {}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("real", "reactive", "counted"),
    [
        (3, 4, {Quantity.REAL_IN: 3, Quantity.REACTIVE_IN: 4}),
        (-3, 4, {Quantity.REAL_OUT: 3, Quantity.REACTIVE_IN: 4}),
        (-3, -4, {Quantity.REAL_OUT: 3, Quantity.REACTIVE_OUT: 4}),
        (3, -4, {Quantity.REAL_IN: 3, Quantity.REACTIVE_OUT: 4}),
    ],
)
def test_an_hour_in_each_quadrant(model: str, real: int, reactive: int, counted: dict[Quantity, int]) -> None:
    desk = Desk(model, Load(real * 3 * KILOWATT, reactive * 3 * KILOWATT), energies=NEW)
    desk.wait(HOUR)
    expected = {quantity: 3000 * kwh for quantity, kwh in counted.items()}
    totals = {Quantity.REAL_TOTAL: 9_000, Quantity.REACTIVE_TOTAL: 12_000, Quantity.APPARENT_TOTAL: 15_000}
    assert desk.energies() == {**ZERO, **expected, **totals}


def test_in_signed_mode_exports_are_subtracted() -> None:
    desk = Desk("PM850", Load(-3 * KILOWATT, 4 * KILOWATT), energies=NEW)
    desk.program(accumulation_mode=1)
    before = desk.energies()
    desk.wait(HOUR)
    grown = {quantity: value - before[quantity] for quantity, value in desk.energies().items()}
    assert grown[Quantity.REAL_OUT] == 3000
    assert grown[Quantity.REAL_TOTAL] == -3000
    assert grown[Quantity.REACTIVE_TOTAL] == 4000
    assert grown[Quantity.APPARENT_TOTAL] == 5000


def test_a_signed_total_falls_through_zero() -> None:
    desk = Desk("CM4250", Load(-3_600 * KILOWATT))
    desk.program(accumulation_mode=1)
    desk.meter.put_energies(desk.now, [2 * WH] * 7)
    shown = []
    for _ in range(5):
        shown.append(desk.energies()[Quantity.REAL_TOTAL])
        desk.wait(MS)
    assert shown == [2, 1, 0, -1, -2]


@given(st.lists(st.tuples(st.integers(1, 10**13), st.integers(-(10**9), 10**9)), max_size=6), st.booleans())
@settings(max_examples=60)
def test_arbitrary_loads_are_counted_to_the_picojoule(changes: list[tuple[int, int]], look: bool) -> None:
    desk = Desk(energies=NEW)
    into, out = 0, 0
    for duration, power in changes:
        desk.change(Load(power))
        desk.wait(duration)
        if look:
            desk.energies()
        into += max(power, 0) * duration
        out += max(-power, 0) * duration
    exact = dict(zip(Quantity, desk.meter.energies_picojoule(desk.now), strict=True))
    assert (exact[Quantity.REAL_IN], exact[Quantity.REAL_OUT]) == (into, out)
    assert exact[Quantity.REAL_TOTAL] == into + out


@given(st.integers(-(10**10), 10**10), st.lists(st.integers(1, 10**9), min_size=1, max_size=20), st.integers(-5, 5))
@settings(max_examples=100)
@example(KILOWATT, [1, 10**9], -5)
def test_the_kept_block_is_never_stale(power: int, naps: list[int], start: int) -> None:
    """Between two looks the words may be kept, but only while no whole Wh has changed."""
    desk = Desk(load=Load(power), energies=dict.fromkeys(Quantity, start))
    for nap in [0, *naps]:
        desk.wait(nap)
        assert desk.energies() == desk.meter.energies(desk.now)


def test_a_wrong_ratio_shows_in_the_increments_and_not_in_what_was_counted() -> None:
    desk = Desk("PM850", Load(3_000 * KILOWATT), installation=Installation(ct=(400, 5)))
    before = desk.energies()[Quantity.REAL_IN]
    desk.program(ct_primary=200)
    wrong_since, counted = desk.now, desk.energies()[Quantity.REAL_IN]
    assert counted > before
    desk.wait(HOUR)
    assert desk.now - wrong_since == HOUR
    assert desk.energies()[Quantity.REAL_IN] - counted == pytest.approx(1_500_000, abs=1)


# -- the end of the register -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rollover", "after"), [("wrap", 0), ("saturate", LIMIT)])
def test_behind_the_last_wh(rollover: str, after: int) -> None:
    desk = Desk(load=Load(3_600 * KILOWATT), energies=dict.fromkeys(Quantity, LIMIT), rollover=rollover)  # 1 Wh a ms
    assert desk.read(1700, 4) == [9_999] * 4
    desk.wait(MS - 1)
    assert desk.energies()[Quantity.REAL_IN] == LIMIT
    desk.wait(1)
    assert desk.energies()[Quantity.REAL_IN] == after
    desk.wait(5 * MS)
    assert desk.energies()[Quantity.REAL_IN] == (5 if rollover == "wrap" else LIMIT)


@pytest.mark.parametrize(("rollover", "after"), [("wrap", 0), ("saturate", -LIMIT)])
def test_behind_the_last_negative_wh(rollover: str, after: int) -> None:
    desk = Desk(load=Load(-3_600 * KILOWATT), rollover=rollover)
    desk.program(accumulation_mode=1)
    desk.meter.put_energies(desk.now, [0] * 4 + [-LIMIT * WH] + [0] * 2)
    desk.wait(MS)
    assert desk.energies()[Quantity.REAL_TOTAL] == after


@pytest.mark.parametrize("value", [9_999, 99_999_999, 999_999_999_999])
def test_a_carry_goes_through_all_words(value: int) -> None:
    desk = Desk(load=Load(3_600 * KILOWATT))
    desk.meter.put_energies(0, [value * WH] * 7)
    assert desk.energies()[Quantity.REAL_IN] == value
    desk.wait(MS)
    assert desk.energies()[Quantity.REAL_IN] == value + 1


# -- torn reads --------------------------------------------------------------------------------------------------------


def torn(*, atomic: bool) -> tuple[int, int, int]:
    """(before, as read, after) of a value that carries while the words of its block are put together."""
    desk = Desk(load=Load(3_600 * KILOWATT), energies=dict.fromkeys(Quantity, 9_999), atomic_block_read=atomic)
    desk.wait(MS // 2)
    before = desk.meter.energies(desk.now)[Quantity.REAL_IN]
    words = [signed(word) for word in desk.read(1700, 28)]
    desk.wait(14 * MS)
    return before, decode(words[:4]), desk.meter.energies(desk.now)[Quantity.REAL_IN]


def test_a_block_is_read_at_one_instant() -> None:
    before, read, _ = torn(atomic=True)
    assert read == before == 9_999


def test_a_meter_without_a_snapshot_shows_a_value_that_never_was() -> None:
    before, read, after = torn(atomic=False)
    assert (before, after) == (9_999, 10_013)
    assert read == 19_999


def test_a_torn_read_leaves_the_demand_alone() -> None:
    desk = Desk(load=Load(KILOWATT), atomic_block_read=False)
    desk.wait(15 * MINUTE - MS)
    desk.read(2100, 100)
    assert desk.meter.demand.subinterval_count == 0


# -- conditional and incremental ---------------------------------------------------------------------------------------


def words_of(desk: Desk, name: str) -> int:
    return decode([signed(word) for word in desk.named(name)])


@pytest.mark.parametrize("model", ["CM3350", "CM4250", "PM850"])
def test_conditional_energy_counts_between_6321_and_6320(model: str) -> None:
    desk = Desk(model, Load(3_600 * KILOWATT))
    desk.wait(SECOND)
    assert words_of(desk, "conditional_real_energy_in") == 0
    assert (desk.command(6321), desk.value("conditional_status")) == (0, 1)
    begun = desk.now
    desk.wait(HOUR)
    assert (desk.command(6320), desk.value("conditional_status")) == (0, 0)
    counted = words_of(desk, "conditional_real_energy_in")
    assert counted == (desk.now - begun) // MS
    desk.wait(HOUR)
    assert words_of(desk, "conditional_real_energy_in") == counted
    assert words_of(desk, "conditional_apparent_energy_total") == counted
    assert desk.command(6212) == 0
    assert words_of(desk, "conditional_real_energy_in") == 0
    assert desk.date("conditional_reset_time") is not None


def test_incremental_energy_shows_the_last_completed_interval() -> None:
    desk = Desk("PM850", Load(-3_600 * KILOWATT, 3_600 * KILOWATT))
    desk.wait(10 * SECOND - 150 * MS)
    assert words_of(desk, "incremental_real_energy_out") == 0
    assert desk.command(6910) == 0
    assert [words_of(desk, f"incremental_{name}") for name in ("real_energy_in", "real_energy_out")] == [0, 10_000]
    assert words_of(desk, "incremental_reactive_energy_in") == 10_000
    assert desk.date("incremental_end") == datetime(2026, 3, 10, 8, 0, 10)
    desk.wait(SECOND)
    assert words_of(desk, "incremental_real_energy_out") == 10_000
    assert desk.command(6213) == 0
    assert words_of(desk, "incremental_real_energy_out") == 0


def test_clearing_one_energy_leaves_the_others() -> None:
    desk = Desk("CM4250", Load(3_600 * KILOWATT))
    desk.command(6321)
    desk.wait(SECOND)
    assert desk.command(6211) == 0
    assert desk.energies()[Quantity.REAL_IN] < 100
    assert words_of(desk, "conditional_real_energy_in") > 1000


def test_command_6210_clears_all_three() -> None:
    desk = Desk("CM4250", Load(3_600 * KILOWATT))
    desk.command(6321)
    desk.command(6910)
    desk.wait(SECOND)
    desk.change(Load(0))
    assert desk.command(6210) == 0
    assert desk.energies() == ZERO
    assert words_of(desk, "conditional_real_energy_in") == 0
    assert words_of(desk, "incremental_real_energy_in") == 0
    assert [desk.date(f"{kind}_reset_time") is not None for kind in ("energy", "conditional", "incremental")] == [
        True
    ] * 3


def test_a_meter_may_begin_with_a_part_of_a_wh_that_no_register_shows() -> None:
    desk = Desk(load=Load(3_600 * KILOWATT))  # 1 Wh a ms
    desk.meter.start_with(dict.fromkeys(Quantity, 5), [WH - WH // 1000] * 7)
    assert desk.energies()[Quantity.REAL_IN] == 5
    desk.wait(MS // 1000)
    assert desk.energies()[Quantity.REAL_IN] == 6


def test_such_a_part_is_away_from_zero() -> None:
    desk = Desk()
    desk.meter.start_with(dict.fromkeys(Quantity, -5), [WH - 1] * 7)
    assert desk.energies() == dict.fromkeys(Quantity, -5)
    assert desk.meter.energies_picojoule(0) == [-6 * WH + 1] * 7
