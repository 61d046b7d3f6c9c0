"""Where to cut: the moments of an undisturbed run, byte by byte and step by step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.errors import UsageError
from bench.sweep.jobs import JOBS
from bench.sweep.plan import Plan
from bench.sweep.stand import Stand
from bench.sweep.tap import Frame
from bench.wire import in_words

#: How long (ns) after the end of a procedure a save may still be under way and is cut into.
_AFTERWARDS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment to cut at: an instant (ns), or the touch of the bench on wire or disk before which it dies."""

    at: int | None
    touch: int | None
    what: str

    def __str__(self) -> str:
        """As `--at` takes it."""
        return f"{self.at}" if self.touch is None else f"touch {self.touch}"


def moments(plan: Plan) -> list[Moment]:
    """Every moment of the plan's procedure at which something can be cut, in order.

    Raises:
        BenchError: the procedure breaks off undisturbed, so it has no moments to speak of.
    """
    stand = Stand(plan)
    try:
        begin = stand.world.now
        JOBS[plan.procedure].run(stand)
        end, touches = stand.world.now, stand.gate.touches
        stand.let_pass_until(end + _AFTERWARDS)
        stand.meter.settle(stand.world.now)
        frames = [frame for frame in stand.tap.frames if begin <= frame.at <= end]
        found: dict[int, str] = {}
        lines = {name: stand.stage.line(name).framing.character_scale // stand.stage.line(name).framing.baud
                 for name, link in stand.stage.links.items() if link.medium != "ethernet"}  # fmt: skip
        for at, what in (*_of_bytes(stand, frames, lines), *_of_steps(plan, stand, end)):
            if begin <= at <= end + _AFTERWARDS:
                found.setdefault(at, what)
    finally:
        stand.close()
    timed = [Moment(at, None, what) for at, what in sorted(found.items())]
    if plan.victim == "meter":
        return timed
    return [*timed, *(Moment(None, touch, f"before touch {touch} of the bench") for touch in range(1, touches + 1))]


def _of_bytes(stand: Stand, frames: Iterable[Frame], lines: dict[str, int]) -> Iterator[tuple[int, str]]:
    """The end of each byte, which is whole then and is the beginning of the next; a network has messages only."""
    direction = "tx"
    for frame in frames:
        said = in_words("", direction, frame.data) or frame.data.hex(" ")
        direction = "rx" if direction == "tx" else "tx"
        if frame.line not in lines:
            delay = stand.stage.links[frame.line.removesuffix("/tcp")].delay
            yield from around(frame.at, f"sending of {said}")
            yield from around(frame.at + delay, f"arrival of {said}")
            continue
        framing = stand.stage.line(frame.line).framing
        for count in range(len(frame.data) + 1):
            at = frame.at + framing.time_of(count)
            yield at, f"after {count} of {len(frame.data)} bytes of {said}"


def _of_steps(plan: Plan, stand: Stand, end: int) -> Iterator[tuple[int, str]]:
    """Each internal step of the meter; a bench that dies has no part in those after its end."""
    for step, at in stand.notices.steps:
        if plan.victim == "meter" or at <= end:
            yield from around(at, step)


def around(at: int, what: str) -> Iterator[tuple[int, str]]:
    """Just before, at and just after an instant (ns)."""
    yield at - 1, f"just before {what}"
    yield at, f"at {what}"
    yield at + 1, f"just after {what}"


def parse_moment(text: str) -> Moment:
    """The moment that `--at` names.

    Raises:
        UsageError: neither an instant nor a touch.
    """
    found = re.fullmatch(r"(touch )?([0-9]+)", text.strip())
    if not found:
        raise UsageError(f'--at {text!r} is no moment: an instant in ns, or "touch N", as a sweep prints it')
    number = int(found[2])
    return Moment(None, number, text) if found[1] else Moment(number, None, text)
