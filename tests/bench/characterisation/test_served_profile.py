"""The characterisation of a served meter from another process: a part of what the benchmark does as a whole."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SCENARIOS = ["characterisation/test_identity.py", "characterisation/test_interface.py"]


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`benchmarks/characterisation.py` as a module."""
    spec = importlib.util.spec_from_file_location("characterisation_whole", ROOT / "benchmarks" / "characterisation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "characterisation_whole", module)
    spec.loader.exec_module(module)
    return module


def test_the_profile_of_a_served_meter_is_recovered_over_tcp(tmp_path: Path, whole: Any) -> None:
    model, truth = whole.SERVED["pm"]
    with whole.Server(tmp_path) as server:
        found, said = whole.characterise(server.station, "pm", SCENARIOS, "3 s")
    assert found, said
    assert (found["of"]["model"], found["measured"]["host"]) == (model, "served")
    assert whole.differences(found, truth) == {}
    asked = {"exec_delay", "clear_command", "exec_order", "null_data_pointer", "stray_data_pointer", "locked_write",
             "most_registers", "undefined_read", "os_version", "vendor_label", "needs_setup_for_floats"}  # fmt: skip
    assert asked <= found["profile"].keys(), said
    assert (tmp_path / "pm.profile.yaml").exists()


def test_a_value_that_is_not_the_served_one_is_told(whole: Any) -> None:
    """The comparison can fail: by value, and by more than the uncertainty that is claimed."""
    found = {"profile": {"boot": {"value": "1 s", "uncertainty": "+- 90 ms"}, "locked_write": {"value": 2}}}
    assert whole.differences(found, {"boot": "1080 ms", "locked_write": 2}) == {}
    assert whole.differences(found, {"boot": "1100 ms", "locked_write": 3}).keys() == {"boot", "locked_write"}
