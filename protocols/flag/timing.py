"""How patient a tool is that talks to FLAG meters."""

from __future__ import annotations

from dataclasses import dataclass

_MS = 1_000_000
_SECOND = 1_000 * _MS


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a tool is. Times in ns.

    Attributes:
        answer: how long the first character of an answer may take; the standard allows a meter 1.5 s.
        gap: the longest silence inside an answer.
        reaction: how long the tool waits before it answers; the standard wants 200 ms at least.
        before_command: what a tool leaves free before a command (head-ends with these meters: 300 ms).
        after_break: how long it leaves a meter alone after the break (head-ends: 2 s).
        wake: "slow" or "fast" for meters that sleep until they are woken (Annex B), else empty.
        retries: how often something is asked for again.
    """

    answer: int = 1_800 * _MS
    gap: int = 1_500 * _MS
    reaction: int = 250 * _MS
    before_command: int = 300 * _MS
    after_break: int = 2 * _SECOND
    wake: str = ""
    retries: int = 2
