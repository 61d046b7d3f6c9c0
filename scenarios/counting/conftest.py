"""Fixtures of the counting scenarios."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from bench.bench import Bench
from bench.control import Loads
from bench.drivers.powerlogic import Series


@pytest.fixture
def load_restored(target: Series, bench: Bench) -> Iterator[Loads]:
    """The loads of the station; the target's is afterwards what it was before."""
    watts = int(Decimal(str(target.value("real_power_total"))) * 1000)
    yield bench.loads
    bench.loads.set(target.name, watts)
