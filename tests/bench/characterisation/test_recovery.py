"""Every value of a profile, changed in a station file, is found out: so each question can be answered differently."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from characterised import BUS, LAN, agrees, ask, content_of, station

from protocols.powerlogic.tables import models
from simulators.meters.powerlogic.profile import Profile

IDENTITY, INTERFACE, LOADING, MEMORY = (
    f"characterisation/test_{name}.py" for name in ("identity", "interface", "loading", "memory")
)
CHANGED: list[tuple[str, str, dict[str, Any]]] = [
    (IDENTITY, "CM4250", {"slave_id": 99}),
    (IDENTITY, "CM4250", {"product_id": 4711}),
    (IDENTITY, "CM4250", {"function_codes": [3, 4, 6, 11, 16, 17]}),
    (IDENTITY, "CM2350", {"clock_drift_ppm": 40}),
    (IDENTITY, "PM850", {"os_version": 11_050}),
    (IDENTITY, "PM850", {"vendor_label": 1}),
    (IDENTITY, "PM850", {"most_registers": 64}),
    (IDENTITY, "PM850", {"undefined_read": "refuse"}),
    (IDENTITY, "PM850", {"clock_drift_ppm": -87}),
    (INTERFACE, "PM850", {"exec_delay": "420 ms"}),
    (INTERFACE, "PM850", {"exec_delay": "0 s"}),
    (INTERFACE, "PM850", {"clear_command": True}),
    (INTERFACE, "CM3350", {"status_semantics": "command"}),
    (INTERFACE, "PM850", {"locked_write": 4}),
    (INTERFACE, "PM850", {"needs_setup_for_floats": False}),
    (INTERFACE, "PM850", {"null_data_pointer": "ignore"}),
    (INTERFACE, "PM850", {"null_data_pointer": "default"}),
    (INTERFACE, "PM850", {"stray_data_pointer": "ignore"}),
    (INTERFACE, "PM850", {"stray_data_pointer": "default"}),
    (INTERFACE, "PM850", {"stray_data_pointer": "follow"}),
    (INTERFACE, "PM850", {"exec_order": "before_store"}),
    (INTERFACE, "PM850", {"accepts_broadcast": True}),
    (LOADING, "PM850", {"fraction": "keep"}),
    (LOADING, "PM850", {"normalise_signs": False}),
    (LOADING, "PM850", {"rollover": "saturate"}),
    (LOADING, "PM850", {"atomic_block_read": False}),
    (LOADING, "PM850", {"atomic_block_read": False, "fraction": "keep"}),
    (LOADING, "CM4250", {"revenue_lock_blocks_preset": True}),
    (MEMORY, "PM850", {"boot": "3.3 s"}),
    (MEMORY, "PM850", {"boot": "0.4 s", "exec_delay": "900 ms"}),
    (MEMORY, "PM850", {"keep_pointers": True}),
    (MEMORY, "PM850", {"save_delay": "2.5 s"}),
    (MEMORY, "PM850", {"save_delay": "250 ms", "boot": "1 s"}),
]
#: What the station pins the meter to, and what nobody asks: a password does not belong into a file.
ELSEWHERE = {"product_name", "command_password"}


def test_every_value_is_tried() -> None:
    tried = {name for _, _, changed in CHANGED for name in changed}
    assert tried | ELSEWHERE == {field.name for field in fields(Profile)}


@pytest.mark.parametrize(("file", "model", "changed"), CHANGED, ids=str)
def test_a_changed_value_is_found_out(tmp_path: Path, file: str, model: str, changed: dict[str, Any]) -> None:
    link = BUS if "accepts_broadcast" in changed else LAN
    code, found = ask(station(tmp_path, model, link=link, profile=changed), file, "--also-ask", "revenue-lock")
    entries = content_of(found)["profile"]
    asked = {name: truth for name, truth in changed.items() if name in entries}
    assert code == 0
    assert next(iter(changed)) in asked
    assert [entries[name] for name, truth in asked.items() if not agrees(entries[name], truth)] == []


@pytest.mark.parametrize(("model", "link"), [("PM850", LAN), ("CM4250", LAN), ("CM3350", BUS), ("CM2350", BUS)])
def test_a_healthy_meter_is_what_its_model_says(tmp_path: Path, model: str, link: str) -> None:
    code, found = ask(station(tmp_path, model, link=link), "--also-ask", "revenue-lock")
    content = content_of(found)
    assert code == 0
    wrong = {name: entry for name, entry in content["profile"].items() if not agrees(entry, truth_of(model, name))}
    assert wrong == {}
    left = {"CM2350": 17, "CM3350": 0, "CM4250": 1, "PM850": 2}[model]  # a CM2 takes no preset: little can be asked
    assert len(content["undetermined"]) == left if left else "undetermined" not in content


def truth_of(model: str, name: str) -> Any:
    """What the fixtures say; needs_setup_for_floats is said of the PM800 only."""
    return models()[model].profile.get(name, False)


def test_what_a_document_says_otherwise_fails_and_is_written_down(tmp_path: Path) -> None:
    """A PM800 whose function codes are not those of its manual: the profile says what there is, the run is red."""
    code, found = ask(station(tmp_path, profile={"function_codes": [3, 6, 16, 17]}), IDENTITY)
    assert code == 1
    assert content_of(found)["profile"]["function_codes"]["value"] == [3, 6, 16, 17]


def test_another_name_than_the_models_is_told_and_the_meter_is_not_touched(tmp_path: Path) -> None:
    code, found = ask(station(tmp_path, profile={"product_name": "PM870"}))
    content = content_of(found)
    assert code == 1
    assert content["profile"]["product_name"]["value"] == "PM870"
    assert "exec_delay" not in content["profile"]
