"""`meterbench report`: the HTML page of an evidence folder."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import json_option, show_json
from bench.errors import UsageError
from bench.manifest import verify_manifest
from bench.reports.allure_page import write_allure_page
from bench.reports.html import render
from bench.reports.run import load


@click.command()
@click.argument("evidence", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Default: EVIDENCE/report.html, or allure.html.",
)
@click.option("--allure", is_flag=True, help="EVIDENCE is a folder of Allure results; draw Allure's page (npm).")
@json_option
def command(evidence: Path, output: Path | None, allure: bool, as_json: bool) -> int:
    """Make one self-contained page of the EVIDENCE folder, and say whether its seal is whole.

    Neither page asks anything of the network when it is opened.
    """
    if allure:
        page = output or Path("allure.html")
        write_allure_page(evidence, page)
        show_json({"file": str(page), "results": str(evidence)}) if as_json else click.echo(f"{page}")
        return 0
    target = output or evidence / "report.html"
    problems = verify_manifest(evidence) if evidence.is_dir() else []
    write_page(evidence, target)
    if as_json:
        show_json({"file": str(target), "evidence": str(evidence), "problems": problems})
    else:
        click.echo(f"{target}")
        for problem in problems:
            click.echo(f"{evidence}: {problem}", err=True)
    return 1 if problems else 0


def write_page(evidence: Path, target: Path) -> None:
    """Render an evidence folder to a file.

    Raises:
        UsageError: there is no run in the folder, or the file cannot be written.
    """
    page = render(load(evidence))
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror or error}") from None


def write_page_beside(evidence: Path) -> None:
    """Render an evidence folder into itself; a run whose page cannot be written is still the run that it was."""
    try:
        write_page(evidence, evidence / "report.html")
    except UsageError as error:
        click.echo(f"no report: {error}", err=True)
