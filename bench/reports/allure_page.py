"""Allure's page from a folder of Allure results: one file, drawn by the npm package `allure`, without Java.

The package's own pages call an analytics host when they are opened unless told not to, and one of them even then
(allure3 issue 476). So analytics are turned off, and the page is given a policy under which a browser loads nothing
from anywhere, whatever the package puts in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.errors import StationError, UsageError

#: The npm package and the plug-in that honours ALLURE_NO_ANALYTICS.
PACKAGE, PLUGIN = "allure@3", "allure2"
#: A page may use what it brings along, and nothing else.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data: blob:; "
    "img-src data: blob:; font-src data: blob:; media-src data: blob:; connect-src data: blob:; frame-src data: blob:; "
    "worker-src data: blob:; base-uri 'none'; form-action 'none'"
)
_TIMEOUT = 300


def write_allure_page(results: Path, target: Path) -> None:
    """Draw the page of a folder of results that pytest has filled (`meterbench run -- --alluredir=FOLDER`).

    Raises:
        UsageError: no Allure results are there, npx is not installed, or the file cannot be written.
        StationError: npm could not get the package, or it failed.
    """
    if not results.is_dir() or not any(results.glob("*-result.json")):
        raise UsageError(f"{results}: holds no Allure results; fill it with: meterbench run -- --alluredir={results}")
    npx = shutil.which("npx")
    if npx is None:
        raise UsageError("Allure's page is drawn by an npm package, and npx is not installed (Debian: npm)")
    with tempfile.TemporaryDirectory() as folder:
        page = with_policy(_drawn(npx, results, Path(folder) / "page"))
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror or error}") from None


def _drawn(npx: str, results: Path, folder: Path) -> str:
    words = [npx, "--yes", "--package", PACKAGE, "allure", PLUGIN, str(results), "--single-file", "-o", str(folder)]
    environment = {**os.environ, "ALLURE_NO_ANALYTICS": "true"}
    try:
        done = subprocess.run(  # noqa: S603  # npx as it was found, and our own words
            words, env=environment, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise StationError(f"npx did not end within {_TIMEOUT} s") from None
    except OSError as error:
        raise StationError(f"npx cannot be run: {error.strerror or error}") from None
    try:
        return (folder / "index.html").read_text(encoding="utf-8")
    except OSError:
        said = [line for line in done.stderr.splitlines() if line.strip() and "npm warn" not in line]
        raise StationError(f"npx {PACKAGE} made no page: {said[-1] if said else 'it said nothing'}") from None


def with_policy(page: str) -> str:
    """The page with the policy at the head of its head, before anything that could ask for something.

    Raises:
        StationError: it has no head to put it in.
    """
    head = re.search(r"(?i)<head[^>]*>", page)
    if head is None:
        raise StationError(f"the page of {PACKAGE} has no head: another version? Its policy cannot be set")
    tag = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return page[: head.end()] + tag + page[head.end() :]
