"""What meterbench adds to pytest's own JUnit XML: what the run was, and how long a scenario took in bench time.

These go in as properties of the suite and as `user_properties` of a test: `record_property` breaks the default family
xunit2 (pytest issue 14315).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.evidence import ScenarioRecord


def suite_properties(run: Mapping[str, Any], seal: str = "") -> list[tuple[str, str]]:
    """Name and value of each property of the suite.

    Args:
        run: content of `run.json`.
        seal: seal of the manifest, left out if there is none.
    """
    facts = {name: run.get(name) for name in ("host", "seed", "digest", "exit", "meterbench")}
    pairs = {"station": run["station"]["name"], **facts}
    pairs |= {f"verdict.{name}": count for name, count in run["verdicts"].items()}
    if seal:
        pairs["seal"] = seal
    return [(f"meterbench.{name}", str(value)) for name, value in pairs.items() if value is not None]


def scenario_properties(record: ScenarioRecord) -> list[tuple[str, str]]:
    """Name and value of each property of one test: its verdict and its times on the bench clock, in seconds."""
    span = Decimal(record.end) - Decimal(record.start)
    pairs = {"verdict": record.verdict.value, "start": record.start, "duration": str(span)}
    return [(f"meterbench.{name}", value) for name, value in pairs.items()]
