"""What was timed on real FLAG meters takes as long here; virtual time is exact, so nothing of this is a timed test."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "line_times.py"


@pytest.fixture(scope="module")
def line_times() -> ModuleType:
    spec = importlib.util.spec_from_file_location("line_times", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["line_times"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def test_every_anchor_is_met_within_a_tenth(line_times: ModuleType) -> None:
    found = line_times.anchors()
    assert len(found) == 8
    assert [f"{each.what}: {each.found:.2f} s" for each in found if abs(each.off) > 0.1] == []


def test_a_sign_on_takes_the_time_of_its_characters_to_the_microsecond(line_times: ModuleType) -> None:
    assert all(abs(each.found - each.anchor) < 1e-6 for each in line_times.sign_ons())


def test_without_the_gap_that_is_assumed_between_blocks_a_stream_would_be_too_quick(line_times: ModuleType) -> None:
    """71 blocks and their frames are 19.5 s at 9600 Bd; the maker speaks of some 30 s."""
    assert line_times.stream_read(gap=0).found == pytest.approx(19.8, abs=0.3)
