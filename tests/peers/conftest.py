from collections.abc import Iterator

import pytest
from served_desk import Desk


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    served = Desk(tmp_path_factory.mktemp("desk"))
    yield served
    served.close()
