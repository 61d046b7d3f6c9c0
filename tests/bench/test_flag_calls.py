"""FLAG over a call: what a modem is told, what a call loses or holds up, and whose fault that is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bench_stand import stand

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.flag_refusals import told_from_the_beginning
from bench.errors import CallLost, Exit, ForeignAnswer, NoAnswer, NoCall, NotRestored, StationError, Undeterminable
from bench.procedures.flag_talk import conformance, overhearing, talking
from bench.procedures.keeping import clock_kept, object_kept
from bench.procedures.meter_time import ahead
from bench.replay.conformance import judge
from bench.replay.exchanges import load_trace
from protocols.flag.checker_rules import BREACH
from simulators.lines.modem import Modem

SECOND = 1_000_000_000
MEDIA = ("pstn", "gsm", "paknet")
#: A seed with which nothing goes wrong on the way.
GOOD = 1
BEGIN = datetime(2000, 1, 1)  # noqa: DTZ001  # a meter keeps local time without a zone


def station(medium: str) -> str:
    return f"""\
schema: 1
name: phone
links: {{line: {{type: sim, medium: {medium}}}}}
devices:
  m1: {{model: A1700, link: line, outstation: "001", password: simulated, protection: sacrificial}}
"""


@pytest.fixture
def phone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with stand(station(getattr(request, "param", "pstn")), tmp_path / "bench", seed=GOOD) as standing:
        yield standing.bench


def modem_of(bench: Bench) -> Modem:
    caller = bench.host.stage.flag._callers["line"]
    assert isinstance(caller, Modem)
    return caller


@pytest.mark.parametrize("phone", MEDIA, indirect=True)
def test_what_is_said_to_a_modem_is_no_message_to_a_meter(phone: Bench, tmp_path: Path) -> None:
    meter = phone.elster("m1")
    meter.read_clock()
    meter.session.leave()
    path = tmp_path / "m1.trace.jsonl"
    path.write_text(phone.traces["m1"].text())
    judged = judge(load_trace(path))
    found = {breach.rule for breach in judged.report.breaches if breach.severity == BREACH}
    assert found <= {"tr.long"}  # which is the call's
    assert judged.report.messages["host request or identification"] == 1
    heard = path.read_text().count('"mark": "connected: ')
    assert heard == 1


def test_who_listens_hears_nothing_of_the_dialling(phone: Bench) -> None:
    line, heard = phone.elster("m1").session.line, []
    line.listener = heard.append
    phone.elster("m1").read_clock()
    assert heard[0].data == b"/?001!\r\n"


@pytest.mark.parametrize("phone", MEDIA, indirect=True)
def test_no_meter_is_judged_by_single_messages_over_a_call(phone: Bench) -> None:
    meter = phone.elster("m1")
    with pytest.raises(Undeterminable, match="a line without a call"), talking(meter):
        pytest.fail("it talks")
    with pytest.raises(Undeterminable, match="a line without a call"), overhearing(meter):
        pytest.fail("it listens")
    assert phone.traces["m1"].text().count('"dir": "tx"') == 0


def test_on_a_line_without_a_call_it_is(tmp_path: Path) -> None:
    with stand(station("rs485"), tmp_path / "bench") as standing:
        meter = standing.bench.elster("m1")
        with overhearing(meter) as heard:
            meter.read_clock()
        assert conformance(meter, heard).conforms


def test_behind_a_module_that_may_be_as_slow_as_a_sign_on_a_quick_line_conforms(tmp_path: Path) -> None:
    with stand(station("network"), tmp_path / "bench") as standing:
        meter = standing.bench.elster("m1")
        line = meter.session.line
        line._time = lambda characters: characters * SECOND // 30  # as over TCP, where nobody says how quick it is
        with overhearing(meter) as heard:
            meter.read_clock()
            meter.read_energies()
        assert [piece.start for piece in heard] == sorted(piece.start for piece in heard)
        assert conformance(meter, heard).conforms


def test_silence_over_a_call_is_not_the_meters(phone: Bench) -> None:
    meter = phone.elster("m1")
    meter.read_clock()
    flag = phone.host.stage.flag
    flag.line("line")._drops.clear()  # nobody is there any more
    with pytest.raises(CallLost, match="over a call that may hold it up for longer") as raised:
        meter.read_clock()
    assert isinstance(raised.value, NoAnswer)
    assert raised.value.exit is Exit.STATION


def test_a_call_that_is_lost_in_a_write_leaves_it_open_whose_fault_that_is(phone: Bench) -> None:
    meter = phone.elster("m1")
    permission, now = phone.arm(meter), meter.read_clock()
    modem = modem_of(phone)
    transmit = modem._transmit

    def drop_in_a_write(data: bytes, at: int) -> None:
        transmit(data, at)
        if b"W1" in data and modem._call is not None:
            modem._call.drop()

    modem._transmit = drop_in_a_write
    with pytest.raises(CallLost, match="the call was lost"):
        meter.set_clock(permission, now + timedelta(hours=1))
    assert b"NO CARRIER".hex() not in phone.traces["m1"].text()
    assert "the call was lost" in phone.traces["m1"].text()


def test_a_number_that_is_engaged_is_dialled_again_by_the_next_scenario_and_then_no_more(phone: Bench) -> None:
    line = phone.host.flag_line("line")
    line._call = line._call.__class__("999")
    with pytest.raises(NoCall, match="dialled 8 times in vain") as raised:
        phone.elster("m1").read_clock()
    assert isinstance(raised.value, StationError)


class SlowClock:
    """A meter whose first readings take as long as dialling and asking again do."""

    def __init__(self, clock: Clock, *delays: int) -> None:
        self.clock, self.delays, self.readings = clock, list(delays), 0

    def read_clock(self) -> datetime:
        self.readings += 1
        self.clock.sleep(self.delays.pop(0) if self.delays else SECOND)
        return BEGIN + timedelta(seconds=self.clock.now() // SECOND + 100)


@pytest.mark.parametrize(("delays", "readings"), [((), 1), ((40,), 2), ((40, 30, 20), 4), ((40, 30, 20, 50), 4)])
def test_the_quickest_reading_of_a_clock_counts(phone: Bench, delays: tuple[int, ...], readings: int) -> None:
    meter = SlowClock(phone.clock, *(each * SECOND for each in delays))
    quickest = min((*delays, 1)) if len(delays) < 4 else 20
    assert abs(float(ahead(meter, phone.clock)) - 100 - quickest / 2) <= 1
    assert meter.readings == readings


def test_a_clock_that_a_lost_call_keeps_from_being_brought_back_is_told(
    phone: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = phone.elster("m1")

    def lost(*_given: object) -> None:
        raise CallLost("no answer to the command: the call was lost", device="m1")

    with pytest.raises(NotRestored, match="the call was lost; the clock was not brought back"):  # noqa: SIM117  # its end fails
        with clock_kept(meter, phone.arm(meter), phone.clock, phone.journal):
            monkeypatch.setattr(meter, "read_clock", lost)


def test_an_object_that_cannot_be_looked_at_is_written_back(phone: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    meter, armed = phone.elster("m1"), phone.arm(phone.elster("m1"))
    row = meter.identity("scheme_id")
    was = meter.image("scheme_id")
    with object_kept(meter, armed, phone.journal, row.number, row.size):
        meter.log_in(armed, 3)
        meter.write_object(armed, row.number, b"X" * row.size)

        def spoilt(*_given: object) -> bytes:
            raise ForeignAnswer("no block", device="m1")

        monkeypatch.setattr(meter, "read_object", spoilt)
    monkeypatch.undo()
    assert meter.image("scheme_id") == was


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (NoAnswer("silence"), ForeignAnswer("garbage"), "NoAnswer silence; asked again: garbage"),
        (CallLost("lost"), ForeignAnswer("garbage"), "ForeignAnswer garbage"),
        (ForeignAnswer("garbage"), CallLost("lost"), "CallLost lost"),
    ],
)
def test_what_is_told_of_two_mishaps_is_not_the_meters_where_the_last_one_was_the_calls(
    first: NoAnswer | ForeignAnswer, last: NoAnswer | ForeignAnswer, told: str
) -> None:
    found = told_from_the_beginning(first, last)
    assert f"{type(found).__name__} {found}" == told
