"""Lists as people bring them: from a spreadsheet, of ten thousand meters, of another station, of the wrong kind."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from bench.lists.comparison import contradictions, media_of
from bench.lists.load import load_list
from bench.lists.model import MeterEntry
from bench.station import StationFileError, find_station, station_from_text

SCHEME = "scheme: 1\nid: A\nversion: 1\nmodels: [A1140]\ndemand: {period: 30 min}\n"
HEAD = "name,model,link,medium,outstation"


def told(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(StationFileError) as refused:
        load_list(path, find_station("sim"))
    return str(refused.value).replace(str(path), path.name)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_what_a_spreadsheet_writes_is_read(mark: str, tmp_path: Path) -> None:
    cells = ["mill", "A1140", "bus", "rs485", "094", '"Große Straße, 3; oben"']
    text = "\r\n".join([f"{HEAD},route".replace(",", mark), mark.join(cells)])
    path = tmp_path / "straße.csv"
    path.write_bytes(f"\ufeff{text}\r\n".encode())
    found = load_list(path, find_station("sim"))
    assert (found.name, found.meters[0].outstation, found.meters[0].route) == ("straße", "094", "Große Straße, 3; oben")


STRANGE = {
    "umlaut in a name": (f"{HEAD}\nMühle,A1140,bus,rs485,1\n".encode(), 'l.csv:2: meters.0.name: "Mühle" is not an'),
    "Latin-1": (f"{HEAD},route\nm,A1140,bus,rs485,1,Straße\n".encode("latin-1"), "l.csv:2: not UTF-8; save"),
    "UTF-16": (f"{HEAD}\n".encode("utf-16"), "l.csv:1: not UTF-8; save"),
    "a comma too many": (f"{HEAD}\nm,A1140,bus,rs485,1,\n".encode(), "6 cells, and 5 columns; a cell that holds"),
    "no head": (b"mill,A1140,bus\n", 'l.csv:1: there is no column "mill"; the first line names the columns, allowed'),
    "one outstation twice": (
        f"{HEAD}\na,A1140,bus,rs485,094\nb,A1140,bus,rs485,94\n".encode(),
        "l.csv:3: meters.1.outstation: outstation 94 on link bus stands on line 2 already",
    ),
    "company without an outstation": (
        f"{HEAD}\na,A1140,bus,rs485,094\nb,A1140,bus,rs485,\n".encode(),
        "l.csv:3: meters.1.outstation: needs an outstation: 2 meters of the list are on link bus",
    ),
    "a name of a file that is none": (
        b"name,model,link\n", "l.csv:1: meters: must have at least one entry",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", STRANGE)
def test_what_cannot_be_says_where_and_what_to_do(what: str, tmp_path: Path) -> None:
    data, said = STRANGE[what]
    found = told(tmp_path / "l.csv", data)
    assert said in found
    assert len(found.splitlines()) == 1, found


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\\b", ".hidden", "a:b", " a", "a ", "x" * 101, '"a\\nb"', '""'])
def test_the_name_of_a_list_can_be_that_of_a_file(name: str, tmp_path: Path) -> None:
    quoted = name if name.startswith('"') else f"'{name}'"
    text = f"list: 1\nname: {quoted}\nmeters: [{{name: a, model: A1140, link: bus, medium: rs485}}]\n"
    assert told(tmp_path / "l.yaml", text.encode()).startswith("l.yaml:2: name: ")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\n",
        "list: 1\nname: x\nmeters:\n  - &m {name: a, model: A1140, link: bus}\n  - *m\n",
        "list: 1\nname: x\nmeters: " + "[" * 5_000 + "]" * 5_000,
        "list: 1\nname: x\nmeters:\n  - {<<: {name: a}, model: A1140}\n",
    ],
)
def test_a_bomb_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    assert told(tmp_path / "l.yaml", text.encode()).startswith("l.yaml:")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe with a name is a thing of POSIX")
def test_a_pipe_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "l.csv")
    with pytest.raises(StationFileError, match=r"l\.csv:1: this is a pipe; name a file"):
        load_list(tmp_path / "l.csv")


@pytest.mark.parametrize("kind", ["csv", "yaml"])
def test_ten_thousand_meters_are_read_and_each_scheme_once(kind: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SCHEME, "utf-8")
    rows = [(f"m{k}", f"{k + 1:05}") for k in range(10_000)]
    if kind == "csv":
        text = f"{HEAD},scheme\n" + "".join(f"{name},A1140,bus,rs485,{at},s.yaml\n" for name, at in rows)
    else:
        text = "list: 1\nname: l\nmeters:\n" + "".join(
            f'  - {{name: {name}, model: A1140, link: bus, medium: rs485, outstation: "{at}", scheme: s.yaml,'
            f" route: a street with a name that is so long that the file is larger than a mebibyte}}\n"
            for name, at in rows
        )
    (tmp_path / f"l.{kind}").write_text(text, "utf-8")
    assert len(load_list(tmp_path / f"l.{kind}", find_station("sim")).meters) == 10_000


def test_a_scheme_whose_date_has_passed_is_refused_in_a_list_too(tmp_path: Path) -> None:
    changes = "advance: {date: 2025-03-30, hour: 1}, retard: {date: 2025-10-26, hour: 2}"
    clock = f"clock: {{daylight_saving: {{shift: 1, {changes}}}}}"
    (tmp_path / "s.yaml").write_text(SCHEME.replace("demand: {period: 30 min}", clock), "utf-8")
    (tmp_path / "l.csv").write_text(f"{HEAD},scheme\na,A1140,bus,rs485,1,s.yaml\n", "utf-8")
    assert len(load_list(tmp_path / "l.csv").meters) == 1
    with pytest.raises(
        StationFileError, match=r"l\.csv:2: meters\.0\.scheme: cannot be used: .*s\.yaml:5: .*in the past"
    ):
        load_list(tmp_path / "l.csv", today=date(2026, 11, 21))


# -- list and station --------------------------------------------------------------------------------------------------


def test_a_list_that_contradicts_the_station_is_refused_with_both_lines(tmp_path: Path) -> None:
    data = f"{HEAD}\na1140,A1700,drop,rs485,095\n".encode()
    found = told(tmp_path / "l.csv", data).splitlines()
    assert [line.split("devices")[0] for line in found] == [
        "l.csv:2: meters.0.model: the list says A1700, the model of ",
        "l.csv:2: meters.0.link: the list says drop, and ",
        "l.csv:2: meters.0.medium: the list says rs485, and ",
        "l.csv:2: meters.0.outstation: the list says 095, and ",
    ]
    assert all("devices.a1140 (sim.yaml:" in line for line in found)


LINKS = {
    "{type: sim, medium: network}": ("tcp",),
    "{type: sim, medium: gsm}": ("gsm",),
    "{type: sim, medium: pstn}": ("modem",),
    "{type: sim, medium: paknet}": ("pad",),
    "{type: serial, port: /dev/ttyUSB0}": ("optical", "rs232", "rs485"),
    "{type: serial, port: 'socket://h:1'}": ("tcp", "optical", "rs232", "rs485"),
    '{type: serial, port: COM1, modem: {number: "1"}}': ("modem", "gsm"),
    '{type: tcp, host: h, pad: {number: "23530001000094"}}': ("pad",),
    "{type: tcp, host: h}": ("tcp", "optical", "rs232", "rs485"),
    "{type: rfc2217, host: h, port: 1}": ("optical", "rs232", "rs485"),
}
A_STATION = """\
schema: 1
name: s
links: {l: LINK}
devices:
  a: {model: A1140, link: l, outstation: "7", serial: "0042", password: {env: HERE}}
"""


@pytest.mark.parametrize("link", LINKS)
def test_the_media_that_a_link_can_be(link: str) -> None:
    station = station_from_text(A_STATION.replace("LINK", link), "s.yaml")
    assert media_of(station.links["l"]) == LINKS[link]


def test_what_a_list_leaves_out_or_pads_with_zeros_is_no_contradiction() -> None:
    station = station_from_text(A_STATION.replace("LINK", "{type: sim}"), "s.yaml")
    told: dict[str, object] = {"name": "a", "model": "A1140", "link": "l", "medium": "rs485"}
    same = {"outstation": "007", "serial": "42", "password": {"env": "HERE"}}
    for entry in (told, told | same):
        assert list(contradictions(MeterEntry.model_validate(entry), station)) == []
    other = {"outstation": "8", "serial": "43", "password": {"env": "S3CRETPW"}}
    found = dict(contradictions(MeterEntry.model_validate(told | other), station))
    assert set(found) == set(other)
    assert "S3CRETPW" not in str(found)
    del told["medium"]
    assert "optical (by saying nothing)" in dict(contradictions(MeterEntry.model_validate(told), station))["medium"]
