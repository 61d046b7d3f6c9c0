"""A relay that does nothing must not pass for a power cut, and one that breaks must not take the verdicts with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bench_stand import LAN, Stand, stand, two_meters

from bench.control import Supplies
from bench.errors import NoEvidence, StationError, Undeterminable
from bench.host import Host
from bench.measure import Measure
from bench.procedures.supply_witness import SupplyWitness
from bench.procedures.transfer_judgement import judge_transfer
from bench.station import load_station
from bench.station.devices import PowerControl
from bench.verdicts import Verdict
from protocols.powerlogic.energy import Quantity
from simulators.faults.line_registry import fault_called
from simulators.world import SECOND

NOTHING = f"{sys.executable} -c pass"
TWO = PowerControl(type="command", off=NOTHING, on=NOTHING, boot="0 ms")
ONE = PowerControl(type="command", cycle=NOTHING, boot="0 ms")


@dataclass
class Seen:
    """A witness who sees what it is told to see."""

    silent: bool = False
    held: bool = False
    lost: bool = False
    asked: list[str] = field(default_factory=list)

    def is_silent(self) -> bool:
        self.asked.append("silent")
        return self.silent

    def holds_something(self) -> bool:
        return self.held

    def has_lost_it(self) -> bool:
        return self.lost


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    file = tmp_path / "real.yaml"
    file.write_text("schema: 1\nname: x\nlinks: {net: {type: tcp, host: 127.0.0.1, port: 1}}\n"
                    "devices: {new: {model: PM850, link: net, address: 1}}\n")  # fmt: skip
    it = Host(load_station(file))
    yield it
    it.close()


def cycled(host: Host, control: PowerControl, seen: Seen) -> None:
    device = host.station.device("new").model_copy(update={"power": control})
    host.station = host.station.model_copy(update={"devices": {"new": device}})
    Supplies(host, lambda _name: seen).cycle("new", 0 if control.cycle is None else None)


@pytest.mark.parametrize("control", [ONE, TWO], ids=["one command", "two commands"])
@pytest.mark.parametrize("seen", [Seen(silent=True), Seen(held=True, lost=True)], ids=["silent", "forgotten"])
def test_a_meter_that_fell_silent_or_has_forgotten_was_without_its_supply(
    control: PowerControl, seen: Seen, host: Host
) -> None:
    cycled(host, control, seen)
    assert "silent" in seen.asked


@pytest.mark.parametrize("control", [ONE, TWO], ids=["one command", "two commands"])
@pytest.mark.parametrize("seen", [Seen(), Seen(held=True), Seen(lost=True)], ids=["answers", "remembers", "never knew"])
def test_a_meter_that_answers_and_remembers_shows_nothing(control: PowerControl, seen: Seen, host: Host) -> None:
    with pytest.raises(
        NoEvidence, match="the station lacks evidence that the supply of new was interrupted"
    ) as lacking:
        cycled(host, control, seen)
    assert isinstance(lacking.value, Undeterminable)


def test_a_witness_looks_at_the_meter_itself(tmp_path: Path) -> None:
    with stand(two_meters(link=LAN), tmp_path) as on:
        witness = SupplyWitness(on.new)
        assert not witness.is_silent()
        assert not witness.holds_something()
        on.new.plant_sentinels(on.bench.arm(on.new), 8021)
        assert witness.holds_something()
        assert not witness.has_lost_it()
        on.host.stage.switch_supply("new", on=False)
        assert witness.is_silent()
        on.host.stage.switch_supply("new", on=True)
        on.new.wait_until_it_answers(30 * SECOND)
        assert witness.has_lost_it()
        assert not SupplyWitness(on.old).holds_something()


@pytest.mark.parametrize("fault", ["wrong-unit(p=100%)", "truncated(p=100%)"])
def test_a_line_that_garbles_the_look_is_no_evidence(fault: str, tmp_path: Path) -> None:
    """Else a relay that does nothing passes for a power cut, and a preset that nobody saved for a saved one."""
    with stand(two_meters(), tmp_path) as on:
        witness = SupplyWitness(on.new)
        on.new.plant_sentinels(on.bench.arm(on.new), 8021)
        assert witness.holds_something()
        on.bench.disturbances.put("new", fault_called(fault))
        assert not witness.has_lost_it()
        assert not witness.is_silent()


# -- in a transfer -----------------------------------------------------------------------------------------------------


def transferred(on: Stand) -> dict[str, Verdict]:
    measure = Measure("test", on.host.clock.now)
    try:
        judge_transfer(on.bench.transfer(on.old, on.new), measure)
    finally:
        on.verdicts = {record.name: record.verdict for record in measure.records}  # type: ignore[attr-defined]
    return on.verdicts  # type: ignore[attr-defined, no-any-return]


def test_a_relay_that_does_nothing_leaves_the_power_cycle_not_determinable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand(two_meters(), tmp_path) as on:
        lacking = NoEvidence("what a power cut shows", "evidence that the supply of new was interrupted")
        monkeypatch.setattr(on.bench.supplies, "cycle", lambda _device: (_ for _ in ()).throw(lacking))
        found = transferred(on)
        assert found["energies survive a power cycle"] is Verdict.NOT_DETERMINABLE
        assert not any("after a power cycle" in name for name in found)


def test_energies_that_are_gone_need_no_other_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand(two_meters(), tmp_path) as on:

        def cycle(_device: str) -> None:
            on.meter("new").put_energies(on.host.world.now, [0] * len(Quantity))
            raise NoEvidence("what a power cut shows", "evidence")

        monkeypatch.setattr(on.bench.supplies, "cycle", cycle)
        assert transferred(on)["real energy in after a power cycle"] is Verdict.FAIL


def test_a_relay_that_breaks_after_a_good_preset_takes_no_verdict_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand(two_meters(), tmp_path) as on:
        broke = StationError("new: 'relay 4' ended with 2: it is stuck")
        monkeypatch.setattr(on.bench.supplies, "cycle", lambda _device: (_ for _ in ()).throw(broke))
        with pytest.raises(StationError, match="it is stuck"):
            transferred(on)
        found = on.verdicts  # type: ignore[attr-defined]
        assert found["result word"] is found["preset stamp (3290)"] is found["pointers restored"] is Verdict.PASS
        assert found["energies survive a power cycle"] is Verdict.NOT_DETERMINABLE
        last = on.audit()[-1]
        assert (last["event"], last["facts"]["reason"]) == ("power cycle failed", str(broke))


@pytest.mark.parametrize(
    "control",
    [
        PowerControl(type="command", off=NOTHING, on="false", boot="0 ms"),
        PowerControl(type="command", cycle="false", boot="0 ms"),
    ],
    ids=["switched on", "cycled"],
)
def test_who_may_have_left_a_meter_without_its_supply_says_so(control: PowerControl, host: Host) -> None:
    with pytest.raises(StationError, match="the supply of new may be off"):
        cycled(host, control, Seen(silent=True))


def test_a_supply_is_switched_on_though_the_operator_interrupts_that(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def interrupted_once(command: str, _device: str) -> None:
        ran.append(command)
        if ran == ["off", "on"]:
            raise KeyboardInterrupt

    monkeypatch.setattr("bench.control.run_command", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        cycled(host, PowerControl(type="command", off="off", on="on", boot="0 ms"), Seen(silent=True))
    assert ran == ["off", "on", "on"]
