"""A meter that obeys what it must refuse is found by the verdict, and is afterwards what it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.bench import Bench
from bench.errors import DeviceError, NoAnswer, NotArmed, Refused, Undeterminable
from bench.evidence import Evidence
from bench.host import Host
from bench.measure import Measure
from bench.procedures.elster_memory import programmed
from bench.procedures.keeping import clock_kept, object_kept, setup_kept
from bench.safety import Safety
from bench.station import load_station
from bench.verdicts import Verdict
from protocols.flag.frames import Command
from scenarios.communication import test_sign_on as sign_on
from scenarios.programming import test_clock as clock
from scenarios.programming import test_clock_adjust as clock_adjust
from scenarios.programming import test_setup as setup
from scenarios.reading import test_billing as billing
from scenarios.security import test_refusals as refusals

SECOND = 1_000_000_000
HOUR = timedelta(hours=1)
STATION = """\
schema: 1
name: harm
links:
  head: {type: sim, medium: rs485}
  bus: {type: sim, medium: rs485, baud: 9600, framing: 8E1}
devices:
  flag: {model: A1140, link: head, outstation: "001", password: simulated, protection: sacrificial}
  other: {model: A1140, link: head, outstation: "002", password: simulated, protection: sacrificial}
  modbus: {model: PM850, link: bus, address: 1, protection: sacrificial}
