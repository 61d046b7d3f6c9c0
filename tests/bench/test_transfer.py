"""The energy transfer as a procedure: what it does, what it refuses, and what is known when it is broken off."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from bench_stand import GOLDEN, LAN, Stand, stand, two_meters

from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic import PowerLogic
from bench.drivers.powerlogic.values import EnergyReading
from bench.errors import DeviceError, NotArmed, StationError, UsageError, WrongDevice
from bench.measure import Measure
from bench.procedures.energy_transfer import transfer_energy
from bench.procedures.operator import Aim, Operator
from bench.procedures.reading import Growth
from bench.procedures.transfer_judgement import judge_transfer
from bench.procedures.transfer_precheck import NotATarget, TransferRefused
from bench.verdicts import Verdict
from protocols.powerlogic.energy import Quantity, encode_set
from simulators.world import SECOND

ELSEWHERE = Aim(status=8100, result=8101, data=8110)
ZERO = dict.fromkeys(Quantity, 0)


def verdicts(on: Stand, operator: Operator | None = None) -> dict[str, Verdict]:
    """Transfer and judge; the worst verdict of each measurement by its name."""
    measure = Measure("test", on.host.clock.now)
    judge_transfer(on.bench.transfer(on.old, on.new, operator=operator), measure)
    return {record.name: record.verdict for record in measure.records}


def writes(on: Stand) -> list[tuple[int, tuple[int, ...]]]:
    return on.new.session.writes


# -- the happy path ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["{type: sim, medium: rs485, baud: 9600, framing: 8E1}", LAN], ids=["bus", "lan"])
@pytest.mark.parametrize("old", ["CM2350", "CM3350", "PM820"])
def test_the_new_meter_holds_what_the_old_one_showed(old: str, link: str, tmp_path: Path) -> None:
    with stand(two_meters(old=old, link=link), tmp_path) as on:
        report = on.bench.transfer(on.old, on.new)
        assert report.result == 0
        assert report.stopped == ""
        assert on.new.read_energies().values == GOLDEN
        assert on.new.read_pointers() == (0, 0, 0)
        assert report.pointers_restored is True
        assert report.disturbed == []
        assert report.stamp_before is None
        assert report.stamp_after is not None


def test_everything_that_is_judged_passes(tmp_path: Path) -> None:
    with stand(two_meters(load="48 kW"), tmp_path) as on:
        found = verdicts(on)
    assert set(found.values()) <= {Verdict.PASS, Verdict.NOT_DETERMINABLE}
    assert {"buffer read-back", "result word", "pointers restored", "preset stamp (3290)"} <= set(found)
    assert sum(verdict is Verdict.PASS for verdict in found.values()) > 20


def test_what_is_written_is_this_and_nothing_else(tmp_path: Path) -> None:
    words = tuple(word & 0xFFFF for word in encode_set(GOLDEN))
    with stand(two_meters(), tmp_path) as on:
        on.bench.transfer(on.old, on.new)
        assert writes(on) == [
            (8017, (0, 0, 0)),
            (8020, (32767,)),
            (8021, (32767,)),
            (8022, words),
            (8017, (8020,)),
            (8018, (8021,)),
            (8019, (8022,)),
            (8000, (6209,)),
            (8017, (0, 0, 0)),
        ]
        assert on.old.session.writes == []


def test_single_writes_give_what_the_block_gives(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        on.bench.transfer(on.old, on.new, operator=Operator(single_writes=True))
        assert on.new.read_energies().values == GOLDEN
        filled = [register for register, words in writes(on) if 8022 <= register <= 8049 and len(words) == 1]
        assert filled == list(range(8022, 8050))


def test_pointers_may_aim_elsewhere(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        report = on.bench.transfer(on.old, on.new, operator=Operator(aim=ELSEWHERE))
        assert report.pointers == (8100, 8101, 8110)
        assert report.result == 0
        assert on.new.read_energies().values == GOLDEN
        assert not {register for register, _ in writes(on)} & set(range(8020, 8050))


def test_what_went_through_meanwhile_is_told_and_not_added(tmp_path: Path) -> None:
    with stand(two_meters(load="36 kW"), tmp_path) as on:
        report = on.bench.transfer(on.old, on.new)
        assert report.unmetered_estimate is not None
        assert 0 < report.unmetered_estimate < 100
        assert report.handed_over is not None
        assert report.words == encode_set(report.handed_over.values)


def test_the_audit_tells_each_write_before_it_is_sent(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        told_when_sent: list[list[str]] = []
        on.new.session.record = lambda _way, data: (
            told_when_sent.append(on.events()) if bytes.fromhex("1F3F1841") in data else None
        )
        on.bench.transfer(on.old, on.new)
        assert told_when_sent[0][-1] == "command"
        facts = {entry["event"]: entry["facts"] for entry in on.audit()}
        assert facts["transfer"]["before"] == {quantity.value: 0 for quantity in Quantity}
        assert facts["transfer"]["handed_over"] == {quantity.value: value for quantity, value in GOLDEN.items()}
        assert facts["transfer"]["words"] == encode_set(GOLDEN)
        assert facts["result"]["value"] == 0
        assert facts["restore"]["restored"] is True
        assert facts["verify"]["after"] == facts["transfer"]["handed_over"]


# -- refusals: nothing is written --------------------------------------------------------------------------------------


def change(meter: str, name: str, value: int) -> Callable[[Stand], None]:
    """Change a register of a simulated meter behind everybody's back."""
    return lambda on: on.meter(meter).config.update({name: value})


