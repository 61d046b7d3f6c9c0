"""One cut, from the undisturbed beginning to the second run of the procedure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.errors import BenchError, DeviceError
from bench.procedures.programming import Programming
from bench.procedures.transfer_precheck import AlreadyDone
from bench.procedures.transfer_report import TransferReport
from bench.sweep.invariants import Violation, about_the_audit, about_the_meter, side_of
from bench.sweep.jobs import JOBS, Job, Story
from bench.sweep.moments import Moment
from bench.sweep.plan import Plan
from bench.sweep.snapshot import Snapshot, last_kept_change, powered, take
from bench.sweep.stand import Killed, Stand
from protocols.powerlogic.energy import Quantity
from simulators.world import SECOND

#: How long after a cut somebody comes: when the meter has had time to start; where it was not cut, past the two minutes
#: after which a set-up session ends, or at once.
_LATER, _PAST_A_SESSION, _AT_ONCE = 10 * SECOND, 121 * SECOND, SECOND
_RETURN_TIME = 60 * SECOND


@dataclass(slots=True)
class Outcome:
    """What became of one cut.

    Attributes:
        moment: where, as `--at` takes it.
        what: the same in words.
        run: how the procedure ended.
        side: which set the meter held afterwards: old, new or mixture.
        again: what the second run did: done, refused (it had been done), or what broke it.
        violations: what must not be.
    """

    moment: str
    what: str
    run: str = ""
    side: str = ""
    again: str = ""
    violations: list[Violation] = field(default_factory=list)


def cut(plan: Plan, moment: Moment) -> Outcome:
    """Run the procedure of a plan in a world of its own, cut it at a moment, and see what it leaves."""
    stand = Stand(plan)
    job, outcome = JOBS[plan.procedure], Outcome(str(moment), moment.what)
    try:
        before = take(stand.meter, stand.world.now)
        _arm(stand, moment)
        outcome.run = _first_run(job, stand)
        entries = list(stand.tape.entries)
        died = stand.gate.dead
        _come_back(stand, moment)
        if not _answers(stand, outcome):
            return outcome
        story = _story(stand, before)
        outcome.side = side_of(job.parts(story))
        outcome.violations += about_the_meter(job, story, cut=plan.victim == "meter")
        outcome.violations += about_the_audit(
            job, stand, entries, outcome.side, died=died, failed=outcome.run not in ("went through", "killed")
        )
        outcome.violations += _as_read(stand)
        outcome.violations += _again(job, stand, story, outcome)
    finally:
        stand.close()
    return outcome


def _arm(stand: Stand, moment: Moment) -> None:
    if moment.touch is not None:
        stand.gate.die_before = moment.touch
    elif moment.at is not None and stand.plan.victim == "meter":
        stand.cut_supply_at(max(moment.at, stand.world.now))
    elif moment.at is not None:
        stand.kill_bench_at(max(moment.at, stand.world.now))


def _first_run(job: Job, stand: Stand) -> str:
    try:
        return _end_of(job.run(stand))
    except Killed:
        return "killed"
    except BenchError as error:
        return str(error)


def _end_of(report: TransferReport | Programming) -> str:
    if isinstance(report, TransferReport) and (report.stopped or report.result != 0):
        return report.stopped or f"result {report.result}"
    if isinstance(report, Programming) and not report.done:
        return f"shows {report.after}"
    return "went through"


def _come_back(stand: Stand, moment: Moment) -> None:
    """Let the world go on for as long as it takes somebody to come, and open a fresh bench."""
    if stand.plan.victim == "meter":
        assert moment.at is not None
        wait = max(stand.world.now, moment.at + stand.plan.off_time) + _LATER
    else:
        wait = stand.world.now + (_AT_ONCE if moment.at is None else _PAST_A_SESSION)
    stand.let_pass_until(wait)
    stand.return_with_a_fresh_bench()


def _answers(stand: Stand, outcome: Outcome) -> bool:
    try:
        stand.target.wait_until_it_answers(_RETURN_TIME)
    except DeviceError as error:
        outcome.violations.append(Violation("the meter comes back", str(error)))
        return False
    return True


def _story(stand: Stand, before: Snapshot) -> Story:
    now = stand.world.now
    stand.meter.settle(now)
    changed = last_kept_change(stand.notices, _save_time(stand.plan), now, before.at)
    return Story(stand, before, take(stand.meter, now), changed)


def _save_time(plan: Plan) -> int:
    return 0 if plan.procedure == "clock" else plan.save_time  # a clock has a battery


def _as_read(stand: Stand) -> Iterator[Violation]:
    """What a fresh bench reads is what the meter holds."""
    first = stand.meter.energies(stand.world.now)
    try:
        read = stand.target.read_energies().values
    except DeviceError as error:
        yield Violation("a fresh bench can read", str(error))
        return
    last = stand.meter.energies(stand.world.now)
    wrong = [q.title for q in Quantity if not min(first[q], last[q]) <= read[q] <= max(first[q], last[q])]
    if wrong:
        yield Violation("a fresh bench reads what the meter holds", ", ".join(wrong))


def _again(job: Job, stand: Stand, story: Story, outcome: Outcome) -> Iterator[Violation]:
    """The same procedure once more, by somebody who knows nothing of the first: it goes through, or has been done."""
    begin, name = take(stand.meter, stand.world.now), "a second run recovers"
    try:
        outcome.again = _end_of(job.run(stand)).replace("went through", "done")
    except AlreadyDone:
        outcome.again = "refused"
    except BenchError as error:
        outcome.again = str(error)
    if outcome.again not in ("done", "refused"):
        yield Violation(name, outcome.again)
        return
    end = take(stand.meter, stand.world.now)
    if outcome.again == "refused" and outcome.side != "new":
        yield Violation(name, f"it is refused as done, and the energies are the {outcome.side} ones")
    yield from _end_is_right(job, stand, story, begin, end, outcome)
    aimed = stand.meter.area[17:20].tolist()
    if any(aimed):
        yield Violation("pointers are at nothing in the end", f"8017-8019 hold {aimed}")


def _end_is_right(
    job: Job, stand: Stand, story: Story, begin: Snapshot, end: Snapshot, outcome: Outcome
) -> Iterator[Violation]:
    """After the second run the new set is there, and nothing that was counted on a done preset was erased."""
    changed = last_kept_change(stand.notices, _save_time(stand.plan), end.at, begin.at)
    if changed is None:  # nothing was written: the new set of the first run goes on
        if outcome.again == "done" and outcome.side != "new" and job.parts(story):
            yield Violation("a second run recovers", f"it changed nothing, and the {outcome.side} set is there")
        grown = begin.grown("accumulated", powered(stand.notices, begin.at, end.at))
        if end.energies() != grown:
            yield Violation("a second run erases nothing", f"{end.energies()} instead of {grown} pJ")
        return
    parts = job.parts(Story(stand, begin, end, changed))
    if parts and side_of(parts) != "new":
        yield Violation("a second run recovers", ", ".join(f"{name} {side}" for name, side in parts.items()))
    if outcome.side == "new" and job.command == "preset_energies":
        yield Violation("a second run erases nothing", "the preset was done again on a meter that had counted on")
