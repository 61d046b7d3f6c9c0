"""Every defect changes exactly its symptom: each is compared with a healthy twin that lives through the same."""

from collections.abc import Callable
from typing import Any

import pytest
from meter_desk import HOUR, IN_SERVICE, MINUTE, MS, PRESET, SECOND, SENTINEL, Desk, refused

from protocols.modbus import pdu
from protocols.modbus.responder import Responder
from protocols.powerlogic.energy import LIMIT, Quantity, encode_set
from protocols.powerlogic.words import NOT_AVAILABLE
from simulators.faults import switch_on
from simulators.faults.registry import defect, load
from simulators.meters.powerlogic.firmware import HEALTHY
from simulators.power.feeder import Load

KILOWATT = 1_000_000
SMALL = {quantity: 11 * (index + 1) for index, quantity in enumerate(Quantity)}
JUST_BELOW = dict.fromkeys(Quantity, 99_999_999)
AT_THE_END = dict.fromkeys(Quantity, LIMIT - 10)
MIXED = {quantity: value * (-1) ** index for index, (quantity, value) in enumerate(PRESET.items())}


def twins(id_: str, **options: Any) -> tuple[Desk, Desk]:
    """A healthy meter and one with the defect, of a model on which it shows."""
    model = load()[id_].model or "CM4250"
    healthy, sick = Desk(model, **options), Desk(model, **options)
    switch_on(id_, sick.meter)
    return healthy, sick


def same(desks: tuple[Desk, Desk], look: Callable[[Desk], object]) -> bool:
    healthy, sick = (look(desk) for desk in desks)
    return healthy == sick


def neighbours(desk: Desk) -> object:
    """Everything but the accumulated energies and the words of the command block."""
    names = [row.name for row in desk.map if row.number < 8000 and row.number not in range(1700, 1728)]
    return {name: desk.named(name) for name in names}


def _preset(desk: Desk, values: Any = PRESET) -> None:
    """A preset whose result nobody looks at."""
    desk.preset(values)


def measured(desk: Desk) -> object:
    """What is measured, by function 3."""
    return [desk.named(row.name) for row in desk.map if row.number < 1200]


def damaged(desk: Desk) -> int | None:
    """What a block write with a wrong byte count is refused with."""
    whole = pdu.write_registers(8021, [1, 2, 3, 4])
    return refused(desk, lambda desk: desk.ask(whole[:5] + b"\x06" + whole[6:]))


def broadcast(desk: Desk) -> None:
    """A write to everybody."""
    Responder(desk.meter).broadcast(pdu.write_register(8099, 4321), desk.now)


