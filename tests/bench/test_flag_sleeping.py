"""Meters that sleep, at the bench: what a station file says of them; they are read only when they are woken."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_stand import stand

from bench.errors import NoAnswer
from bench.procedures.flag_talk import Talk
from bench.station import StationFileError, load_station


def station(device: str, link: str = "{type: sim, medium: optical}", profile: str = "") -> str:
    simulate = f", simulate: {{profile: {{{profile}}}}}" if profile else ""
    return (
        f"schema: 1\nname: asleep\nlinks: {{line: {link}}}\n"
        f'devices:\n  m1: {{model: A1140, link: line, outstation: "094"{device}{simulate}}}\n'
    )


@pytest.mark.parametrize("medium", ["optical", "rs485"])
@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_a_sleeping_meter_is_read_only_when_the_station_says_how_to_wake_it(
    tmp_path: Path, kind: str, medium: str
) -> None:
    link = f"{{type: sim, medium: {medium}, echo: true}}"
    asleep = f"wake_up: {kind}"
    with (
        stand(station("", link, asleep), tmp_path / "unwoken") as unwoken,
        pytest.raises(NoAnswer, match="no answer to the sign-on"),
    ):
        unwoken.bench.elster("m1").identify()
    with stand(station(f", wake: {kind}", link, asleep), tmp_path / "woken") as woken:
        meter = woken.bench.elster("m1")
        assert meter.identify()
        woken.bench.clock.sleep(200_000_000_000)  # the visit is given up, and the meter asleep again
        assert meter.read_clock()


def test_whoever_says_single_messages_wakes_it_too(tmp_path: Path) -> None:
    with stand(station(", wake: fast", profile="wake_up: fast"), tmp_path) as woken:
        talk = Talk(woken.bench.elster("m1").session)
        assert talk.call(b"094").startswith(b"/GEC5")


def test_a_meter_that_is_awake_takes_no_harm_from_being_woken(tmp_path: Path) -> None:
    for kind in ("slow", "fast"):
        with stand(station(f", wake: {kind}"), tmp_path / kind) as awake:
            assert awake.bench.elster("m1").identify()


@pytest.mark.parametrize(
    ("device", "link", "profile", "where"),
    [
        (", wake: slow", "{type: sim, medium: gsm}", "", "wake"),
        ("", "{type: sim, medium: network}", "wake_up: fast", "simulate.profile.wake_up"),
        (", wake: fast", '{type: serial, port: COM3, modem: {number: "1"}}', "", "wake"),
    ],
)
def test_nobody_is_woken_on_a_line_that_keeps_its_speed(
    tmp_path: Path, device: str, link: str, profile: str, where: str
) -> None:
    path = tmp_path / "asleep.yaml"
    path.write_text(station(device, link, profile))
    with pytest.raises(StationFileError) as error:
        load_station(path)
    said = f"devices.m1.{where}: a meter is woken at 300 Bd, and link line never changes its speed"
    assert said in str(error.value)
