"""What acts each time it is said is done once, whatever a meter answers: resets of billing, settings of the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from bench_stand import stand

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.errors import CallLost, ForeignAnswer, NoAnswer, NoCall, Refused
from protocols.flag.frames import Command
from protocols.flag.habits import bcc_of
from simulators.faults.line_registry import fault_called
from simulators.meters.elster.events import Event
from simulators.meters.elster.meter import Meter

SECOND = 1_000_000_000
MODELS = ("A1140", "A1700")
RESET, CLOCK, NAME, CLEAR = b"655", b"861", b"795", b"940"


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:
        numbers = count()

        def open_one(model: str = "A1140", defects: tuple[str, ...] = ()) -> Bench:
            text = (
                "schema: 1\nname: flag\nlinks: {line: {type: sim, medium: optical}}\ndevices:\n"
                f"  m1: {{model: {model}, link: line, password: simulated, protection: sacrificial}}\n"
            )
            folder = tmp_path / f"bench{next(numbers)}"
            return stack.enter_context(stand(text, folder, defects={"m1": list(defects)})).bench

        yield open_one


def simulated(bench: Bench) -> Meter:
    """The meter itself."""
    meter = bench.host.stage.flag.meter("m1")
    assert isinstance(meter, Meter)
    return meter


def resets(bench: Bench) -> int:
    return simulated(bench).events.logs[Event.BILLING].count


def naks(bench: Bench, identity: bytes, times: int) -> list[bytes]:
    """Let the next commands to an identity arrive damaged; returns what came for it, good and bad."""
    heard: list[bytes] = []

    def check(frame: bytes) -> int:
        mine = frame[1:2] in b"WE" and frame[4:7] == identity
        heard.extend([frame] if mine else [])
        return bcc_of(frame) ^ (0x55 if mine and len(heard) <= times else 0)

    meter = simulated(bench)
    meter.habits = replace(meter.habits, command_check=check)
    return heard


def obeyed_and_denied(bench: Bench, identity: bytes) -> list[bytes]:
    """Let a meter obey commands to an identity and answer NAK; returns what came for it."""
    heard: list[bytes] = []

    def denies(command: Command) -> bool:
        mine = (command.data or b"").startswith(identity)
        heard.extend([command.data or b""] if mine else [])
        return mine

    meter = simulated(bench)
    meter.habits = replace(meter.habits, denies=denies)
    return heard


@pytest.mark.parametrize("model", MODELS)
def test_a_reset_that_was_obeyed_and_denied_is_not_sent_again(open_bench, model: str) -> None:
    bench = open_bench(model, ("E141",))
    with pytest.raises(ForeignAnswer, match=r"answered with NAK, and has done it: 0 became 1 in .*699.*not sent again"):
        bench.elster("m1").reset_demand(bench.arm(bench.elster("m1")))
    assert resets(bench) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("damaged", [1, 2])
def test_a_reset_that_was_not_understood_is_sent_again(open_bench, model: str, damaged: int) -> None:
    bench = open_bench(model)
    heard = naks(bench, RESET, damaged)
    bench.elster("m1").reset_demand(bench.arm(bench.elster("m1")))
    assert (len(heard), resets(bench)) == (damaged + 1, 1)


def test_a_reset_that_is_never_understood_is_given_up(open_bench) -> None:
    bench = open_bench()
    heard = naks(bench, RESET, 99)
    with pytest.raises(Refused, match="NAK"):
        bench.elster("m1").reset_demand(bench.arm(bench.elster("m1")))
    assert (len(heard), resets(bench)) == (3, 0)


def test_where_no_count_tells_a_reset_is_sent_once(open_bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench()
    heard = naks(bench, RESET, 1)

    def untold(_meter: Elster, _name: str) -> None:
        raise Refused("(ERR2): unknown identity", code=2, device="m1")

    monkeypatch.setattr(Elster, "read_log", untold)
    with pytest.raises(Refused, match="NAK"):
        bench.elster("m1").reset_demand(bench.arm(bench.elster("m1")))
    assert (len(heard), resets(bench)) == (1, 0)


@pytest.mark.parametrize("reaches", [True, False])
def test_of_a_reset_without_an_answer_the_count_is_told(
    open_bench, monkeypatch: pytest.MonkeyPatch, *, reaches: bool
) -> None:
    bench = open_bench()
    meter = bench.elster("m1")
    end_billing = meter._end_billing

    def into_the_dark(*given: object) -> None:
        way = "answers" if reaches else "requests"
        bench.disturbances.put("m1", fault_called(f"drop(p=100%, times=1, way={way})"))
        end_billing(*given)

    monkeypatch.setattr(meter, "_end_billing", into_the_dark)
    told = "billing was reset: 699 counts 1, before 0" if reaches else "billing was not reset: 699 counts 0, before 0"
    with pytest.raises(NoAnswer, match=told):
        meter.reset_demand(bench.arm(meter))
    assert resets(bench) == reaches


@pytest.mark.parametrize("identity", [RESET, CLOCK, CLEAR])
def test_a_write_that_acts_goes_out_once_after_a_nak(open_bench, identity: bytes) -> None:
    bench = open_bench()
    meter, heard = bench.elster("m1"), obeyed_and_denied(bench, identity)
    before = {"655": b"\x01", "940": b"\x01", "861": meter.image("clock")}[identity.decode()]
    meter.log_in(bench.arm(meter), 3)
    with pytest.raises(Refused, match="NAK") as caught:
        meter.write_object(bench.arm(meter), int(identity), before)
    assert caught.value.nak
    assert len(heard) == 1


def test_a_write_that_only_stores_goes_out_again_after_a_nak(open_bench) -> None:
    bench = open_bench()
    meter, heard = bench.elster("m1"), naks(bench, NAME, 1)
    meter.log_in(bench.arm(meter), 3)
    meter.write_object(bench.arm(meter), int(NAME), b"METERBEN")
    assert (len(heard), meter.image("scheme_id")) == (2, b"METERBEN")


def test_a_clock_that_was_set_and_denied_is_not_set_again(open_bench) -> None:
    bench = open_bench()
    meter, heard = bench.elster("m1"), obeyed_and_denied(bench, CLOCK)
    wanted = meter.read_clock() + timedelta(hours=1)
    with pytest.raises(ForeignAnswer, match="was answered with NAK, and it is set; it is not set again"):
        meter.set_clock(bench.arm(meter), wanted)
    assert len(heard) == 1
    assert timedelta(0) <= meter.read_clock() - wanted < timedelta(seconds=20)


def test_a_clock_that_showed_the_time_before_and_says_nak_was_not_set(open_bench) -> None:
    bench = open_bench()
    meter, heard = bench.elster("m1"), naks(bench, CLOCK, 99)
    with pytest.raises(Refused, match="NAK"):
        meter.set_clock(bench.arm(meter), meter.read_clock())
    assert len(heard) == 3


def test_of_a_reset_whose_call_is_gone_nobody_is_left_in_the_dark(open_bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench()
    meter, counts = bench.elster("m1"), [3]

    def counted() -> int:
        if counts:
            return counts.pop()
        raise NoCall("link line: dialled 3 times in vain: BUSY")

    def lost(*_given: object) -> None:
        raise CallLost("no answer to the command: the call was lost", device="m1")

    monkeypatch.setattr(meter, "_resets_counted", counted)
    monkeypatch.setattr(meter, "_end_billing", lost)
    with pytest.raises(CallLost, match="whether billing was reset is not known: look at it before you reset again"):
        meter.reset_demand(bench.arm(meter))


def test_a_clock_that_has_not_understood_is_set_to_the_time_of_the_second_attempt(open_bench) -> None:
    bench = open_bench()
    meter, heard = bench.elster("m1"), naks(bench, CLOCK, 1)
    wanted = meter.read_clock() + timedelta(hours=1)
    since = bench.clock.now()
    meter.set_clock(bench.arm(meter), wanted)
    passed = timedelta(microseconds=(bench.clock.now() - since) // 1000)
    assert len(heard) == 2
    assert abs(meter.read_clock() - wanted - passed) < timedelta(seconds=5)