"""
Open = Callable[..., Bench]


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:
        numbers = count()

        def open_one(defects: dict[str, list[str]] | None = None, text: str = STATION) -> Bench:
            folder = tmp_path / f"bench{next(numbers)}"
            folder.mkdir()
            (folder / "station.yaml").write_text(text)
            station = load_station(folder / "station.yaml")
            evidence = Evidence(folder / "evidence", durable=False)
            host = Host(station, defects=defects)
            stack.callback(evidence.abandon)
            stack.callback(host.close)
            allowed = [device.id for device in station.devices.values() if device.sacrificial]
            return Bench(host, Safety(station, allowed), evidence, "test", "test")

        yield open_one


def measure_of(bench: Bench) -> Measure:
    return Measure("test", bench.clock.now)


def flag(bench: Bench, name: str = "flag") -> Any:
    """The simulated FLAG meter itself."""
    return bench.host.stage.flag.meter(name)


def writes_heard(bench: Bench) -> list[bytes]:
    """The writes and executions that the FLAG meter takes for sound, from now on."""
    heard: list[bytes] = []

    def denies(told: Command) -> bool:
        heard.append(told.data or b"")
        return False

    meter = flag(bench)
    meter.habits = replace(meter.habits, denies=denies)
    return heard


# -- writes that are to be refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sick", ["E142", "E79", "E31", "E34", "E99", "E101"])
def test_what_was_obeyed_is_brought_back(open_bench: Open, sick: str) -> None:
    bench = open_bench({"flag": [sick]})
    meter, measure = bench.elster("flag"), measure_of(bench)
    serial, before = flag(bench).serial, programmed(meter)
    for scenario in (
        refusals.test_what_is_refused_changes_nothing,
        refusals.test_a_write_astray_is_refused,
        refusals.test_a_damaged_write_is_not_obeyed,
    ):
        scenario(meter, bench, measure)
    after = programmed(meter)
    assert flag(bench).serial == serial
    assert {name for name in before if before[name] != after[name]} <= {"programming_log"}
    assert (measure.worst >= Verdict.FAIL) is (sick != "E31")


def test_the_serial_number_is_written_as_it_stands(open_bench: Open) -> None:
    bench = open_bench({"flag": ["E142"]})
    heard = writes_heard(bench)
    refusals.test_what_is_refused_changes_nothing(bench.elster("flag"), bench, measure_of(bench))
    assert [data for data in heard if data.startswith(b"798")] == [
        b"798001(" + flag(bench).serial.hex().upper().encode() + b")"
    ]


@pytest.mark.parametrize("spoils", [True, False])
def test_writes_astray_go_to_no_meter_that_somebody_needs(
    open_bench: Open, monkeypatch: pytest.MonkeyPatch, *, spoils: bool
) -> None:
    bench = open_bench()
    monkeypatch.setattr(bench, "may_spoil", lambda _device: spoils)
    meter, measure = bench.elster("flag"), measure_of(bench)
    said: list[bytes] = []
    meter.session.record = lambda way, data: said.append(data) if way == "tx" else None
    if spoils:
        refusals.test_a_write_astray_is_refused(meter, bench, measure)
    else:
        with pytest.raises(Undeterminable, match="spoilt for good"):
            refusals.test_a_write_astray_is_refused(meter, bench, measure)
        assert said == []
    refusals.test_what_is_refused_changes_nothing(meter, bench, measure)
    refusals.test_a_damaged_write_is_not_obeyed(meter, bench, measure)
    stray = (b"W1\x02999", b"W1\x02795000", b"W1\x02795002")
    assert any(mark in data for data in said for mark in stray) is spoils
    assert (max(map(len, said)) > 1_000) is spoils


def test_a_real_meter_is_not_one_to_be_spoilt(open_bench: Open) -> None:
    assert open_bench().may_spoil("flag")
    real = STATION.replace("head: {type: sim, medium: rs485}", "head: {type: serial, port: /dev/null}")
    bench = open_bench(text=real)
    assert not bench.may_spoil("flag")
    assert bench.may_spoil("modbus")  # simulated in this process, beside a real one


# -- clocks ------------------------------------------------------------------------------------------------------------


def off(bench: Bench, name: str, before: Any, since: int) -> timedelta:
    """By how much a clock is not where it would be."""
    passed = timedelta(microseconds=(bench.clock.now() - since) // 1000)
    return abs(bench.device(name).read_clock() - before - passed)


def test_a_clock_is_set_back_whatever_happened(open_bench: Open) -> None:
    bench = open_bench()
    for name in ("flag", "modbus"):
        meter = bench.device(name)
        before, since = meter.read_clock(), bench.clock.now()
        armed = bench.arm(meter)
        with suppress(NotArmed), clock_kept(meter, armed, bench.clock, bench.journal):
            meter.set_clock(armed, before + HOUR)
            raise NotArmed("stop")
        assert off(bench, name, before, since) < timedelta(seconds=15)


def test_a_clock_that_is_right_is_left_alone(open_bench: Open) -> None:
    bench = open_bench()
    meter = bench.device("flag")
    with clock_kept(meter, bench.arm(meter), bench.clock, bench.journal):
        bench.clock.sleep(600 * SECOND)
    assert meter.session.writes == []


def test_a_clock_that_shows_no_time_is_set(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench()
    meter = bench.device("flag")

    def none(*_: object) -> None:
        raise DeviceError("month 13", device="flag")

    with clock_kept(meter, bench.arm(meter), bench.clock, bench.journal):
        monkeypatch.setattr(meter, "read_clock", none)
    assert [identity for identity, _ in meter.session.writes] == [576, 861]


def test_an_adjustment_that_was_taken_is_undone(open_bench: Open) -> None:
    bench = open_bench({"flag": ["E95"]})
    meter, measure = bench.elster("flag"), measure_of(bench)
    before, since = meter.read_clock(), bench.clock.now()
    clock_adjust.test_an_adjustment_beyond_the_limit_is_refused(meter, bench, bench.clock, measure)
    bench.clock.sleep(6 * 3600 * SECOND)
    assert measure.worst is Verdict.FAIL
    assert off(bench, "flag", before, since) < timedelta(seconds=30)  # twice set, each time with a delay


def test_an_impossible_date_that_was_taken_is_undone(open_bench: Open) -> None:
    bench = open_bench({"modbus": ["D37"]})
    meter, measure = bench.target("modbus"), measure_of(bench)
    before, since = meter.read_clock(), bench.clock.now()
    clock.test_impossible_dates_are_refused(meter, bench, bench.clock, measure)
    assert measure.worst is Verdict.FAIL
    assert off(bench, "modbus", before, since) < timedelta(seconds=10)


@pytest.mark.parametrize("breaks", ["supply", "reading"])
def test_a_billing_date_scenario_that_breaks_off_brings_the_clock_back(
    open_bench: Open, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    bench = open_bench()
    meter = bench.elster("flag")
    before, since = meter.read_clock(), bench.clock.now()

    def broken(*_: object) -> None:
        raise NoAnswer("gone", device="flag")

    if breaks == "supply":
        monkeypatch.setattr(bench.supplies, "cycle", broken)
    else:
        monkeypatch.setattr(billing, "newest", broken)
    with pytest.raises(NoAnswer, match="gone"):
        billing.test_a_billing_date_without_supply_is_made_up(
            meter, bench, bench.clock, bench.supplies, measure_of(bench)
        )
    assert off(bench, "flag", before, since) < timedelta(seconds=15)


# -- names, set-ups, objects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [b"aB7", b"AB7", b"ab7"])
def test_an_outstation_is_found_under_whichever_name_it_took(open_bench: Open, taken: bytes) -> None:
    bench = open_bench()
    meter = flag(bench)

    def kept(number: int, _old: bytes, new: bytes) -> bytes:
        return taken if new == b"aB7" and number == 797 else new

    meter.firmware = replace(meter.firmware, stored=kept)
    measure = measure_of(bench)
    try:
        sign_on.test_letters_of_an_address_keep_their_case(bench.elster("flag"), bench, measure)
    except NoAnswer:
        assert taken != b"aB7"
    assert meter.memory["outstation"] == b"001"
    assert flag(bench, "other").memory["outstation"] == b"002"
    assert bench.elster("flag").read_clock()


def test_a_set_up_that_was_written_without_a_session_is_brought_back(open_bench: Open) -> None:
    bench = open_bench()
    meter, measure = bench.target("modbus"), measure_of(bench)
    before, writing = str(meter.ratios()), meter.session.write

    def obeyed(armed: Any, register: int, value: int) -> None:
        """A meter that takes a set-up register without a session."""
        try:
            writing(armed, register, value)
        except Refused:
            meter.program(armed, {"ct_primary": value})

    meter.session.write = obeyed  # type: ignore[method-assign]  # a meter that obeys
    setup.test_the_setup_is_protected(meter, bench, measure)
    assert measure.worst is Verdict.FAIL
    assert str(meter.ratios()) == before


@pytest.mark.parametrize("sick", ["D34", "D35"])
def test_a_set_up_that_was_kept_against_our_will_is_brought_back(open_bench: Open, sick: str) -> None:
    bench = open_bench({"modbus": [sick]})
    meter, measure = bench.target("modbus"), measure_of(bench)
    before = setup.interval(meter)
    setup.test_a_discarded_session_changes_nothing(meter, bench, measure)
    setup.test_a_forgotten_session_ends_by_itself(meter, bench, bench.clock, measure)
    assert measure.worst is Verdict.FAIL
    bench.clock.sleep(600 * SECOND)
    assert setup.interval(meter) == before


def test_what_is_as_it_was_is_not_written_again(open_bench: Open) -> None:
    bench = open_bench()
    meter, target = bench.elster("flag"), bench.target("modbus")
    with object_kept(meter, bench.arm(meter), bench.journal, 795, 8) as held:
        assert held == meter.image("scheme_id")
    with setup_kept(target, bench.arm(target), bench.journal, ["ct_primary"]):
        pass
    assert (meter.session.writes, target.session.writes) == ([], [])


def test_an_object_is_brought_back_whatever_happened(open_bench: Open) -> None:
    bench = open_bench()
    meter = bench.elster("flag")
    armed, before = bench.arm(meter), meter.image("scheme_id")
    with suppress(NotArmed), object_kept(meter, armed, bench.journal, 795, 8):
        meter.log_in(armed, 3)
        meter.write_object(armed, 795, b"X" * 8)
        raise NotArmed("stop")
    assert meter.image("scheme_id") == before
