"""`python -m bench.serving [STATION]`: serve a station and print its endpoints, one JSON line each."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.serving.server import serve
from bench.station import find_station


def _emit(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201  # this is what it is for


def main() -> int:
    """Serve what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("station", nargs="?", default="sim")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--station-out", type=Path)
    parser.add_argument("--via", default="tcp")
    options = vars(parser.parse_args())
    try:
        serve(find_station(options.pop("station")), emit=_emit, **options)
    except BenchError as error:
        print(error, file=sys.stderr)  # noqa: T201  # one line, as the command says it
        return int(error.exit)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
