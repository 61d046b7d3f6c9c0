"""How far transaction times on served ports lie from those in virtual time: the same scenario, every kind of port.

The time of a transaction is what the wire trace says: from the request handed over to the last byte of its answer.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.trace import read_trace

SCENARIO = "energy_preset/test_transfer.py::test_new_meter_takes_over_the_readings"
#: By kind of port: the pair of meters, and the one whose line is the same on both hosts (behind a gateway it is not).
PAIRS = {
    "pty": ("cm2350", "pm850", ""),
    "rfc2217": ("cm2350", "pm850", ""),
    "tcp": ("cm2350", "new-pm850", "new-pm850"),
}


def transactions(folder: Path) -> dict[tuple[str, int, int], float]:
    """Median time (ms) by device, request length and answer length."""
    found = defaultdict(list)
    for path in sorted((folder / "traces").iterdir()):
        header, events = read_trace(path)
        asked, sent, got, last = None, b"", 0, 0
        for event in events:
            if event.direction == "note":
                continue
            if event.direction == "tx":
                if asked is not None and got:
                    found[header["device"], len(sent), got].append((last - asked) / 1e6)
                asked, sent, got = event.t, event.data, 0
            else:
                got, last = got + len(event.data), event.t
    return {key: statistics.median(times) for key, times in found.items() if len(times) > 2}


def run(station: str, folder: Path, pair: tuple[str, str, str]) -> dict[tuple[str, int, int], float]:
    words = [sys.executable, "-m", "bench", "run", SCENARIO, "--station", station, "--evidence", str(folder)]
    words += [word for device in pair[:2] for word in ("--device", device)]
    words += [] if station == "sim" else ["--allow-destructive", pair[1]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return transactions(folder)


def compare(only: str, virtual: dict, served: dict) -> dict[str, object]:
    ratios = [served[key] / virtual[key] for key in virtual if key in served and only in key[0]]
    return {
        "ms, virtual and served, by request and answer length": {
            f"{key[0]} {key[1]}+{key[2]} bytes": f"{virtual[key]:.2f} {served[key]:.2f}"
            for key in sorted(virtual)
            if key in served and only in key[0]
        },
        "kinds of transaction": len(ratios),
        "served over virtual, median": round(statistics.median(ratios), 4),
        "smallest": round(min(ratios), 4),
        "largest": round(max(ratios), 4),
    }


def main() -> dict[str, object]:
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for via, pair in PAIRS.items():
            virtual = run("sim", folder / f"virtual-{via}", pair)
            station = folder / f"{via}.yaml"
            server = subprocess.Popen(
                [sys.executable, "-m", "bench", "serve", "--write-station", str(station), "--via", via],
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            try:
                assert server.stdout is not None
                while '"ready"' not in server.stdout.readline():
                    pass
                results[via] = compare(pair[2], virtual, run(str(station), folder / via, pair))
            finally:
                server.terminate()
                server.wait()
    return results


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
