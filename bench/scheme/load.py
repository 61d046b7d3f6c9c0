"""Reading a scheme file: strict, every mistake with its file and line, nothing sent anywhere."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bench.scheme.explain import explained
from bench.scheme.model import Scheme
from bench.scheme.rules import mistakes_in
from bench.station.mistakes import StationFileError
from bench.station.source import FileKind, parse_source, read_source

if TYPE_CHECKING:
    from bench.station.source import Source

SCHEME_FILE = FileKind("scheme", "scheme: 1")


def load_scheme(path: Path, today: date | None = None) -> Scheme:
    """The scheme in the file at `path`.

    Args:
        path: the file.
        today: a change of the clock before this day is refused; None lets it pass.

    Raises:
        StationFileError: a usage error with one line `file:line: reason` for every mistake.
    """
    return _scheme(read_source(path, SCHEME_FILE), today)


def scheme_from_text(text: str, file: str, today: date | None = None) -> Scheme:
    """The scheme in `text`, the content of `file`.

    Raises:
        StationFileError: as of `load_scheme`.
    """
    return _scheme(parse_source(text, file, SCHEME_FILE), today)


def _scheme(source: Source, today: date | None) -> Scheme:
    try:
        scheme = Scheme.model_validate(source.data).read_from(source)
    except ValidationError as error:
        raise StationFileError(
            source.file, [*source.mistakes, *explained(error, Scheme, source, SCHEME_FILE)]
        ) from None
    mistakes = [*source.mistakes, *mistakes_in(scheme, today)]
    if mistakes:
        raise StationFileError(source.file, mistakes)
    return scheme
