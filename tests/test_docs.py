"""Pages that are written from data are current, and what the README shows exists."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from bench.cli import COMMANDS, call

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("name", ["models", "elster", "supported", "faults"])
def test_a_page_that_is_written_from_data_is_current(name):
    spec = importlib.util.spec_from_file_location(f"{name}_page", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert page == module.page(), f"run python docs/{name}.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_is_one(page, capsys):
    shown = set(re.findall(r"^meterbench ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown <= set(COMMANDS)
    for command in shown:
        assert call([command, "--help"]) == 0
    capsys.readouterr()


def test_files_that_the_pages_name_exist():
    missing = [
        f"{page.name}: {name}"
        for page in PAGES
        for name in re.findall(
            r"`((?:bench|simulators|protocols|fixtures|scenarios|tests|docs)/[\w/.]+\w)`", page.read_text("utf-8")
        )
        if not (ROOT / name).exists()
    ]
    assert not missing
