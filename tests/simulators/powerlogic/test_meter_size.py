"""A meter is small: 10,000 of them have to fit into 300 MiB (benchmarks/many_meters.py measures the whole)."""

import tracemalloc

import pytest
from meter_desk import Desk

from simulators.power.feeder import Load


@pytest.mark.parametrize("model", ["CM2350", "CM4250", "PM850"])
def test_a_used_meter_is_a_few_kibibytes(model: str) -> None:
    Desk(model, Load(1_000_000)).energies()  # the tables are shared
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        desks = [Desk(model, Load(1_000_000)) for _ in range(50)]
        for desk in desks:
            desk.energies()
            if model != "CM2350":
                desk.preset()
        size = (tracemalloc.get_traced_memory()[0] - before) / len(desks)
    finally:
        tracemalloc.stop()
    assert size < 16 * 1024
