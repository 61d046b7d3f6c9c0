"""Reading a meter list, and what cannot be in one: two meters in one place, links that the station does not have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from bench.lists.comparison import contradictions
from bench.lists.model import OPTICAL, MeterEntry, MeterList
from bench.lists.table import read_table
from bench.scheme.explain import explained
from bench.scheme.load import load_scheme
from bench.scheme.model import Scheme
from bench.station import Station
from bench.station.mistakes import Keys, Mistake, StationFileError, suggestion
from bench.station.source import FileKind, read_source

#: A list may be long: 16 MiB are a hundred thousand meters.
LIST_FILE = FileKind("meter list", "list: 1", largest=1 << 24)


def load_list(path: Path, station: Station | None = None, today: date | None = None) -> MeterList:
    """The list in the file at `path`, CSV if it is called so, else YAML.

    Args:
        path: the file.
        station: its links are the ones that the list may name, and what it says of a meter of the same name is what
            the list says too; None lets any pass.
        today: a scheme that changes the clock before this day is refused; None lets it pass.

    Raises:
        StationFileError: a usage error with one line `file:line: reason` for every mistake.
    """
    source = read_table(path) if path.suffix.lower() == ".csv" else read_source(path, LIST_FILE)
    try:
        found = MeterList.model_validate(source.data).read_from(source)
    except ValidationError as error:
        raise StationFileError(
            source.file, [*source.mistakes, *explained(error, MeterList, source, LIST_FILE)]
        ) from None
    mistakes = [*source.mistakes, *_repeated(found), *_without_outstation(found), *_schemes(found, path, today)]
    if station is not None:
        mistakes += _links(found, station)
    if mistakes:
        raise StationFileError(source.file, mistakes)
    return found


def _repeated(meters: MeterList) -> Iterator[Mistake]:
    """No name, no serial number and no place stands twice."""
    taken: dict[tuple[str, ...], int] = {}
    for k, meter in enumerate(meters.meters):
        keys: Keys = ("meters", k)
        for what, told, key in _claims(meter):
            if (what, *key) in taken:
                yield meters.mistake((*keys, what), f"{told} stands on line {taken[what, *key]} already")
            taken.setdefault((what, *key), meters.line(*keys))


def _without_outstation(meters: MeterList) -> Iterator[Mistake]:
    """Whoever has company on a line needs an outstation: a request without one is answered by everybody."""
    company: dict[str, set[str]] = {}
    for meter in meters.meters:
        if meter.medium != OPTICAL:
            company.setdefault(meter.link, set()).add(meter.name)
    for k, meter in enumerate(meters.meters):
        several = company.get(meter.link, set()) if meter.medium != OPTICAL else set()
        if len(several) > 1 and not meter.outstation:
            reason = f"needs an outstation: {len(several)} meters of the list are on link {meter.link}"
            yield meters.mistake(("meters", k, "outstation"), reason)


def _claims(meter: MeterEntry) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "name", f"the name {meter.name}", (meter.name,)
    if meter.serial is not None:
        yield "serial", f"serial number {meter.serial}", (meter.model, meter.serial.lstrip("0"))
    if meter.medium != OPTICAL and meter.outstation:  # whoever stands before a meter with a head needs no address
        yield "outstation", f"outstation {meter.outstation} on link {meter.link}", (
            meter.link, meter.outstation.lstrip("0"),
        )  # fmt: skip


def _links(meters: MeterList, station: Station) -> Iterator[Mistake]:
    for k, meter in enumerate(meters.meters):
        if meter.link not in station.links:
            hint = suggestion(meter.link, station.links)
            reason = f"there is no link {meter.link}{hint} station {station.name} has: {', '.join(station.links)}"
            yield meters.mistake(("meters", k, "link"), reason)
            continue
        for what, reason in contradictions(meter, station):
            yield meters.mistake(("meters", k, what), reason)


def _schemes(meters: MeterList, path: Path, today: date | None) -> Iterator[Mistake]:
    """Every scheme is there, is right, and is for the meter's model."""
    read: dict[str, Scheme | StationFileError] = {}
    for k, meter in enumerate(meters.meters):
        if meter.scheme is None:
            if meter.program:
                yield meters.mistake(("meters", k, "program"), "there is no scheme to program; name one, scheme: FILE")
            continue
        keys: Keys = ("meters", k, "scheme")
        if meter.scheme not in read:
            read[meter.scheme] = _scheme(path.parent / meter.scheme, today)
        scheme = read[meter.scheme]
        if isinstance(scheme, StationFileError):
            yield meters.mistake(keys, f"cannot be used: {scheme.file}:{scheme.line}: {scheme.reason}")
        elif meter.model not in scheme.models:
            reason = f"scheme {scheme.called} is for {', '.join(scheme.models)}, not for an {meter.model}"
            yield meters.mistake(keys, reason)


def _scheme(path: Path, today: date | None) -> Scheme | StationFileError:
    try:
        return load_scheme(path, today)
    except StationFileError as error:
        return error
