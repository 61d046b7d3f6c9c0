"""The host of a run: what kind it is, what it opens and gives back, and what it refuses."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

import pytest
from bench_stand import LAN, golden_meter, modbus_tcp, stand, station_of, tcp_stand_in, two_meters

from bench.errors import UsageError
from bench.host import Host, check_defects, host_kind
from bench.links import protocol_sim
from bench.served import Registration
from simulators.world import OutOfTime

NET = """\
schema: 1
name: net
links: {{net: {{type: tcp, host: {host}, port: {port}}}{more}}}
devices:
  new: {{model: PM850, link: net, address: 1}}
"""


def net(folder: Path, port: int, host: str = "127.0.0.1", more: str = "") -> Host:
    return Host(station_of(NET.format(host=host, port=port, more=more), folder))


def test_only_simulated_links_make_a_virtual_host(tmp_path: Path) -> None:
    assert host_kind(station_of(two_meters(), tmp_path)) == "virtual"


def test_one_link_that_leads_out_makes_a_real_one(tmp_path: Path) -> None:
    host = net(tmp_path, 1502, more=", line: {type: sim}")
    assert (host.kind, host.clock.virtual) == ("real", False)
    host.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_link_to_a_running_server_makes_a_served_one(name: str, tmp_path: Path) -> None:
    registration = Registration(["127.0.0.1:1502"])
    try:
        host = net(tmp_path, 1502, name)
        assert host.kind == "served"
        host.close()
        other = net(tmp_path, 1503)
        assert other.kind == "real"
        other.close()
    finally:
        registration.remove()


def test_a_link_is_made_once_and_closed_with_the_host(tmp_path: Path) -> None:
    with tcp_stand_in(modbus_tcp({1: golden_meter()})) as server:
        host = net(tmp_path, server.port)
        link = host.link("net")
        assert host.link("net") is link
        client = link.client()
        opened = getattr(client, "socket")  # noqa: B009  # of the TCP client
        host.close()
        assert opened.fileno() == -1


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    host = Host(station_of(two_meters(), tmp_path))
    host.link("line").client()
    host.close()
    host.close()
    assert protocol_sim._LINES == {}


def test_a_defect_that_does_not_exist_is_refused_and_nothing_stays_open(tmp_path: Path) -> None:
    station = station_of(two_meters(), tmp_path)
    for defects, said in (({"new": ["D99"]}, "no defect is called 'D99'"), ({"nobody": ["D04"]}, "called nobody")):
        with pytest.raises(UsageError, match=said):
            Host(station, defects=defects)
        with pytest.raises(UsageError, match=said):
            check_defects(station, defects)
    check_defects(station, {"new": ["D04", "D15"]})
    assert vars(import_module("pymodbus.client.serial"))["time"] is time


def test_a_real_device_has_no_defect_to_switch_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a defect can only be switched on there"):
        check_defects(station_of(NET.format(host="127.0.0.1", port=1, more=""), tmp_path), {"new": ["D04"]})


def test_a_run_that_goes_on_for_ever_is_ended(tmp_path: Path) -> None:
    with stand(two_meters(link=LAN), tmp_path) as on, pytest.raises(OutOfTime):
        on.host.clock.sleep(10**18)


def test_one_seed_gives_one_digest(tmp_path: Path) -> None:
    def digest(seed: int) -> str:
        host = Host(station_of(two_meters(), tmp_path), seed=seed)
        host.clock.sleep(seed * 1_000_000)
        host.link("line").client().read_holding_registers(1699, count=28, device_id=1)
        found = host.digest
        host.close()
        return found

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


def test_which_devices_are_simulated(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        assert on.host.simulates("new")
        assert not on.host.simulates("nobody")
