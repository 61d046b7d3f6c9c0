"""The tables of the family, and that its three files say the same."""

import pytest

from protocols.elster import history, tables
from protocols.elster.registers import CUMULATIVE_BYTES, ENERGY_BYTES, MAXIMUM_BYTES
from protocols.elster.tables import (
    Source,
    TableError,
    identities,
    identity,
    model,
    models,
    obis,
    source_numbers,
    sources,
)

MODELS = ("A1120", "A1140", "A1700")
CONFIDENCES = {"V", "2S", "S", "I", "HE?", "A"}


def test_the_models() -> None:
    assert tuple(models()) == MODELS
    with pytest.raises(TableError, match="A1120, A1140, A1700"):
        model("A1500")


def test_the_captured_identification() -> None:
    assert model("A1140").identification == b"/GEC5120510070213@000"  # Gurux forum, May 2021


@pytest.mark.parametrize("name", MODELS)
def test_every_value_has_a_source_and_a_confidence(name: str) -> None:
    for fact in model(name).facts.values():
        assert fact.confidence in CONFIDENCES
        assert len(fact.source) > 5
    for row in identities(name).values():
        assert row.confidence in CONFIDENCES
        assert row.source


def test_every_obis_code_has_a_source_and_a_confidence() -> None:
    assert obis()["import"].code == "1.8.0"
    assert obis()["import_rate_billing"].code == "1.8.{rate}*{set}"
    assert len({row.code for row in obis().values()}) == len(obis())
    assert all(row.source and row.confidence in CONFIDENCES for row in obis().values())


def test_what_is_easily_guessed_wrong() -> None:
    assert identity("A1140", "serial_number").number == 798
    assert identity("A1140", "scheme_id").number == 795
    assert identity("A1140", "outstation").confidence == "A"  # no public source gives it


def test_the_source_tables_are_one_apart() -> None:
    assert sources("A1140")[0] is Source.IMPORT
    assert sources("A1700")[1] is Source.IMPORT
    assert sources("A1140")[1] is Source.EXPORT
    assert source_numbers("A1700")[Source.INPUT_4] == 14


@pytest.mark.parametrize("name", MODELS)
def test_sizes_follow_from_what_the_model_has(name: str) -> None:
    known = model(name)
    assert identity(name, "totals").size == ENERGY_BYTES * len(known["totals"])
    assert identity(name, "tou").size == ENERGY_BYTES * known["tou_registers"]
    assert identity(name, "tou_sources").size == known["tou_registers"]
    assert identity(name, "cumulative_demand").size == CUMULATIVE_BYTES * known["cumulative_records"]
    assert identity(name, "maximum_demand").size == MAXIMUM_BYTES * known["maximum_records"]
    assert known["maximum_records"] == known["ranks"] * known["cumulative_records"]
    assert identity(name, "billing_history").size == history.set_size(name)
    assert identity(name, "billing_history").sets == known["billing_sets"]
    assert identity(name, "event_history").size == 14 * known["event_logs"] + known["event_reserved"]
    assert identity(name, "event_history").sets == known["event_sets"]
    assert identity(name, "current_transformer").size == sum(known["ct_bytes"])
    assert identity(name, "scheme_id").size == known["scheme_id_bytes"]


def test_a_billing_set_of_an_a1140_has_457_bytes() -> None:
    assert history.set_size("A1140") == 457  # elster-flag 3.4
    assert identity("A1140", "daily_history").size == 457


@pytest.mark.parametrize(("name", "channels"), [("A1120", 0), ("A1140", 10), ("A1700", 14)])
def test_profile_channels(name: str, channels: int) -> None:
    assert model(name)["profile_channels"] == channels
    assert channels in {0, len(model(name)["channels"])}
    assert (550 in identities(name)) is bool(channels)


@pytest.mark.parametrize("name", MODELS)
def test_who_may_is_said_where_it_can_be_done(name: str) -> None:
    for row in identities(name).values():
        assert (row.read_level is not None) is ("r" in row.access)
        assert (row.write_level is not None) is bool({"w", "x"} & set(row.access))


def test_nothing_is_written_at_level_0() -> None:
    for name in MODELS:
        assert all(row.write_level != 0 for row in identities(name).values())


def test_a_number_that_stands_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tables._read("identities.csv")
    monkeypatch.setattr(tables, "_read", lambda _: [*rows, rows[0]])
    with pytest.raises(TableError, match="twice"):
        identities.__wrapped__("A1140")


def test_an_identity_that_a_model_has_not() -> None:
    with pytest.raises(TableError, match="A1140 has no identity external_inputs"):
        identity("A1140", "external_inputs")


def test_what_a_station_file_may_overrule() -> None:
    assert "reaction_time" in model("A1140").assumed
    assert "maker" not in model("A1140").assumed


def test_units_of_sources() -> None:
    assert [Source(name).unit for name in ("import", "q3", "va", "va_export", "input_1", "none")] == [
        "Wh",
        "varh",
        "VAh",
        "VAh",
        "",
        "",
    ]
