"""Writes docs/supported.md from what traces and the drivers prove: `python docs/supported.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from bench.replay.exchanges import Trace, load_trace
from bench.replay.mirror import mirror
from bench.selection import capabilities_of
from bench.station import builtin_station
from protocols.powerlogic.tables import models

TRACES = Path(str(files("fixtures"))) / "traces"
HEAD = """# Supported meters, and what proves it

Written by `python docs/supported.py` from the traces in `fixtures/traces` and from the drivers; a test keeps it
current. Writing it mirrors every trace on the simulated meter (`meterbench trace mirror`), so a number here was
counted and not typed.

*Public frames*: requests and answers that a manual, a procedure or a user has published; what was not published is
cut out of them and compared with nothing. They show that bytes mean what the documents say, not how a meter behaves
in time. *Recorded from a real meter*: traces that somebody took of one. There are none yet: whoever has a meter and
runs `meterbench read ID --station lab.yaml --record FILE` makes the first. *Simulator only*: the shipped scenarios
pass on the simulated meter and catch its defects; that says nothing of a real one.
"""


@dataclass(slots=True)
class Proof:
    """What the traces of one model come to."""

    public: int = 0
    real: int = 0
    masked: int = 0
    unexplained: int = 0
    names: list[str] = field(default_factory=list)


def traces() -> Iterator[Trace]:
    """Every trace of the fixtures."""
    for path in sorted(TRACES.rglob("*.trace.jsonl*")):
        yield load_trace(path)


def page() -> str:
    """The whole page."""
    proofs = {name: Proof() for name in models()}
    rows = [
        "", "## Traces", "",
        "| model | firmware | trace | exchanges | partly cut out | unexplained differences | confidence | source |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    rows += [_row(trace, proofs[trace.model]) for trace in traces()]
    return "\n".join([HEAD, *_models(proofs), *rows]) + "\n"


def _row(trace: Trace, proof: Proof) -> str:
    found = mirror(trace).comparison
    name = trace.path.name.partition(".")[0]
    proof.names.append(name)
    if "source" in trace.header:
        proof.public += found.exchanges
    else:
        proof.real += found.exchanges
    proof.masked += found.masked
    proof.unexplained += len(found.unexplained)
    firmware = trace.path.parent.name
    return (
        f"| {trace.model} | {firmware} | {name} | {found.exchanges} | {found.masked} | {len(found.unexplained)} "
        f"| {trace.header.get('confidence', 'recorded')} | {trace.header.get('source', 'a real meter')} |"
    )


def _models(proofs: dict[str, Proof]) -> Iterator[str]:
    yield "## Models\n"
    yield "| model | family | public frames | recorded from a real meter | on the simulator only |"
    yield "|---|---|---|---|---|"
    simulated = {device.model: capabilities_of(device) for device in builtin_station("sim").devices.values()}
    for name, model in models().items():
        proof = proofs[name]
        exchanges = f"{proof.public} exchange{'' if proof.public == 1 else 's'}"
        agreed = "all agree" if not proof.unexplained else f"{proof.unexplained} differences unexplained"
        public = f"{exchanges}, {agreed}: {', '.join(proof.names)}" if proof.public else "none of this model"
        procedures = ", ".join(sorted(simulated[name])) if name in simulated else "stands for its family; not run"
        yield f"| {name} | {model.title} | {public} | {proof.real or 'none yet'} | {procedures} |"


if __name__ == "__main__":
    (Path(__file__).parent / "supported.md").write_text(page(), encoding="utf-8")
