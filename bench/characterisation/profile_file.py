"""Writing a profile file: what was found out about one meter, as a station file can take it.

The same findings give the same bytes. The file appears whole or not at all, and an earlier one stays unless its
replacement is asked for. A serial number never stands in it, only a salted hash that tells two meters apart.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bench.errors import StationError, UsageError
from bench.station.profiles import FORMAT, VERSION

if TYPE_CHECKING:
    from bench.characterisation.finding import Finding, Findings

_HEAD = """\
# What one meter does where no document says it, found out by `meterbench run characterisation`.
#
# A station file takes it for a simulated device of the same family: `simulate: {profile: %s}`.
# Only `value` counts there; the rest says how it was found. What could not be determined, and why, stands below
# `undetermined` and keeps the value that the model has. To get these values the meter was written to, reset and preset.
"""
_ITERATIONS = 100_000
_NEVER_ASKED = {"command_password": "not asked: a password does not belong into a file"}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """On what the findings rest, apart from the meter: the station, the host, the moment and the tool."""

    station: str
    host: str
    at: str
    tool: str


def check_target(path: Path, *, overwrite: bool) -> None:
    """Whether a profile can be written to `path`, found out before the meter is touched.

    Raises:
        UsageError: it exists and may not be replaced, or its folder does not.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: there is a file already; add --force to replace it")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path}: no file can be written there")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(f"{path}: no file can be written there: {error.strerror or error}") from None


def profile_text(findings: Findings, how: Circumstances, name: str, serial: str | None, salt: bytes) -> str:
    """The whole file, called `name`; `salt` hides the serial number."""
    of: dict[str, Any] = {"model": findings.model.name, "family": findings.model.family, **findings.facts}
    if serial is not None:
        digest = hashlib.pbkdf2_hmac("sha256", serial.encode(), salt, _ITERATIONS)
        of["serial"] = f"pbkdf2-sha256 {_ITERATIONS} {salt.hex()} {digest.hex()}"
    unasked = {key: _NEVER_ASKED.get(key, "not asked in this run") for key in findings.unasked()}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "of": of,
        "measured": {"at": how.at, "host": how.host, "station": how.station, "meterbench": how.tool},
        "profile": {key: _entry(found, findings.when.get(key)) for key, found in sorted(findings.answers.items())},
        "undetermined": dict(sorted((findings.unknown | unasked).items())),
        "link": {key: _entry(found, None) for key, found in sorted(findings.link.items())},
    }
    kept = {key: value for key, value in content.items() if value not in ({}, None)}
    return _HEAD % name + yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=120)


def _entry(found: Finding, when: str | None) -> dict[str, Any]:
    entry = {"value": found.value, "uncertainty": found.uncertainty, "how": found.how, "when": when}
    return {key: value for key, value in entry.items() if value not in ("", None)}


def write_whole(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the file or leave what is there as it was.

    Raises:
        UsageError: another file has come to stand there meanwhile.
        StationError: the disk refuses.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        check_target(path, overwrite=overwrite)
        part.replace(path)
    except OSError as error:
        raise StationError(f"{path}: the profile cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
