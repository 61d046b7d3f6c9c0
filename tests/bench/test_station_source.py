"""YAML without its traps, and nothing that any text can do to the loader but be refused."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.station import StationFileError, builtin_station, load_station
from bench.station.source import parse_source

SIM = (Path(__file__).parents[2] / "fixtures" / "stations" / "sim.yaml").read_text("utf-8")


def data(text: str) -> Any:
    return parse_source(text, "lab.yaml").data


@pytest.mark.parametrize(
    ("scalar", "meaning"),
    [
        ("12", 12),
        ("-5", -5),
        ("0", 0),
        ("0.95", Decimal("0.95")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("094", "094"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("8N1", "8N1"),
        ("7E1", "7E1"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("2027-03-01", "2027-03-01"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_a_scalar_means_what_it_looks_like(scalar: str, meaning: object) -> None:
    read = data(f"x: {scalar}\n")["x"]
    assert (read, type(read)) == (meaning, type(meaning))


def test_keys_are_text() -> None:
    assert list(data("on: 1\noff: 2\n3: 3\n094: 4\ntrue: 5\n")) == ["on", "off", "3", "094", "true"]


def test_every_entry_has_its_line() -> None:
    source = parse_source("a:\n  b: [1,\n      2]\n  c: {d: 4}\n", "lab.yaml")
    assert {keys: line for keys, line in source.lines.items() if keys} == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", 0): 2,
        ("a", "b", 1): 3,
        ("a", "c"): 4,
        ("a", "c", "d"): 4,
    }
    assert source.line(("a", "c", "e")) == 4


def test_of_two_equal_keys_the_first_counts_and_both_are_named() -> None:
    source = parse_source("a: 1\nb: 2\na: 3\n", "lab.yaml")
    assert source.data == {"a": 1, "b": 2}
    assert [f"{mistake.line}: {mistake}" for mistake in source.mistakes] == ["3: a: given twice, first on line 1"]


def test_it_reads_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    with_libyaml = parse_source(SIM, "sim.yaml")
    monkeypatch.setattr("bench.station.source._PARSER", yaml.SafeLoader)
    assert parse_source(SIM, "sim.yaml") == with_libyaml


def refused_or_right(folder: Path, content: bytes) -> None:
    """Load a file with this content; it is a station, or it is refused line by line."""
    file = folder / "fuzz.yaml"
    file.write_bytes(content)
    try:
        station = load_station(file)
    except UsageError as error:
        for line in str(error).split("\n"):
            place, number, reason = line.removeprefix(str(folder)).split(":", 2)
            assert place == "/fuzz.yaml"
            assert 1 <= int(number) <= content.count(b"\n") + content.count(b"\r") + 2 or not content.isascii()
            assert reason.isprintable()
    else:
        json.dumps(station.resolved())


a_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["sim", "1 s"])
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


class TestGarbage:
    @a_file
    @given(content=st.binary(max_size=200))
    def test_bytes(self, tmp_path: Path, content: bytes) -> None:
        refused_or_right(tmp_path, content)

    @a_file
    @given(content=st.text("abc:-{}[],'\"&*!|>#?%@ \n\t1.~<", max_size=60))
    def test_what_looks_like_yaml(self, tmp_path: Path, content: str) -> None:
        refused_or_right(tmp_path, content.encode())

    @a_file
    @given(tree=TREES, section=st.sampled_from(["schema", "name", "location", "links", "devices", "policy"]))
    def test_a_section_that_is_something_else(self, tmp_path: Path, tree: object, section: str) -> None:
        station = builtin_station("sim").resolved() | {section: tree}
        refused_or_right(tmp_path, json.dumps(station, indent=1).encode())

    @a_file
    @given(tree=TREES, choice=st.data())
    def test_an_entry_that_is_something_else(self, tmp_path: Path, tree: object, choice: st.DataObject) -> None:
        station = builtin_station("sim").resolved()
        node: Any = choice.draw(st.sampled_from([*station["links"].values(), *station["devices"].values()]))
        node[choice.draw(st.sampled_from(["type", "port", "host", "load", "power", "identity", *node]))] = tree
        refused_or_right(tmp_path, json.dumps(station, indent=1).encode())

    @a_file
    @given(at=st.integers(0, len(SIM)), cut=st.integers(0, 40), put=st.text(max_size=3))
    def test_a_station_with_a_hole(self, tmp_path: Path, at: int, cut: int, put: str) -> None:
        refused_or_right(tmp_path, (SIM[:at] + put + SIM[at + cut :]).encode("utf-8", "replace"))


def test_a_refusal_is_a_usage_error() -> None:
    assert issubclass(StationFileError, UsageError)
