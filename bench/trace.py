"""The wire trace of one device in one scenario: what went over the line, when and in which direction.

A trace is JSON Lines. The first line is a header, every further line an event::

    {"format": "meterbench-trace", "version": 1, "scenario": "…", "device": "new", "model": "PM850",
     "link": {"type": "sim", "baud": 9600}, "clock": "virtual", "tool": "0.1.0"}
    {"t": 0.002291667, "dir": "tx", "hex": "0103 …"}
    {"t": 0.250000000, "dir": "note", "mark": "power off"}

Events are kept as tuples while the scenario runs and written when it has ended. Secrets are cut out on the way to the
file, wherever the line has split them: each of their bytes becomes `xx`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from bench.errors import StationError, UsageError
from bench.measurement import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT = "meterbench-trace"
VERSION = 1
GZIP_FROM = 1_000_000
"""Traces of this many bytes and more are written as `.gz`."""

Direction: TypeAlias = Literal["tx", "rx", "note"]

_HEX = re.compile(r"(?:[0-9a-f]{2}|xx)*")
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
    """

    t: int
    direction: Direction
    hex: str = ""
    mark: str = ""

    @property
    def masked(self) -> bool:
        """Whether secrets were cut out."""
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
        link: settings of the link, without secrets.
        clock: whether bench time is virtual or the wall clock.
        tool: version of meterbench.
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
    ) -> None:
        self.name = file_name(scenario, device)
        self._header = {"format": FORMAT, "version": VERSION, "scenario": scenario, "device": device, "model": model}
        self._header |= {"link": dict(link or {}), "clock": clock, "tool": tool}
        self._events: list[tuple[int, Direction, bytes]] = []
        self._secrets: list[bytes] = []

    def tx(self, t: int, data: bytes) -> None:
        """Bytes went to the device at `t` (ns)."""
        self._events.append((t, "tx", data))

    def rx(self, t: int, data: bytes) -> None:
        """Bytes came from the device at `t` (ns)."""
        self._events.append((t, "rx", data))

    def note(self, t: int, text: str) -> None:
        """Something happened at `t` (ns) that the line does not show."""
        self._events.append((t, "note", text.encode()))

    def mask(self, secret: bytes) -> None:
        """Keep `secret` out of the file, in bytes already taken as well as in bytes to come, and in remarks."""
        if secret:
            self._secrets.append(bytes(secret))

    def __len__(self) -> int:
        return len(self._events)

    def write(self, folder: Path) -> Path | None:
        """Write the trace below `folder` and return its file; None, and no file, if nothing was on the line.

        Raises:
            StationError: the file cannot be written.
        """
        if not self._events:
            return None
        text = self.text().encode()
        path = _unused(folder / self.name)
        if len(text) >= GZIP_FROM:
            path, text = path.with_name(path.name + ".gz"), gzip.compress(text, mtime=0)
        try:
            path.write_bytes(text)
        except OSError as error:
            raise StationError(f"{path}: {error.strerror or error}") from error
        return path

    def text(self) -> str:
        """The whole trace as JSON Lines."""
        return "\n".join((json.dumps(self._header, ensure_ascii=False, default=str), *self._lines(), ""))

    def _lines(self) -> Iterator[str]:
        hidden = {way: self._hidden(way) for way in ("tx", "rx")}
        at = dict.fromkeys(hidden, 0)
        for t, way, data in self._events:
            if way == "note":
                yield f'{{"t": {seconds(t)}, "dir": "note", "mark": {self._remark(data)}}}'
                continue
            text = _masked_hex(data, at[way], hidden[way])
            at[way] += len(data)
            yield f'{{"t": {seconds(t)}, "dir": "{way}", "hex": "{text}"}}'

    def _hidden(self, way: str) -> set[int]:
        """Places of secret bytes in everything that went one way, however the line has cut it into pieces."""
        if not self._secrets:
            return set()
        stream = b"".join(data for _, direction, data in self._events if direction == way)
        return {
            place
            for secret in self._secrets
            for start in _places(stream, secret)
            for place in range(start, start + len(secret))
        }

    def _remark(self, data: bytes) -> str:
        for secret in self._secrets:
            data = data.replace(secret, b"xx")
        return json.dumps(data.decode(errors="replace"), ensure_ascii=False)


def _places(stream: bytes, secret: bytes) -> Iterator[int]:
    start = stream.find(secret)
    while start >= 0:
        yield start
        start = stream.find(secret, start + 1)


def _masked_hex(data: bytes, offset: int, hidden: set[int]) -> str:
    if not hidden:
        return data.hex()
    return "".join("xx" if offset + k in hidden else f"{byte:02x}" for k, byte in enumerate(data))


def _unused(path: Path) -> Path:
    """The path itself, or numbered if another scenario (a rerun, an id that differs in case only) has taken it."""
    stem = path.name.removesuffix(".trace.jsonl")
    number = 1
    while path.exists() or path.with_name(path.name + ".gz").exists():
        number += 1
        path = path.with_name(f"{stem}.{number}.trace.jsonl")
    return path


def read_trace(path: Path) -> tuple[dict[str, Any], Iterator[TraceEvent]]:
    """Header and events of a trace, compressed or not; events are read as they are asked for.

    Raises:
        UsageError: the file is no trace of this format and version, or a line of it is broken.
    """
    events = _rows(path)
    _, header = next(events, (0, {}))
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise UsageError(f"no {FORMAT} of version {VERSION}", path, 1)
    return header, (_event(path, line, row) for line, row in events)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as lines:
        for line, text in enumerate(lines, 1):
            try:
                row = json.loads(text, parse_float=Decimal)
            except ValueError as error:
                raise UsageError(f"no JSON: {error}", path, line) from error
            if not isinstance(row, dict):
                raise UsageError("no JSON object", path, line)
            yield line, row


def _event(path: Path, line: int, row: dict[str, Any]) -> TraceEvent:
    t, text, mark = row.get("t"), row.get("hex", ""), row.get("mark", "")
    texts = isinstance(text, str) and isinstance(mark, str)
    if not (isinstance(t, int | Decimal) and row.get("dir") in get_args(Direction) and texts and _HEX.fullmatch(text)):
        raise UsageError("no event of a trace", path, line)
    return TraceEvent(int(t * 1_000_000_000), row["dir"], text, mark)
