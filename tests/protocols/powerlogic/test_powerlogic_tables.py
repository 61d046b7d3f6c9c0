"""The tables of the family, and the checks that keep a bad copy of them out."""

from collections.abc import Iterator

import pytest

from protocols.powerlogic import tables
from protocols.powerlogic.energy import CM2_ORDER, Quantity
from protocols.powerlogic.tables import (
    Register,
    RegisterMap,
    TableError,
    command_code,
    commands,
    models,
    preset_table,
    register_map,
)

FAMILIES = ("CM2", "CM3", "CM4", "PM8")


@pytest.fixture
def fresh_preset_table() -> Iterator[None]:
    preset_table.cache_clear()
    yield
    preset_table.cache_clear()


def test_table_1_reads_and_writes_in_one_order() -> None:
    rows = preset_table()
    assert [row.series_register for row in rows] == list(range(1700, 1728))
    assert [row.buffer_register for row in rows] == list(range(8022, 8050))


def test_table_1_maps_the_cm2_order() -> None:
    offsets = [row.cm2_register - 1601 for row in preset_table()]
    assert offsets == [*range(16), *range(20, 28), *range(16, 20)]  # powerlogic.md section 2


def test_table_1_agrees_with_the_register_maps_and_weights() -> None:
    for row in preset_table():
        place = {1: 0, 10**4: 1, 10**8: 2, 10**12: 3}[row.weight]
        assert register_map("PM8")[row.quantity.value].number + place == row.series_register
        assert register_map("CM2")[row.quantity.value].number + place == row.cm2_register


def test_the_order_of_a_cm2_is_that_of_its_registers() -> None:
    numbers = [register_map("CM2")[quantity.value].number for quantity in CM2_ORDER]
    assert numbers == list(range(1601, 1629, 4))


def _swap(rows: list[dict[str, str]], column: str, value: str) -> list[dict[str, str]]:
    return [{**row, column: value} if index == 20 else row for index, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("cm3_cm4_pm8_reg", "1799", "1700..1727"),
        ("write_to_reg", "8020", "8022..8049"),
        ("cm2_reg", "1601", "permutation"),
    ],
)
def test_a_miscopied_table_1_is_refused(
    monkeypatch: pytest.MonkeyPatch, fresh_preset_table: None, column: str, value: str, complaint: str
) -> None:
    rows = tables._read("energy_preset_registers.csv")
    monkeypatch.setattr(tables, "_read", lambda _name: _swap(rows, column, value))
    with pytest.raises(TableError, match=complaint):
        preset_table()


def test_a_table_1_of_27_rows_is_refused(monkeypatch: pytest.MonkeyPatch, fresh_preset_table: None) -> None:
    rows = tables._read("energy_preset_registers.csv")
    monkeypatch.setattr(tables, "_read", lambda _name: rows[:-1])
    with pytest.raises(TableError):
        preset_table()


def _register(number: int, count: int, name: str) -> Register:
    return Register(number, count, name, "u16", "", "", "r", "", "")


def test_registers_do_not_overlap() -> None:
    with pytest.raises(TableError, match="share register 1003"):
        RegisterMap([_register(1000, 4, "energy"), _register(1003, 1, "clock")])
    RegisterMap([_register(1000, 4, "energy"), _register(1004, 1, "clock")])


def test_register_names_are_unique() -> None:
    with pytest.raises(TableError, match="twice"):
        RegisterMap([_register(1000, 1, "energy"), _register(1001, 1, "energy")])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_has_a_source_and_a_confidence(family: str) -> None:
    for row in register_map(family):
        assert row.source, row.name
        assert row.confidence in set("VSIA"), row.name
        assert row.access in ("r", "rw", "setup"), row.name


def test_the_generations_differ_where_documents_say_so() -> None:
    old, new = register_map("CM2"), register_map("CM4")
    assert (old["current_a"].number, new["current_a"].number) == (1003, 1100)
    assert (old["real_power_total"].scale, new["real_power_total"].scale) == ("E", "F")
    assert (old["command"].number, new["command"].number) == (7700, 8000)
    assert (old["accumulation_mode"].number, new["accumulation_mode"].number) == (2082, 3232)
    assert "energy_preset_time" not in old
    assert new["energy_preset_time"].number == 3290
    assert (new["scale_F"].number, new["scale_H"].number) == (3214, 3216)


def test_floats_begin_where_the_faq_says() -> None:
    assert (
        min(row.number for row in register_map("CM4") if row.kind == "float") == models()["CM4250"].float_base == 57600
    )
    assert (
        min(row.number for row in register_map("PM8") if row.kind == "float") == models()["PM850"].float_base == 11700
    )


def test_commands_by_family_and_door() -> None:
    for family in ("CM3", "CM4", "PM8"):
        assert command_code(family, "preset_energies") == 6209
        assert command_code(family, "set_clock") == 1310
        assert commands(family)[1210] == "clear_counters"
    assert "preset_energies" not in commands("CM2").values()
    assert commands("PM8@4126")[30078] == "clear_energies"
    with pytest.raises(KeyError):
        command_code("CM2", "preset_energies")


def test_models_say_what_is_assumed() -> None:
    known = models()
    assert set(known) == {"CM2350", "CM3350", "CM4250", "PM820", "PM850", "PM870", "CM2000", "CM3000", "CM4000"}
    assert "product_id" in known["CM4250"].assumed
    assert "product_name" not in known["PM850"].assumed
    assert "function_codes" not in known["PM850"].assumed
    assert "function_codes" in known["CM3350"].assumed
    assert [name for name, model in known.items() if not model.preset_target] == ["CM2350", "CM2000"]
    assert {name: model.date_words for name, model in known.items() if model.date_words == 4}.keys() == {
        "CM3350", "CM4250", "CM3000", "CM4000",
    }  # fmt: skip


def test_every_model_knows_the_order_of_its_block() -> None:
    assert models()["CM2350"].order == CM2_ORDER
    assert models()["PM870"].order == tuple(Quantity)
