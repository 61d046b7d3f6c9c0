"""The list of defects, what is known of each, and how one is switched on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol

#: Who is hurt: the one who pays, the one who relies on what the meter does, or the one who looks at it.
Severity = Literal["billing", "function", "cosmetic"]
Install = Callable[[Any], None]


class Faulty(Protocol):
    """A meter into which a defect can be put."""

    family: str

    def before_change(self, now: int) -> None:
        """What was counted until now stays as it is."""

    def after_change(self, now: int) -> None:
        """From now on it is another firmware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong on purpose: a firmware defect, or a mistake at the bench.

    Attributes:
        id: D.., O.., and of Elster meters E.. (M) and T.. (tools) as in the domain references; P.. and E61 on are
            meterbench's own.
        title: what is wrong, in a few words.
        symptom: what an observer sees.
        shows: a regular expression for the names of the measurements that may fail because of it; an exception that
            ends a scenario has the name `raised NoAnswer: ...`. What fails under another name is an accident.
        caught_by: the scenarios that must catch it, by function name.
        severity: who is hurt.
        why: what makes it plausible, for those that stand in no reference.
        model: a model (or a device of the built-in station) on which it shows, empty where every target does.
        family: whose meters.
    """

    id: str
    title: str
    symptom: str
    shows: str
    caught_by: tuple[str, ...]
    severity: Severity = "billing"
    why: str = ""
    model: str = ""
    family: str = "powerlogic"

    def explains(self, failure: str) -> bool:
        """Whether a failing measurement (or exception) of this name is the symptom."""
        return re.search(self.shows, failure) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Fault):
    """A firmware bug: its facts, and how it is put into a meter."""

    install: Install


def raised(error: str, text: str) -> str:
    """The pattern of an exception about a device that ends a scenario: the kind of error, and how its text begins."""
    return rf"^raised {error}: \S+: {text}"


DEFECTS: dict[str, Defect] = {}
_FAMILIES = (
    "simulators.faults.powerlogic_preset",
    "simulators.faults.powerlogic_commands",
    "simulators.faults.powerlogic_setup",
    "simulators.faults.powerlogic_saving",
    "simulators.faults.powerlogic_counting",
    "simulators.faults.powerlogic_showing",
    "simulators.faults.powerlogic_communication",
    "simulators.faults.elster_frames",
    "simulators.faults.elster_security",
    "simulators.faults.elster_counting",
    "simulators.faults.elster_billing",
    "simulators.faults.elster_profile",
    "simulators.faults.elster_logs",
    "simulators.faults.elster_clock",
    "simulators.faults.elster_showing",
    "simulators.faults.elster_saving",
)


def defect(
    id_: str,
    title: str,
    symptom: str,
    *,
    shows: str,
    caught_by: str | Sequence[str],
    severity: Severity = "billing",
    why: str = "",
    model: str = "",
    family: str = "powerlogic",
) -> Callable[[Install], Install]:
    """Register a function that puts a defect into a meter; see :class:`Fault` for the facts."""
    scenarios = (caught_by,) if isinstance(caught_by, str) else tuple(caught_by)

    def register(install: Install) -> Install:
        before = DEFECTS.get(id_)
        again = before is not None and _place(before.install) == _place(install)  # a module that is imported anew
        if before is not None and not again:
            raise ValueError(f"two defects are called {id_}")
        DEFECTS[id_] = Defect(
            id=id_, title=title, symptom=symptom, shows=shows, caught_by=scenarios, severity=severity, why=why,
            model=model, family=family, install=install,
        )  # fmt: skip
        return install

    return register


def _place(install: Install) -> tuple[str, str]:
    return install.__module__, install.__qualname__


def load() -> dict[str, Defect]:
    """All defects, by id."""
    for family in _FAMILIES:
        import_module(family)
    return DEFECTS


def switch_on(id_: str, meter: Faulty, now: int = 0) -> None:
    """Put a defect into a meter at the instant `now` (ns): what was counted until then stays as it is.

    Raises:
        KeyError: no defect of the meter's family has this id; the message lists those there are.
    """
    known = {name: found for name, found in load().items() if found.family == meter.family}
    if id_ not in known:
        raise KeyError(f"no defect is called {id_!r} among those of {meter.family}; known: {', '.join(sorted(known))}")
    meter.before_change(now)
    known[id_].install(meter)
    meter.after_change(now)
