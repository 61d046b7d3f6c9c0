"""The state file of a server: what its meters keep from one run to the next."""

from pathlib import Path

import pytest

from bench.errors import StationError, UsageError
from bench.serving.memory import read_state, restore_state, save_state
from simulators.meters.powerlogic.state import state_of
from simulators.power.feeder import Load
from simulators.stage import DevicePlan, LinkPlan, Stage
from simulators.world import SECOND, World

NOW = 5000 * SECOND + 7
LOAD = Load(50_000_001, -3_000_007)


def stage(*models_of_devices: str, seed: int = 0) -> Stage:
    plans = [DevicePlan(f"m{i}", model, "bus", i + 1, load=LOAD) for i, model in enumerate(models_of_devices)]
    return Stage(World(seed), [LinkPlan("bus")], plans)


def test_a_file_comes_back_into_another_stage(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    first = stage("PM850", "CM2350")
    first.world.advance_to(NOW)
    save_state(file, first)
    content = read_state(file)
    assert content is not None
    second = stage("PM850", "CM2350")
    restore_state(file, content, second)
    for name in second.devices:
        assert second.meters[name].energies_picojoule(0) == first.meters[name].energies_picojoule(NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json"]


def elster_stage(model: str = "A1140") -> Stage:
    plans = [DevicePlan("m0", model, "head", load=LOAD, outstation="094"), DevicePlan("m1", "PM850", "bus", 1)]
    return Stage(World(0), [LinkPlan("head", medium="optical"), LinkPlan("bus")], plans)


def test_elster_meters_are_kept_too(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    first = elster_stage()
    meter = first.flag.meter("m0")
    first.world.advance_to(NOW)
    meter.press_reset(NOW)
    save_state(file, first)
    content = read_state(file)
    assert content is not None
    second = elster_stage()
    restore_state(file, content, second)
    restored = second.flag.meter("m0")
    assert restored.energies(0) == meter.energies(NOW)
    assert len(restored.billing.sets) == len(meter.billing.sets) >= 1
    with pytest.raises(UsageError, match="does not fit m0: model: it is of a A1140"):
        restore_state(file, content, elster_stage("A1700"))


def test_there_need_not_be_a_file_yet(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.json") is None
    with pytest.raises(UsageError, match="folder"):
        read_state(tmp_path / "no" / "state.json")


def test_a_changed_digit_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    save_state(file, stage("PM850"))
    file.write_text(file.read_text().replace('"ct_primary": 5', '"ct_primary": 6'))
    with pytest.raises(UsageError, match="check sum does not fit"):
        read_state(file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[1, 2]", "its format is not"),
        ('{"format": "meterbench-run"}', "its format is not"),
        ('{"format": "meterbench-state", "version": 99}', "version 99"),
        ('{"format": "meterbench-state", "version": 1}', "check sum"),
        ("[" * 100_000, "not JSON"),
        ("\udcff", "not JSON"),
    ],
)
def test_what_is_no_state_file_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match=reason) as refused:
        read_state(file)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(f"{file}: ")


def test_the_file_of_another_station_changes_no_meter(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    first = stage("PM850", "PM870")
    first.world.advance_to(NOW)
    save_state(file, first)
    content = read_state(file)
    assert content is not None
    for other in (stage("PM850"), stage("PM850", "PM820")):
        before = {name: state_of(other.meters[name], 0) for name in other.devices}
        with pytest.raises(UsageError, match=r"another station|does not fit m1: model"):
            restore_state(file, content, other)
        assert {name: state_of(other.meters[name], 0) for name in other.devices} == before


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with pytest.raises(StationError, match="cannot be saved"):
        save_state(folder, stage("PM850"))  # a folder cannot be replaced by a file
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    with pytest.raises(UsageError, match="cannot be read"):
        read_state(folder)