def count_a_little(desk: Desk) -> None:
    """A part of a Wh that no register shows."""
    desk.change(Load(9 * KILOWATT))
    desk.wait(SECOND // 10)


def result_elsewhere(desk: Desk) -> int:
    """The result of a command whose pointer aims at 8101."""
    desk.write(8101, SENTINEL)
    desk.write(8017, 8100, 8101, 0)
    desk.poke(8000, 6211)
    desk.wait(SECOND)
    return desk.word(8101)


def kept(desk: Desk, *, writes: int = 0) -> bool:
    """Whether a cut soon after a preset, or after a series of writes, leaves what was shown before it."""
    _preset(desk)
    shown = desk.energies()
    desk.wait(300 * MS)
    for _ in range(writes):
        desk.wait(2 * SECOND)
        desk.poke(8030, 1)
    desk.power_cycle()
    return desk.energies() == shown


def cut_while_saving(desk: Desk) -> object:
    """A set-up of two values, and a cut half a second after the command to save it."""
    desk.command(9020)
    desk.poke(3201, 800)
    desk.poke(1841, 7)
    desk.write(8001, 1)
    desk.poke(8000, 9021)
    desk.wait(500 * MS)
    desk.power_cycle()
    return desk.value("ct_primary"), desk.value("power_demand_interval")


#: What every meter must do alike, healthy or not, unless it is the defect's own business.
ROUTINE: dict[str, Callable[[Desk], object]] = {
    "an ordinary preset": lambda desk: (desk.preset(), desk.energies()),
    "a negative preset": lambda desk: (desk.preset(MIXED), desk.energies()),
    "a preset out of range": lambda desk: (desk.preset([0] * 27 + [10_000]), desk.energies()),
    "another command": lambda desk: (desk.command(6211), desk.command(4321), desk.energies()),
    "an hour of load": lambda desk: (desk.change(Load(9 * KILOWATT)), desk.wait(HOUR), desk.energies()),
    "a power cycle after a preset": lambda desk: (_preset(desk), desk.power_cycle(), desk.energies()),
    "the neighbours of a preset": lambda desk: (_preset(desk), neighbours(desk)),
    "a write to the energies": lambda desk: (refused(desk, lambda desk: desk.poke(1700, 5)), desk.energies()),
    "exports in signed mode": lambda desk: (desk.program(accumulation_mode=1), desk.change(Load(-9 * KILOWATT)),
                                            desk.wait(HOUR), desk.energies()),
    "exports, and their power cut": lambda desk: (desk.change(Load(-9 * KILOWATT, -3 * KILOWATT)), desk.wait(HOUR),
                                             desk.power_cycle(MINUTE), desk.energies()),
    "what is measured": lambda desk: (desk.change(Load(9 * KILOWATT, 3 * KILOWATT)), measured(desk)),
    "the clock": lambda desk: (desk.command(1310, 2, 29, 2028, 0, 0, 5), desk.value("clock_day"),
                               desk.command(1310, 2, 31, 2028, 9, 0, 5), desk.wait(HOUR), desk.value("clock_hour"),
                               desk.value("clock_minute"), desk.value("clock_weekday")),
    "resets": lambda desk: (desk.command(6320), desk.wait(HOUR), [desk.command(code) for code in (5110, 4110, 6212)],
                            neighbours(desk), desk.energies(), [desk.command(code) for code in (6910, 6910, 6211)],
                            neighbours(desk), desk.energies()),
    "a set-up session": lambda desk: (desk.command(9020), desk.poke(1841, 7), desk.wait(90 * SECOND),
                                      desk.value("power_demand_interval"), desk.wait(90 * SECOND),
                                      desk.value("power_demand_interval"), desk.command(9020), desk.poke(1841, 9),
                                      desk.command(9021, 2), desk.wait(MINUTE), desk.value("power_demand_interval")),
    "a saved ratio": lambda desk: (desk.program(ct_primary=50, power_demand_interval=9), desk.change(Load(KILOWATT)),
                                   desk.wait(HOUR), desk.energies(), desk.power_cycle(), desk.value("ct_primary"),
                                   desk.value("power_demand_interval")),
    "floats": lambda desk: (desk.program(enable_floats=1), desk.preset(), desk.named("float_real_energy_in")),
    "a master reset": lambda desk: (desk.command(9020), desk.write(8001, 1023), desk.poke(8000, 1120),
                                    desk.wait(SECOND), desk.listens(), desk.wait(MINUTE), desk.energies()),
    "a locked preset": lambda desk: (desk.command(1411), desk.preset(), desk.energies()),
    "a carry after a preset": lambda desk: (desk.preset(JUST_BELOW), desk.change(Load(9 * KILOWATT)), desk.wait(HOUR),
                                            desk.energies()),
    "the end of the register": lambda desk: (desk.preset(AT_THE_END), desk.change(Load(9 * KILOWATT)), desk.wait(HOUR),
                                             desk.read(1716, 12)),
    "the words of a negative energy": lambda desk: (_preset(desk, MIXED), desk.read(1700, 28)),
    "a full word": lambda desk: (desk.preset([9_999] * 28), desk.energies()),
    "a second preset": lambda desk: (_preset(desk), desk.preset(SMALL), desk.energies()),
    "reads of every kind": lambda desk: (desk.ask(pdu.read_registers(3206, 2, 4)),
                                         refused(desk, lambda desk: desk.read(8020, 125))),
    "writes of every kind": lambda desk: (desk.poke(8030, -42), desk.read(8030), damaged(desk), desk.read(8022, 4)),
    "a broadcast": lambda desk: (broadcast(desk), desk.read(8100)),
    "the fraction of a Wh": lambda desk: (count_a_little(desk), _preset(desk, [0] * 28), desk.wait(SECOND // 5),
                                          desk.energies()),
    "a result elsewhere": result_elsewhere,
    "a cut soon after a preset": kept,
    "a cut while it is written to": lambda desk: kept(desk, writes=20),
    "the stamp after a cut": lambda desk: (_preset(desk), desk.power_cycle(),
                                           desk.named("energy_preset_time")[0] == NOT_AVAILABLE),
    "a cut while a set-up is saved": cut_while_saving,
    "an unknown command": lambda desk: (desk.write(8022, *encode_set(SMALL)), desk.command(6290, data=8022),
                                        desk.energies()),
}  # fmt: skip

#: Defect -> the parts of the routine that it may change; all others must be those of a healthy meter.
BUSINESS = {
    "D01": {
        "an ordinary preset",
        "a negative preset",
        "a power cycle after a preset",
        "a locked preset",
        "the words of a negative energy",
        "a second preset",
    },
    "D02": {
        "an ordinary preset",
        "a negative preset",
        "a power cycle after a preset",
        "floats",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "the words of a negative energy",
        "a second preset",
    },
    "D03": {
        "an ordinary preset",
        "a negative preset",
        "a power cycle after a preset",
        "floats",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "the words of a negative energy",
        "a full word",
    },
    "D04": {"a negative preset", "the words of a negative energy"},
    "D06": {"a negative preset", "the words of a negative energy"},
    "D07": {"a preset out of range"},
    "D08": {"a preset out of range"},
    "D09": {"a preset out of range"},
    "D11": {
        "an ordinary preset",
        "a negative preset",
        "a preset out of range",
        "floats",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "a full word",
        "a second preset",
    },
    "D12": {"a result elsewhere"},
    "D14": {"an unknown command"},
    "D15": {"a cut soon after a preset", "a cut while it is written to", "a power cycle after a preset"},
    "D17": {"a carry after a preset", "the end of the register", "the fraction of a Wh"},
    "D18": {"a negative preset", "the words of a negative energy", "the fraction of a Wh"},
    "D19": {
        "an ordinary preset",
        "a negative preset",
        "a power cycle after a preset",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "the words of a negative energy",
        "a full word",
        "a second preset",
    },
    "D20": {"exports in signed mode"},
    "D22": {"the end of the register"},
    "D23": {"a carry after a preset", "the end of the register"},
    "D24": {
        "an hour of load",
        "exports in signed mode",
        "exports, and their power cut",
        "a saved ratio",
        "a carry after a preset",
        "the end of the register",
    },
    "D25": {"the neighbours of a preset"},
    "D27": {"floats"},
    "D28": {"writes of every kind"},
    "D29": {"writes of every kind"},
    "D30": {"a write to the energies"},
    "D31": {"a broadcast"},
    "D34": {"a set-up session"},
    "D35": {"a set-up session"},
    "D37": {"the clock"},
    "D38": {"what is measured"},
    "D41": {"a locked preset"},
    "D42": {"a master reset"},
    "P01": {"a cut while a set-up is saved", "a saved ratio"},
    "P02": {
        "the stamp after a cut",
        "a cut while it is written to",
        "an ordinary preset",
        "a negative preset",
        "a power cycle after a preset",
        "the neighbours of a preset",
        "floats",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "the words of a negative energy",
        "a full word",
        "a second preset",
        "the fraction of a Wh",
    },
    "P03": {
        "an ordinary preset",
        "a negative preset",
        "a power cycle after a preset",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "the words of a negative energy",
        "a full word",
        "a second preset",
        "the fraction of a Wh",
    },
    "P04": {"the neighbours of a preset", "resets"},
    "P05": {"the neighbours of a preset", "resets"},
    "P06": {"the clock"},
    "P07": {"resets"},
    "P08": {"resets"},
    "P09": {"resets"},
    "P10": {"exports, and their power cut"},
    "P11": {"exports, and their power cut"},
    "P12": {"reads of every kind"},
    "P13": {"reads of every kind"},
    "P14": {
        "an ordinary preset",
        "a negative preset",
        "a preset out of range",
        "floats",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "a full word",
        "a second preset",
    },
    "P15": {"exports, and their power cut"},
    "P16": {"a saved ratio"},
    "P17": {"a set-up session"},
    "P18": {"a set-up session"},
    "P19": {"a second preset"},
    "P20": {"another command", "resets"},
    "P21": {"resets"},
    "P22": {"the neighbours of a preset", "the clock", "resets"},
    "P23": {"the neighbours of a preset", "what is measured", "resets"},
    "P24": {"the neighbours of a preset", "the clock", "resets"},
    "P25": {"what is measured"},
    "P26": {"resets"},
    "P27": {"a carry after a preset", "the end of the register", "a full word"},
    "P28": {"the neighbours of a preset"},
    "P29": {"the clock"},
    "P40": {"the clock"},
    "P30": {
        "an ordinary preset",
        "a negative preset",
        "a preset out of range",
        "an hour of load",
        "a power cycle after a preset",
        "the neighbours of a preset",
        "a write to the energies",
        "exports in signed mode",
        "exports, and their power cut",
        "resets",
        "a saved ratio",
        "a locked preset",
        "a carry after a preset",
        "the end of the register",
        "the words of a negative energy",
        "a full word",
        "a second preset",
        "an unknown command",
    },
    "P31": {"the words of a negative energy"},
    "P32": {"the neighbours of a preset", "resets", "the stamp after a cut"},
    "P33": {"a power cycle after a preset", "a cut soon after a preset"},
    "P34": {"the stamp after a cut"},
    "P35": {"a power cycle after a preset", "a cut soon after a preset", "a cut while it is written to"},
    "P36": {"a cut while a set-up is saved"},
    "P37": {"a power cycle after a preset", "a cut soon after a preset"},
    "P38": {"a power cycle after a preset", "a cut soon after a preset", "a cut while it is written to"},
    "P39": {"a power cycle after a preset", "a cut soon after a preset"},
}


def test_every_defect_is_described_and_tested_here() -> None:
    assert {id_ for id_, found in load().items() if found.family == "powerlogic"} == set(BUSINESS)
    assert all(BUSINESS.values())


def loaded(desk: Desk) -> Desk:
    """With a past: a peak, conditional energy, something to lose."""
    desk.command(6321)
    desk.change(Load(30 * KILOWATT, 10 * KILOWATT))
    desk.wait(20 * MINUTE)
    desk.change(Load(0))
    desk.wait(20 * MINUTE)
    return desk


@pytest.mark.parametrize("id_", BUSINESS)
def test_a_defect_changes_its_own_business_and_nothing_else(id_: str) -> None:
    changed = {part for part, act in ROUTINE.items() if not same(tuple(map(loaded, twins(id_))), act)}
    assert changed == BUSINESS[id_]


def test_healthy_twins_are_equal() -> None:
    for act in ROUTINE.values():
        assert same((loaded(Desk("CM4250")), loaded(Desk("CM4250"))), act)


def test_d02_a_small_number_becomes_ten_to_the_twelfth() -> None:
    _, sick = twins("D02")
    assert sick.preset(SMALL) == 0
    assert sick.energies() == {quantity: value * 10**12 for quantity, value in SMALL.items()}


def test_d03_the_values_are_too_large_and_the_lowest_words_stay_right() -> None:
    healthy, sick = twins("D03")
    assert (healthy.preset(), sick.preset()) == (0, 0)
    for quantity, value in sick.energies().items():
        four = encode_set({**dict.fromkeys(Quantity, 0), quantity: PRESET[quantity]})
        words = four[4 * list(Quantity).index(quantity) :][:4]
        assert value == sum(word << 16 * place for place, word in enumerate(words))
        assert value > PRESET[quantity]
    sick.preset(SMALL)
    assert sick.energies() == SMALL


def test_d04_negative_energies_come_back_positive() -> None:
    _, sick = twins("D04")
    assert sick.preset(MIXED) == 0
    assert sick.energies() == {quantity: abs(value) for quantity, value in MIXED.items()}


def test_d06_every_negative_preset_is_82() -> None:
    _, sick = twins("D06")
    assert sick.preset(MIXED) == 82
    assert sick.energies() == IN_SERVICE
    assert sick.preset() == 0


@pytest.mark.parametrize("position", range(28))
def test_d08_a_bad_word_behind_the_first_quantity_is_not_seen(position: int) -> None:
    _, sick = twins("D08")
    words = [0] * 28
    words[position] = 10_000
    assert sick.preset(words) == (82 if position < 4 else 0)


def test_d09_the_block_is_half_new_and_half_old() -> None:
    _, sick = twins("D09")
    words = encode_set(PRESET)
    words[14] = 10_000
    assert sick.preset(words) == 82
    found = sick.energies()
    assert [found[quantity] == PRESET[quantity] for quantity in Quantity] == [True] * 3 + [False] * 4
    assert [found[quantity] == IN_SERVICE[quantity] for quantity in Quantity] == [False] * 3 + [True] * 4


def test_d11_the_sentinel_stays_though_the_preset_was_done() -> None:
    _, sick = twins("D11")
    assert sick.preset() == SENTINEL
    assert sick.energies() == PRESET
    assert sick.command(6211) == 0


def test_d15_right_until_the_supply_is_cut() -> None:
    _, sick = twins("D15", load=Load(3_600 * KILOWATT))
    assert sick.preset() == 0
    sick.wait(HOUR)
    assert sick.energies()[Quantity.REAL_IN] == PRESET[Quantity.REAL_IN] + 3_600_050
    sick.change(Load(0))
    sick.power_cycle()
    assert sick.energies()[Quantity.REAL_IN] == IN_SERVICE[Quantity.REAL_IN] + 3_600_200
    assert sick.date("energy_preset_time") is not None


def test_d20_a_signed_meter_adds_its_exports() -> None:
    _, sick = twins("D20", load=Load(-3_600 * KILOWATT))
    sick.program(accumulation_mode=1)
    before = sick.energies()
    sick.wait(SECOND)
    assert sick.energies()[Quantity.REAL_TOTAL] == before[Quantity.REAL_TOTAL] + 1_000
    assert sick.energies()[Quantity.REAL_OUT] == before[Quantity.REAL_OUT] + 1_000


def test_d20_can_be_switched_on_in_the_middle_of_a_life() -> None:
    desk = Desk("CM4250", Load(-3_600 * KILOWATT))
    desk.program(accumulation_mode=1)
    desk.wait(SECOND)
    before = desk.energies()
    switch_on("D20", desk.meter, desk.now)
    assert desk.energies() == before
    desk.wait(SECOND)
    assert desk.energies()[Quantity.REAL_TOTAL] == before[Quantity.REAL_TOTAL] + 1_000


def test_a_defect_that_is_switched_on_finds_everything_done_that_was_due() -> None:
    desk = Desk("CM4250")
    desk.write(8022, *encode_set(MIXED))
    desk.write(8017, 0, 0, 8022)
    desk.poke(8000, 6209)
    desk.wait(SECOND)
    switch_on("D04", desk.meter, desk.now)
    assert desk.energies() == MIXED  # loaded after 150 ms by a meter that was still healthy


def test_d25_conditional_energies_and_peaks_are_gone() -> None:
    healthy, sick = twins("D25")
    for desk in (loaded(healthy), loaded(sick)):
        desk.preset()
    assert healthy.value("demand_real_peak") == 2_999  # 30 kW but for the 200 ms before it was switched on
    assert sick.value("demand_real_peak") == sick.value("demand_real_last") < 1_100
    assert sick.meter.partial("conditional", sick.now)[0] == 0 < healthy.meter.partial("conditional", healthy.now)[0]
    assert sick.date("conditional_reset_time") is not None


def test_d30_a_direct_write_changes_billing_data() -> None:
    _, sick = twins("D30")
    sick.poke(1701, 7)
    assert sick.energies() == {**IN_SERVICE, Quantity.REAL_IN: 75_678}
    assert refused(sick, lambda desk: desk.poke(1728, 7)) == 2  # the conditional block stays protected


def test_a_defect_touches_no_other_meter() -> None:
    healthy, _ = twins("D04")
    assert healthy.meter.firmware is HEALTHY


def test_two_defects_in_one_meter() -> None:
    desk = Desk("CM4250")
    switch_on("D04", desk.meter)
    switch_on("D11", desk.meter)
    assert desk.preset(MIXED) == SENTINEL
    assert desk.energies() == {quantity: abs(value) for quantity, value in MIXED.items()}


def test_an_unknown_defect_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"D99.*known: D01, D02, D03"):
        switch_on("D99", Desk().meter)


def test_two_defects_cannot_have_one_id() -> None:
    with pytest.raises(ValueError, match="two defects are called D04"):
        defect("D04", "again", "nothing", shows="", caught_by="")(lambda _meter: None)
