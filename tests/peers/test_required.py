"""Where peers are required a missing one is a failure, for every one of them; on a bare machine it is a skip."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from served_desk import library, npm, tool

ABSENT: dict[str, Callable[[], object]] = {
    "program": lambda: tool("meterbench-no-such-program"),
    "Python package": lambda: library("meterbench-no-such-package", "meterbench_no_such_module"),
    "npm package": lambda: npm("meterbench-no-such-package"),
}
FOLDER = Path(__file__).parent
#: Who may be missing, by the test module that needs it; pymodbus and minimalmodbus come with the tests themselves.
NEEDS = {
    "test_mbpoll_socat.py": ('tool("mbpoll")', 'tool("socat")'),
    "test_iec62056_21.py": ('library("iec62056-21", ',),
    "test_smartmeter_obis.py": ('npm("smartmeter-obis", "serialport")',),
}


@pytest.mark.parametrize("kind", ABSENT)
def test_a_missing_peer_is_skipped_or_fails_where_it_is_required(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METERBENCH_PEERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"not in|not installed"):
        ABSENT[kind]()
    monkeypatch.setenv("METERBENCH_PEERS", "required")
    with pytest.raises(pytest.fail.Exception, match=r"not in|not installed"):
        ABSENT[kind]()


def test_without_node_no_npm_package_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERBENCH_PEERS", "required")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(pytest.fail.Exception, match="node is not installed"):
        npm("smartmeter-obis")


def test_every_peer_is_looked_for_in_that_way() -> None:
    for name, calls in NEEDS.items():
        text = (FOLDER / name).read_text("utf-8")
        assert all(call in text for call in calls), name
    for path in FOLDER.glob("*.py"):
        if path.name not in {"served_desk.py", Path(__file__).name}:
            assert not re.search(r"importorskip|pytest\.skip\(|skipif\(shutil", path.read_text("utf-8")), path.name
