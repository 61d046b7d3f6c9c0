"""What `pip install meterbench` puts into an environment: five packages with their data, one command, one plugin."""

import functools
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = ["bench", "simulators", "protocols", "scenarios", "fixtures"]

#: How pip says that it cannot reach the build backend.
UNREACHABLE = re.compile(r"No matching distribution|Could not find a version|connection|timed out", re.IGNORECASE)


@functools.cache
def installed() -> frozenset[PurePosixPath]:
    """The files of the installed distribution; of a wheel built for the purpose when it is installed as editable."""
    files = frozenset(PurePosixPath(str(file)) for file in metadata.files("meterbench") or ())
    return files if PurePosixPath("bench/__init__.py") in files else _built()


def _built() -> frozenset[PurePosixPath]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT)]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        if pip.returncode and UNREACHABLE.search(pip.stderr):
            pytest.skip("editable installation, and the build backend cannot be fetched to build a wheel")
        assert pip.returncode == 0, pip.stderr
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return frozenset(map(PurePosixPath, archive.namelist()))


def in_checkout(package: str) -> set[PurePosixPath]:
    """The files of a package that git would not ignore."""
    files = (file.relative_to(ROOT) for file in (ROOT / package).rglob("*") if file.is_file())
    return {PurePosixPath(file.as_posix()) for file in files if "__pycache__" not in file.parts}


def test_no_other_top_level_names_are_installed() -> None:
    beside = (file.parts[0] for file in installed() if file.parts[0] != "..")
    assert {name for name in beside if not name.endswith(".dist-info")} == set(PACKAGES)


def test_the_project_ships_the_floors_and_nothing_else() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES
    assert PROJECT["tool"]["importlinter"]["root_packages"] == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_is_installed_data_included(package: str) -> None:
    assert in_checkout(package) - installed() == set()


@pytest.mark.parametrize(
    "file",
    [
        "fixtures/stations/sim.yaml",
        "fixtures/stations/example-lab.yaml",
        "fixtures/stations/station.schema.json",
        "fixtures/powerlogic/energy_preset_registers.csv",
    ],
)
def test_the_data_that_users_are_told_of_is_installed(file: str) -> None:
    assert PurePosixPath(file) in installed()


def test_the_licence_is_installed_whole() -> None:
    assert any(file.name == "LICENSE" for file in installed())
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_one_command_and_one_plugin() -> None:
    entry_points = metadata.distribution("meterbench").entry_points
    assert {(entry.group, entry.name) for entry in entry_points} == {
        ("console_scripts", "meterbench"),
        ("pytest11", "meterbench"),
    }
    assert all(callable(entry.load()) for entry in entry_points.select(group="console_scripts"))


def test_the_version_stands_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"## [{PROJECT['project']['version']}]" in changelog
    assert changelog.index("## [Unreleased]") < changelog.index(f"## [{PROJECT['project']['version']}]")


def test_the_distribution_is_that_of_the_project() -> None:
    assert metadata.version("meterbench") == PROJECT["project"]["version"]
    assert metadata.metadata("meterbench")["Requires-Python"] == PROJECT["project"]["requires-python"]
