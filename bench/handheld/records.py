"""Files of records: text, versioned, a check sum for each record and a seal over the whole.

Each line is `KIND<TAB>number<TAB>JSON<TAB>CRC-32`; the first is the head, the last the seal with the number of records
and the SHA-256 of everything above it. A file is never changed in place: what replaces it is written beside it, forced
to the disk, then renamed, so that a cut leaves the old file or the new one.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.whole_file import write_whole

VERSION = 1
_HEAD, _RECORD, _SEAL = "H", "R", "S"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file of records holds.

    Attributes:
        kind: RES, BUD or HHU; empty if the head is damaged.
        head: what stands in it.
        records: those that are whole.
        problems: line and reason of what is not; empty for a whole file.
    """

    kind: str
    head: Record
    records: tuple[Record, ...]
    problems: tuple[tuple[int, str], ...] = ()


def encode_records(kind: str, head: Record, records: Iterable[Record]) -> bytes:
    """The bytes of a file."""
    lines = [_line(_HEAD, 0, {"format": f"meterbench {kind}", "version": VERSION, **head})]
    lines += [_line(_RECORD, number, record) for number, record in enumerate(records, 1)]
    body = "".join(lines)
    seal = {"records": len(lines) - 1, "sha256": hashlib.sha256(body.encode()).hexdigest()}
    return (body + _line(_SEAL, len(lines), seal)).encode()


def decode_records(data: bytes) -> Contents:
    """What can be read of a file; whatever is damaged, missing or behind the seal is named and nothing raises."""
    if data.count(b"\r\n") == data.count(b"\n") > 0:
        return Contents("", {}, (), ((1, "its ends of lines were changed on the way; copy it as it is, in binary"),))
    lines = data.decode("utf-8", "replace").split("\n")
    torn = lines.pop()
    problems: list[tuple[int, str]] = []
    found: list[tuple[str, int, Record]] = []
    for k, text in enumerate(lines, 1):
        parsed = _parse(text)
        if parsed is None:
            problems.append((k, f"record {k - 1} is damaged" if k > 1 else "the head is damaged"))
        elif parsed[1] != k - 1:
            problems.append((k, f"record {k - 1} is missing: record {parsed[1]} stands in its place"))
        else:
            found.append(parsed)
    if torn:
        problems.append((len(lines) + 1, f"record {len(lines)} is cut off"))
    head = found[0][2] if found and found[0][0] == _HEAD else {}
    kind, problem = _kind(head)
    if problem and not (problems and problems[0][0] == 1):
        problems.insert(0, (1, problem))
    records = tuple(record for mark, _, record in found if mark == _RECORD)
    problems += _unsealed(data, lines, found, torn=bool(torn or problems))
    return Contents(kind, head, records, tuple(problems))


def read_records(path: Path, kind: str) -> Contents:
    """The whole contents of a file.

    Raises:
        UsageError: it cannot be read, is of another kind or damaged; names the first damaged record and how many.
    """
    try:
        contents = decode_records(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path) from None
    if contents.problems:
        line, reason = contents.problems[0]
        more = len(contents.problems) - 1
        rest = f", and {more} more" if more else ""
        raise UsageError(f"{reason}{rest}; {len(contents.records)} records are whole", path, line)
    if contents.kind != kind:
        raise UsageError(f"is a {contents.kind} file, not a {kind} file", path)
    return contents


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` where `path` is, whole or not at all; when this returns it is on the disk.

    Raises:
        StationError: no room, or no right to write; the old file is as it was.
    """
    write_whole(path, data, "the old file is as it was")


def _line(mark: str, number: int, record: Record) -> str:
    content = json.dumps(record, ensure_ascii=False, sort_keys=True)
    told = f"{mark}\t{number}\t{content}"
    return f"{told}\t{zlib.crc32(told.encode()):08X}\n"


def _parse(text: str) -> tuple[str, int, Record] | None:
    told, _, check = text.rpartition("\t")
    parts = told.split("\t", 2)
    if len(parts) != 3 or check != f"{zlib.crc32(told.encode()):08X}":  # noqa: PLR2004  # mark, number, content
        return None
    try:
        record = json.loads(parts[2])
        number = int(parts[1])
    except (ValueError, RecursionError):
        return None
    return (parts[0], number, record) if isinstance(record, dict) else None


def _kind(head: Record) -> tuple[str, str]:
    """What a head says the file is, or what is wrong with it."""
    name = str(head.get("format", ""))
    if not name.startswith("meterbench "):
        return "", "this is no file of records of meterbench"
    if head.get("version") != VERSION:
        found = head.get("version")
        newer = isinstance(found, int) and found > VERSION
        cure = "; a newer meterbench wrote it, which can read it" if newer else ""
        return "", f"is of version {found}; this release reads version {VERSION}{cure}"
    return name.removeprefix("meterbench "), ""


def _unsealed(
    data: bytes, lines: list[str], found: list[tuple[str, int, Record]], *, torn: bool
) -> list[tuple[int, str]]:
    sealed = bool(found) and found[-1][0] == _SEAL and found[-1][1] == len(lines) - 1
    if any(mark == _SEAL for mark, _, _ in found[:-1]):
        return [(len(lines), "something stands behind the seal")]
    if not sealed:
        return [(len(lines) + 1, "the seal is missing: the file is cut off")]
    body = data[: data.rfind(b"\n", 0, -1) + 1] if not torn else b""
    if not torn and found[-1][2].get("sha256") != hashlib.sha256(body).hexdigest():
        return [(len(lines), "the seal does not fit: something was changed")]
    return []
