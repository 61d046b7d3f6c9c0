"""What is looked at before a round begins: that list and station mean the same meters, and that each scheme can go in.

Nothing has been sent to any meter then, so whoever is refused has lost nothing but the mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.handheld.memory import LOAD, Memory
from bench.lists.comparison import contradictions
from bench.lists.model import MeterEntry
from bench.scheme.load import scheme_from_text
from bench.scheme.plan import Plan, plan_of
from bench.scheme.station import refuse_assumed, takes_none
from bench.selection import capabilities_of
from bench.station.mistakes import Mistake, StationFileError

if TYPE_CHECKING:
    from bench.station import Station


def refuse_contradictions(memory: Memory, entries: Iterable[MeterEntry], station: Station) -> None:
    """Compare what was loaded with the station that is visited now.

    Raises:
        UsageError: the station has no such device, or the list says something else of it; a line for each.
    """
    mistakes = list(_mistakes(memory, entries, station))
    if mistakes:
        raise StationFileError(str(memory.folder / LOAD), mistakes)


def _mistakes(memory: Memory, entries: Iterable[MeterEntry], station: Station) -> Iterator[Mistake]:
    for entry in entries:
        station.device(entry.name)
        for key, reason in contradictions(entry, station):
            yield Mistake((entry.name, key), reason, memory.line(entry.name))


def plans_of(
    memory: Memory, entries: Collection[MeterEntry], station: Station, environ: Mapping[str, str], today: date
) -> dict[str, Plan]:
    """What goes into each meter of these entries.

    Args:
        memory: of the unit, with the schemes.
        entries: those whose scheme is programmed.
        station: with these devices.
        environ: where the passwords are.
        today: a scheme that changes the clock before this day is refused.

    Raises:
        UsageError: a meter takes no scheme, a scheme is wrong, or a password of it is missing.
    """
    found = {}
    for entry in entries:
        device = station.device(entry.name)
        if "program-scheme" not in capabilities_of(device):
            raise takes_none(device)
        if entry.scheme is None:
            raise UsageError(f"{entry.name} has no scheme to program", memory.folder / LOAD, memory.line(entry.name))
        found[entry.name] = plan_of(scheme_from_text(memory.scheme(entry), entry.scheme, today), entry.model, environ)
    return found


def refuse_assumed_plans(plans: Mapping[str, Plan]) -> None:
    """Refuse to write into real meters what no public document gives them.

    Raises:
        UsageError: a plan has such identities.
    """
    for name, plan in plans.items():
        refuse_assumed(plan, name)
