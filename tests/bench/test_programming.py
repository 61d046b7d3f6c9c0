"""Programming as a procedure: what it does, what the audit says of it, and what is known when it is broken off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from bench_stand import LAN, Stand, stand, two_meters

from bench.errors import DeviceError, NoAnswer, Refused
from bench.measure import Measure
from bench.procedures.programming import (
    RESETS,
    Programming,
    change_setup,
    judge_programming,
    reset,
    restart,
    set_clock,
)
from bench.verdicts import Verdict
from simulators.world import SECOND

MOMENT = datetime(2027, 2, 28, 23, 0, 0, 700_000)  # noqa: DTZ001  # a meter keeps local time without a zone
SETTINGS = {"neutral_ct_primary": 600, "power_demand_interval": 20}
LOADED = two_meters(link=LAN, load="48 kW")


def on_new(on: Stand, procedure: Callable[..., Programming], *what: object) -> Programming:
    return procedure(on.new, *what, armed=on.bench.arm(on.new), journal=on.bench.journal)


def verdict(on: Stand, report: Programming) -> Verdict:
    measure = Measure("test", on.host.clock.now)
    judge_programming(report, measure)
    return measure.worst


PROCEDURES: dict[str, tuple[Callable[..., Programming], tuple[object, ...], int]] = {
    "clock": (set_clock, (MOMENT,), 1310),
    "setup": (change_setup, (SETTINGS,), 9021),
    "restart": (restart, (), 1110),
    "demand": (reset, ("reset_demand",), 5110),
    "extremes": (reset, ("reset_minmax",), 4110),
    "energies": (reset, ("clear_energies",), 6210),
}


@pytest.mark.parametrize("name", PROCEDURES)
def test_what_is_programmed_is_proved_by_reading_and_told_before_and_after(name: str, tmp_path: Path) -> None:
    procedure, what, code = PROCEDURES[name]
    with stand(LOADED, tmp_path) as on:
        on.host.clock.sleep(90 * SECOND)
        report = on_new(on, procedure, *what)
        assert report.done
        assert verdict(on, report) is Verdict.PASS
        assert on.new.read_pointers() == (0, 0, 0)
        events = on.events()
        assert events[0] == "program"
        assert events[-1] == "verify"
        assert [e["facts"]["code"] for e in on.audit() if e["event"] == "command"][-1] == code
        assert on.new.session.writes.count((8000, (code,))) == 1


def test_a_setup_that_is_so_already_is_not_written(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path) as on:
        assert on_new(on, change_setup, SETTINGS).sent
        written = len(on.new.session.writes)
        again = on_new(on, change_setup, SETTINGS)
        assert (again.already, again.done, again.sent) == (True, True, False)
        assert all(8000 <= register <= 8021 for register, _ in on.new.session.writes[written:])
        assert on.events()[-1] == "discard"
        assert on.meter("new").setup is None


def test_the_draft_of_a_session_that_was_left_open_is_not_taken_for_what_the_meter_has(tmp_path: Path) -> None:
    """Found by the sweep: killed before it saved, a bench that came back at once read its own draft as done."""
    with stand(LOADED, tmp_path) as on:
        armed = on.bench.arm(on.new)
        on.new.command(armed, "enter_setup")
        on.new.session.write(armed, on.new.map["power_demand_interval"].number, 20)
        assert on.new.value("power_demand_interval") == 20
        report = on_new(on, change_setup, {"power_demand_interval": 20})
        assert (report.already, report.before, report.done) == (False, {"power_demand_interval": 15}, True)
        on.host.clock.sleep(121 * SECOND)
        assert on.new.value("power_demand_interval") == 20


def test_a_session_that_somebody_has_left_open_is_given_its_two_minutes(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path) as on:
        armed = on.bench.arm(on.new)
        on.new.command(armed, "enter_setup")
        on.new.session.write(armed, on.new.map["power_demand_interval"].number, 7)
        began = on.host.clock.now()
        assert on_new(on, change_setup, {"power_demand_interval": 20}).done
        assert on.host.clock.now() - began > 120 * SECOND
        assert on.new.value("power_demand_interval") == 20


def test_a_session_that_does_not_end_is_not_broken_into(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path, defects={"new": ["D34"]}) as on:
        on.new.command(on.bench.arm(on.new), "enter_setup")
        with pytest.raises(Refused, match="no session is to be had for set-up changed: result 81"):
            on_new(on, change_setup, SETTINGS)
        assert on.audit()[-1]["facts"]["state"].startswith("the command that makes it happen was not sent")
        assert on.meter("new").setup is not None


def test_what_is_refused_discards_the_session_and_says_that_drafts_may_have_been_taken(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path) as on:
        with pytest.raises(Refused):
            on_new(on, change_setup, {"power_demand_interval": 20, "ct_secondary": 3})
        assert on.meter("new").setup is None
        assert on.new.value("power_demand_interval") == 15
        events = on.events()
        assert events[-2:] == ["discard", "broken off"]
        assert "what a meter takes at once is not known" in on.audit()[-1]["facts"]["state"]


def cut_after(on: Stand, code: int, off: int) -> None:
    """Cut the supply of the new meter as soon as the command is on the wire."""
    frame = bytes.fromhex("1F3F") + code.to_bytes(2, "big")

    def seen(way: str, data: bytes) -> None:
        if way == "rx" and frame in data:
            on.host.stage.switch_supply("new", on=False)
            on.host.world.call_at(on.host.world.now + off, lambda: on.host.stage.switch_supply("new", on=True))

    on.new.session.record = seen


def test_broken_off_after_the_command_the_result_is_not_known_and_told_so(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path) as on:
        cut_after(on, 1310, 5 * SECOND)
        with pytest.raises(DeviceError):
            on_new(on, set_clock, MOMENT)
        last = on.audit()[-1]
        assert last["event"] == "broken off"
        assert (
            last["facts"]["state"]
            == "the command was sent and its result is not known: read the clock before anything is repeated"
        )


def test_a_zero_in_a_meter_that_has_restarted_is_no_result(tmp_path: Path) -> None:
    """Back before anybody has noticed: 8021 shows 0, which is success, and nothing was carried out."""
    with stand(two_meters(link=LAN, of_new=", profile: {boot: 0 s}"), tmp_path) as on:
        cut_after(on, 5110, 0)
        with pytest.raises(NoAnswer, match="no result came, or it went in a restart"):
            on_new(on, reset, "reset_demand")
        assert [e["facts"]["value"] for e in on.audit() if e["event"] == "result"] == [None]
        assert on.new.stamp("power_demand_reset_time") is None


def test_a_reset_whose_times_do_not_move_is_not_done(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path) as on:
        report = on_new(on, reset, "clear_energies")
        assert set(report.after) == set(RESETS["clear_energies"])
        report.before = dict(report.after)
        assert not report.done
        assert verdict(on, report) is Verdict.FAIL


def test_a_clock_that_shows_another_time_is_not_set(tmp_path: Path) -> None:
    with stand(LOADED, tmp_path, defects={"new": ["P29"]}) as on:
        report = on_new(on, set_clock, MOMENT.replace(hour=0))
        assert not report.done
        assert verdict(on, report) is Verdict.FAIL
