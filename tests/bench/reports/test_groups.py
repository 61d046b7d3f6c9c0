from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evidence import ScenarioRecord
from bench.reports.groups import grouped, matrix_of, split_id
from bench.verdicts import Verdict


def records(*ids: str) -> list[ScenarioRecord]:
    return [ScenarioRecord(scenario=i, outcome="passed", verdict=Verdict.PASS, counts={"pass": 2}) for i in ids]


@pytest.mark.parametrize(
    ("node_id", "parts"),
    [
        ("scenarios/reading/test_registers.py::test_all_words[PM850]", ("reading/registers", "all words", "PM850")),
        ("/site-packages/scenarios/reading/test_x.py::test_y", ("reading/x", "y", "")),
        ("tests\\test_x.py::TestMeter::test_y[a::b[c]]", ("tests/x", "TestMeter.y", "a::b[c]")),
        ("test_x.py", ("x", "", "")),
        ("", ("", "", "")),
    ],
)
def test_parts_of_a_node_id(node_id: str, parts: tuple[str, str, str]) -> None:
    assert split_id(node_id) == parts


@given(st.text())
def test_any_text_has_parts(node_id: str) -> None:
    assert len(split_id(node_id)) == 3


def test_one_group_a_function_in_the_order_of_the_run() -> None:
    groups = grouped(records("b.py::test_x[1]", "a.py::test_x", "b.py::test_x[2]", "b.py::test_y"))
    assert [(group.name, len(group.records)) for group in groups] == [("b: x", 2), ("a: x", 1), ("b: y", 1)]
    assert groups[0].counts == {"pass": 4}
    assert groups[0].worst is Verdict.PASS


@pytest.mark.parametrize("arrow", ["->", "-to-", "-"])
def test_pairs_make_a_matrix(arrow: str) -> None:
    pairs = [("CM2350", "PM850"), ("CM2350", "CM4250"), ("PM820", "PM850")]
    (group,) = grouped(records(*(f"t.py::test_x[{old}{arrow}{new}]" for old, new in pairs)))
    matrix = matrix_of(group)
    assert matrix is not None
    assert (matrix.rows, matrix.columns) == (["CM2350", "PM820"], ["PM850", "CM4250"])
    assert [[cell is not None for cell in row] for row in matrix.cells] == [[True, True], [True, False]]


@pytest.mark.parametrize(
    "parameters",
    [["PM850", "CM4250"], ["a-x", "b"], ["a-x", "a-x"], ["new-PM850", "new-CM4250"], ["a-1", "b-2", "c-3", "d-4"]],
)
def test_what_is_no_matrix_stays_a_list(parameters: list[str]) -> None:
    (group,) = grouped(records(*(f"t.py::test_x[{parameter}]" for parameter in parameters)))
    assert matrix_of(group) is None
