"""Sections of what is programmed into an Elster meter, read and written on their own: a tariff, billing dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from bench.errors import BenchError, CallLost, DeviceError, NotRestored
from bench.procedures.journal import Journal
from bench.safety import Armed
from protocols.elster.configuration import SECTIONS, Section, layout

if TYPE_CHECKING:
    from bench.drivers.elster import Elster

S = TypeVar("S", bound=Section)
#: The bytes of a section, by the names of their identities.
Objects = Mapping[str, bytes]
#: Programming needs the highest level.
_LEVEL = 3


def read_section(meter: Elster, kind: type[S]) -> S:
    """A section as it stands in the meter.

    Raises:
        ForeignAnswer: its bytes make none.
    """
    objects, room = _held(meter, kind), layout(meter.device.model)
    return meter.decoded(_name(kind), lambda: kind.decode(objects, room))


def write_section(meter: Elster, section: Section, *, armed: Armed, journal: Journal) -> None:
    """Program a section, all of its identities in one visit."""
    _write(meter, _name(type(section)), section.encode(layout(meter.device.model)), armed, journal)


@contextmanager
def programmed(meter: Elster, section: Section, *, armed: Armed, journal: Journal) -> Iterator[None]:
    """Have another section for a while; afterwards the meter holds the bytes it held.

    Raises:
        BenchError: as a write does. Where the old bytes cannot be brought back, the audit has them, and says of each
            identity whether it is old, new or mixed; so does the reason of a device's error.
    """
    before = _held(meter, type(section))
    try:
        write_section(meter, section, armed=armed, journal=journal)
        yield
    finally:
        _bring_back(meter, section, before, armed, journal)


def _bring_back(meter: Elster, section: Section, before: Objects, armed: Armed, journal: Journal) -> None:
    name = _name(type(section))
    try:
        _write(meter, name, before, armed, journal)
    except BaseException as error:
        new = section.encode(layout(meter.device.model))
        states = {each: _state(meter, each, old, new.get(each)) for each, old in before.items()}
        journal.audit("not restored", device=meter.name, section=name, reason=str(error), state=states,
                      objects=dict(before))  # fmt: skip
        if isinstance(error, DeviceError):
            told = ", ".join(f"{each} {state}" for each, state in states.items())
            error.reason += f"; {name} was not brought back: {told} (the audit has the old bytes)"
        if isinstance(error, CallLost):
            raise NotRestored(error.reason, device=meter.name) from error
        raise


def _state(meter: Elster, name: str, old: bytes, new: bytes | None) -> str:
    """Whether an identity holds what it held, what was to be tried, or something else."""
    try:
        found = _read(meter, name)
    except BenchError:
        return "unknown"
    return "old" if found == old else "new" if found == new else "mixed"


def _held(meter: Elster, kind: type[Section]) -> dict[str, bytes]:
    return {item.name: _read(meter, item.name) for item in layout(meter.device.model).of(_name(kind))}


def _read(meter: Elster, name: str) -> bytes:
    return meter.read_object(*meter.scheme_item(name))


def _write(meter: Elster, section: str, objects: Objects, armed: Armed, journal: Journal) -> None:
    journal.audit("program", device=meter.name, section=section)
    meter.log_in(armed, _LEVEL)
    for name, data in objects.items():
        meter.write_object(armed, meter.scheme_item(name)[0], data)
    meter.log_out()


def _name(kind: type[Section]) -> str:
    return next(name for name, each in SECTIONS.items() if each is kind)
