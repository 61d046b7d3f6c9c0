"""Supplies and loads: simulated ones by the world, real ones by a command, missing ones not determinable."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from bench_stand import LAN, stand, two_meters

from bench.control import OFF_TIME, Loads, run_command
from bench.errors import Exit, StationError, Undeterminable
from bench.host import Host
from bench.station import load_station
from simulators.world import SECOND

RELAY = "import pathlib, sys\npathlib.Path(sys.argv[1]).open('a').write(sys.argv[2] + chr(10))\n"


def says(log: Path, word: str) -> str:
    """A command of a station file that notes that it was run."""
    relay = log.with_name("relay.py")
    relay.write_text(RELAY, encoding="utf-8")
    return f"{sys.executable} {relay} {log} {word}"


def real(extra: str) -> str:
    return f"""\
schema: 1
name: real
links: {{net: {{type: tcp, host: 127.0.0.1, port: 1, timeout: 100 ms}}}}
devices:
  new: {{model: PM850, link: net, address: 1{extra}}}
"""


def test_a_simulated_supply_is_off_for_two_seconds_and_the_meter_boots(tmp_path: Path) -> None:
    with stand(two_meters(link=LAN), tmp_path) as on:
        on.new.read_energies()
        began = on.host.clock.now()
        assert on.bench.supplies.can_cycle("new")
        on.bench.supplies.cycle("new")
        assert on.host.clock.now() - began == OFF_TIME
        assert on.new.wait_until_it_answers(30 * SECOND) > 5 * SECOND


def test_a_simulated_supply_comes_back_though_the_operator_cannot_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_duration: int) -> None:
        raise KeyboardInterrupt

    with stand(two_meters(link=LAN), tmp_path) as on:
        with monkeypatch.context() as patch:
            patch.setattr(on.host.clock, "sleep", interrupted)
            with pytest.raises(KeyboardInterrupt):
                on.bench.supplies.cycle("new")
        assert on.new.wait_until_it_answers(30 * SECOND)


def test_a_simulated_load_shows_in_the_meter(tmp_path: Path) -> None:
    with stand(two_meters(link=LAN), tmp_path) as on:
        on.bench.loads.set("new", -30_000, 0.9)
        assert str(on.new.value("real_power_total")) == "-30.00"


def test_a_real_supply_is_cycled_by_its_command_and_given_time_to_boot(tmp_path: Path) -> None:
    log = tmp_path / "log"
    cycle = says(log, "cycle")
    with stand(real(f', power: {{type: command, cycle: "{cycle}", boot: 50 ms}}'), tmp_path) as on:
        began = on.host.clock.now()
        on.bench.supplies.cycle("new")
        assert on.host.clock.now() - began >= 50_000_000
    assert log.read_text() == "cycle\n"


def test_a_real_supply_with_two_commands_is_switched_on_again_even_if_switching_off_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.control.OFF_TIME", 1_000_000)
    log = tmp_path / "log"
    control = f'{{type: command, off: "{says(log, "off")}", on: "{says(log, "on")}", boot: 1 ms}}'
    with stand(real(f", power: {control}"), tmp_path) as on:
        on.bench.supplies.cycle("new")
    assert log.read_text() == "off\non\n"
    log.unlink()
    broken = control.replace(says(log, "off"), "no-such-relay")
    refused = pytest.raises(StationError, match="new: cannot run 'no-such-relay'")
    with stand(real(f", power: {broken}"), tmp_path / "broken") as on, refused:
        on.bench.supplies.cycle("new")
    assert log.read_text() == "on\n"


def test_how_long_a_supply_stays_off_can_be_chosen_where_the_station_can(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with stand(two_meters(link=LAN), tmp_path) as on:
        began = on.host.clock.now()
        on.bench.supplies.cycle("new", 60_000_000_000)
        assert on.host.clock.now() - began == 60_000_000_000
    two = f'{{type: command, off: "{says(log, "off")}", on: "{says(log, "on")}", boot: 1 ms}}'
    with stand(real(f", power: {two}"), tmp_path / "two") as on:
        on.bench.supplies.cycle("new", 1_000_000)
    assert log.read_text() == "off\non\n"
    one = f'{{type: command, cycle: "{says(log, "cycle")}", boot: 1 ms}}'
    lacking = pytest.raises(Undeterminable, match="separate off and on commands for new")
    with stand(real(f", power: {one}"), tmp_path / "one") as on, lacking:
        on.bench.supplies.cycle("new", 1_000_000)
    assert log.read_text() == "off\non\n"


def test_a_real_load_is_set_by_its_command(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with stand(real(f', load: {{type: command, set: "{says(log, "{watts}")}"}}'), tmp_path) as on:
        on.bench.loads.set("new", -1500)
    assert log.read_text() == "-1500\n"


def test_what_the_station_lacks_is_not_determinable_and_named(tmp_path: Path) -> None:
    with stand(real(""), tmp_path) as on:
        assert not on.bench.supplies.can_cycle("new")
        with pytest.raises(Undeterminable, match="the station lacks power control of new") as lacking:
            on.bench.supplies.cycle("new")
        with pytest.raises(Undeterminable, match="the station lacks a changeable load on new"):
            on.bench.loads.set("new", 1)
    assert lacking.value.exit is Exit.NOTHING


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import sys; print('relay 4 is stuck', file=sys.stderr); sys.exit(2)", "ended with 2: relay 4 is stuck"),
        ("import sys; print('first'); print('last'); sys.exit(1)", "ended with 1: last"),
        ("import sys; sys.exit(7)", "ended with 7: it said nothing"),
        ("import sys; sys.stdout.buffer.write(b'relais \\x81ber\\xff'); sys.exit(1)", "ended with 1: relais .ber"),
    ],
)
def test_a_command_that_fails_is_the_stations_fault_in_one_line(script: str, said: str) -> None:
    with pytest.raises(StationError, match=said) as broken:
        run_command(shlex.join([sys.executable, "-c", script]), "new")
    assert "\n" not in str(broken.value)


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.control._COMMAND_TIMEOUT", 0.2)
    with pytest.raises(StationError, match="did not end within"):
        run_command(shlex.join([sys.executable, "-c", "import time; time.sleep(9)"]), "new")


def test_a_load_command_without_a_power_factor_cannot_tell_what_one_shows(tmp_path: Path) -> None:
    """Reactive energy that nobody can command is not determinable: it must not be called missing."""
    text = "schema: 1\nname: x\nlinks: {l: {type: tcp, host: 127.0.0.1, port: 1}}\ndevices:\n"
    text += "  plain: {model: PM850, link: l, address: 1, load: {type: command, set: 'true {watts}'}}\n"
    text += "  both: {model: PM850, link: l, address: 2, load: {type: command, set: 'true {watts} {power_factor}'}}\n"
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    loads = Loads(Host(load_station(file)))
    loads.set("plain", 500)
    loads.set("both", 500, -0.8)
    with pytest.raises(Undeterminable, match="power factor can be set"):
        loads.set("plain", 500, -0.8)
