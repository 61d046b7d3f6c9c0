"""Which ports on this machine belong to a running `meterbench serve`.

A server keeps a small file in the temporary folder for as long as it runs and touches it every few seconds; a bench that
reaches only such ports calls its host *served* and not *real*. A file that nobody touches any more means nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
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

    def __init__(self, endpoints: list[str]) -> None:
        self._path = Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getpid()}.json"
        self._path.write_text(json.dumps(endpoints), encoding="utf-8")

    def touch(self) -> None:
        """Say that the server still runs."""
        with suppress(FileNotFoundError):
            self._path.touch()

    def remove(self) -> None:
        """Say that the server has ended."""
        self._path.unlink(missing_ok=True)


def endpoints() -> set[str]:
    """The endpoints of all servers that run on this machine."""
    found: set[str] = set()
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.json"):
        with suppress(OSError, ValueError):
            if time.time() - path.stat().st_mtime < STALE:
                found.update(json.loads(path.read_text(encoding="utf-8")))
    return found


def leads_only_there(station: Station) -> bool:
    """Whether every link of a station leads to a running server."""
    known = endpoints()
    return bool(known) and all(_target(link) in known for link in station.links.values())


def _target(link: Link) -> str:
    if link.type == "tcp":
        return f"{link.host}:{link.port}".replace("localhost", "127.0.0.1")
    if link.type == "rfc2217":
        return link.target.removeprefix("rfc2217://").split("?")[0].replace("localhost", "127.0.0.1")
    return link.port.removeprefix("socket://").replace("localhost", "127.0.0.1") if link.type == "serial" else ""
