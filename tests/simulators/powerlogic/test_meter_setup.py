"""Setup mode: one session, two minutes, save or discard, and what the set-up registers take."""

import pytest
from meter_desk import HOUR, IN_SERVICE, MINUTE, MS, SECOND, Desk, refused

from protocols.powerlogic.energy import Quantity
from simulators.meters.powerlogic import Installation
from simulators.power.feeder import Load

KILOWATT = 1_000_000
CT_PRIMARY = 3201
TWO_MINUTES = 2 * MINUTE


def in_setup(**options: object) -> Desk:
    """A PM850 with an open session."""
    desk = Desk("PM850", **options)  # type: ignore[arg-type]
    assert desk.command(9020) == 0
    return desk


def test_without_a_session_the_set_up_takes_no_write() -> None:
    desk = Desk()
    assert refused(desk, lambda desk: desk.poke(CT_PRIMARY, 200)) == 2
    assert desk.word(CT_PRIMARY) == 5


def test_a_session_shows_its_draft_and_a_save_makes_it_the_set_up() -> None:
    desk = in_setup(load=Load(30 * KILOWATT))
    desk.poke(CT_PRIMARY, 10)
    assert desk.word(CT_PRIMARY) == 10
    assert desk.value("real_power_total") == 3_000  # the draft does not measure yet
    desk.command_and_reset(9021, 1)
    assert desk.word(CT_PRIMARY) == 10
    assert desk.value("real_power_total") == 6_000


@pytest.mark.parametrize("parameter", [0, 2, 9])
def test_anything_but_one_discards(parameter: int) -> None:
    desk = in_setup()
    desk.poke(CT_PRIMARY, 200)
    assert desk.command(9021, parameter) == 0
    assert desk.word(CT_PRIMARY) == 5
    assert desk.listens()
    assert refused(desk, lambda desk: desk.poke(CT_PRIMARY, 200)) == 2


def test_saving_resets_the_meter() -> None:
    desk = in_setup()
    desk.write(8017, 8020, 8021, 0)
    desk.write(8001, 1)
    desk.poke(8000, 9021)
    desk.wait(150 * MS)
    assert not desk.listens()
    desk.wait(8 * SECOND - 1)
    assert not desk.listens()
    desk.wait(1)
    assert desk.listens()
    assert desk.read(8017, 133) == [0] * 133  # the reset took pointers, buffer and its own result with it
    assert desk.energies() == IN_SERVICE


def test_a_second_session_is_refused_and_leaves_the_first() -> None:
    desk = in_setup()
    desk.poke(CT_PRIMARY, 200)
    assert desk.command(9020) == 81
    assert desk.word(CT_PRIMARY) == 200


def test_leaving_without_a_session_is_refused() -> None:
    assert Desk().command(9021, 1) == 81


def test_exactly_at_two_minutes_a_write_still_counts() -> None:
    desk = in_setup()
    desk.poke(CT_PRIMARY, 200)
    desk.wait(TWO_MINUTES)
    desk.poke(CT_PRIMARY, 300)
    desk.wait(TWO_MINUTES)
    assert desk.word(CT_PRIMARY) == 300


def test_just_after_two_minutes_the_old_values_are_back() -> None:
    desk = in_setup()
    desk.poke(CT_PRIMARY, 200)
    desk.wait(TWO_MINUTES + 1)
    assert desk.word(CT_PRIMARY) == 5
    assert refused(desk, lambda desk: desk.poke(CT_PRIMARY, 200)) == 2
    assert desk.command(9021, 1) == 81


def test_reading_does_not_keep_a_session_open() -> None:
    desk = in_setup()
    for _ in range(5):
        desk.wait(30 * SECOND)
        desk.read(CT_PRIMARY)
    assert refused(desk, lambda desk: desk.poke(CT_PRIMARY, 200)) == 2


def test_a_write_to_any_register_keeps_it_open() -> None:
    desk = in_setup()
    for _ in range(5):
        desk.wait(100 * SECOND)
        desk.poke(8030, 1)
    desk.poke(CT_PRIMARY, 200)


