"""What no public document says of a preset: each profile value changes what a master sees, and only that."""

from __future__ import annotations

import pytest
from meter_desk import IN_SERVICE, MS, PRESET, SECOND, Desk, refused

from protocols.powerlogic.energy import Quantity, encode_set
from simulators.metering.energy import WH
from simulators.power.feeder import Load

WORDS = encode_set(PRESET)
OTHER = encode_set(dict.fromkeys(Quantity, 7_0007_0007))
KILOWATT = 1_000_000


# -- one block over the command and its pointers -----------------------------------------------------------------------


@pytest.mark.parametrize(("order", "result_at", "loaded"), [("after_store", 8021, 0), ("before_store", 8141, 1)])
def test_a_block_over_8000_to_8049_is_executed_with_what_the_profile_says(
    order: str, result_at: int, loaded: int
) -> None:
    desk = Desk(exec_order=order)
    desk.write(8110, *OTHER)
    desk.write(8140, 32_767, 32_767)
    desk.write(8017, 8140, 8141, 8110)
    desk.write(8000, 6209, *[0] * 15, 0, 8020, 8021, 8022, 32_767, 32_767, *WORDS)
    desk.wait(SECOND)
    assert desk.read(1700, 28) == [WORDS, OTHER][loaded]
    assert {register: desk.word(register) for register in (8021, 8141)}[result_at] == 0
    assert desk.word(8021 + 8141 - result_at) == 32_767
    assert desk.read(8022, 28) == WORDS


def test_parameters_of_the_block_or_those_before_it() -> None:
    desk = Desk(exec_order="before_store")
    desk.write(8017, 8020, 8021, 0)
    desk.write(8001, 1, 2, 2030, 3, 4, 5)
    desk.write(8000, 1310, 12, 24, 2031, 18, 0, 0)
    desk.wait(150 * MS)
    assert desk.read(3093, 6) == [1, 2, 2030, 3, 4, 5]
    desk.poke(8000, 1310)
    desk.wait(150 * MS)
    assert desk.read(3093, 6) == [12, 24, 2031, 18, 0, 0]  # what the block has stored after its own command


# -- pointer #3 at nothing or astray -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pointer", "value", "result", "first"),
    [
        ("null_data_pointer", 0, "refuse", 82, None),
        ("null_data_pointer", 0, "ignore", 0, None),
        ("null_data_pointer", 0, "default", 0, 20),
        ("stray_data_pointer", 8130, "refuse", 82, None),
        ("stray_data_pointer", 8130, "ignore", 0, None),
        ("stray_data_pointer", 8130, "default", 0, 20),
        ("stray_data_pointer", 8130, "follow", 82, None),  # beyond 8149 nothing stands
        ("stray_data_pointer", 8005, "follow", 0, 5),
        ("stray_data_pointer", 5000, "follow", 82, None),
    ],
)
def test_a_data_pointer_at_nothing_or_astray(name: str, pointer: int, value: str, result: int, first: int) -> None:
    desk = Desk(**{name: value, "undefined_read": "refuse"})
    desk.write(8001, *range(1, 121))
    desk.write(8017, 8148, 8149, pointer)
    desk.write(8148, 32_767, 32_767)
    if first == 20:
        desk.write(8020, *range(20, 48))
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    assert desk.word(8149) == result
    loaded = desk.read(1700, 28)
    assert (loaded[3] if loaded != encode_set(IN_SERVICE) else None) == (first + 3 if first else None)


# -- the part of a Wh --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", ["clear", "keep"])
def test_the_part_of_a_wh_goes_or_stays(fraction: str) -> None:
    desk = Desk(load=Load(3_600 * KILOWATT // 1000), fraction=fraction)  # one Wh a second
    desk.wait(700 * MS)
    before = desk.meter.energies_picojoule(desk.now + 150 * MS)
    assert desk.preset({**PRESET, Quantity.REACTIVE_TOTAL: -5}) == 0
    parts = [abs(value) % WH if fraction == "keep" else 0 for value in before]
    now = desk.meter.energies_picojoule(desk.now)
    grown = (desk.now - 850 * MS) * 3_600_000
    assert now[0] == PRESET[Quantity.REAL_IN] * WH + parts[0] + grown
    assert now[5] == -5 * WH - parts[5]


# -- signs -------------------------------------------------------------------------------------------------------------


def test_words_of_mixed_signs_stay_until_the_next_wh() -> None:
    desk = Desk(load=Load(3_600_000), normalise_signs=False)
    mixed = [-1, 1, 0, 0] * 7
    assert desk.preset(mixed) == 0
    assert [desk.word(register) for register in range(1708, 1712)] == [-1, 1, 0, 0]
    assert desk.energies()[Quantity.REAL_OUT] == 9_999
    assert [desk.word(register) for register in range(1700, 1704)] == [-1, 1, 0, 0]
    desk.wait(2 * SECOND)
    assert desk.read(1700, 4) == [1, 1, 0, 0]
    assert desk.word(1708) == -1
    desk.power_cycle()
    assert desk.read(1708, 4) == [9_999, 0, 0, 0]


# -- how much at once --------------------------------------------------------------------------------------------------


def test_more_registers_than_a_read_takes() -> None:
    desk = Desk(most_registers=64)
    assert len(desk.read(8020, 64)) == 64
    assert refused(desk, lambda desk: desk.read(8020, 65)) == 3
    assert len(Desk().read(8020, 125)) == 125


# -- commands whose effect is not simulated ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "code", "parameter", "result"),
    [
        ("PM850", 1522, 0, 0),
        ("CM4250", 1522, 0, 81),
        ("CM4250", 4210, 3, 0),
        ("CM4250", 4210, 4, 82),
        ("PM850", 4210, 1, 81),
        ("CM4250", 5116, 0, 0),
        ("PM850", 5116, 0, 81),
        ("CM4250", 5212, 0, 0),
        ("PM850", 5214, 0, 0),
        ("CM4250", 5216, 0, 0),
        ("PM850", 6214, 0, 0),
        ("PM850", 7510, 1, 0),
        ("PM850", 7511, 3, 0),
        ("PM850", 7511, 4, 82),
        ("CM4250", 7511, 16, 0),
        ("CM4250", 7511, 17, 82),
    ],
)
def test_a_command_that_clears_what_is_not_there_is_answered_as_documented(
    model: str, code: int, parameter: int, result: int
) -> None:
    desk = Desk(model)
    before = desk.energies()
    assert desk.command(code, parameter) == result
    assert desk.energies() == before


def test_the_second_door_restarts_demand_and_timers() -> None:
    desk = Desk("PM850", Load(KILOWATT))
    desk.wait(300 * SECOND)
    desk.poke(4126, 666)
    desk.wait(SECOND)
    assert desk.value("power_demand_elapsed_interval") < 310
    desk.poke(4126, 10_001)
    desk.wait(SECOND)
    assert desk.word(4126) == 0
