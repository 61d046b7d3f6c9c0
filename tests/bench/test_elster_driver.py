"""The Elster driver reads what a meter really holds: its transformers, and the width of its intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from bench_stand import stand

from bench.bench import Bench
from bench.procedures.profile_reading import read_profile
from protocols.elster.profile import Interval
from protocols.elster.tables import Source
from protocols.elster.transformers import Ratio, encode_ratio

HOUR = 3600 * 1_000_000_000
VOLTS, MARGIN = 300, 2


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:
        numbers = count()

        def open_one(model: str = "A1140", simulate: str = "") -> Bench:
            text = (
                "schema: 1\nname: flag\nlinks: {line: {type: sim, medium: optical}}\ndevices:\n"
                f"  m1: {{model: {model}, link: line, password: simulated, simulate: {{{simulate}}}}}\n"
            )
            return stack.enter_context(stand(text, tmp_path / f"bench{next(numbers)}")).bench

        yield open_one


def rating(amperes: int, vt: int = 1) -> int:
    return 3 * VOLTS * MARGIN * amperes * vt


def test_a_rating_is_that_of_the_transformers_in_front_of_the_meter(open_bench) -> None:
    meter = open_bench("A1140", "ct: {primary: 100, secondary: 5}").elster("m1")
    assert meter.image("current_transformer") == encode_ratio("A1140", "ct", Ratio(10_000, 500)), "as on the plate"
    assert meter.rating() == rating(100)


def test_a_rating_counts_the_voltage_transformers_too(open_bench) -> None:
    simulate = "ct: {primary: 100, secondary: 5}, pt: {primary: 11000, secondary: 110}"
    assert open_bench("A1700", simulate).elster("m1").rating() == rating(100, vt=100)
    assert open_bench("A1700").elster("m1").rating() == rating(100)


@pytest.mark.parametrize(
    ("held", "amperes"),
    [
        (Ratio(10_000, 500), 100),
        (Ratio(2_000, 100), 100),  # 20:1 is how a meter shows 100:5 that reduces
        (Ratio(20_000, 500), 200),
        (Ratio(100, 100), 100),  # connected directly: a hundred amperes go through the meter itself
        (Ratio(500, 500), 100),
        (Ratio(0, 0), 100),  # nobody has programmed it
    ],
)
def test_a_rating_is_the_same_however_a_ratio_is_written(open_bench, monkeypatch, held: Ratio, amperes: int) -> None:
    meter = open_bench().elster("m1")
    monkeypatch.setattr(meter, "image", lambda _name: encode_ratio("A1140", "ct", held))
    assert meter.rating() == rating(amperes)


@pytest.mark.parametrize("model", ["A1140", "A1700"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("extended", ["true", "false"])
def test_a_second_status_byte_is_found_in_the_stream(open_bench, model: str, extended: str, *, stream: bool) -> None:
    bench = open_bench(model, f"load: 10 kW, profile: {{extended_status: {extended}}}")
    bench.clock.sleep(50 * HOUR)
    meter = bench.elster("m1")
    intervals = [record for record in meter.read_profile(stream=stream) if isinstance(record, Interval)]
    assert len(intervals) == pytest.approx(100, abs=1)
    assert {each.extended for each in intervals} == ({0} if extended == "true" else {-1})
    assert all(each.values[0] == pytest.approx(10_000_000, rel=1e-4) for each in intervals[1:])


def test_a_profile_with_a_second_status_byte_does_not_contradict_itself(open_bench) -> None:
    bench = open_bench("A1140", "load: 10 kW, profile: {extended_status: true}")
    bench.clock.sleep(25 * HOUR)
    found = read_profile(bench.elster("m1"))
    assert found.contradictions == []
    assert Source.IMPORT in found.intervals[0].channels
