"""Each invariant can be broken, and says what it has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from bench.sweep.invariants import about_the_audit, about_the_meter, registers_of, side_of
from bench.sweep.jobs import JOBS, Side, Story
from bench.sweep.plan import Plan
from bench.sweep.snapshot import Snapshot, last_kept_change, powered, take
from bench.sweep.stand import Notices, Stand
from simulators.metering.energy import WH

Entries = list[dict[str, Any]]


class Done:
    """A transfer that went through, and what it has left."""

    def __init__(self) -> None:
        self.stand = Stand(Plan(medium="ethernet"))
        self.before = take(self.stand.meter, self.stand.world.now)
        JOBS["transfer"].run(self.stand)
        self.entries = self.stand.tape.entries

    def meter(self, *, cut: bool = False) -> list[str]:
        """What is wrong with the meter now."""
        notices, now = self.stand.notices, self.stand.world.now
        story = Story(self.stand, self.before, take(self.stand.meter, now), last_kept_change(notices, 0, now))
        return [str(violation) for violation in about_the_meter(JOBS["transfer"], story, cut=cut)]

    def audit(self, entries: Entries, *, side: str = "new", failed: bool = False, died: bool = False) -> list[str]:
        """What is wrong with an audit of it."""
        job = JOBS["transfer"]
        return [str(v) for v in about_the_audit(job, self.stand, entries, side, died=died, failed=failed)]


@pytest.fixture
def done() -> Iterator[Done]:
    it = Done()
    yield it
    it.stand.close()


def test_nothing_is_wrong_with_a_transfer_that_went_through(done: Done) -> None:
    assert done.meter(cut=True) == []
    assert done.audit(done.entries) == []


def add(done: Done, index: int, picojoule: int) -> None:
    now, meter = done.stand.world.now, done.stand.meter
    values = meter.energies_picojoule(now)
    values[index] += picojoule
    meter.put_energies(now, values, safe_at=0)
    done.stand.notices.steps = [step for step in done.stand.notices.steps if step[1] < now]  # nobody was told


def test_one_picojoule_too_many_is_neither_the_old_set_nor_the_new_one(done: Done) -> None:
    add(done, 3, 1)
    (found,) = done.meter()
    assert found.startswith("one whole set: real energy in new, ")
    assert "reactive energy out neither" in found


def test_what_else_moved_is_named(done: Done) -> None:
    done.stand.meter.config["ct_primary"] = 800
    done.stand.meter.stamps.pop("minmax_reset_time", None)
    done.stand.meter.clear_partial("conditional", done.stand.world.now)
    found = "".join(done.meter())
    assert "nothing else has changed: conditional energies" in found
    assert "config.ct_primary: 400 became 800" in found


def test_a_stamp_that_tells_of_no_preset_is_named(done: Done) -> None:
    del done.stand.meter.stamps["energy_preset_time"]
    (found,) = done.meter()
    assert (
        found == "the preset stamp agrees with the energies: the energies are the new ones and 3290 tells of no preset"
    )


def drop(event: str) -> Callable[[Entries], Entries]:
    return lambda entries: [entry for entry in entries if entry["event"] != event]


def change(event: str, **facts: object) -> Callable[[Entries], Entries]:
    def changed(entries: Entries) -> Entries:
        copies = deepcopy(entries)
        for entry in copies:
            if entry["event"] == event:
                entry["facts"] |= facts
        return copies

    return changed


def late(event: str) -> Callable[[Entries], Entries]:
    def moved(entries: Entries) -> Entries:
        copies = deepcopy(entries)
        for entry in copies:
            if entry["event"] == event:
                entry["t"] += 1
        return copies

    return moved


BROKEN: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "a command that nobody wrote down": (drop("command"), "the audit names every write: [6209] to 8000"),
    "an entry after its command": (late("command"), "the audit names every write: [6209] to 8000"),
    "writes that nobody wrote down": (drop("write"), "the audit names every write: [0, 0, 0] to 8017"),
    "a result that was never shown": (change("result", value=81), "the audit claims what was read: result 81"),
    "a result of another register": (
        change("result", register=8020),
        "the audit claims what was read: result 0, which 8020",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_audit_that_is_not_true_is_found(what: str, done: Done) -> None:
    damage, found = BROKEN[what]
    assert any(line.startswith(found) for line in done.audit(damage(done.entries)))


def test_a_success_before_the_execution_is_no_truth(done: Done) -> None:
    done.stand.notices.steps.clear()
    assert "the audit claims what is true: result 0 of a command that was never carried out" in done.audit(done.entries)


def test_who_was_broken_off_says_so_and_what_is_not_known(done: Done) -> None:
    unknown = [entry for entry in done.entries if entry["event"] not in ("result", "verify")]
    told = {"event": "broken off", "device": "new-pm850", "t": 1 << 60, "facts": {"state": "all is well"}}
    assert done.audit(unknown, failed=True) == [
        "the audit says what is known: it does not say that the procedure came to no end"
    ]
    assert done.audit([*unknown, told], failed=True) == [
        "the audit says what is unknown: no result was read, and it says: all is well"
    ]
    told["facts"] = {"state": "the command was sent and its result is not known"}
    assert done.audit([*unknown, told], failed=True) == []
    assert done.audit(unknown, died=True) == []  # who is dead tells nothing


@pytest.mark.parametrize(
    ("sides", "side"),
    [
        (["new", "either", "new"], "new"), (["old", "either"], "old"), (["either"], "old"), ([], "old"),
        (["old", "new"], "mixture"), (["new", "neither"], "mixture"), (["neither"], "mixture"),
    ],
)  # fmt: skip
def test_parts_make_a_whole_or_a_mixture(sides: list[Side], side: str) -> None:
    assert side_of(dict(zip("abc", sides, strict=False))) == side


@pytest.mark.parametrize(
    ("named", "registers"),
    [
        ("8017-8019", {8017, 8018, 8019}),
        ([8020, 8021], {8020, 8021}),
        (["8000-8001", 3201], {8000, 8001, 3201}),
        ((), set()),
    ],
)
def test_an_audit_names_registers_in_several_ways(named: object, registers: set[int]) -> None:
    assert registers_of({"registers": named}) == registers


def test_time_without_a_supply_is_not_counted() -> None:
    notices = Notices([("start", 100), ("supply lost", 100), ("start", 150), ("supply lost", 300)])
    assert powered(notices, 0, 400) == 400 - 50 - 100
    assert powered(notices, 120, 200) == 50
    assert powered(notices, 160, 250) == 90


def test_a_change_is_kept_that_no_cut_has_met_before_it_was_saved() -> None:
    notices = Notices([("changed", 10), ("changed", 50), ("supply lost", 59)])
    assert last_kept_change(notices, 10, 100) == 10
    assert last_kept_change(notices, 9, 100) == 50
    assert last_kept_change(notices, 60, 100) is None
    assert last_kept_change(notices, 0, 100, since=51) is None


def test_energies_grow_exactly() -> None:
    before = Snapshot(0, {"accumulated": [WH] * 7}, (1, 2, 3, 4, 5, 6, 7))
    assert before.grown("accumulated", 10) == [WH + 10 * rate for rate in range(1, 8)]
