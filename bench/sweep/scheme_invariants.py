"""What must be true after a programming was cut, each with a name; a meter is compared with itself, from inside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.scheme.plan import Plan
from bench.sweep.invariants import Violation
from bench.sweep.scheme_plan import PASSWORDS
from bench.sweep.scheme_stand import USER, Attempt
from bench.sweep.scheme_truth import Held, Truth, items, sections, side
from bench.sweep.stand import Notices
from bench.sweep.tap import Frame
from protocols.elster.tables import model

_COUNTS = 1 << 16
#: What a meter keeps that no scheme may touch. Of the profile, what was recorded before; of the logs, all others.
_UNTOUCHED = ("registers", "billing", "daily", "event_history")
_FAILURES = "power_failure"
_WRITE = re.compile(rb"\x01W1\x02([0-9]{3})([0-9A-F]{3})\(([0-9A-F]*)\)\x03.", re.DOTALL)
_ACK = b"\x06"
_ENDS = ("broken off", "stopped", "verify")


def about_the_meter(plan: Plan, before: Truth, now: Truth, *, visits: int) -> Iterator[Violation]:
    """One scheme, or an id that says that it is between two; passwords whole, the count right, nothing else moved.

    Args:
        plan: what was programmed.
        before: the meter as it was.
        now: the meter as it is.
        visits: in how many visits something was changed that no cut has taken back.
    """
    states = items(plan, before.held, now.held)
    if side(plan, before.held, now.held) == "mixture":
        yield Violation("no silent mixture", f"795 reads {_text(now.held['scheme_id'])}, and {_spelled(states)}")
    for name, state in states.items():
        if name.startswith("password") and state == "mixed":
            yield Violation("a password is whole", f"{name} is neither the old one nor the new one")
    yield from _counted(plan, before, now, visits)
    yield from _untouched(before.state, now.state)


def _text(data: bytes) -> str:
    return repr(data.decode("ascii", "replace").strip())


def _spelled(states: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {state}" for name, state in states.items() if state != "unchanged")


def _counted(plan: Plan, before: Truth, now: Truth, visits: int) -> Iterator[Violation]:
    risen = (now.state["programming_count"] - before.state["programming_count"]) % _COUNTS
    if risen != visits:
        yield Violation("the programming log counts what was kept", f"it has risen by {risen}, in {visits} visits")
    fresh = now.state["programmings"][:risen]
    users = {bytes.fromhex(entry["user"]).decode("ascii", "replace").strip() for entry in fresh}
    if users - {USER} and model(plan.model)["programming_users"]:
        yield Violation("the programming log names who programmed", f"{', '.join(sorted(users))} instead of {USER}")


def _untouched(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Violation]:
    """Energies, billing and the profile are as they were, but for what a cut adds: there is no load."""
    for name in _UNTOUCHED:
        old, new = _without_sources(before[name]), _without_sources(now[name])
        if old != new:
            yield Violation("what was counted is untouched", f"{name}: {_shortly(old)} became {_shortly(new)}")
    for name, log in before["logs"].items():
        if name != _FAILURES and log != now["logs"][name]:
            yield Violation("what was counted is untouched", f"{name}: {log} became {now['logs'][name]}")
    if before["profile"] is not None:
        old, new = ([entry for day in each["profile"]["days"] for entry in day["entries"]] for each in (before, now))
        if [_unnumbered(e) for e in old] != [_unnumbered(e) for e in new[: len(old)]]:
            yield Violation("what was counted is untouched", "the load profile has lost or changed what it held")


def _without_sources(registers: Any) -> Any:
    if isinstance(registers, dict) and "totals" in registers:
        return {name: it for name, it in registers.items() if name in ("totals", "cumulative")}
    return registers


def _shortly(value: Any) -> str:
    """What was there, in a line: how many sets, or the sums that are not zero."""
    if isinstance(value, list):
        return f"{len(value)} sets"
    return ", ".join(f"{name} {[number for number in numbers if number]}" for name, numbers in value.items())


def _unnumbered(entry: Any) -> Any:
    """An entry without the number of its set-up, which is counted anew in each state."""
    marker = isinstance(entry[0], str)
    return (entry[0], entry[1]) if marker else entry


def visits_kept(notices: Notices, opened: Sequence[int], save_time: int, since: int) -> int:
    """In how many visits (`opened`, ns) something was changed (ns) that no loss of the supply has taken back."""
    cuts = notices.of("supply lost")
    kept = [at for at in notices.of("changed") if at >= since and not any(at <= cut < at + save_time for cut in cuts)]
    return len({max((begin for begin in opened if begin <= at), default=0) for at in kept})


# -- the report --------------------------------------------------------------------------------------------------------


def about_the_report(
    plan: Plan, before: Held, attempt: Attempt, now: Held, at_cut: Held | None, *, heard_since: bool
) -> Iterator[Violation]:
    """It names of every section what it holds; what it cannot know it calls unknown.

    Args:
        plan: what was programmed.
        before: what the meter held first.
        attempt: how it ended, and what was told.
        now: what it held when that was told.
        at_cut: what it held just before it was cut, None if it was not.
        heard_since: whether the meter has answered after the cut: else what was told is how it was last read.
    """
    report = attempt.report
    if report is None:
        return
    truths = [sections(plan, before, now)]
    if at_cut is not None and (report.silent or not heard_since):
        truths.append(sections(plan, before, at_cut))
    told = report.sections if report.written else dict.fromkeys(truths[0], "old")
    for name, state in told.items():
        right = {truth[name] for truth in truths}
        known = "unchanged" if right == {"unchanged"} else str(state)
        if known == "unknown" and (name == "passwords" or report.silent):
            continue
        if known not in right | ({"old", "new"} if right == {"unchanged"} else set()):
            said = f"{name} is {' or '.join(sorted(right))}, and told is: {report.told or 'nothing was written'}"
            yield Violation("the report says what the meter holds", said)
    if attempt.ended == "went through" and set(told.values()) - {"new", "unchanged"}:
        yield Violation("what is told as done is done", report.told)


def about_the_audit(attempt: Attempt, frames: Sequence[Frame], *, died: bool) -> Iterator[Violation]:
    """Every write is named before it, no password is, a snapshot is kept before the first, and an end is told."""
    written = [(frame.at, int(found[1])) for frame in frames for found in _WRITE.finditer(frame.data)]
    named = [(entry["t"], entry["facts"].get("identity")) for entry in attempt.entries if entry["event"] == "write"]
    for at, number in written:
        if not any(number == other and told <= at for told, other in named):
            yield Violation("the audit names every write", f"{number} was written at {at} ns")
            break
    if written and attempt.kept is None:
        yield Violation("a snapshot is kept before the first write", f"{written[0][1]} was written without one")
    told_secrets = [level for level, secret in PASSWORDS.items() if secret in repr(attempt.entries)]
    if told_secrets:
        yield Violation("no password stands in the audit", ", ".join(told_secrets))
    if written and not died and not any(entry["event"] in _ENDS for entry in attempt.entries):
        yield Violation("the audit says how it ended", "there is nothing after the last write")
