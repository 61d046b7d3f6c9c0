"""The same verdicts in virtual time and on served ports: every scenario of an Elster meter, on every kind of way to it.

    python benchmarks/verdicts.py communication security    # on all ways at once: about 25 minutes
    python benchmarks/verdicts.py programming reading       # about 35
    python benchmarks/verdicts.py --compare EVIDENCE EVIDENCE

What lets hours pass, or puts a fault on a simulated line, is not determinable on the wall: it is counted and not
compared. Whatever else differs is listed, and exits 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

STATION = """\
schema: 1
name: media
links:
  optic: {type: sim, medium: optical, echo: true}
  bus: {type: sim, medium: rs485}
  module: {type: sim, medium: network}
  phone: {type: sim, medium: pstn}
devices:
  o1140: {model: A1140, link: optic, password: simulated, protection: sacrificial}
  b1700: {model: A1700, link: bus, outstation: "017", password: simulated, protection: sacrificial}
  b1120: {model: A1120, link: bus, outstation: "018", password: simulated, protection: sacrificial}
  n1140: {model: A1140, link: module, outstation: "094", password: simulated, protection: sacrificial}
  p1700: {model: A1700, link: phone, outstation: "001", password: simulated, protection: sacrificial}
"""
#: Kind of port and meter: 300 to 9600 Bd 7E1 with its parity, the same without, RS-485, a TCP module, a modem.
WAYS = [
    ("rfc2217", "o1140"), ("pty", "o1140"), ("rfc2217", "b1700"), ("pty", "b1120"), ("tcp", "n1140"), ("tcp", "p1700"),
]  # fmt: skip
_COMPARED = ("pass", "fail", "error", "inconclusive")


def verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    """Verdict and reason by scenario."""
    rows = map(json.loads, (folder / "scenarios.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["scenario"]: (row["verdict"], row["reason"]) for row in rows}


def compare(virtual: dict[str, tuple[str, str]], served: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """How many agree, what differs, what could not be compared and why."""
    both = [name for name in served if name in virtual]
    compared = [n for n in both if virtual[n][0] in _COMPARED and served[n][0] in _COMPARED]
    why = Counter(served[name][1].split(":")[0] or served[name][0] for name in both if served[name][0] not in _COMPARED)
    return {
        "compared": len(compared),
        "the same": sum(virtual[name][0] == served[name][0] for name in compared),
        "different": {
            name: f"{virtual[name][0]}, served {served[name][0]}: {served[name][1]}"
            for name in compared
            if virtual[name][0] != served[name][0]
        },
        "not on the wall": dict(why),
    }


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bench", *words]


def run(station: Path, device: str, evidence: Path, only: list[str]) -> subprocess.Popen[bytes]:
    words = ["run", *only, "--station", str(station), "--device", device, "--allow-destructive", device]
    return subprocess.Popen(command(*words, "--evidence", str(evidence)), stdout=subprocess.DEVNULL)


def served(station: Path, via: str, ports: Path) -> subprocess.Popen[str]:
    """A process that serves the station, when it is ready."""
    words = ("serve", "--station", str(station), "--via", via, "--write-station", str(ports))
    server = subprocess.Popen(command(*words), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    while '"ready"' not in server.stdout.readline():
        pass
    return server


def main(only: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        station = folder / "media.yaml"
        station.write_text(STATION, encoding="utf-8")
        running = []
        for via, device in WAYS:
            way = f"{via} {device}"
            ports = folder / f"{via}-{device}.yaml"
            run(station, device, folder / f"{way} virtual", only).wait()
            server = served(station, via, ports)
            running.append((way, server, run(ports, device, folder / way, only)))
        results = {}
        for way, server, client in running:
            client.wait()
            server.terminate()
            server.wait()
            results[way] = compare(verdicts(folder / f"{way} virtual"), verdicts(folder / way))
        return results


if __name__ == "__main__":
    if sys.argv[1:2] == ["--compare"]:
        found: dict[str, Any] = {"": compare(*(verdicts(Path(word)) for word in sys.argv[2:4]))}
    else:
        found = main(sys.argv[1:])
    print(json.dumps(found, indent=1))
    sys.exit(any(each["different"] for each in found.values()))
