"""Meter lists: CSV and YAML say the same, and what cannot be is refused with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.lists.load import load_list
from bench.station import StationFileError, find_station

FIXTURES = Path(__file__).parents[3] / "fixtures"

GOOD_CSV = """\
name,route,medium,link,outstation,model,serial,password,scheme,program
mill,river street,rs485,bus,094,A1140,5074494,env:MILL_PASSWORD,s.yaml,true
pump,river street,rs485,bus,095,A1120,5074495,,,
quarry,"hill road, top",optical,lan,,A1700,,,,
"""
GOOD_YAML = """\
list: 1
name: l
meters:
  - {name: mill, route: river street, medium: rs485, link: bus, outstation: "094", model: A1140, serial: "5074494",
     password: {env: MILL_PASSWORD}, scheme: s.yaml, program: true}
  - {name: pump, route: river street, medium: rs485, link: bus, outstation: "095", model: A1120, serial: "5074495"}
  - {name: quarry, route: "hill road, top", medium: optical, link: lan, model: A1700}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(FIXTURES / "schemes" / "industrial.yaml", tmp_path / "s.yaml")
    return tmp_path


def told(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    with pytest.raises(StationFileError) as refused:
        load_list(path, find_station("sim"))
    return str(refused.value).replace(str(path), path.name)


def test_csv_and_yaml_say_the_same(folder: Path) -> None:
    (folder / "l.csv").write_text(GOOD_CSV, "utf-8")
    (folder / "l.yaml").write_text(GOOD_YAML, "utf-8")
    lists = [load_list(folder / name, find_station("sim")) for name in ("l.csv", "l.yaml")]
    assert lists[0].model_dump() == lists[1].model_dump()
    assert lists[0].meters[0].outstation == "094"


def test_the_example_is_right() -> None:
    assert len(load_list(FIXTURES / "lists" / "north.yaml", find_station("sim")).meters) == 3


WRONG = {
    "name twice": ("pump,", "mill,", "l.csv:3: meters.1.name: the name mill stands on line 2 already"),
    "serial twice": ("095,A1120,5074495", "095,A1140,05074494", "l.csv:3: meters.1.serial: serial number 05074494"),
    "place twice": (",095,", ",94,", "l.csv:3: meters.1.outstation: outstation 94 on link bus stands on line 2"),
    "unknown link": ("optical,lan", "optical,lam", "l.csv:4: meters.2.link: there is no link lam; did you mean lan?"),
    "medium": (",rs485,bus,094", ",rs486,bus,094", 'l.csv:2: meters.0.medium: "rs486" is not a medium; did you mean'),
    "model": ("A1120", "A1150", '"A1150" is not a known model'),
    "scheme missing": ("s.yaml", "t.yaml", "l.csv:2: meters.0.scheme: cannot be used: "),
    "no scheme to program": (
        "095,A1120,5074495,,,",
        "095,A1120,5074495,,,true",
        "l.csv:3: meters.1.program: there is no scheme to program",
    ),
    "neither true nor false": ("s.yaml,true", "s.yaml,perhaps", "l.csv:2: meters.0.program: "),
    "scheme of another model": ("A1140", "A1700", "scheme IND-3T-2 is for A1140, not for an A1700"),
    "column": ("outstation,", "adress,", 'l.csv:1: there is no column "adress"'),
    "no column": ("name,route", "route,name", ""),
    "missing column": ("model,", "", "l.csv:1: the column model is missing"),
    "cells": ("pump,river street", "pump,river,street", "l.csv:3: 11 cells, and 10 columns"),
    "outstation": (",094,", ",0/94,", 'l.csv:2: meters.0.outstation: "0/94" is no outstation'),
    "no name": ("pump,", ",", "l.csv:3: meters.1: name is missing"),
    "quote": ('"hill road, top"', '"hill road, top', "not CSV"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_with_its_line(name: str, folder: Path) -> None:
    old, new, said = WRONG[name]
    assert old in GOOD_CSV
    text = GOOD_CSV.replace(old, new, 1)
    if name == "no column":
        assert "street" in told(folder / "l.csv", text)
    else:
        assert said in told(folder / "l.csv", text), told(folder / "l.csv", text)


@pytest.mark.parametrize("cell", ["SEKRET77", "env:SEKRET 77", "env:", "ENV:SEKRET77"])
def test_a_password_in_a_list_is_refused_without_being_told(cell: str, folder: Path) -> None:
    said = told(folder / "l.csv", GOOD_CSV.replace("env:MILL_PASSWORD", cell))
    assert said.startswith("l.csv:2: meters.0.password: must be a reference")
    assert "SEKRET" not in said
    said = told(folder / "l.yaml", GOOD_YAML.replace("{env: MILL_PASSWORD}", "SEKRET77"))
    assert said.startswith("l.yaml:5: meters.0.password: must be a reference")
    assert "SEKRET" not in said


@pytest.mark.parametrize("text", ["", "\n", "name\n", "name,model,link\n", "\xff\n", "name,name\n", "a" * 200])
def test_what_is_no_list_is_refused(text: str, folder: Path) -> None:
    assert told(folder / "l.csv", text).startswith("l.csv:1: ")


def test_what_is_not_there_or_not_text_is_refused(folder: Path) -> None:
    with pytest.raises(StationFileError, match="No such file"):
        load_list(folder / "none.csv")
    (folder / "x.csv").write_bytes(b"name,model,link\n\xff\xfe,A1140,bus\n")
    with pytest.raises(StationFileError, match=r"x\.csv:2: not UTF-8"):
        load_list(folder / "x.csv")
