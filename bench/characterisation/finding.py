"""What a question to a meter comes to, and the findings of one meter, each judged as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.characterisation.bracket import Bracket
from bench.measure import Measure
from protocols.powerlogic.tables import Model
from simulators.meters.powerlogic.profile import ProfileError, profile_of

_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000
ProfileValue = str | int | bool | list[int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: the value as a profile writes it, how it was found, and how far it may be off ("" if not at all)."""

    value: ProfileValue
    how: str
    uncertainty: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, and what is lacking for one: means of the station, or a profile value that says what the meter did."""

    lacks: str


@dataclass(slots=True)
class Findings:
    """What has been found out about one meter.

    Args:
        device: its id in the station.
        model: what the documents know of it.
        facts: who it is, for the profile file; filled by the question of its identity.
    """

    device: str
    model: Model
    answers: dict[str, Finding] = field(default_factory=dict)
    #: What could not be determined, and why.
    unknown: dict[str, str] = field(default_factory=dict)
    when: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str | int] = field(default_factory=dict)
    link: dict[str, Finding] = field(default_factory=dict)
    #: Whether its energies were overwritten and put back.
    overwritten: bool = False

    def unasked(self) -> list[str]:
        """The values of the model's profile that no question has been asked for."""
        return [name for name in self.model.profile if name not in self.answers and name not in self.unknown]


class Profile:
    """The `profile` fixture of one scenario: takes answers, judges them, and keeps them for the file.

    Args:
        findings: of the meter that the scenario asks.
        measure: of the scenario.
        when: says the present moment, for the file.
    """

    def __init__(self, findings: Findings, measure: Measure, when: Callable[[], str]) -> None:
        self.findings = findings
        self._measure = measure
        self._when = when

    def keep(self, name: str, found: Finding | Unknown) -> None:
        """What a question came to, under the name of the profile value."""
        if isinstance(found, Unknown):
            self.unknown(name, found.lacks)
            return
        try:
            self.answer(name, found.value, how=found.how, uncertainty=found.uncertainty)
        except ProfileError:  # a meter may do what no simulated one can
            self.unknown(name, f"a profile value for this: {_shown(found.value)} ({found.how})")

    def answer(self, name: str, value: ProfileValue, *, how: str, uncertainty: str = "") -> None:
        """A value of the profile. It fails where a document says another; what is only assumed is overruled.

        Raises:
            ProfileError: the profile has no such name, or does not take the value.
        """
        model = self.findings.model
        profile_of(model, {name: value})
        self.findings.answers[name] = Finding(value, how, uncertainty)
        self.findings.unknown.pop(name, None)
        self.findings.when[name] = self._when()
        note = "; ".join(part for part in (how, uncertainty and f"uncertainty {uncertainty}") if part)
        check = self._measure(f"profile {name}", _shown(value), device=self.findings.device, note=note)
        if name in model.profile and name not in model.assumed:
            check.is_(_shown(model.profile[name]))
        else:
            check.is_not("")

    def unknown(self, name: str, lacks: str) -> None:
        """The value cannot be determined here, for the lack of something; an answer of another scenario stands."""
        if name not in self.findings.answers:
            self.findings.unknown[name] = f"lacks {lacks}"
        self._measure.not_determinable(f"profile {name}", lacks, self.findings.device)

    def not_applicable(self, name: str, why: str) -> None:
        """The value means nothing for this meter."""
        self.findings.unknown[name] = f"does not apply: {why}"
        self._measure.not_applicable(f"profile {name}", why, self.findings.device)

    def identity(self, facts: Mapping[str, str | int]) -> None:
        """Who the meter says it is, for the head of the file."""
        self.findings.facts.update(facts)

    def of_the_link(self, name: str, found: Finding) -> None:
        """A value of the link rather than of the meter."""
        self.findings.link[name] = found
        self._measure(f"link {name}", _shown(found.value), device=self.findings.device, note=found.how).is_not("")


def _shown(value: object) -> str | int | bool:
    if isinstance(value, bool | int | str):
        return value
    assert isinstance(value, list | tuple)
    return ", ".join(map(str, sorted(value)))


def duration_text(ns: int) -> str:
    """A duration as a profile writes it, to the microsecond: "8 s", "150 ms", "0.25 ms"."""
    if ns % _SECOND == 0:
        return f"{ns // _SECOND} s"
    return f"{ns / _MILLISECOND:.3f}".rstrip("0").rstrip(".") + " ms"


def duration_found(bracket: Bracket, how: str) -> Finding:
    """A bracketed duration as a finding: its middle, and how far the truth can be from it."""
    middle, off = bracket.rounded()
    return Finding(duration_text(middle), how, f"+- {duration_text(off)}")
