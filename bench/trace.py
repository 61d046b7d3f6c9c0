"""The wire trace of one device: what went over the line, when and in which direction.

A trace is JSON Lines. The first line is a header, every further line an event::

    {"format": "meterbench-trace", "version": 1, "scenario": "…", "device": "new", "model": "PM850",
     "link": {"type": "sim", "baud": 9600}, "frames": "rtu", "clock": "virtual", "tool": "0.1.0"}
    {"t": 0.002291667, "dir": "tx", "hex": "0103 …"}
    {"t": 0.250000000, "dir": "note", "mark": "supply off"}

Taking an event costs a tuple. In virtual time a trace is written when its scenario has ended: a run that was killed can
be run again. Where the clock is the wall's it is written through (`stream`): whenever a request comes a tenth of a
second after the last writing, what is complete goes to the file, so a run that was killed has told all but its last
tenth of a second and its last exchange. Secrets are cut out on the way to the file, wherever the line has split them
(`bench/masking.py`): each of their bytes becomes `xx`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard, get_args

from bench.errors import StationError, UsageError
from bench.masking import Event, Masks
from bench.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FORMAT = "meterbench-trace"
VERSION = 1
#: A trace that is written through keeps events back for so long (ns), or until there are so many.
_TENTH, _MOST_KEPT = 100_000_000, 256
GZIP_FROM = 1_000_000
"""Traces of this many bytes and more are written as `.gz`."""

Direction: TypeAlias = Literal["tx", "rx", "note"]

_HEX = re.compile(r"(?:[0-9a-f]{2}|xx)*")
_LONGEST = 10**10  # seconds
_QUICKLY = 1  # a trace shrinks to a tenth at the least level already
_LONGEST_NAME = 120  # leaves room for the folder in the 260 characters that Windows allows a path
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def file_name(scenario: str, device: str) -> str:
    """`<scenario>.<device>.trace.jsonl`, safe on every file system.

    Letters, digits, `.`, `_` and `-` stay, everything else becomes `_`. An id that is cut, or that holds anything
    beyond the punctuation of a pytest node id, gets eight digits of its SHA-256, so that two ids never share a file.
    """
    return f"{_slug(scenario, _LONGEST_NAME)}.{_slug(device, 40)}.trace.jsonl"


def _slug(text: str, longest: int) -> str:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-") or "_"
    plain_id = re.fullmatch(r"[A-Za-z0-9._/:\[\]-]+", text) is not None
    if len(slug) > longest or not plain_id or _RESERVED.match(slug):
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"_{slug[: longest - 10].rstrip('._-')}-{digest}"
    return slug


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event of a trace.

    Attributes:
        t: bench time in nanoseconds.
        direction: tx is towards the device, rx from it, note is a remark.
        hex: the bytes in hexadecimal, a masked byte as `xx`.
        mark: the text of a remark.
        via: by which of a device's ports, where it has several and this is not that of the header.
        line: where in its file it stands, from 1.
    """

    t: int
    direction: Direction
    hex: str = ""
    mark: str = ""
    via: str = ""
    line: int = field(default=0, compare=False)

    @property
    def masked(self) -> bool:
        """Whether secrets were cut out; a player then computes check sums anew."""
        return "x" in self.hex

    @property
    def data(self) -> bytes:
        """The bytes; a masked byte reads as 0."""
        return bytes.fromhex(self.hex.replace("xx", "00"))


class TraceWriter:
    """Collects the trace of one device; cheap enough to be always on.

    Args:
        scenario: pytest node id.
        device: id of the device in the station file.
        model: its model, for whoever decodes the trace later.
        link: settings of the link; credentials are cut out.
        clock: whether bench time is virtual or the wall clock.
        tool: version of meterbench.
        frames: "rtu" or "mbap": how requests and answers are framed; empty where they are not Modbus.
        facts: further entries of the header.
    """

    def __init__(
        self,
        scenario: str,
        device: str,
        *,
        model: str = "",
        link: Mapping[str, object] | None = None,
        clock: Literal["virtual", "wall"] = "virtual",
        tool: str = "",
        frames: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        self.name = file_name(scenario, device)
        self.header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "scenario": scenario, "device": device}
        self.header |= {"model": model, "link": redacted(dict(link or {}))}
        self.header |= {"frames": frames} if frames else {}
        self.header |= {"clock": clock, "tool": tool, **(facts or {})}
        self.masks = Masks(frames)
        self._events: list[Event] = []
        self._written = 0
        self._write_from = 0
        self._file: Path | None = None

    def tx(self, t: int, data: bytes, via: str = "") -> None:
        """Bytes went to the device at `t` (ns)."""
        if self._file is not None and (t >= self._write_from or len(self._events) - self._written > _MOST_KEPT):
            self._write_through(t)
        self._events.append((t, "tx", data, via))

    def rx(self, t: int, data: bytes, via: str = "") -> None:
        """Bytes came from the device at `t` (ns)."""
        self._events.append((t, "rx", data, via))

    def note(self, t: int, text: str) -> None:
        """Something happened at `t` (ns) that the line does not show."""
        self._events.append((t, "note", text.encode(), ""))

    def mask(self, secret: bytes) -> None:
        """Keep `secret` out of the file, in remarks too; what is written through already is not called back."""
        self.masks.hide(secret)

    def __len__(self) -> int:
        return len(self._events)

    def stream(self, path: Path) -> None:
        """From now on write what is complete to a new file at `path` as time passes; no file without a byte."""
        self._file = _unused(path)

    def write(self, folder: Path) -> Path | None:
        """Write the trace below `folder` and return its file; None, and no file, if nothing was on the line.

        A trace that was written through is completed where it is.

        Raises:
            StationError: the file cannot be written.
        """
        if self._file is not None:
            return self.close()
        if not self._events:
            return None
        path = _unused(folder / self.name)
        _put(path, self.text().encode())
        return _compressed(path)

    def close(self) -> Path | None:
        """Complete a trace that is written through; None if nothing was on the line.

        Raises:
            StationError: the file cannot be written.
        """
        if self._file is None or not self._events:
            return None
        if self._written < len(self._events):
            self._append(len(self._events))
        self._file = _compressed(self._file)
        return self._file

    def _write_through(self, now: int) -> None:
        """What came before this request is complete, unless it ends with the beginning of a secret."""
        events = self._events
        self._write_from = now + _TENTH
        if self._written < len(events) and self.masks.may_cut(events[self._written :]):
            self._append(len(events))

    def _append(self, end: int) -> None:
        assert self._file is not None
        with _station_error(self._file):
            text = "".join(self._lines(self._events[self._written : end]))
            with self._file.open("ab" if self._written else "xb") as stream:  # nobody has to close it if all breaks off
                stream.write(text.encode() if self._written else f"{self._head()}\n{text}".encode())
        self._written = end

    def masked_events(self) -> list[TraceEvent]:
        """The events as the file has them."""
        hidden = self.masks.shown(self._events)
        return [_as_shown(event, hidden.get(k)) for k, event in enumerate(self._events)]

    def text(self) -> str:
        """The whole trace as JSON Lines."""
        return "".join((self._head(), "\n", *self._lines(self._events)))

    def _head(self) -> str:
        return json.dumps(self.header, ensure_ascii=False, default=str)

    def _lines(self, events: Sequence[Event]) -> Iterator[str]:
        hidden = self.masks.shown(events)
        for k, (t, way, data, via) in enumerate(events):
            text = hidden.get(k)
            if way == "note":
                mark = json.dumps(data.decode(errors="replace") if text is None else text, ensure_ascii=False)
                yield f'{{"t": {_seconds(t)}, "dir": "note", "mark": {mark}}}\n'
                continue
            tail = f', "via": "{via}"}}\n' if via else "}\n"
            yield f'{{"t": {_seconds(t)}, "dir": "{way}", "hex": "{data.hex() if text is None else text}"{tail}'


