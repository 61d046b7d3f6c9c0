"""The kinds of sweeps: for each kind of plan its moments, its cut, its table, and the command that cuts it again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.sweep.moments import Moment, moments
from bench.sweep.plan import Plan
from bench.sweep.point import Outcome, cut
from bench.sweep.scheme_moments import scheme_moments
from bench.sweep.scheme_plan import SchemePlan
from bench.sweep.scheme_point import cut_scheme

AnyPlan = Plan | SchemePlan


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of sweep.

    Attributes:
        moments: every moment of a plan.
        cut: one of them.
        heads: the columns of its table, by the names of the figures.
        figures: what the cuts of a plan came to, by these names.
        words: the words of the command for a plan, without the moment.
        facts: what `--json` says of a plan.
    """

    moments: Callable[[Any], list[Moment]]
    cut: Callable[[Any, Moment], Outcome]
    heads: Mapping[str, str]
    figures: Callable[[Sequence[Outcome]], dict[str, int]]
    words: Callable[[Any], list[str]]
    facts: Callable[[Any], dict[str, object]]


def kind_of(plan: AnyPlan) -> Kind:
    """What kind of sweep a plan is of."""
    return _KINDS[type(plan)]


def command_for(plan: AnyPlan, moment: str) -> str:
    """The command that cuts a plan at one moment again."""
    defects = [word for id_ in plan.defects for word in ("--defect", id_)]
    return shlex.join(
        ["meterbench", "sweep", *kind_of(plan).words(plan), *defects, "--seed", str(plan.seed), "--at", moment]
    )


def _sides(outcomes: Sequence[Outcome]) -> tuple[Counter[str], Counter[str]]:
    return Counter(outcome.side for outcome in outcomes), Counter(outcome.again for outcome in outcomes)


# -- procedures of a PowerLogic meter ----------------------------------------------------------------------------------


def _procedure_figures(outcomes: Sequence[Outcome]) -> dict[str, int]:
    sides, again = _sides(outcomes)
    return {
        "new": sides["new"], "old": sides["old"], "mixtures": sides["mixture"],
        "recovered": again["done"], "refused": again["refused"],
    }  # fmt: skip


def _procedure_words(plan: Plan) -> list[str]:
    return ["power-cuts", "--of", plan.victim, "--procedure", plan.procedure,
            "--device", plan.device, "--source", plan.source, "--medium", plan.medium,
            "--save-delay", plan.save_delay, "--off", plan.off,
            *(["--boot", plan.boot] if plan.boot else [])]  # fmt: skip


def _procedure_facts(plan: Plan) -> dict[str, object]:
    return {
        "procedure": plan.procedure, "of": plan.victim, "device": plan.device, "medium": plan.medium,
        "save_delay": plan.save_delay, "off": plan.off, "boot": plan.boot or None, "defects": list(plan.defects),
    }  # fmt: skip


# -- schemes of an Elster meter ----------------------------------------------------------------------------------------


def _scheme_figures(outcomes: Sequence[Outcome]) -> dict[str, int]:
    sides, again = _sides(outcomes)
    return {
        "new": sides["new"], "old": sides["old"], "between": sides["between"], "silent": sides["mixture"],
        "programmed": again["done"], "resumed": again["resumed, restored"],
    }  # fmt: skip


def _scheme_words(plan: SchemePlan) -> list[str]:
    return ["scheme-cuts", "--model", plan.model, "--scheme", plan.scheme, "--of", plan.victim, "--off", plan.off,
            "--save-delay", plan.save_delay]  # fmt: skip


def _scheme_facts(plan: SchemePlan) -> dict[str, object]:
    return {
        "scheme": plan.scheme, "model": plan.model, "of": plan.victim, "off": plan.off,
        "save_delay": plan.save_delay, "defects": list(plan.defects),
    }  # fmt: skip


_KINDS: dict[type[AnyPlan], Kind] = {
    Plan: Kind(
        moments, cut,
        {"new": "new set", "old": "old set", "mixtures": "mixtures", "recovered": "recovered", "refused": "refused"},
        _procedure_figures, _procedure_words, _procedure_facts,
    ),
    SchemePlan: Kind(
        scheme_moments, cut_scheme,
        {"new": "new", "old": "old", "between": "between", "silent": "silent", "programmed": "programmed",
         "resumed": "resumed"},
        _scheme_figures, _scheme_words, _scheme_facts,
    ),
}  # fmt: skip
