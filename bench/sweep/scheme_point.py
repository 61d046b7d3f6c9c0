"""One cut of a programming, from the undisturbed beginning until the meter holds one whole scheme again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.errors import DeviceError
from bench.scheme.snapshot import Snapshot
from bench.sweep.invariants import Violation
from bench.sweep.moments import Moment
from bench.sweep.point import Outcome
from bench.sweep.scheme_invariants import about_the_audit, about_the_meter, about_the_report, visits_kept
from bench.sweep.scheme_plan import PASSWORDS, SchemePlan
from bench.sweep.scheme_stand import Attempt, SchemeStand
from bench.sweep.scheme_truth import Held, Truth, held_by, sections, side, truth_of
from bench.sweep.stand import Killed
from protocols.flag.device import Session
from simulators.meters.elster.state import StateError, parse, put_back, state_of
from simulators.world import SECOND

#: How long after everything somebody comes: past the time after which a meter ends a visit in which nothing is said.
_LATER = 130 * SECOND
_WHOLE = ("old", "new")


@dataclass(slots=True)
class _Seen:
    """What was noted while a programming was cut."""

    at: int | None = None
    held: Held | None = None
    opened: list[int] = field(default_factory=list)


def cut_scheme(plan: SchemePlan, moment: Moment) -> Outcome:
    """Program the scheme of a plan in a world of its own, cut it at a moment, and see what that leaves."""
    stand, outcome = SchemeStand(plan), Outcome(str(moment), moment.what)
    program = plan.program()
    try:
        seen = _watch(stand, moment)
        before = truth_of(stand.meter, program, stand.world.now)
        first = len(stand.tap.frames)
        attempt = stand.program(program)
        outcome.run = attempt.ended
        told = held_by(stand.meter, program)
        frames = stand.tap.frames[first:]
        heard_since = seen.at is not None and attempt.heard > seen.at
        outcome.violations += about_the_report(program, before.held, attempt, told, seen.held, heard_since=heard_since)
        outcome.violations += about_the_audit(attempt, frames, died=stand.gate.dead)
        _come_back(stand)
        now = truth_of(stand.meter, program, stand.world.now)
        outcome.side = side(program, before.held, now.held)
        visits = visits_kept(stand.notices, seen.opened, plan.save_time, before.at)
        outcome.violations += about_the_meter(program, before, now, visits=visits)
        outcome.violations += _afterwards(stand, before, now, attempt.kept, outcome)
    finally:
        stand.close()
    return outcome


def _watch(stand: SchemeStand, moment: Moment) -> _Seen:
    """Arm the cut, and note what the meter held just before it and when each visit began."""
    seen, meter, program = _Seen(), stand.meter, stand.plan.program()
    opening = meter.open

    def opened(via: str, mode: int, now: int) -> Session:
        seen.opened.append(now)
        return opening(via, mode, now)

    def before() -> None:
        seen.at, seen.held = stand.world.now, held_by(meter, program)

    meter.open = opened  # type: ignore[method-assign]  # one meter of one world
    if moment.touch is not None:
        stand.gate.die_before = moment.touch
    elif moment.at is not None:
        stand.cut_at(moment.at, before)
    return seen


def _come_back(stand: SchemeStand) -> None:
    stand.let_pass_until(stand.world.now + stand.plan.off_time + _LATER)
    stand.return_with_a_fresh_bench()


# -- afterwards --------------------------------------------------------------------------------------------------------


def _afterwards(
    stand: SchemeStand, before: Truth, now: Truth, kept: Snapshot | None, outcome: Outcome
) -> Iterator[Violation]:
    """What somebody does who comes later: program again what is whole, resume and restore what is not."""
    program = stand.plan.program()
    if outcome.side == "new":  # the station file names the new password by now
        stand.driver.expect_password(PASSWORDS["LEVEL_3"].encode("ascii"))
    plain = stand.program(program)
    if outcome.side in _WHOLE:
        outcome.again = "done" if plain.ended == "went through" else plain.ended
        yield from _ends_new(stand, plain, "a second programming goes through")
        return
    after = held_by(stand.meter, program)
    if after != now.held or plain.ended == "went through":
        outcome.again = "written over"
        yield Violation("a meter between two schemes is not written over", plain.ended)
        return
    if kept is None:
        yield Violation("a meter between two schemes can be resumed", "no snapshot was kept")
        return
    outcome.again = "resumed, restored"
    rewind = state_of(stand.meter, stand.world.now), dict(stand.meter.security.passwords)
    resumed = stand.program(program, resumed=kept)
    yield from _found_out(stand, before.held, now.held, resumed)
    yield from _ends_new(stand, resumed, "a programming that is resumed ends with the new scheme")
    yield from _rewound(stand, *rewind)
    yield from _restored(stand, before, kept)


def _ends_new(stand: SchemeStand, attempt: Attempt, name: str) -> Iterator[Violation]:
    program = stand.plan.program()
    wrong = [w.item.name for w in (*program.writes, program.scheme_id)
             if held_by(stand.meter, program)[w.item.name] != w.data]  # fmt: skip
    if attempt.ended != "went through" or wrong:
        yield Violation(name, f"{attempt.ended}; not new: {', '.join(wrong) or 'nothing'}")


def _found_out(stand: SchemeStand, before: Held, now: Held, resumed: Attempt) -> Iterator[Violation]:
    """Whoever takes it up is told at once what each section holds."""
    if resumed.report is None:
        return
    truth = sections(stand.plan.program(), before, now)
    for name, state in resumed.report.found.items():
        if name != "passwords" and truth[name] != str(state):
            said = f"{name} is {truth[name]}, and found was {state}"
            yield Violation("who resumes is told what the meter holds", said)


def _rewound(stand: SchemeStand, state: dict[str, object], passwords: dict[int, bytes]) -> Iterator[Violation]:
    """Make the meter what it was before it was resumed."""
    stand.let_pass_until(stand.world.now + _LATER)
    try:
        put_back(stand.meter, stand.world.now, parse(stand.meter, state))
    except StateError as error:
        yield Violation("what a meter holds can be understood", str(error))
    stand.meter.security.passwords.update(passwords)
    stand.return_with_a_fresh_bench()


def _restored(stand: SchemeStand, before: Truth, kept: Snapshot) -> Iterator[Violation]:
    """The old scheme comes back; passwords stay as they are, and whoever restores knows both."""
    name = "a programming that is restored ends with the old scheme"
    stand.driver.expect_password(PASSWORDS["LEVEL_3"].encode("ascii"))
    try:
        attempt = stand.program(kept.restoring(), restoring=kept)
    except (DeviceError, Killed) as error:
        yield Violation(name, str(error))
        return
    held = held_by(stand.meter, stand.plan.program())
    wrong = [each for each, data in before.held.items() if not each.startswith("password") and held[each] != data]
    if attempt.ended != "went through" or wrong:
        yield Violation(name, f"{attempt.ended}; not old: {', '.join(wrong) or 'nothing'}")
