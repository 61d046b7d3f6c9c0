"""Where to cut a programming: every byte on the line from sign-on to break, and every step of the meter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.errors import DeviceError
from bench.sweep.moments import Moment, around
from bench.sweep.scheme_plan import SchemePlan
from bench.sweep.scheme_stand import SchemeStand

#: How long (ns) after the end of a programming a save may still be under way.
_AFTERWARDS = 10_000_000_000
_ASCII = 128


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A programming that nobody disturbed: its moments, and how many bytes went over the line."""

    moments: list[Moment]
    octets: int


def undisturbed(plan: SchemePlan) -> Undisturbed:
    """Run a programming that nobody disturbs.

    Raises:
        DeviceError: it does not go through, so it has no moments to speak of.
    """
    stand = SchemeStand(plan)
    try:
        begin, first = stand.world.now, len(stand.tap.frames)
        attempt = stand.program(plan.program())
        if attempt.ended != "went through":
            raise DeviceError(f"an undisturbed programming ends with: {attempt.ended}", device=plan.device)
        end, last, touches = stand.world.now, len(stand.tap.frames), stand.gate.touches
        stand.let_pass_until(end + _AFTERWARDS)
        found: dict[int, str] = {}
        for at, what in (*_of_bytes(stand, first, last), *_of_steps(stand, begin, end)):
            found.setdefault(at, what)
        octets = sum(len(frame.data) for frame in stand.tap.frames[first:last])
    finally:
        stand.close()
    timed = [Moment(at, None, what) for at, what in sorted(found.items())]
    if plan.victim == "bench":
        timed += [Moment(None, touch, f"before touch {touch} of the bench") for touch in range(1, touches + 1)]
    return Undisturbed(timed, octets)


def scheme_moments(plan: SchemePlan) -> list[Moment]:
    """Every moment of a programming, in order.

    Raises:
        DeviceError: it does not go through undisturbed.
    """
    return undisturbed(plan).moments


def _of_bytes(stand: SchemeStand, first: int, last: int) -> Iterator[tuple[int, str]]:
    """The end of each byte, which is whole then and is the beginning of the next."""
    for frame, framing in zip(stand.tap.frames[first:last], stand.tap.framings[first:last], strict=True):
        for count in range(len(frame.data) + 1):
            at = frame.at + framing.time_of(count)
            yield at, f"after {count} of {len(frame.data)} bytes of {_said(frame.data)}"


def _of_steps(stand: SchemeStand, begin: int, end: int) -> Iterator[tuple[int, str]]:
    """Each internal step of the meter; who is not the meter has no part in those after its end."""
    until = end + _AFTERWARDS if stand.plan.victim == "meter" else end
    for step, at in stand.notices.steps:
        if begin <= at <= until:
            yield from around(at, step)


def _said(data: bytes) -> str:
    """The beginning of a message, without what it carries."""
    text = "".join(
        chr(byte) if chr(byte).isprintable() else " " for byte in data.partition(b"(")[0][:20] if byte < _ASCII
    )
    return text.strip() or "an answer"
