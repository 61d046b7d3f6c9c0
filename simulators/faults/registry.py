"""The list of defects and how one is switched on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from simulators.meters.powerlogic.meter import Meter


@dataclass(frozen=True, slots=True)
class Defect:
    """A firmware bug: what it is, what an observer sees, and how it is put into a meter."""

    id: str
    title: str
    symptom: str
    install: Callable[[Meter], None]


DEFECTS: dict[str, Defect] = {}
_FAMILIES = ("simulators.faults.powerlogic",)


def defect(id_: str, title: str, symptom: str) -> Callable[[Callable[[Meter], None]], Callable[[Meter], None]]:
    """Register a function that puts a defect into a meter."""

    def register(install: Callable[[Meter], None]) -> Callable[[Meter], None]:
        if id_ in DEFECTS:
            raise ValueError(f"two defects are called {id_}")
        DEFECTS[id_] = Defect(id_, title, symptom, install)
        return install

    return register


def load() -> dict[str, Defect]:
    """All defects, by id."""
    for family in _FAMILIES:
        import_module(family)
    return DEFECTS


def switch_on(id_: str, meter: Meter, now: int = 0) -> None:
    """Put a defect into a meter at the instant `now` (ns): what was counted until then stays as it is.

    Raises:
        KeyError: no defect has this id; the message lists those there are.
    """
    known = load()
    if id_ not in known:
        raise KeyError(f"no defect is called {id_!r}; known: {', '.join(sorted(known))}")
    meter.before_change(now)
    known[id_].install(meter)
    meter.after_change(now)
