"""The floors of the house and its rules about time, chance and operating systems, read off the source."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ["scenarios", "bench", "simulators", "protocols", "fixtures"]
HEAVY = ["pydantic", "pymodbus", "simpy", "pytest", "rich", "jinja2", "yaml", "serial", "click", "allure"]

#: Where the virtual world meets the wall clock.
REAL_TIME = ["simulators/realtime.py", "simulators/doors/"]
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text("utf-8"), str(file))


def imported(module: ast.Module) -> set[str]:
    """The top-level names of what a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def reached(module: ast.Module) -> set[str]:
    """What a module names as `module.attribute` or takes by `from module import attribute`."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


def test_imports_go_down_only() -> None:
    lint = run("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache")
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_the_contract_that_is_kept_is_the_one_of_the_house() -> None:
    (contract,) = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert (contract["type"], contract["layers"]) == ("layers", FLOORS)


@pytest.mark.parametrize("package", ["bench", "simulators", "protocols", "fixtures"])
def test_a_package_costs_nothing_until_something_of_it_is_used(package: str) -> None:
    probe = run("-c", f"import sys, {package}; print(*sorted(sys.modules.keys() & {set(HEAVY)!r}))")
    assert (probe.returncode, probe.stdout.split(), probe.stderr) == (0, [], "")


def test_protocols_open_nothing_and_run_nothing() -> None:
    """They may read their tables (yaml); ports, threads and other people's clients are for the floors above."""
    for name, module in modules("protocols"):
        assert not imported(module) & {*HEAVY, "asyncio", "socket", "threading"} - {"yaml"}, name


def test_only_the_doors_know_the_wall_clock() -> None:
    for name, module in modules("protocols", "simulators"):
        if not name.startswith(tuple(REAL_TIME)):
            assert "time" not in imported(module), name
            assert not reached(module) & {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}, name


def test_chance_comes_from_named_streams() -> None:
    for name, module in modules("protocols", "simulators"):
        drawn = {reach for reach in reached(module) if reach.startswith(("random.", "secrets.", "uuid."))}
        assert drawn <= {"random.Random"}, name


def test_what_only_posix_has_stands_in_one_module() -> None:
    posix = [name for name, module in modules(*FLOORS) if imported(module) & POSIX_ONLY]
    assert len(posix) <= 1, posix


def test_no_module_holds_two_thoughts() -> None:
    longest = {
        file: len(file.read_text("utf-8").splitlines()) for floor in FLOORS for file in (ROOT / floor).rglob("*.py")
    }
    assert {str(file): lines for file, lines in longest.items() if lines > 400} == {}
