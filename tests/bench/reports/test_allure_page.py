"""Allure's page: drawn by a program that somebody else wrote, and kept from asking anything of the network."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.errors import StationError, UsageError
from bench.reports.allure_page import POLICY, with_policy, write_allure_page

FAKE = """#!{python}
import os, sys
from pathlib import Path
folder = Path(sys.argv[sys.argv.index("-o") + 1])
folder.mkdir()
(folder / "index.html").write_text("<html><head><title>" + os.environ["ALLURE_NO_ANALYTICS"] + "</title></head></html>")
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "1-result.json").write_text('{"uuid": "1", "name": "a", "status": "passed"}')
    return folder


def fake_npx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "npx").write_text(text.format(python=sys.executable))
    (programs / "npx").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for npx is a script with a #! line")
def test_analytics_are_off_and_the_policy_comes_first(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npx(tmp_path, monkeypatch, FAKE)
    write_allure_page(results, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.startswith(f'<html><head><meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>true')


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for npx is a script with a #! line")
def test_what_npx_says_is_told(tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_npx(tmp_path, monkeypatch, '#!{python}\nimport sys\nsys.exit("npm warn x\\nregistry not reached")\n')
    with pytest.raises(StationError, match="made no page: registry not reached"):
        write_allure_page(results, tmp_path / "page.html")


def test_without_results_or_npx_the_user_is_told_what_to_do(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="meterbench run -- --alluredir="):
        write_allure_page(tmp_path, tmp_path / "page.html")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="npx is not installed"):
        write_allure_page(results, tmp_path / "page.html")


def test_a_page_without_a_head_is_not_handed_out() -> None:
    with pytest.raises(StationError, match="has no head"):
        with_policy("<html></html>")


def node_version() -> int:
    try:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    except OSError:
        return 0
    return int(said.strip().lstrip("v").partition(".")[0])


@pytest.mark.peer
def test_the_page_of_a_run_names_no_host_to_load_from(tmp_path: Path) -> None:
    if node_version() < 20:
        missing = "Allure's npm package needs Node 20 or later, and it is not installed"
        if os.environ.get("METERBENCH_PEERS") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    run("run", "reading/test_clock.py", "--device", "pm850", "--no-evidence", "--", "--alluredir=results", cwd=tmp_path)
    environment = (tmp_path / "results" / "environment.properties").read_text()
    assert environment.startswith("Station=sim\nHost=virtual\nSeed=0\nDigest=")
    run("report", "--allure", "results", "-o", "page.html", cwd=tmp_path)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert POLICY in page
    for text in (page, *blobs(page)):
        assert not re.search(r"googletagmanager|google-analytics", text)
        assert not re.search(r"<(?:script|img|iframe|source)[^>]+src=[\"']?(?:https?:)?//", text)
        assert not re.search(r"<link[^>]+href=[\"']?(?:https?:)?//", text)


def run(*words: str, cwd: Path) -> None:
    done: Any = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def blobs(page: str) -> list[str]:
    """What a page carries as base64."""
    found = re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", page)
    return [base64.b64decode(blob + "=" * (-len(blob) % 4)).decode("utf-8", "replace") for blob in found]
