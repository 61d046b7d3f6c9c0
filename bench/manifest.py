"""The seal of a run folder: SHA-256 of every file, and one SHA-256 over the list of them.

Whoever keeps the seal elsewhere (a ticket, a printed page, the JUnit report) can tell later that no file was changed,
lost or added. It is no signature: it says that the folder is whole, not who made it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "manifest.json"
_EVIDENCE = (".jsonl", ".json", ".gz")
"""What a run folder holds; a report that somebody puts beside it is welcome and not part of the evidence."""


def write_manifest(folder: Path) -> str:
    """Write `manifest.json` over everything in the folder and return the seal."""
    files = {path: _sha256(folder / path) for path in _contents(folder)}
    seal = seal_of(files)
    (folder / NAME).write_text(json.dumps({"files": files, "seal": seal}, indent=1) + "\n", "utf-8")
    return seal


def seal_of(files: Mapping[str, str]) -> str:
    """SHA-256 over one line `sha256  path` a file, sorted by these lines: what `sha256sum` prints, sorted."""
    lines = sorted(f"{digest}  {path}\n" for path, digest in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def verify_manifest(folder: Path) -> list[str]:
    """What is wrong with a sealed folder, one line a problem; empty if it is as it was sealed."""
    try:
        manifest: Any = json.loads((folder / NAME).read_text("utf-8"))
        files = {str(path): str(digest) for path, digest in manifest["files"].items()}
        seal = manifest["seal"]
    except FileNotFoundError:
        return [f"{NAME}: missing, the folder was never sealed"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        return [f"{NAME}: unreadable: {error!r}"]
    problems = [] if seal == seal_of(files) else [f"{NAME}: the seal does not fit the list of files"]
    for path, digest in sorted(files.items()):
        problems += _difference(folder, path, digest)
    added = set(_contents(folder)) - set(files)
    return problems + [f"{path}: not in the manifest" for path in sorted(added) if path.endswith(_EVIDENCE)]


def _difference(folder: Path, path: str, digest: str) -> list[str]:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return [f"{path}: outside the folder"]
    try:
        return [] if _sha256(folder / path) == digest else [f"{path}: changed"]
    except OSError as error:
        return [f"{path}: {'missing' if isinstance(error, FileNotFoundError) else 'unreadable'}"]


def _contents(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(name for path in files if (name := path.relative_to(folder).as_posix()) != NAME)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
