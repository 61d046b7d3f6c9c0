"""Loading a station: from a file, or the one that comes with meterbench."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bench.errors import UsageError
from bench.station.explain import explained
from bench.station.mistakes import StationFileError, nearest, shown, suggestion
from bench.station.model import Station
from bench.station.profiles import with_profiles
from bench.station.rules import RULES
from bench.station.source import parse_source, read_source

if TYPE_CHECKING:
    from bench.station.source import Source

#: The stations that need no file.
BUILTIN = ("sim",)


def load_station(path: Path) -> Station:
    """The station described by the file at `path`.

    Raises:
        StationFileError: A usage error with one line `file:line: reason` for every mistake in the file.
    """
    return _station(read_source(path), builtin=False)


def builtin_station(name: str) -> Station:
    """The station called `name` that comes with meterbench, where everything is simulated and sacrificial.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in BUILTIN:
        hint = suggestion(name, BUILTIN)
        raise UsageError(f"{shown(name)} is not a built-in station{hint} there is: {', '.join(BUILTIN)}")
    file = resources.files("fixtures").joinpath("stations", f"{name}.yaml")
    return _station(parse_source(file.read_text("utf-8"), f"{name}.yaml"), builtin=True)


def find_station(name_or_path: str) -> Station:
    """The built-in station of that name, else the file; a file called `sim` must be given as `./sim`.

    Raises:
        UsageError: As of `load_station`; suggests a built-in station when the name was nearly one.
    """
    if name_or_path in BUILTIN:
        return builtin_station(name_or_path)
    try:
        return load_station(Path(name_or_path))
    except StationFileError:
        meant = nearest(name_or_path, BUILTIN)
        if meant is None or Path(name_or_path).exists():
            raise
        reason = f"there is neither a file nor a built-in station {shown(name_or_path)}; did you mean {meant}?"
        raise UsageError(reason) from None


def station_from_text(text: str, file: str) -> Station:
    """The station described by `text`, the content of `file`.

    Raises:
        StationFileError: As of `load_station`.
    """
    return _station(parse_source(text, file), builtin=False)


def station_from_environment() -> str:
    """The station that `METERBENCH_STATION` names, or the built-in one."""
    return os.environ.get("METERBENCH_STATION") or "sim"


def _station(source: Source, *, builtin: bool) -> Station:
    source = with_profiles(source)
    try:
        station = Station.model_validate(source.data).read_from(source, builtin=builtin)
    except ValidationError as error:
        raise StationFileError(source.file, [*source.mistakes, *explained(error, source)]) from None
    mistakes = [*source.mistakes, *(mistake for rule in RULES for mistake in rule(station))]
    if mistakes:
        raise StationFileError(source.file, mistakes)
    return station
