"""How a bench knows that the ports of a station are those of a server on this machine."""

import json
import os
import time
from pathlib import Path

import pytest

from bench import served
from bench.host import host_kind
from bench.station import Station, load_station


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def station(tmp_path: Path, link: str) -> Station:
    file = tmp_path / "s.yaml"
    file.write_text(f"schema: 1\nname: s\nlinks:\n  a: {link}\ndevices: {{m: {{model: PM850, link: a, address: 1}}}}\n")
    return load_station(file)


@pytest.mark.parametrize(
    ("link", "endpoint"),
    [
        ("{type: tcp, host: 127.0.0.1, port: 1502}", "127.0.0.1:1502"),
        ("{type: tcp, host: localhost, port: 1502}", "127.0.0.1:1502"),
        ('{type: tcp, host: "::1", port: 1502}', "[::1]:1502"),
        ("{type: rfc2217, host: 127.0.0.1, port: 4001}", "127.0.0.1:4001"),
        ('{type: rfc2217, url: "rfc2217://localhost:4001?logging=debug"}', "127.0.0.1:4001"),
        ("{type: serial, port: /dev/pts/7}", "/dev/pts/7"),
        ('{type: serial, port: "socket://localhost:4002"}', "127.0.0.1:4002"),
    ],
)
def test_a_station_that_leads_to_a_server_is_served_while_it_runs(tmp_path: Path, link: str, endpoint: str) -> None:
    there = station(tmp_path, link)
    assert host_kind(there) == "real"
    registration = served.Registration(["127.0.0.1:1", endpoint])
    assert host_kind(there) == "served"
    registration.remove()
    assert host_kind(there) == "real"


def test_one_link_that_leads_elsewhere_makes_it_real(tmp_path: Path) -> None:
    registration = served.Registration(["127.0.0.1:1502"])
    file = tmp_path / "two.yaml"
    file.write_text(
        "schema: 1\nname: s\nlinks: {a: {type: tcp, host: 127.0.0.1, port: 1502}, b: {type: serial, port: COM3}}\n"
        "devices: {m: {model: PM850, link: a, address: 1}, n: {model: PM850, link: b, address: 1}}\n"
    )
    assert host_kind(load_station(file)) == "real"
    registration.remove()


def test_a_file_that_nobody_touches_means_nothing_and_is_cleared_away(folder: Path) -> None:
    killed = served.Registration(["127.0.0.1:1502"])
    (file,) = folder.iterdir()
    long_ago = time.time() - served.STALE - 1
    os.utime(file, (long_ago, long_ago))
    assert served.endpoints() == set()
    killed.touch()
    assert served.endpoints() == {"127.0.0.1:1502"}
    os.utime(file, (long_ago, long_ago))
    served.Registration([]).remove()
    assert list(folder.iterdir()) == []
    killed.touch()  # a file that is gone is not brought back
    assert list(folder.iterdir()) == []


def test_the_heartbeat_is_faster_than_a_file_grows_stale() -> None:
    assert served.HEARTBEAT * 3 < served.STALE


def test_two_servers_of_one_process_do_not_share_a_file() -> None:
    one, two = served.Registration(["a:1"]), served.Registration(["b:2"])
    assert served.endpoints() == {"a:1", "b:2"}
    one.remove()
    assert served.endpoints() == {"b:2"}
    two.remove()


@pytest.mark.parametrize("text", ["", "7", '{"a": 1}', "[1, null]", "[", '"127.0.0.1:1"'])
def test_what_is_no_registration_is_passed_over(folder: Path, text: str) -> None:
    (folder / "meterbench-serve-1.json").write_text(text)
    good = served.Registration(["127.0.0.1:2"])
    assert served.endpoints() == {"127.0.0.1:2"}
    good.remove()


def test_a_registration_is_a_list_that_others_can_read(folder: Path) -> None:
    registration = served.Registration(["127.0.0.1:2", "[::1]:3", "/dev/pts/4"])
    (file,) = folder.iterdir()
    assert json.loads(file.read_text()) == ["127.0.0.1:2", "::1:3", "/dev/pts/4"]
    registration.remove()