REFUSALS: dict[str, tuple[str, Callable[[Stand], None], type[Exception], str]] = {
    "accumulation modes differ": (two_meters(), change("old", "accumulation_mode", 1), TransferRefused, "signed"),
    "CT ratios differ": (two_meters(), change("new", "ct_primary", 800), TransferRefused, "CT 800:5"),
    "PT ratios differ": (two_meters(), change("new", "pt_primary_scale", 1), TransferRefused, "PT 1e1:120"),
    "swapped": (
        two_meters(of_new=", energies: {apparent_energy_total: 9999999}"),
        lambda _on: None,
        TransferRefused,
        "are they swapped",
    ),
    "another model answers": (
        two_meters(of_new=", profile: {product_name: PM820}"),
        lambda _on: None,
        WrongDevice,
        "product name is PM820, the station promises PM850",
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_transfer_that_something_speaks_against_writes_nothing(why: str, tmp_path: Path) -> None:
    text, prepare, error, said = REFUSALS[why]
    with stand(text, tmp_path) as on:
        prepare(on)
        before = on.new.read_energies().values
        with pytest.raises(error, match=said):
            on.bench.transfer(on.old, on.new)
        assert writes(on) == []
        assert on.events() == []
        assert on.new.read_energies().values == before


def test_a_second_transfer_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    with stand(two_meters(load="48 kW"), tmp_path) as on:
        on.bench.transfer(on.old, on.new)
        on.host.clock.sleep(3_600_000_000_000)
        once = len(writes(on))
        with pytest.raises(TransferRefused, match=r"took these readings over on 2026-03-10 .* would erase"):
            on.bench.transfer(on.old, on.new)
        assert len(writes(on)) == once


class ReadsLater(Operator):
    """Reads one energy a while before the others."""

    def read(self, source: PowerLogic, growth: Growth) -> EnergyReading:
        early = source.read_energies()[Quantity.REAL_IN]
        source.clock.sleep(60 * SECOND)
        late = super().read(source, growth)
        return replace(late, values={**late.values, Quantity.REAL_IN: early})


def test_readings_of_different_instants_are_refused_before_the_first_write(tmp_path: Path) -> None:
    with stand(two_meters(load="48 kW"), tmp_path / "load") as on:
        with pytest.raises(
            TransferRefused, match=r"old are not of one instant: real energy in was taken as \d+ and is"
        ):
            on.bench.transfer(on.old, on.new, operator=ReadsLater())
        assert writes(on) == []
    with stand(two_meters(), tmp_path / "no load") as on:
        assert on.bench.transfer(on.old, on.new, operator=ReadsLater()).result == 0


def test_a_cm2_is_no_target(tmp_path: Path) -> None:
    with stand(two_meters(old="PM820", new="CM2350"), tmp_path) as on:
        new = on.bench.device("new")
        with pytest.raises(NotATarget, match="new is a Circuit Monitor Series 2000"):
            on.bench.transfer(on.old, new)
        with pytest.raises(UsageError, match="takes no preset"):
            on.bench.target("new")
        assert new.session.writes == []


def test_a_meter_hands_nothing_over_to_itself(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on, pytest.raises(UsageError, match="itself"):
        on.bench.transfer(on.new, on.new)


def test_without_a_reason_there_is_no_permission(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path, reason=None) as on:
        with pytest.raises(NotArmed, match="not marked destructive"):
            on.bench.transfer(on.old, on.new)
        assert writes(on) == []


def test_nobody_is_armed_who_is_not_who_the_station_says(tmp_path: Path) -> None:
    """Clearing a meter as new comes before any transfer; it must not hit the wrong one either."""
    with stand(two_meters(of_new=", profile: {product_name: PM870}"), tmp_path) as on:
        with pytest.raises(WrongDevice, match="product name is PM870"):
            on.bench.arm(on.new)
        assert writes(on) == []


def test_the_source_is_only_read_and_cannot_be_armed(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on, pytest.raises(NotArmed, match="old is not armed"):
        on.bench.arm(on.old)


# -- stopped before the command ----------------------------------------------------------------------------------------


class LosesAWord(Operator):
    def fill_buffer(self, target: object, armed: object, words: object) -> None:
        super().fill_buffer(target, armed, list(words)[:-1])  # type: ignore[arg-type, call-overload]


def test_a_buffer_that_reads_back_otherwise_ends_it_before_the_command(tmp_path: Path) -> None:
    energies = GOLDEN | {Quantity.APPARENT_TOTAL: 2_000_000_000_000_000}
    with stand(two_meters(energies=energies), tmp_path) as on:
        report = on.bench.transfer(on.old, on.new, operator=LosesAWord())
        assert report.stopped == "the buffer reads back otherwise than written (1 of 28 words, the first is word 28)"
        assert (8000, (6209,)) not in writes(on)
        assert on.new.read_energies().values == ZERO
        assert on.new.read_pointers() == (0, 0, 0)


# -- the operator's Ctrl-C ---------------------------------------------------------------------------------------------


class Interrupt:
    """Raises KeyboardInterrupt at the n-th event that it is told of."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, *_event: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def interrupt_at_record(on: Stand, way: str, at: int) -> Interrupt:
    """At the n-th request ("tx": before it is sent) or answer ("rx") of either meter."""
    interrupt = Interrupt(at)
    for meter in (on.old, on.new):
        meter.session.record = lambda direction, data: interrupt(data) if direction == way else None
    return interrupt


def interrupt_while_waiting(on: Stand, at: int, monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Between the n-th request and its answer: sent, and nobody knows what became of it."""
    interrupt = Interrupt(at)
    client = on.new.session.link.client()
    receive = client.recv
    asked = [False]

    def note(way: str, _data: bytes) -> None:
        asked[0] = way == "tx"

    def recv(size: int | None) -> bytes:
        if asked[0]:
            asked[0] = False
            interrupt()
        return receive(size)

    for meter in (on.old, on.new):
        meter.session.record = note
    monkeypatch.setattr(client, "recv", recv)
    return interrupt


MOMENTS: dict[str, Callable[[Stand, int, pytest.MonkeyPatch], Interrupt]] = {
    "before a request is sent": lambda on, at, _patch: interrupt_at_record(on, "tx", at),
    "while its answer is awaited": interrupt_while_waiting,
    "when its answer has come": lambda on, at, _patch: interrupt_at_record(on, "rx", at),
}
LINES = {"bus": "{type: sim, medium: rs485, baud: 9600, framing: 8E1}", "lan": LAN}


@pytest.mark.parametrize("medium", LINES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupt_at_any_transaction_leaves_everything_known(
    moment: str, medium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every single transaction: pointers restored, energies old or new and never half, and the audit says which."""
    seen_states, at = set(), 0
    while True:
        at += 1
        with stand(two_meters(link=LINES[medium]), tmp_path / str(at)) as on, monkeypatch.context() as patch:
            on.bench.arm(on.new)
            interrupt = MOMENTS[moment](on, at, patch)
            with suppress(KeyboardInterrupt):
                on.bench.transfer(on.old, on.new)
            if interrupt.left > 0:
                break
            patch.undo()
            seen_states.add(state_after_interrupt(on))
            recovers(on)
    assert at > 50, "a transfer has more transactions than were interrupted"
    assert seen_states >= {"untouched", "old", "new"}


def state_after_interrupt(on: Stand) -> str:
    """What is true of the new meter, after checking that the audit says nothing else."""
    on.new.wait_until_it_answers(60_000_000_000)  # the supply may just have been interrupted
    fresh = ModbusSession(on.host.link("line"), 1, "new")
    assert fresh.read(8017, 3) == [0, 0, 0]
    energies = on.new.read_energies().values
    assert energies in (ZERO, GOLDEN)
    events = on.events()
    if not writes(on):
        assert "transfer" not in events or events == ["transfer"]
        assert energies == ZERO
        return "untouched"
    assert events[0] == "transfer"
    (facts,) = [entry["facts"] for entry in on.audit() if entry["event"] == "broken off"]
    assert facts["reason"] == "interrupted by the operator"
    if facts["state"].startswith("the command was not sent"):
        assert (8000, (6209,)) not in writes(on)
        assert energies == ZERO
    elif facts["state"].startswith("the command was answered with 0"):
        assert energies == GOLDEN
    else:
        assert facts["state"].startswith("the command was sent and its result is not known")
    assert writes(on).count((8000, (6209,))) <= 1
    return "new" if energies == GOLDEN else "old"


def recovers(on: Stand) -> None:
    """The same again: it goes through, or it is refused because it has been done."""
    on.new.session.record = on.old.session.record = None
    if on.new.read_energies().values == GOLDEN:
        with pytest.raises(TransferRefused, match="would erase"):
            on.bench.transfer(on.old, on.new)
        return
    assert on.bench.transfer(on.old, on.new).result == 0
    assert on.new.read_energies().values == GOLDEN


# -- a lost reply ------------------------------------------------------------------------------------------------------


def lose_answer_to(on: Stand, frame: bytes, *, and_all_after: bool = False) -> list[bytes]:
    """Let the line swallow the answer to the first request that holds `frame`; returns the requests that did."""
    line = on.host.stage.line("line")
    seen: list[bytes] = []
    deliver = type(line)._begin

    class Lossy(type(line)):  # type: ignore[misc]  # the class of whatever line it is
        def _begin(self, burst: object) -> None:
            if frame in burst.data and burst.sender in self._ports:  # type: ignore[attr-defined]
                seen.append(burst.data)  # type: ignore[attr-defined]
            elif seen and (and_all_after or len(seen) == 1) and burst.sender not in self._ports:  # type: ignore[attr-defined]
                seen.append(b"")
                return
            deliver(self, burst)  # type: ignore[arg-type]

    line.__class__ = Lossy
    return seen


def test_a_command_whose_answer_is_lost_is_never_sent_again(tmp_path: Path) -> None:
    """The meter has done it and its echo is lost: the result word is asked for, the command is not repeated."""
    with stand(two_meters(), tmp_path) as on:
        seen = lose_answer_to(on, bytes.fromhex("06 1F3F 1841"))
        with pytest.raises(DeviceError, match="no answer from unit 1"):
            on.bench.transfer(on.old, on.new)
        assert [bool(frame) for frame in seen] == [True, False]
        assert writes(on).count((8000, (6209,))) == 1
        (broken_off,) = [entry["facts"] for entry in on.audit() if entry["event"] == "broken off"]
        assert broken_off["state"].startswith("the command was answered with 0; read 1700-1727 and 3290 before")
        assert on.new.read_pointers() == (0, 0, 0)
        assert on.new.read_energies().values == GOLDEN
        recovers(on)


def test_a_line_that_dies_after_the_command_leaves_the_result_unknown(tmp_path: Path) -> None:
    """Nobody knows what the meter did: the audit says so, and what to look at."""
    with stand(two_meters(), tmp_path) as on:
        lose_answer_to(on, bytes.fromhex("06 1F3F 1841"), and_all_after=True)
        with pytest.raises(DeviceError, match="no answer from unit 1"):
            on.bench.transfer(on.old, on.new)
        assert writes(on).count((8000, (6209,))) == 1
        (broken_off,) = [entry["facts"] for entry in on.audit() if entry["event"] == "broken off"]
        assert "its result is not known" in broken_off["state"]
        assert "read 1700-1727 and 3290 before anything is repeated" in broken_off["state"]


@pytest.mark.parametrize(
    "frame",
    ["10 1F50 0003", "06 1F53 7FFF", "06 1F54 7FFF", "10 1F55 001C", "06 1F50 1F54", "06 1F51 1F55", "06 1F52 1F56"],
)
def test_a_lost_answer_before_the_command_leaves_the_energies_alone(frame: str, tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        lose_answer_to(on, bytes.fromhex(frame))
        with pytest.raises(DeviceError):
            on.bench.transfer(on.old, on.new)
        assert (8000, (6209,)) not in writes(on)
        assert len({write for write in writes(on) if write != (8017, (0, 0, 0))}) == len(writes(on)) - writes(on).count(
            (8017, (0, 0, 0))
        )
        assert on.new.read_energies().values == ZERO
        assert on.new.read_pointers() == (0, 0, 0)
        recovers(on)


def test_a_lost_reading_is_asked_for_again_and_the_transfer_goes_through(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        lose_answer_to(on, bytes.fromhex("03 1F54 0001"))
        report = transfer_energy(on.old, on.new, armed=on.bench.arm(on.new), journal=on.bench.journal)
        assert report.result == 0
        assert on.new.session.retried == 1
        assert writes(on).count((8000, (6209,))) == 1


def test_pointers_that_a_killed_transfer_left_aimed_go_when_the_second_is_refused(tmp_path: Path) -> None:
    """Who is killed between the command and the restoring restores nothing: the next one finds it done, and tidies."""
    with stand(two_meters(), tmp_path) as on:
        assert on.bench.transfer(on.old, on.new).result == 0
        on.new.aim_pointers(on.bench.arm(on.new))
        done = len(writes(on))
        with pytest.raises(TransferRefused, match=r"would erase .* left aimed by a transfer that was killed, are rest"):
            on.bench.transfer(on.old, on.new)
        assert writes(on)[done:] == [(8017, (0, 0, 0))]
        assert on.new.read_pointers() == (0, 0, 0)
        assert on.audit()[-1]["facts"]["restored"] is True


def test_pointers_that_cannot_be_restored_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand(two_meters(), tmp_path) as on:
        cleared: list[bool] = []
        clear = on.new.clear_pointers

        def dies(armed: object) -> None:
            if cleared:
                raise StationError("link line: the adapter is gone")
            cleared.append(True)
            clear(armed)  # type: ignore[arg-type]  # an Armed

        monkeypatch.setattr(on.new, "clear_pointers", dies)
        report = on.bench.transfer(on.old, on.new)
        assert report.result == 0
        assert report.pointers_restored is False
        (restore,) = [entry["facts"] for entry in on.audit() if entry["event"] == "restore"]
        assert (restore["restored"], restore["reason"]) == (False, "link line: the adapter is gone")
