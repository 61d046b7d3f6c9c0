"""The journal of a procedure: its steps with their times, and the audit of everything that changes a device.

A step that raises is marked with what happened and the error goes on; an audit entry is written before the change it
tells of is known to have worked, because a killed process must not leave a change that nobody wrote down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.clock import Clock
from bench.errors import BenchError

#: Takes an event, the device it concerns and its facts.
Audit = Callable[..., None]


@dataclass(slots=True)
class Step:
    """One step: what it was, its span of bench time (ns), and how it ended ("done", or what happened)."""

    title: str
    start: int
    end: int = 0
    outcome: str = "done"


def _no_audit(_event: str, **_facts: Any) -> None:
    """For procedures that change nothing."""


@dataclass(slots=True)
class Journal:
    """What a procedure did, step by step.

    Args:
        clock: the bench's clock.
        audit: takes what changes a device.
        progress: told of each step as it begins.
    """

    clock: Clock
    audit: Audit = _no_audit
    progress: Callable[[str], None] | None = None
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step; its end and outcome are kept whatever happens in it."""
        if self.progress is not None:
            self.progress(title)
        step = Step(title, self.clock.now())
        self.steps.append(step)
        try:
            yield
        except BenchError as error:
            step.outcome = str(error)
            raise
        except KeyboardInterrupt:
            step.outcome = "interrupted by the operator"
            raise
        finally:
            step.end = self.clock.now()
