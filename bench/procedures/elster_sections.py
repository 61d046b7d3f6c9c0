"""Sections of what is programmed into an Elster meter, read and written on their own: a tariff, billing dates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from bench.procedures.journal import Journal
from bench.safety import Armed
from protocols.elster.configuration import SECTIONS, Section, layout

if TYPE_CHECKING:
    from bench.drivers.elster import Elster

S = TypeVar("S", bound=Section)
#: Programming needs the highest level.
_LEVEL = 3


def read_section(meter: Elster, kind: type[S]) -> S:
    """A section as it stands in the meter.

    Raises:
        ForeignAnswer: its bytes make none.
    """
    room = layout(meter.device.model)
    objects = {item.name: meter.read_object(item.number, item.size) for item in room.of(_name(kind))}
    return meter.decoded(_name(kind), lambda: kind.decode(objects, room))


def write_section(meter: Elster, section: Section, *, armed: Armed, journal: Journal) -> None:
    """Program a section, all of its identities in one visit."""
    room = layout(meter.device.model)
    journal.audit("program", device=meter.name, section=_name(type(section)))
    meter.log_in(armed, _LEVEL)
    for name, data in section.encode(room).items():
        meter.write_object(armed, room.items[name].number, data)
    meter.log_out()


@contextmanager
def programmed(meter: Elster, section: Section, *, armed: Armed, journal: Journal) -> Iterator[None]:
    """Have another section for a while; afterwards the meter holds the one it held."""
    before = read_section(meter, type(section))
    write_section(meter, section, armed=armed, journal=journal)
    try:
        yield
    finally:
        write_section(meter, before, armed=armed, journal=journal)


def _name(kind: type[Section]) -> str:
    return next(name for name, each in SECTIONS.items() if each is kind)
