"""From the text of a station file to plain data that knows on which line each entry stands.

A station file is YAML without YAML's traps. Of YAML's many ways to write a scalar only these mean something else than
text: `12` and `-5` (whole numbers), `0.95` (an exact decimal), `true` and `false`, and nothing at all. So `094` keeps
its zero, `1:30` is not ninety and `7E1` is not seventy. Keys are always text, `on` and `off` included.
Anchors, aliases, tags and merge keys are refused, and so are duplicate keys: a reader would not expect what they do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from bench.station.mistakes import Keys, Mistake, StationFileError, shown, without_secrets

#: More than any bench needs, little enough to be read at once (bytes).
LARGEST_FILE = 1 << 20
#: The station file needs five levels.
DEEPEST = 16

#: The same parser twice; the one in C is an optional part of PyYAML and about ten times as fast.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"-?(?:0|[1-9][0-9]{0,17})"), int),
    (re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}"), Decimal),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
)


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is called in messages about it, its first line, and how large (bytes) it may be."""

    name: str
    begins: str
    largest: int = LARGEST_FILE


STATION_FILE = FileKind("station file", "schema: 1")


@dataclass(frozen=True, slots=True)
class Source:
    """A station file as read: plain data, the line of each entry (from 1) and what is already wrong with it."""

    file: str
    data: object
    lines: Mapping[Keys, int]
    mistakes: tuple[Mistake, ...] = ()

    def line(self, keys: Keys) -> int:
        """The line of the entry, or of the nearest entry around it that stands in the file."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)


def read_source(path: Path, kind: FileKind = STATION_FILE) -> Source:
    """Read the station file, or another of our files, at `path`.

    Raises:
        StationFileError: No such file, a directory, too large, not UTF-8, or not YAML as above.
    """
    return parse_source(_text_of(path, kind), str(path), kind)


def parse_source(text: str, file: str, kind: FileKind = STATION_FILE) -> Source:
    """Read `text`, the content of a station file (or another of our files) called `file`.

    Raises:
        StationFileError: Not YAML as above.
    """
    odd = _NOT_TEXT.search(text)
    if odd:
        line = 1 + text.count("\n", 0, odd.start())
        raise StationFileError(file, [Mistake((), f"not YAML: character U+{ord(odd[0]):04X} is not allowed", line)])
    parser = _PARSER(text)
    try:
        return _Builder(file, _events(parser), kind).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise StationFileError(file, [Mistake((), f"not YAML: {error.problem or error.context}", line)]) from None
    finally:
        parser.dispose()


def _text_of(path: Path, kind: FileKind) -> str:
    try:
        if path.is_fifo():  # opening it would wait for a writer, perhaps for ever
            raise StationFileError(str(path), [Mistake((), "this is a pipe; name a file", 1)])
        with path.open("rb") as file:
            content = file.read(kind.largest + 1)
    except FileNotFoundError:
        raise StationFileError(str(path), [Mistake((), "there is no such file", 1)]) from None
    except IsADirectoryError:
        raise StationFileError(
            str(path), [Mistake((), f"this is a directory; name the {kind.name} in it", 1)]
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StationFileError(str(path), [Mistake((), f"cannot be read: {reason}", 1)]) from None
    if len(content) > kind.largest:
        reason = f"larger than {kind.largest >> 10} KiB; is this a {kind.name}?"
        raise StationFileError(str(path), [Mistake((), reason, 1)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        reason = f"not UTF-8: byte {content[error.start]:02X}; save the file as UTF-8"
        raise StationFileError(str(path), [Mistake((), reason, line)]) from None


def _events(parser: Any) -> Iterator[Any]:
    while parser.check_event():
        yield parser.get_event()


class _Builder:
    """Builds data from PyYAML's parse events, the only level on which duplicate keys and aliases can still be seen."""

    def __init__(self, file: str, events: Iterator[Any], kind: FileKind) -> None:
        self._file = file
        self._kind = kind
        self._events = events
        self._lines: dict[Keys, int] = {}
        self._mistakes: list[Mistake] = []

    def document(self) -> Source:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise self._stop(1, f"the file is empty; a {self._kind.name} begins with {self._kind.begins}")
        data = self._node(next(self._events), ())
        next(self._events)  # the end of the document
        after = next(self._events)
        if isinstance(after, yaml.DocumentStartEvent):
            raise self._stop(_line(after), f"a second document begins here; a {self._kind.name} is one document")
        return Source(self._file, data, self._lines, tuple(self._mistakes))

    def _node(self, event: Any, keys: Keys) -> object:
        self._lines.setdefault(keys, _line(event))
        if len(keys) > DEEPEST:
            raise self._stop(_line(event), f"nested more than {DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._stop(_line(event), "anchors (&) and aliases (*) are not supported; write the value out", keys)
        if event.tag not in {None, "!"}:
            secret = without_secrets((*keys, "")) != (*keys, "")  # a password that begins with ! is a tag
            raise self._stop(
                _line(event), f"{'a tag' if secret else f'the tag {shown(event.tag)}'} is not supported", keys
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(keys)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(keys)
        return _plain(event.value) if event.implicit[0] else event.value

    def _mapping(self, keys: Keys) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._name(event, keys)
            inner = (*keys, name)
            first = self._lines.get(inner)
            if name in entries:
                reason = f"given twice, first on line {first}"
                self._mistakes.append(Mistake(without_secrets(inner), reason, _line(event)))
            self._lines.setdefault(inner, _line(event))
            value = self._node(next(self._events), inner)
            entries.setdefault(name, value)
        return entries

    def _name(self, event: Any, keys: Keys) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._stop(_line(event), "a key must be plain text", keys)
        if event.anchor is not None or event.tag not in {None, "!"}:
            raise self._stop(_line(event), "a key has neither an anchor nor a tag", keys)
        if event.value == "<<" and event.implicit[0]:
            raise self._stop(_line(event), "merge keys (<<) are not supported; write the entries out", keys)
        return str(event.value)

    def _sequence(self, keys: Keys) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*keys, len(items))))
        return items

    def _stop(self, line: int, reason: str, keys: Keys = ()) -> StationFileError:
        return StationFileError(self._file, [*self._mistakes, Mistake(without_secrets(keys), reason, line)])


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _plain(text: str) -> object:
    for pattern, meaning in _PLAIN:
        if pattern.fullmatch(text):
            return meaning(text)
    return text
