"""Which ports on this machine belong to a running `meterbench serve`.

A server keeps a small file in the temporary folder for as long as it runs and touches it every few seconds; a bench
that reaches only such ports calls its host *served* and not *real*. A file that nobody touches any more means nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.station import Link, Station

#: How often a server touches its file, and after how long (s) an untouched one is stale.
HEARTBEAT = 5.0
STALE = 20.0
_PREFIX = "meterbench-serve-"


class Registration:
    """A server's file: written when its ports are open, touched while it runs, removed when it ends.

    Args:
        endpoints: what its ports are called by a station file: "host:port" or the name of a pty.
    """

    def __init__(self, endpoints: Sequence[str]) -> None:
        handle, name = tempfile.mkstemp(prefix=f"{_PREFIX}{os.getpid()}-", suffix=".json")
        self._path = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump([_plain(endpoint) for endpoint in endpoints], file)

    def touch(self) -> None:
        """Say that the server still runs."""
        with suppress(FileNotFoundError):
            os.utime(self._path)

    def remove(self) -> None:
        """Say that the server has ended; what servers that were killed have left behind goes too."""
        self._path.unlink(missing_ok=True)
        for path in _files():
            with suppress(OSError):
                if _stale(path):
                    path.unlink()


def endpoints() -> set[str]:
    """The endpoints of all servers that run on this machine."""
    found: set[str] = set()
    for path in _files():
        with suppress(OSError, ValueError):
            listed = () if _stale(path) else json.loads(path.read_text(encoding="utf-8"))
            if isinstance(listed, list):
                found.update(endpoint for endpoint in listed if isinstance(endpoint, str))
    return found


def leads_only_there(station: Station) -> bool:
    """Whether every link of a station leads to a running server."""
    known = endpoints()
    return bool(known) and all(_target(link) in known for link in station.links.values())


def _files() -> Iterator[Path]:
    return Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.json")


def _stale(path: Path) -> bool:
    return time.time() - path.stat().st_mtime >= STALE


def _target(link: Link) -> str:
    match link.type:
        case "tcp":
            return _plain(f"{link.host}:{link.port}")
        case "rfc2217":
            return _plain(link.target.removeprefix("rfc2217://").partition("?")[0])
        case "serial":
            return _plain(link.port.removeprefix("socket://"))
        case _:
            return ""


def _plain(endpoint: str) -> str:
    """One spelling for each endpoint: no brackets, and loopback as a number."""
    host, colon, port = endpoint.replace("[", "").replace("]", "").rpartition(":")
    return f"{'127.0.0.1' if host == 'localhost' else host}{colon}{port}"
