"""One program at a time in a folder: two that put files in place of each other's would lose what the other wrote.

The lock is SQLite's, because it is the one in Python's library that every system has, and that the system itself takes
back from a program that was killed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.errors import UsageError

_LOCK = ".meterbench.lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else is in `folder` while the block lasts.

    Raises:
        UsageError: somebody is, or nothing can be written there.
    """
    with closing(_lock_of(folder)):
        yield


def _lock_of(folder: Path) -> sqlite3.Connection:
    try:
        lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None)
        lock.execute("PRAGMA journal_mode=OFF")  # nothing is ever written, so a killed program leaves nothing
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise UsageError("another meterbench handheld is at work here; wait until it has ended", folder) from None
        raise UsageError(f"nothing can be written here: {error}", folder) from None
    return lock
