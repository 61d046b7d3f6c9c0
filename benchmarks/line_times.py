"""How long what was timed on real FLAG meters takes here, in virtual time: the calibration of lines and profiles.

Virtual time is exact, so this is no timed benchmark: it gives the same figures everywhere, and a test holds them
against the anchors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import yaml

from bench.bench import Bench
from bench.evidence import Evidence
from bench.host import Host
from bench.safety import Safety
from bench.stage import stage_of
from bench.station import station_from_text
from protocols.elster.configuration import ProfileSetup, layout
from protocols.elster.profile import Interval
from protocols.flag.client import Timing
from protocols.flag.device import PROGRAMMING
from simulators.meters.elster.behaviour import take_effect
from simulators.world import World

MS, SECOND, DAY = 1_000_000, 1_000_000_000, 86_400 * 1_000_000_000
MIDNIGHT = datetime(2026, 1, 5)  # noqa: DTZ001  # a meter keeps local time without a zone
FOUR = ("import", "export", "q1", "q4")


@dataclass(frozen=True)
class Anchor:
    """Something that was timed: what, how long it took (s), and how long it takes here."""

    what: str
    anchor: float
    found: float

    @property
    def off(self) -> float:
        """By which part of the anchor it is off."""
        return self.found / self.anchor - 1


class Visited:
    """An A1140 behind an optical head at 9600 Bd, and the instants at which a driver spoke and had heard."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.meter: Any = host.stage.meter("meter")
        self.driver: Any = Bench(host, Safety(host.station), Evidence(None), "benchmark", None).device("meter")
        self.driver.session.record = self._note
        self.events: list[tuple[int, str, bytes]] = []

    def _note(self, way: str, data: bytes) -> None:
        self.events.append((self.host.clock.now(), way, data))

    def records(self, channels: tuple[str, ...], period: int, days: int) -> None:
        """Let it record whole days of these channels."""
        section = ProfileSetup(channels, period)
        self.meter.configuration.put("profile", section.encode(layout("A1140")))
        take_effect(self.meter, "profile", self.host.clock.now())
        self.host.clock.sleep(days * DAY + SECOND)

    def last_exchange(self) -> float:
        """Seconds from the first character of the latest command but a break to the last one of its answer."""
        answered = max(t for t, way, _ in self.events if way == "rx")
        return (answered - max(t for t, way, _ in self.events if way == "tx" and t < answered)) / SECOND


@contextmanager
def visited(**profile: object) -> Iterator[Visited]:
    simulate = {"load": "20 kW", "profile": profile}
    meter = {"model": "A1140", "link": "head", "password": "simulated", "simulate": simulate}
    links = {"head": {"type": "sim", "medium": "optical"}}
    text = {"schema": 1, "name": "calibration", "links": links, "devices": {"meter": meter}}
    station = station_from_text(yaml.safe_dump(text), "calibration")
    host = Host(station, stage=stage_of(station, World(0), {}, epoch=MIDNIGHT))
    try:
        yield Visited(host)
    finally:
        host.close()


def formatted_reads() -> Iterator[Anchor]:
    """Four channels of 15 minutes by R5 as text, from the command to the last character."""
    with visited(formatted_profile=True) as desk:
        desk.records(FOUR, 15, 8)
        for days, anchor in ((1, 5.0), (3, 14.0), (7, 32.0)):
            first = MIDNIGHT + timedelta(minutes=15)
            runs = desk.driver.read_profile_text(first, first + timedelta(days=days, minutes=-15))
            assert sum(len(run.intervals) * len(run.channels) for run in runs) == days * 96 * 4
            yield Anchor(f"mode C read (R5), 4 channels of 15 min, {days} d", anchor, desk.last_exchange())


def stream_read(gap: int | None = None) -> Anchor:
    """90 days of one channel of 30 minutes by data stream, from the command to the last block; `gap` (ns) between."""
    with visited(profile_days=91) as desk:
        desk.meter.habits.stream_gap = desk.meter.habits.stream_gap if gap is None else gap
        desk.records(("import",), 30, 90)
        records = desk.driver.read_profile()
        assert sum(isinstance(each, Interval) for each in records) == 4320
        return Anchor("4,320 values by data stream", 30.0, desk.last_exchange())


def sign_ons() -> Iterator[Anchor]:
    """A sign-on with an identification of 19 characters, and with that of 23 which an A1140 has."""
    for ident, said, line in (("120510070213", "19 characters", 1.0), ("120510070213@000", "23 characters", 34 / 30)):
        with visited(ident=ident, reaction_time="200 ms") as desk:
            desk.driver.session.client.timing = Timing(reaction=200 * MS)
            desk.driver.session.require(0, PROGRAMMING)
            begin = next(t for t, way, _ in desk.events if way == "tx")
            end = next(t for t, way, data in desk.events if way == "note" and data.startswith(b"line 9600"))
            whole = (end - begin) / SECOND
        yield Anchor(f"sign-on, identification of {said}, line time", line, whole - 0.4)
        yield Anchor(f"the same with two reactions of 200 ms, {said}", line + 0.4, whole)


def anchors() -> list[Anchor]:
    return [*formatted_reads(), stream_read(), *sign_ons()]


def main() -> dict[str, object]:
    return {each.what: f"{each.found:.2f} s (anchor {each.anchor:.4g} s, {each.off:+.1%})" for each in anchors()}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
