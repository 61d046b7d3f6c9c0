"""Which devices a scenario is given: every pair that the documents allow, decided before a port opens."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_stand import station_of

from bench.drivers.capabilities import Capability
from bench.drivers.powerlogic import CM2, Series
from bench.selection import capabilities_of, choices
from bench.station import Station, builtin_station
from protocols.powerlogic.tables import models


def chosen(station: Station, fixtures: str, *needs: str) -> list[dict[str, str]]:
    names, found = choices(station, ["measure", *fixtures.split()], needs)
    assert all(set(choice.devices) == set(names) for choice in found)
    return [choice.devices for choice in found if not choice.skip]


def pairs(station: Station, second: str) -> set[tuple[str, str]]:
    return {
        (station.device(choice["old"]).model, station.device(choice[second]).model)
        for choice in chosen(station, f"old {second}")
    }


def test_the_built_in_station_has_every_pair_that_the_documents_allow() -> None:
    sources = {"CM2350", "CM3350", "CM4250", "PM820", "PM850", "PM870"}
    found = pairs(builtin_station("sim"), "new")
    assert found == {(source, target) for source in sources for target in sources - {"CM2350"}}
    assert len(chosen(builtin_station("sim"), "old new")) == 30


def test_and_the_refusal_of_those_that_they_do_not() -> None:
    found = pairs(builtin_station("sim"), "unfit")
    assert {target for _, target in found} == {"CM2350"}
    assert len(found) == 5


def test_the_last_device_of_a_model_is_its_replacement() -> None:
    assert all(choice["new"].startswith("new-") for choice in chosen(builtin_station("sim"), "old new"))
    assert not any(choice["old"].startswith("new-") for choice in chosen(builtin_station("sim"), "old new"))


def test_a_meter_scenario_runs_on_every_device_and_a_target_scenario_on_one_of_each_model() -> None:
    station = builtin_station("sim")
    assert [choice["meter"] for choice in chosen(station, "meter")] == list(station.devices)
    assert [choice["target"] for choice in chosen(station, "target")] == [
        name for name in station.devices if name.startswith("new-")
    ]


def test_devices_without_a_needed_capability_are_left_out() -> None:
    able = chosen(builtin_station("sim"), "meter", "program-setup")
    modbus = [device.id for device in builtin_station("sim").devices.values() if device.protocol == "modbus"]
    assert [choice["meter"] for choice in able] == [name for name in modbus if name != "cm2350"]


def test_a_preset_is_a_matter_between_modbus_meters() -> None:
    pairs = [*chosen(builtin_station("sim"), "old new"), *chosen(builtin_station("sim"), "old unfit")]
    assert pairs
    assert not any(name.startswith("a1") for pair in pairs for name in pair.values())


def test_a_scenario_without_a_device_is_not_parametrised() -> None:
    assert choices(builtin_station("sim"), ["measure", "station"], []) == ([], [])


ALONE = """\
schema: 1
name: alone
links: {line: {type: sim}}
devices:
  only: {model: CM2350, link: line, address: 1}
"""


@pytest.mark.parametrize(
    ("fixtures", "needs", "why"),
    [
        ("old new", (), "station alone has no such pair of meters"),
        ("old unfit", (), "station alone has no such pair of meters"),
        ("target", (), "station alone has no device that takes a preset"),
        ("meter", ("program-setup",), "station alone has no device with program-setup"),
    ],
)
def test_where_there_is_none_the_scenario_is_skipped_and_says_why(
    fixtures: str, needs: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    _, (choice,) = choices(station_of(ALONE, tmp_path), fixtures.split(), needs)
    assert choice.skip == why


def test_a_capability_that_does_not_exist_is_a_mistake_in_the_scenario() -> None:
    with pytest.raises(ValueError, match="fly"):
        choices(builtin_station("sim"), ["meter"], ["fly"])


@pytest.mark.parametrize("model", models())
def test_what_a_device_can_do_is_what_its_driver_says(model: str, tmp_path: Path) -> None:
    device = station_of(ALONE.replace("CM2350", model), tmp_path).device("only")
    expected = CM2 if models()[model].generation == "cm2" else Series
    assert capabilities_of(device) == expected.capabilities
    assert (Capability.PRESET_ENERGY in capabilities_of(device)) is models()[model].preset_target


def test_a_choice_is_called_by_its_devices() -> None:
    _, found = choices(builtin_station("sim"), ["old", "new"], [])
    assert "cm2350->new-pm850" in [choice.id for choice in found]
