from collections.abc import Iterator

import pytest
from served_stage import Served


@pytest.fixture
def served() -> Iterator[Served]:
    it = Served()
    try:
        yield it
    finally:
        it.close()
