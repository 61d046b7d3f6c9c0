"""A bench that can be killed: nothing of it reaches wire, clock or disk any more, and the meter lives on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.errors import UsageError
from bench.sweep.jobs import JOBS
from bench.sweep.plan import Plan
from bench.sweep.stand import Killed, Stand
from simulators.world import SECOND


@pytest.fixture
def stand() -> Iterator[Stand]:
    it = Stand(Plan())
    yield it
    it.close()


def test_both_meters_stand_on_one_serial_line_and_the_new_one_has_a_past(stand: Stand) -> None:
    assert {device.link for device in stand.stage.devices.values()} == {"bus"}
    assert len(set(stand.meter.energies(stand.world.now).values())) == 7
    assert max(map(abs, stand.meter.demand.peak)) > 200_000_000  # twice the load, some time ago
    assert any(stand.meter.last_increment)


def test_an_undisturbed_transfer_goes_through_and_the_device_notices_its_steps(stand: Stand) -> None:
    JOBS["transfer"].run(stand)
    steps = [step for step, _ in stand.notices.steps]
    assert steps[:2] == ["command accepted", "command executed"]
    assert {"changed", "saved", "supply lost", "start", "started"} <= set(steps)
    (accepted,), (executed,) = stand.notices.of("command accepted"), stand.notices.of("command executed")
    assert executed - accepted == stand.meter.profile.exec_delay


@pytest.mark.parametrize("touch", [1, 40, 70, 85])
def test_killed_before_a_touch_it_touches_nothing_any_more(stand: Stand, touch: int) -> None:
    stand.gate.die_before = touch
    with pytest.raises(Killed):
        JOBS["transfer"].run(stand)
    frames, entries, now = len(stand.tap.frames), len(stand.tape.entries), stand.world.now
    for attempt in (
        stand.bench.clock.now,
        lambda: stand.bench.clock.sleep(SECOND),
        lambda: stand.tape.audit("too late"),
        stand.source.read_energies,
        lambda: stand.bench.supplies.cycle("new-pm850"),
    ):
        with pytest.raises(Killed):
            attempt()
    assert (len(stand.tap.frames), len(stand.tape.entries), stand.world.now) == (frames, entries, now)


def test_killed_in_the_middle_of_a_request_it_sends_half_of_it_and_nobody_answers(stand: Stand) -> None:
    line = stand.stage.line("bus")
    stand.kill_bench_at(stand.world.now + line.framing.time_of(2))
    with pytest.raises(Killed):
        JOBS["transfer"].run(stand)
    stand.let_pass_until(stand.world.now + SECOND)
    assert [len(frame.data) for frame in stand.tap.frames] == [4]  # what was to be sent; two bytes of it were


def test_a_fresh_bench_finds_the_meter_as_it_is_and_has_nothing_left_in_memory(stand: Stand) -> None:
    JOBS["transfer"].run(stand)
    stand.return_with_a_fresh_bench()
    assert stand.tape.entries == []
    assert stand.target.session.writes == []
    assert stand.target.stamp("energy_preset_time") is not None


def test_who_was_killed_in_a_power_cycle_has_left_the_supply_off_and_somebody_sees_to_it(stand: Stand) -> None:
    stand.kill_bench_at(stand.world.now + SECOND)
    with pytest.raises(Killed):
        stand.bench.supplies.cycle("new-pm850")
    assert not stand.stage.feeders["new-pm850"].auxiliary
    stand.return_with_a_fresh_bench()
    assert stand.target.wait_until_it_answers(60 * SECOND) > SECOND


def test_a_meter_that_takes_no_command_is_no_device_to_sweep() -> None:
    with pytest.raises(UsageError, match="nothing on it that a sweep could program"):
        Stand(Plan(device="cm2350", source="cm3350"))
