"""Traces to test with: of a transfer on the simulated station, of single exchanges, of a served device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench_stand import stand, two_meters

from bench.bench import Bench
from bench.evidence import Evidence
from bench.host import Host
from bench.safety import Safety
from bench.station import Station, load_station
from bench.trace import TraceWriter

FIXTURES = Path(__file__).parents[3] / "fixtures" / "traces"


def transfer_traces(folder: Path, text: str = "") -> Path:
    """The traces of one transfer from `old` to `new`, in a folder."""
    with stand(text or two_meters(), folder) as on:
        on.bench.transfer(on.old, on.new)
        on.bench.write_traces()
        return on.evidence / "traces"


def trace_file(
    path: Path, events: Sequence[tuple[int, str, str]], *, model: str = "PM850", frames: str = "rtu", **facts: object
) -> Path:
    """A trace of hand-made events: instant (ms), direction, hexadecimal or text."""
    writer = TraceWriter("by hand", "new", model=model, frames=frames, facts=facts)
    writer.stream(path)
    for t, way, text in events:
        if way == "note":
            writer.note(t * 10**6, text)
        else:
            (writer.tx if way == "tx" else writer.rx)(t * 10**6, bytes.fromhex(text))
    found = writer.close()
    assert found is not None
    return found


def replay_station(folder: Path, trace: str, matching: str = "strict", devices: str = "") -> Station:
    """A station of one replay link."""
    known = devices or (
        "  old: {model: CM2350, link: wire, address: 3}\n  new: {model: PM850, link: wire, address: 1}\n"
    )
    file = folder / "replay.yaml"
    file.write_text(
        f"schema: 1\nname: replay\nlinks: {{wire: {{type: replay, trace: {trace}, matching: {matching}}}}}\n"
        f"devices:\n{known}"
    )
    return load_station(file)


def bench_on(station: Station, scenario: str = "test", reason: str | None = "test") -> tuple[Host, Bench]:
    """An opened bench without evidence."""
    host = Host(station, scenario=scenario)
    return host, Bench(host, Safety(station), Evidence(None), scenario, reason)


__all__ = ["FIXTURES", "bench_on", "replay_station", "trace_file", "transfer_traces"]
