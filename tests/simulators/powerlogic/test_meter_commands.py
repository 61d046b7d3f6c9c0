"""The command block at 8000: pointers, result words, the preset, the clock."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime
from itertools import pairwise

import pytest
from meter_desk import HOUR, IN_SERVICE, MINUTE, MS, PRESET, SECOND, SENTINEL, Desk, refused

from protocols.powerlogic.energy import Quantity, encode_set
from protocols.powerlogic.tables import commands
from simulators.meters.powerlogic.commands import COMMANDS
from simulators.meters.powerlogic.compact import DOOR
from simulators.power.feeder import Load

SERIES = ["CM3350", "CM4250", "PM820", "PM850", "PM870"]
KILOWATT = 1_000_000
WORDS = encode_set(PRESET)


# -- the preset --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SERIES)
def test_the_preset_puts_28_words_in_place_and_stamps_it(model: str) -> None:
    desk = Desk(model)
    assert desk.preset() == 0
    assert desk.energies() == PRESET
    assert desk.read(1700, 28) == WORDS
    assert desk.date("energy_preset_time") == datetime(
        2026, 3, 10, 8, 0, 0, 150_000 if desk.meter.model.date_words == 4 else 0
    )


def test_28_single_writes_are_one_block_write() -> None:
    by_block, by_single = Desk(), Desk()
    by_block.write(8022, *WORDS)
    for register, word in enumerate(WORDS, 8022):
        by_single.poke(register, word)
    assert by_block.read(8020, 130) == by_single.read(8020, 130)
    assert by_single.command(6209, data=8022) == 0
    assert by_single.energies() == PRESET


def test_the_buffer_alone_changes_nothing() -> None:
    desk = Desk()
    desk.write(8022, *WORDS)
    desk.wait(HOUR)
    assert desk.energies() == IN_SERVICE
    assert desk.date("energy_preset_time") is None


def test_negative_energies_are_preset_with_their_sign() -> None:
    desk = Desk()
    values = {quantity: -value for quantity, value in PRESET.items()}
    assert desk.preset(values) == 0
    assert desk.energies() == values


def test_the_ends_of_the_range_are_taken() -> None:
    desk = Desk()
    assert desk.preset([9_999, -9_999] * 14) == 0
    assert desk.preset([-9_999] * 28) == 0
    assert set(desk.energies().values()) == {-(10**16) + 1}


def test_mixed_signs_are_loaded_by_their_value() -> None:
    desk = Desk()
    assert desk.preset([-1, 1, 0, 0] * 7) == 0
    assert desk.read(1700, 4) == [9_999, 0, 0, 0]


@pytest.mark.parametrize("word", [10_000, -10_000, 32_767, -32_768])
@pytest.mark.parametrize("position", range(28))
def test_one_word_out_of_range_aborts_the_preset_with_nothing_changed(position: int, word: int) -> None:
    desk = Desk(load=Load(3_600 * KILOWATT))
    desk.wait(SECOND)
    words = list(WORDS)
    words[position] = word
    desk.write(8022, *words)
    before, at = desk.meter.energies_picojoule(desk.now), desk.now
    assert desk.command(6209, data=8022) == 82
    rates = desk.meter.energy_rates()
    expected = [value + rate * (desk.now - at) for value, rate in zip(before, rates, strict=True)]
    assert desk.meter.energies_picojoule(desk.now) == expected
    assert desk.date("energy_preset_time") is None


def test_the_preset_leaves_its_neighbours_alone() -> None:
    desk = Desk("CM4250", Load(100 * KILOWATT))
    desk.command(6321)
    desk.wait(20 * MINUTE)
    desk.command(6910)
    neighbours = ["demand_real_peak", "demand_real_peak_time", "max_real_power_total", "incremental_real_energy_in",
                  "power_demand_reset_count", "conditional_reset_time", "energy_reset_time", "ct_primary"]  # fmt: skip
    before = {name: desk.named(name) for name in neighbours}
    conditional = desk.meter.partial("conditional", desk.now)[0]
    assert desk.preset() == 0
    assert {name: desk.named(name) for name in neighbours} == before
    assert desk.meter.partial("conditional", desk.now)[0] >= conditional > 0


def test_a_second_preset_under_load_turns_the_meter_back() -> None:
    desk = Desk(load=Load(3_600 * KILOWATT))
    desk.preset()
    desk.wait(HOUR)
    assert desk.energies()[Quantity.REAL_IN] > PRESET[Quantity.REAL_IN] + 3_000_000
    desk.command(6209, data=8022)
    assert desk.energies()[Quantity.REAL_IN] < PRESET[Quantity.REAL_IN] + 1_000


def test_what_is_counted_during_the_execution_is_overwritten() -> None:
    desk = Desk(load=Load(3_600 * KILOWATT), exec_delay="2 s")
    desk.write(8022, *WORDS)
    desk.write(8017, 8020, 8021, 8022)
    desk.poke(8000, 6209)
    desk.wait(2 * SECOND)
    assert desk.energies()[Quantity.REAL_IN] == PRESET[Quantity.REAL_IN]
    desk.wait(MS)
    assert desk.energies()[Quantity.REAL_IN] == PRESET[Quantity.REAL_IN] + 1


# -- pointers ----------------------------------------------------------------------------------------------------------


def test_the_result_comes_when_the_command_is_done_and_not_before() -> None:
    desk = Desk(exec_delay="150 ms")
    desk.write(8020, SENTINEL, SENTINEL)
    desk.write(8017, 8020, 8021, 0)
    desk.poke(8000, 6211)
    desk.wait(150 * MS - 1)
    assert desk.read(8020, 2) == [SENTINEL, SENTINEL]
    assert desk.energies() == IN_SERVICE
    desk.wait(1)
    assert desk.word(8021) == 0
    assert set(desk.energies().values()) == {0}


def test_whoever_looks_at_the_meter_finds_the_command_done() -> None:
    desk = Desk()
    desk.poke(8000, 6211)
    desk.wait(SECOND)
    assert set(desk.meter.energies(desk.now).values()) == {0}


def test_pointers_elsewhere_in_the_user_area() -> None:
    desk = Desk()
    desk.write(8110, *WORDS)
    desk.write(8020, *[SENTINEL] * 4)
    desk.write(8017, 8100, 8101, 8110)
    desk.write(8100, SENTINEL, SENTINEL)
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    assert desk.read(8100, 2) == [6209, 0]
    assert desk.read(8020, 4) == [SENTINEL] * 4
    assert desk.energies() == PRESET


@pytest.mark.parametrize(
    ("start", "result"), [(8020, 0), (8122, 0), (8123, 82), (8019, 82), (0, 82), (1700, 82), (8150, 82)]
)
def test_where_the_28_words_may_begin(start: int, result: int) -> None:
    desk = Desk("CM4250")
    desk.write(8017, 8020, 8021, start)
    if 8020 <= start <= 8122:
        desk.write(start, *WORDS)
        desk.write(8017, 0, 8149 if start == 8020 else 8020, start)
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    result_register = desk.read(8018)[0]
    assert desk.word(result_register) == result
    assert desk.energies() == (PRESET if result == 0 else IN_SERVICE)


@pytest.mark.parametrize("pointer", [0, 7999, 8000, 8019, 8150, 1700])
def test_a_pointer_outside_the_user_area_gets_nothing(pointer: int) -> None:
    desk = Desk()
    desk.write(8017, pointer, pointer, 0)
    before = desk.read(8000, 150)
    desk.poke(8000, 1210)
    desk.wait(SECOND)
    assert desk.read(8001, 149) == before[1:]


@pytest.mark.parametrize(("model", "shown"), [("CM4250", 0), ("PM850", 6211)])
def test_what_pointer_one_gets_depends_on_the_family(model: str, shown: int) -> None:
    desk = Desk(model)
    desk.command(6211)
    assert desk.word(8020) == shown


def test_a_forgotten_pointer_reads_as_success() -> None:
    desk = Desk()
    desk.write(8022, *WORDS)
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    assert desk.word(8021) == 0
    assert desk.energies() == IN_SERVICE


def test_data_and_status_in_one_place_corrupt_the_repetition() -> None:
    desk = Desk("PM850")
    desk.write(8020, *WORDS)
    desk.write(8017, 8020, 8021, 8020)
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    assert desk.energies() == PRESET
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    corrupted = [6209, 0, *WORDS[2:]]
    assert desk.read(1700, 28) == corrupted


@pytest.mark.parametrize("code", [6208, 6290, 9999, 0, 65_535])
def test_an_unknown_command_is_81_and_does_nothing(code: int) -> None:
    desk = Desk()
    desk.write(8022, *WORDS)
    assert desk.command(code, data=8022) == 81
    assert desk.energies() == IN_SERVICE


def test_commands_of_other_families_are_unknown() -> None:
    assert Desk("PM850").command(1411) == 81
    assert Desk("CM4250").command(6215, 1) == 81


def test_a_command_that_follows_at_once_does_not_change_the_one_before() -> None:
    desk = Desk()
    desk.write(8022, *WORDS)
    desk.write(8017, 8020, 8021, 8022)
    desk.poke(8000, 6209)
    desk.wait(MS)
    desk.poke(8000, 1210)
    desk.wait(SECOND)
    assert desk.energies() == PRESET
    assert desk.word(8020) == 1210


def test_the_command_register_keeps_or_loses_its_code() -> None:
    assert_kept = Desk()
    assert_kept.command(1210)
    assert assert_kept.word(8000) == 1210
    cleared = Desk(clear_command=True)
    cleared.command(1210)
    assert cleared.word(8000) == 0


def test_a_block_over_command_and_parameters_is_stored_before_it_is_executed() -> None:
    desk = Desk()
    desk.write(8017, 8020, 8021, 0)
    desk.write(8000, 1310, 12, 24, 2031, 18, 0, 0)
    desk.wait(150 * MS)
    assert desk.read(3093, 6) == [12, 24, 2031, 18, 0, 0]


def test_every_command_of_the_tables_is_carried_out() -> None:
    for family in ("CM3", "CM4", "PM8"):
        assert set(commands(family).values()) <= set(COMMANDS)
    assert set(commands(DOOR).values()) <= set(COMMANDS)


@pytest.mark.parametrize("code", sorted(set(commands("PM8")) - {1110, 1120, 1130, 6209, 7511, 9021, 1310, 6215}))
def test_the_plain_commands_of_a_pm800_succeed(code: int) -> None:
    assert Desk("PM850").command(code, 0) == 0


def test_the_live_energies_take_no_write() -> None:
    desk = Desk()
    assert refused(desk, lambda desk: desk.write(1700, *WORDS)) == 2
    assert refused(desk, lambda desk: desk.poke(1727, 1)) == 2
    assert refused(Desk(locked_write=4), lambda desk: desk.poke(1700, 1)) == 4
    assert desk.energies() == IN_SERVICE


def test_a_block_that_ends_in_a_locked_register_writes_nothing() -> None:
    desk = Desk()
    assert refused(desk, lambda desk: desk.write(8140, *range(1, 12))) == 2
    assert desk.read(8140, 10) == [0] * 10


@pytest.mark.parametrize(("blocks", "result"), [(True, 82), (False, 0)])
def test_the_revenue_lock_blocks_a_preset_by_profile(blocks: bool, result: int) -> None:
    desk = Desk("CM4250", revenue_lock_blocks_preset=blocks)
    assert desk.command(1411) == 0
    assert desk.preset() == result
    assert desk.command(1410) == 0
    assert desk.preset() == 0


# -- clock, demand, convention -----------------------------------------------------------------------------------------


def test_command_1310_sets_the_clock_with_minute_and_second_zero() -> None:
    desk = Desk()
    assert desk.command(1310, 2, 29, 2028, 23, 0, 0) == 0
    assert desk.read(3093, 7) == [2, 29, 2028, 23, 0, 0, 3]
    desk.wait(HOUR)
    assert desk.read(3093, 4) == [3, 1, 2028, 0]


@pytest.mark.parametrize(
    "date",
    [
        (2, 31, 2026, 0, 0, 0),
        (2, 29, 2027, 0, 0, 0),
        (13, 1, 2026, 0, 0, 0),
        (0, 1, 2026, 0, 0, 0),
        (1, 0, 2026, 0, 0, 0),
        (1, 1, 26, 0, 0, 0),
        (1, 1, 1899, 0, 0, 0),
        (1, 1, 2100, 0, 0, 0),
        (1, 1, 2026, 24, 0, 0),
        (1, 1, 2026, 0, 60, 0),
        (1, 1, 2026, 0, 0, 60),
    ],
)
def test_a_date_that_does_not_exist_is_82(date: tuple[int, ...]) -> None:
    desk = Desk()
    assert desk.command(1310, *date) == 82
    assert desk.read(3093, 4) == [3, 10, 2026, 8]


def test_command_1210_does_not_set_the_clock() -> None:
    desk = Desk()
    assert desk.command(1210, 12, 24, 2031, 18, 0, 0) == 0
    assert desk.read(3093, 3) == [3, 10, 2026]


@pytest.mark.parametrize(("bitmap", "begins"), [(1, True), (3, True), (2, False), (0, False)])
def test_command_5910_begins_a_demand_interval_by_its_power_bit(bitmap: int, begins: bool) -> None:
    desk = Desk(load=Load(KILOWATT))
    desk.wait(5 * MINUTE)
    assert desk.command(5910, bitmap) == 0
    assert (desk.value("power_demand_elapsed_interval") < 60) is begins


@pytest.mark.parametrize(("convention", "result", "bit"), [(1, 0, 0), (2, 0, 4), (0, 82, 0), (3, 82, 0)])
def test_command_6215_sets_the_bit_of_the_convention(convention: int, result: int, bit: int) -> None:
    desk = Desk("PM850")
    assert desk.command(6215, convention) == result
    assert max(desk.value("mode_bits"), 0) & 4 == bit


def test_the_preset_times_of_two_presets_follow_each_other() -> None:
    desk = Desk("CM4250")
    stamps = []
    for _ in range(3):
        desk.preset()
        stamps.append(desk.date("energy_preset_time"))
        desk.wait(MINUTE)
    assert all(one is not None and other is not None and one < other for one, other in pairwise(stamps))
