"""A driver on one trace, for a test: what `meterbench trace to-test` writes is built on this."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bench import Bench
from bench.drivers.powerlogic import PowerLogic
from bench.evidence import Evidence
from bench.host import Host
from bench.links.replay import RecordedLink
from bench.replay.exchanges import Trace, load_trace
from bench.replay.frames import Read, rows_of, unit_of, value_text
from bench.safety import Safety
from bench.station import Station, station_from_text
from protocols.powerlogic.words import signed


@dataclass(frozen=True, slots=True)
class Desk:
    """The driver of a device whose answers are recorded."""

    meter: PowerLogic
    safety: Safety

    def read(self, register: int, count: int = 1, *, function: int = 3) -> dict[str, str]:
        """A block as its registers read: energies as one number with unit, other rows word by word."""
        words = self.meter.session.read(register, count, function=function)
        asked = range(register, register + count)
        return decoded(self.meter.model.family, asked, words)

    def write(self, register: int, value: int) -> None:
        """One word."""
        self.meter.session.write(self.safety.arm(self.meter.name, "replay"), register, value)

    def write_block(self, register: int, values: Sequence[int]) -> None:
        """Several words."""
        self.meter.session.write_block(self.safety.arm(self.meter.name, "replay"), register, values)

    def answer(self, request: str) -> str:
        """The recorded answer to a frame that no driver sends, both in hexadecimal."""
        link = self.meter.session.link
        assert isinstance(link, RecordedLink)
        data = bytes.fromhex(request)
        return link.tape.ask(data).answer.hex()


def decoded(family: str, asked: range, words: Sequence[int]) -> dict[str, str]:
    """Words by the names of their registers, or by number where the family's table has none."""
    read = Read(asked.start, tuple(words))
    found: dict[str, str] = {}
    named: set[int] = set()
    for row in rows_of(family, asked):
        whole = read.of(row)
        if whole is not None:
            found[row.name] = value_text(row, whole)
            named.update(range(row.number, row.end))
    return found | {str(n): str(signed(w)) for n, w in zip(asked, words, strict=True) if n not in named}


@contextmanager
def replaying(file: Path, matching: str = "strict") -> Iterator[Desk]:
    """Open a trace as if its device were there.

    Raises:
        UsageError: it is no trace, or of no known model.
    """
    trace = load_trace(file)
    station = station_on(trace, matching)
    host = Host(station)
    try:
        bench = Bench(host, Safety(station), Evidence(None), "replay", "replay")
        yield Desk(bench.powerlogic(trace.device or "device"), Safety(station))
    finally:
        host.close()


def station_on(trace: Trace, matching: str = "strict") -> Station:
    """A station with one device, whose link is a trace."""
    exchanges = trace.exchanges()
    unit = trace.header.get("unit") or (unit_of(exchanges[0].request.data, trace.frames) if exchanges else 1)
    content = {
        "schema": 1,
        "name": "replay",
        "links": {"wire": {"type": "replay", "trace": str(trace.path.absolute()), "matching": matching}},
        "devices": {trace.device or "device": {"model": trace.model, "link": "wire", "address": unit or 1}},
    }
    return station_from_text(json.dumps(content, indent=1), str(trace.path))
