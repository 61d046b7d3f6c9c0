"""The bench's clock: virtual time reaches third-party clients, and what still sleeps on the wall is caught."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from bench_stand import golden_meter, modbus_tcp, stand, station_of, tcp_stand_in, two_meters

from bench.clock import SHIMMED, VirtualClock, WallClock, WallClockLeak, virtual_time
from bench.host import Host
from simulators.world import SECOND, World

NAMES = [names for library in SHIMMED.values() for names in library]


def test_the_shim_is_written_for_the_pymodbus_that_is_installed() -> None:
    assert version("pymodbus").startswith("3.16."), "check the names in bench/clock.py against the new version"


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_each_name_of_the_table_is_bound_in_its_module_and_used_there(module: str, name: str) -> None:
    found = import_module(module)
    assert getattr(found, name) is (time if name == "time" else getattr(time, name))
    code = Path(str(found.__file__)).read_text(encoding="utf-8")
    calls = ("time.time(", "time.sleep(") if name == "time" else (f"{name}(",)
    assert all(call in code for call in calls), f"{module} no longer asks {name}: the shim would miss its waits"


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_exactly_these_names_are_bound_anew_and_given_back(module: str, name: str) -> None:
    found = import_module(module)
    before = dict(vars(found))
    with virtual_time(World()):
        changed = {key for key, value in vars(found).items() if before.get(key) is not value}
        assert changed == {name}
    assert vars(found) == before


def test_the_names_are_given_back_when_the_inside_raises() -> None:
    found = [import_module(module) for module, _ in NAMES]
    before = [dict(vars(module)) for module in found]
    with pytest.raises(RuntimeError, match="inside"), virtual_time(World()):
        raise RuntimeError("inside")
    assert [vars(module) for module in found] == before


def test_a_shimmed_module_sees_the_worlds_time_and_its_sleep_moves_the_world() -> None:
    world = World()
    serial = import_module("pymodbus.client.serial")
    transaction = import_module("pymodbus.transaction.transaction")
    with virtual_time(world):
        serial.time.sleep(90)
        assert serial.time.time() == 90.0
        assert transaction.monotonic() == 90.0
    assert world.now == 90 * SECOND


def test_a_sleep_on_the_wall_in_a_virtual_run_is_an_error() -> None:
    with virtual_time(World()), pytest.raises(WallClockLeak, match=r"slept 0\.01 s on the wall"):
        time.sleep(0.01)
    time.sleep(0.001)  # and afterwards it is allowed again


def test_another_thread_may_sleep_and_so_may_one_that_only_yields() -> None:
    caught: list[BaseException] = []

    def sleep() -> None:
        try:
            time.sleep(0.005)
        except WallClockLeak as error:
            caught.append(error)

    with virtual_time(World()):
        time.sleep(0)
        thread = threading.Thread(target=sleep)
        thread.start()
        thread.join()
    assert caught == []


def test_a_virtual_clock_is_the_worlds() -> None:
    world = World()
    clock = VirtualClock(world)
    clock.sleep(3 * SECOND)
    clock.sleep(-1)
    assert (clock.virtual, clock.now(), world.now) == (True, 3 * SECOND, 3 * SECOND)


def test_a_wall_clock_begins_at_nothing_and_really_waits() -> None:
    clock = WallClock()
    assert 0 <= clock.now() < SECOND
    before = clock.now()
    clock.sleep(2_000_000)
    assert clock.now() - before >= 2_000_000
    assert clock.virtual is False


def test_a_day_of_virtual_time_takes_no_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with stand(two_meters(), tmp_path) as on:
        first = on.new.read_clock()
        on.host.clock.sleep(86_400 * SECOND)
        went = on.new.read_clock() - first
    assert went.days == 1
    assert time.monotonic() - began < 10


MIXED = """\
schema: 1
name: mixed
links:
  line: {{type: sim, medium: rs485, baud: 9600, framing: 8E1}}
  net: {{type: tcp, host: 127.0.0.1, port: {port}}}
devices:
  old: {{model: CM2350, link: line, address: 3}}
  new: {{model: PM850, link: net, address: 1}}
"""


def test_a_station_with_a_real_link_is_paced_by_the_wall(tmp_path: Path) -> None:
    """28 registers at 9600 8E1 take some 97 ms on the line, and here they take them from whoever waits."""
    serve = modbus_tcp({1: golden_meter()})
    with tcp_stand_in(serve) as server, stand(MIXED.format(port=server.port), tmp_path) as on:
        assert on.host.kind == "real"
        assert on.new.read_energies().words[0] == 4567
        began = time.monotonic()
        taken = on.old.read_energies()
        wall = time.monotonic() - began
        assert wall >= 0.09
        assert abs((taken.answered_at - taken.asked_at) / SECOND - wall) < 0.05


def test_a_paced_world_does_not_fall_behind_while_the_bench_is_busy_elsewhere(tmp_path: Path) -> None:
    with tcp_stand_in(modbus_tcp({1: golden_meter()})) as server:
        host = Host(station_of(MIXED.format(port=server.port), tmp_path))
        try:
            host.clock.sleep(30_000_000)
            assert host.world.now < 30_000_000
            host.catch_up()
            assert host.world.now >= 30_000_000
        finally:
            host.close()