def test_a_loss_of_supply_discards_the_draft() -> None:
    desk = in_setup()
    desk.poke(CT_PRIMARY, 200)
    desk.power_cycle()
    assert desk.word(CT_PRIMARY) == 5
    assert desk.command(9021, 1) == 81


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ct_primary", [1, 32_767], [0, -1]),
        ("ct_secondary", [1, 5], [0, 2, 6]),
        ("neutral_ct_secondary", [1, 5], [3]),
        ("pt_primary", [1, 32_767], [0]),
        ("pt_primary_scale", [-1, 2], [-2, 3]),
        ("pt_secondary", [100, 110, 115, 120], [0, 99, 121]),
        ("nominal_frequency", [50, 60, 400], [0, 51]),
        ("system_type", [30, 31, 40, 41, 42, 43], [32, 0]),
        ("accumulation_mode", [0, 1], [2, -1]),
        ("enable_floats", [0, 1], [2]),
        ("power_demand_mode", [0, 1, 2, 4, 8, 16, 32, 64, 128, 256], [3, 512]),
        ("power_demand_interval", [1, 60], [0, 61]),
        ("scale_A", [-2, 1], [-3, 2]),
        ("scale_B", [-2, 1], [-3, 2]),
        ("scale_C", [-2, 1], [-3, 2]),
        ("scale_D", [-1, 2], [-2, 3]),
        ("scale_E", [-1, 2], [-2, 3]),
        ("scale_F", [-3, 3], [-4, 4]),
        ("scale_H", [0, 3], [-1, 4]),
    ],
)
def test_what_a_set_up_register_takes(name: str, good: list[int], bad: list[int]) -> None:
    desk = in_setup()
    number = desk.map[name].number
    for value in good:
        desk.poke(number, value)
        assert desk.word(number) == value
    for value in bad:
        assert refused(desk, lambda desk, value=value: desk.poke(number, value)) == 3
        assert desk.word(number) == good[-1]


def test_a_block_with_one_bad_value_writes_nothing() -> None:
    desk = in_setup()
    assert refused(desk, lambda desk: desk.write(3201, 200, 5, 0)) == 3
    assert desk.read(3201, 3) == [5, 5, 5]


def test_a_demand_setting_that_does_not_exist_is_82_and_changes_nothing() -> None:
    desk = in_setup()
    desk.poke(desk.map["power_demand_mode"].number, 4)
    desk.poke(desk.map["power_demand_interval"].number, 15)
    desk.poke(desk.map["power_demand_subinterval"].number, 4)
    desk.poke(CT_PRIMARY, 200)
    assert desk.command(9021, 1) == 82
    assert (desk.value("power_demand_mode"), desk.value("power_demand_interval"), desk.word(CT_PRIMARY)) == (2, 15, 5)


def test_a_demand_setting_is_used_from_the_save_on() -> None:
    desk = Desk("PM850", Load(60 * KILOWATT))
    desk.program(power_demand_mode=4, power_demand_interval=10, power_demand_subinterval=2)
    assert [desk.value(f"power_demand_{name}") for name in ("mode", "interval", "subinterval")] == [4, 10, 2]
    desk.wait(2 * MINUTE)
    assert desk.value("demand_real_last") == 6_000
    assert desk.value("power_demand_subinterval_count") >= 1


def test_intervals_of_the_clock_follow_a_clock_that_is_set() -> None:
    desk = Desk("PM850")
    desk.program(power_demand_mode=128, power_demand_interval=15)
    desk.command(1310, 6, 1, 2026, 11, 59, 0)
    count = desk.value("power_demand_interval_count")
    desk.wait(59 * SECOND)
    assert desk.value("power_demand_interval_count") == count
    desk.wait(2 * SECOND)
    assert desk.value("power_demand_interval_count") == count + 1


def test_factory_defaults_believe_in_no_transformers() -> None:
    desk = Desk("PM850", Load(40 * KILOWATT), installation=Installation(ct=(400, 5)))
    assert desk.value("real_power_total") == 4_000
    desk.program(power_demand_interval=30, accumulation_mode=1)
    assert desk.command(1130) == 0
    assert (desk.word(CT_PRIMARY), desk.value("accumulation_mode"), desk.value("power_demand_interval")) == (5, 0, 15)
    assert desk.value("real_power_total") == 50


def test_a_master_reset_needs_setup_mode_and_a_key() -> None:
    assert Desk().command(1120, 9999) == 82
    desk = in_setup()
    assert desk.command(1120, 1) == 82
    assert desk.energies() == IN_SERVICE


@pytest.mark.parametrize("key", [1023, 9999])
def test_a_master_reset_clears_and_takes_20_seconds(key: int) -> None:
    desk = in_setup(load=Load(30 * KILOWATT))
    desk.wait(16 * MINUTE)
    desk.change(Load(0))
    assert desk.command(9020) == 0
    desk.write(8001, key)
    desk.poke(8000, 1120)
    desk.wait(150 * MS + 20 * SECOND - 1)
    assert not desk.listens()
    desk.wait(1)
    assert desk.listens()
    assert desk.energies() == dict.fromkeys(Quantity, 0)
    assert desk.value("max_real_power_total") == 0
    assert desk.value("demand_real_peak") == 0


def test_an_unsaved_set_up_is_lost_with_the_supply() -> None:
    desk = in_setup(save_delay="60 s")
    desk.poke(CT_PRIMARY, 200)
    desk.poke(desk.map["power_demand_interval"].number, 30)
    desk.command_and_reset(9021, 1)
    assert (desk.word(CT_PRIMARY), desk.value("power_demand_interval")) == (200, 30)
    desk.power_cycle()
    assert (desk.word(CT_PRIMARY), desk.value("power_demand_interval")) == (5, 15)
    desk.wait(HOUR)
    desk.program(ct_primary=200)
    desk.wait(MINUTE)
    desk.power_cycle()
    assert desk.word(CT_PRIMARY) == 200
