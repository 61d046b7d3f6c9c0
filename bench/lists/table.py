"""A meter list as CSV: one meter a line under a line of column names; a password is `env:NAME`, never itself.

The cells are parted by commas, semicolons or tabs, whichever the first line has.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from bench.lists.model import MeterEntry
from bench.station.mistakes import Keys, Mistake, StationFileError, shown, suggestion
from bench.station.source import Source

COLUMNS = tuple(MeterEntry.model_fields)
_NEEDED = tuple(name for name, field in MeterEntry.model_fields.items() if field.is_required())
_REFERENCE = "env:"
_CURE = "; a cell that holds what parts the cells stands in double quotes"
#: More than a hundred thousand meters (bytes).
_LARGEST = 1 << 24


def read_table(path: Path) -> Source:
    """Read a CSV list as if it were YAML: plain data that knows its lines.

    Raises:
        StationFileError: no such file, not UTF-8 CSV, or columns that no list has.
    """
    try:
        if path.is_fifo():  # opening it would wait for a writer, perhaps for ever
            raise _stop(path, 1, "this is a pipe; name a file")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _stop(path, 1 + content.count(b"\n", 0, error.start), "not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise _stop(path, 1, f"cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise _stop(path, 1, f"larger than {_LARGEST >> 10} KiB; is this a meter list?")
    return parse_table(text, str(path))


def parse_table(text: str, file: str) -> Source:
    """Read `text`, the content of a CSV list called `file`.

    Raises:
        StationFileError: as of `read_table`.
    """
    path = Path(file)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        columns = [name.strip() for name in next(rows, [])]
        _check_columns(columns, path)
        meters: list[object] = []
        lines: dict[Keys, int] = {(): 1}
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(columns):
                raise _stop(path, rows.line_num, f"{len(row)} cells, and {len(columns)} columns{_CURE}")
            cells = {name: cell.strip() for name, cell in zip(columns, row, strict=True) if cell.strip()}
            lines |= dict.fromkeys((("meters", len(meters), name) for name in columns), rows.line_num)
            lines["meters", len(meters)] = rows.line_num
            meters.append({name: _value(name, cell) for name, cell in cells.items()})
    except csv.Error as error:
        raise _stop(path, rows.line_num, f"not CSV: {error}") from None
    return Source(file, {"list": 1, "name": path.stem, "meters": meters}, lines)


def _separator(text: str) -> str:
    """What stands between the cells: a comma, or what a spreadsheet writes where the comma is a decimal point."""
    first = text.partition("\n")[0]
    return next((mark for mark in (",", ";", "\t") if mark in first), ",")


def _value(name: str, cell: str) -> Any:
    if name == "password":
        return {"env": cell.removeprefix(_REFERENCE)} if cell.startswith(_REFERENCE) else [cell]
    if name == "program":
        return {"true": True, "false": False}.get(cell.lower(), cell)
    return cell


def _check_columns(columns: list[str], path: Path) -> None:
    allowed = f"allowed: {', '.join(COLUMNS)}"
    for name in columns:
        if name not in COLUMNS:
            hint = suggestion(name, COLUMNS)
            raise _stop(path, 1, f"there is no column {shown(name)}{hint} the first line names the columns, {allowed}")
        if columns.count(name) > 1:
            raise _stop(path, 1, f"the column {name} stands twice")
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise _stop(path, 1, f"the column {missing[0]} is missing; the first line names the columns, {allowed}")


def _stop(path: Path, line: int, reason: str) -> StationFileError:
    return StationFileError(str(path), [Mistake((), reason, line)])
