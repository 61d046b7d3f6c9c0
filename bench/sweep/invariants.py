"""What must be true after a cut, each with a name. A finding is one sentence about one world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.drivers.powerlogic.series import COMMAND, DONE, POINTER_STATUS
from bench.sweep.jobs import Job, Side, Story
from bench.sweep.snapshot import differing, powered
from bench.sweep.stand import Stand
from bench.sweep.tap import Words, shown_by, writes_to
from protocols.powerlogic.tables import command_code

#: How an audit tells that a procedure did not go through.
_ENDS = ("broken off", "stopped")
_POINTERS = range(POINTER_STATUS, POINTER_STATUS + 3)


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be: the invariant's name, and what was found."""

    invariant: str
    found: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.found}"


def side_of(parts: Mapping[str, Side]) -> str:
    """The side on which all parts are: old, new, or mixture."""
    sides = set(parts.values()) - {"either"}
    return sides.pop() if len(sides) == 1 and "neither" not in sides else "mixture" if sides else "old"


def about_the_meter(job: Job, story: Story, *, cut: bool) -> Iterator[Violation]:
    """One whole set, the one that was saved, and nothing else moved.

    Args:
        job: the procedure.
        story: what has happened.
        cut: whether the meter lost its supply, so that what is volatile must be gone.
    """
    parts = job.parts(story)
    side = side_of(parts)
    if side == "mixture":
        yield Violation("one whole set", _spelled(parts))
    elif parts:
        expected = "old" if story.changed_at is None else "new"
        if side != expected:
            yield Violation("what was saved is kept", f"the {expected} set was, and the {side} one is there")
    if job.command == "preset_energies":
        yield from _stamp(story, side)
    moved = differing(story.before, story.now, powered(story.stand.notices, story.before.at, story.now.at), job.owns)
    if moved:
        yield Violation("nothing else has changed", "; ".join(moved))
    if cut:
        yield from _volatile(story.stand)


def _spelled(parts: Mapping[str, Side]) -> str:
    return ", ".join(f"{name} {side}" for name, side in parts.items())


def _stamp(story: Story, side: str) -> Iterator[Violation]:
    """3290 tells of a preset that is there, and of none that is not."""
    name = "energy_preset_time"
    fresh = story.now.state["stamps"].get(name) != story.before.state["stamps"].get(name)
    if side in ("old", "new") and fresh != (side == "new"):
        what = "tells of a preset" if fresh else "tells of no preset"
        yield Violation(
            "the preset stamp agrees with the energies", f"the energies are the {side} ones and 3290 {what}"
        )


def _volatile(stand: Stand) -> Iterator[Violation]:
    meter = stand.meter
    aimed = [meter.area[register - COMMAND] for register in _POINTERS]
    if any(aimed) and not meter.profile.keep_pointers:
        yield Violation("pointers are gone with the supply", f"8017-8019 hold {aimed}")
    lost = max(stand.notices.of("supply lost"), default=0)
    if meter.setup is not None and meter.setup.opened_at <= lost:
        yield Violation("a set-up session ends with the supply", f"one is open with {meter.setup.draft or 'no draft'}")


# -- the audit ---------------------------------------------------------------------------------------------------------


def about_the_audit(
    job: Job, stand: Stand, entries: Sequence[Mapping[str, Any]], side: str, *, died: bool, failed: bool
) -> Iterator[Violation]:
    """What was written is named before, what was not read is not claimed, and what is unknown is told as unknown.

    Args:
        job: the procedure.
        stand: its world, as the cut has left it.
        entries: the audit as it is on the disk.
        side: on which side the meter was found.
        died: whether the process of the bench was killed, and could tell nothing more.
        failed: whether the procedure was broken off.
    """
    writes = list(writes_to(stand.tap.frames, stand.unit))
    yield from _unnamed(writes, entries)
    yield from _claimed(stand, entries)
    code = command_code(stand.target.model.family, job.command)
    told = _told(entries, code)
    if told == "not sent" and side == "new":
        yield Violation("the audit says what is known", "it names no command, and the meter has carried it out")
    if died or not writes or not failed:
        return
    ends = [entry for entry in entries if entry["event"] in _ENDS]
    state = str(ends[-1]["facts"].get("state")) if ends else None
    if state is None:
        if told != "answered" and not any(entry["event"] == "result lost" for entry in entries):
            yield Violation("the audit says what is known", "it does not say that the procedure came to no end")
    elif told == "unknown" and "not known" not in state:
        yield Violation("the audit says what is unknown", f"no result was read, and it says: {state}")


def _told(entries: Sequence[Mapping[str, Any]], code: int) -> str:
    sent = [place for place, entry in enumerate(entries) if _names(entry, COMMAND, code)]
    if not sent:
        return "not sent"
    after = entries[sent[-1] :]
    if any(entry["event"] == "result" and entry["facts"]["value"] is not None for entry in after):
        return "answered"
    return "answered" if any(entry["event"] == "verify" for entry in after) else "unknown"


def _names(entry: Mapping[str, Any], register: int, value: int) -> bool:
    if entry["event"] == "draft":  # a meter may take a register at once
        return True
    return entry["event"] == "command" and bool(
        entry["facts"].get("register") == register and entry["facts"].get("code") == value
    )


def _unnamed(writes: Sequence[Words], entries: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    for write in writes:
        before = [entry["facts"] for entry in entries if entry["t"] <= write.at]
        if write.register == COMMAND:
            named = any(facts.get("code") == write.words[0] for facts in before)
        else:
            named = any(set(write.registers) <= registers_of(facts) for facts in before)
        if not named:
            yield Violation("the audit names every write", f"{list(write.words)} to {write.register} at {write.at} ns")
            return


def registers_of(facts: Mapping[str, Any]) -> set[int]:
    """The registers that an audit entry names: numbers, "8017-8019", or a list of these."""
    named = facts.get("registers", ())
    found: set[int] = set()
    for one in [named] if isinstance(named, str | int) else named:
        first, _, last = str(one).partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _claimed(stand: Stand, entries: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    """Each result in the audit was shown by the meter, and a success was one."""
    shown = list(shown_by(stand.tap.frames, stand.unit))
    executed = stand.notices.of("command executed")
    for place, entry in enumerate(entries):
        value = entry["facts"].get("value") if entry["event"] == "result" else None
        if value is None:
            continue
        register, until = entry["facts"]["register"], entry["t"]
        if not any(words.at <= until and register in words.registers
                   and words.words[register - words.register] == value for words in shown):  # fmt: skip
            yield Violation("the audit claims what was read", f"result {value}, which {register} never showed")
        sent = [earlier["t"] for earlier in entries[:place] if earlier["event"] == "command"]
        if value == DONE and sent and not any(sent[-1] <= at <= until for at in executed):
            yield Violation("the audit claims what is true", "result 0 of a command that was never carried out")