def _as_shown(event: Event, masked: str | None) -> TraceEvent:
    t, way, data, via = event
    if way == "note":
        return TraceEvent(t, way, mark=data.decode(errors="replace") if masked is None else masked)
    return TraceEvent(t, way, data.hex() if masked is None else masked, via=via)


def _seconds(t: int) -> str:
    digits = f"{t:010d}"
    return f"{digits[:-9]}.{digits[-9:]}"


@contextmanager
def _station_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StationError(f"{path}: {error.strerror or error}") from error


def _put(path: Path, content: bytes) -> None:
    with _station_error(path):
        path.write_bytes(content)


def _compressed(path: Path) -> Path:
    """The same file, as `.gz` if it is large."""
    with _station_error(path):
        if path.stat().st_size < GZIP_FROM:
            return path
        smaller = path.with_name(path.name + ".gz")
        smaller.write_bytes(gzip.compress(path.read_bytes(), _QUICKLY, mtime=0))
        path.unlink()
    return smaller


def _unused(path: Path) -> Path:
    """The path itself, or numbered if another scenario (a rerun, an id that differs in case only) has taken it."""
    stem, dot, _ = path.name.partition(".trace.jsonl")
    if not dot:
        return path  # the operator's own name, and his to overwrite
    number = 1
    while path.exists() or path.with_name(path.name + ".gz").exists():
        number += 1
        path = path.with_name(f"{stem}.{number}.trace.jsonl")
    return path


def read_trace(path: Path) -> tuple[dict[str, Any], Iterator[TraceEvent]]:
    """Header and events of a trace, compressed or not; events are read as they are asked for.

    Raises:
        UsageError: the file is no trace of this format and version, or a line of it is broken.
        OSError: the file cannot be read.
    """
    events = _rows(path)
    _, header = next(events, (0, {}))
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise UsageError(f"no {FORMAT} of version {VERSION}", path, 1)
    return header, (_event(path, line, row) for line, row in events)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    line = 0
    try:
        with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as lines:
            for line, text in enumerate(lines, 1):  # an error names the line that it came behind
                yield line, _row(path, line, text)
    except (OSError, EOFError, zlib.error) as error:
        if getattr(error, "errno", None) is not None:
            raise  # the file system's word, and not about what is in the file
        raise UsageError(f"the file is damaged: {error}", path, line + 1) from error


def _row(path: Path, line: int, text: bytes) -> dict[str, Any]:
    try:
        row = json.loads(text, parse_float=None if line == 1 else Decimal)  # times are exact
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no JSON: {error}", path, line) from error
    if not isinstance(row, dict):
        raise UsageError("no JSON object", path, line)
    return row


def _event(path: Path, line: int, row: dict[str, Any]) -> TraceEvent:
    t, text, mark, via = row.get("t"), row.get("hex", ""), row.get("mark", ""), row.get("via", "")
    texts = isinstance(text, str) and isinstance(mark, str) and isinstance(via, str)
    if not (_is_time(t) and row.get("dir") in get_args(Direction) and texts and _HEX.fullmatch(text)):
        raise UsageError("no event of a trace", path, line)
    return TraceEvent(int(t * 1_000_000_000), row["dir"], text, mark, via, line)


def _is_time(t: object) -> TypeGuard[int | Decimal]:
    """A trace lasts less than three centuries; a number of a million digits would take minutes to read."""
    return isinstance(t, int | Decimal) and not isinstance(t, bool) and 0 <= t < _LONGEST
