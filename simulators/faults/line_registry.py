"""The list of line faults: what goes wrong between a reading system and a meter, and what the former must make of it.

A fault is one class with its row of facts. It is switched on for a link, by its id or its name, with or without
parameters: `L02`, `bursts`, `bursts(pi=5%, tau=200 ms)`. It draws from a random stream of its own, so the same seed
brings the same disturbances, and a link without a fault draws nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from random import Random
from typing import Any, Literal

from simulators.faults.line_parameters import FaultError, Parameter, choice, count, probability, values_of
from simulators.lines.disturbance import Disturbance, Frame
from simulators.lines.network import Network
from simulators.lines.serial_line import SerialLine

#: Where a fault makes sense: on a pair of wires between silences, on a network, in a gateway or whatever else answers
#: for several units, on a line of characters as FLAG meters speak on it.
Medium = Literal["serial", "network", "gateway", "flag"]
_CALL = re.compile(r"\s*([A-Za-z0-9-]+)\s*(?:\((.*)\)\s*)?", re.DOTALL)
_MODULES = (
    "simulators.faults.line_damage",
    "simulators.faults.line_order",
    "simulators.faults.line_company",
    "simulators.faults.gateway",
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a fault is put: one face of a link, the line or the network, and the addresses behind it."""

    link: str
    face: SerialLine | Network
    addresses: tuple[int, ...]
    random: Random

    @property
    def line(self) -> SerialLine:
        """The face, where it must be a line."""
        assert isinstance(self.face, SerialLine)
        return self.face


class Disturber:
    """A fault that is switched on: lets frames pass, or spoils them, as often as its parameters say."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        self.site = site
        self.values = values
        self._seen = self._hit = 0

    def pass_on(self, frame: Frame) -> Iterable[Frame]:
        """What comes of a frame."""
        return self.spoil(frame) if self.hits(frame) else (frame,)

    def hits(self, frame: Frame) -> bool:
        """Whether this frame is one to be spoilt."""
        values = self.values
        if values["way"] != "both" and (values["way"] == "requests") != frame.to_device:
            return False
        self._seen += 1
        if self._seen <= values["after"] or self._hit == (values["times"] or -1):
            return False
        if self.site.random.random() >= values["p"]:
            return False
        self._hit += 1
        return True

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """What comes of a frame that is hit."""
        return (frame,)

    def end(self) -> None:
        """The fault is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """A fault of a line, a network or a gateway.

    Attributes:
        id: L.. are line faults, D40.. those of a gateway as in powerlogic.md section 9.
        name: the word by which it is switched on.
        title: what goes wrong, in one line.
        behaviour: what a bench or a reading system must do.
        source: who has met it.
        media: where it makes sense.
        parameters: what may stand in its brackets.
        kind: what does it.
    """

    id: str
    name: str
    title: str
    behaviour: str
    source: str
    media: tuple[Medium, ...]
    parameters: tuple[Parameter, ...]
    kind: type[Disturber]


@dataclass(frozen=True, slots=True)
class Call:
    """A fault with its parameters, as somebody asked for it."""

    fault: LineFault
    values: Mapping[str, Any]
    text: str

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Callable[[str], Call], tuple[str]]:
        """Into another process it goes as it was written."""
        return fault_called, (self.text,)


LINE_FAULTS: dict[str, LineFault] = {}


def how_often(p: str = "2%", way: str = "answers") -> tuple[Parameter, ...]:
    """The parameters of faults that hit single frames."""
    return (
        probability("p", p, "how many of the frames are hit"),
        choice("way", way, "which frames", "requests", "answers", "both"),
        count("after", "0", "so many frames pass first"),
        count("times", "0", "no more than so many are hit; 0 is no limit"),
    )


def line_fault(
    id_: str,
    name: str,
    title: str,
    behaviour: str,
    *parameters: Parameter,
    source: str,
    media: tuple[Medium, ...] = ("serial", "network", "flag"),
) -> Callable[[type[Disturber]], type[Disturber]]:
    """Register a kind of disturber; see :class:`LineFault` for the facts."""

    def register(kind: type[Disturber]) -> type[Disturber]:
        if id_ in LINE_FAULTS:
            raise ValueError(f"two line faults are called {id_}")
        LINE_FAULTS[id_] = LineFault(
            id=id_, name=name, title=title, behaviour=behaviour, source=source, media=media, parameters=parameters,
            kind=kind,
        )  # fmt: skip
        return kind

    return register


def load_line_faults() -> dict[str, LineFault]:
    """All line faults, by id."""
    for module in _MODULES:
        import_module(module)
    return dict(sorted(LINE_FAULTS.items(), key=lambda item: (item[0][0] != "L", item[0])))


def fault_called(text: str) -> Call:
    """The fault that a text asks for: `L02`, `bursts` or `bursts(pi=5%, tau=200 ms)`.

    Raises:
        FaultError: no such fault, a parameter that it does not have, brackets that do not close.
    """
    found = _CALL.fullmatch(text)
    if found is None:
        hint = "; put a fault with parameters in quotes" if text.count("(") != text.count(")") else ""
        raise FaultError(f'"{text}" is no fault; write it as in L03 or drop(p=5%, way=answers){hint}')
    fault = _fault(found[1])
    try:
        values = values_of(fault.parameters, _written(found[2] or ""))
    except FaultError as error:
        raise FaultError(f"{fault.id} ({fault.name}): {error}") from None
    return Call(fault, values, text.strip())


def _fault(word: str) -> LineFault:
    known = load_line_faults()
    by_word = {key.casefold(): fault for fault in known.values() for key in (fault.id, fault.name)}
    if word.casefold() not in by_word:
        near = get_close_matches(word.casefold(), by_word, n=1)
        hint = f"; did you mean {by_word[near[0]].name}?" if near else ";"
        there = ", ".join(f"{fault.id} {fault.name}" for fault in known.values())
        raise FaultError(f'there is no line fault "{word}"{hint} there are: {there}')
    return by_word[word.casefold()]


def _written(brackets: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(str.strip, brackets.split(",")):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not name or not value:
            raise FaultError(f'"{part.strip()}" is no parameter; write NAME=VALUE')
        if name in found:
            raise FaultError(f'the parameter "{name}" is given twice')
        found[name] = value
    return found


def put_on(call: Call, site: Site) -> None:
    """Switch a fault on at its site."""
    if site.face.disturbance is None:
        site.face.disturbance = Disturbance()
    site.face.disturbance.effects.append(call.fault.kind(site, call.values))


def take_off(face: SerialLine | Network) -> None:
    """End every fault of a face; what is on its way already arrives as it is."""
    if face.disturbance is not None:
        for effect in face.disturbance.effects:
            effect.end()
        face.disturbance = None
