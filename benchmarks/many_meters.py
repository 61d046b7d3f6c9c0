"""What 10,000 simulated meters in one process cost: resident memory, and the time to build and to use each once.

Each has a load, has been read over Modbus and, where it can, has been through a preset, so nothing that is made when
first needed is left out. Measured in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

from protocols.modbus import pdu
from protocols.modbus.responder import Responder
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import models
from simulators.meters.powerlogic import build_meter
from simulators.power.feeder import Feeder, Load

COUNT = 10_000
MODELS = ("CM2350", "CM3350", "CM4250", "PM850")
HOUR = 3_600_000_000_000
STATUS = Path("/proc/self/status")
PRESET = (
    pdu.write_registers(8016, [8020, 8021, 8022]),
    pdu.write_registers(8021, [1, 2, 3, 4] * 7),
    pdu.write_register(7999, 6209),
)


def used_bytes() -> int:
    """The resident memory of this process; where the system does not tell, what Python has allocated."""
    if not STATUS.exists():
        return tracemalloc.get_traced_memory()[0]
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def build(count: int) -> list[Responder]:
    """So many meters of all families, each on a feeder of its own."""
    energies = dict.fromkeys(Quantity, 1_234_567)
    return [
        Responder(build_meter(MODELS[index % len(MODELS)], Feeder(load=Load(1_000_000 + index)), energies=energies))
        for index in range(count)
    ]


def use(meter: Responder, *, old: bool) -> None:
    """A preset where there is one, and an hour later a read of everything that matters."""
    for request in () if old else PRESET:
        assert meter.respond(request, 0)[0] < 0x80
    for start, count in ((1600, 28), (1000, 50)) if old else ((1699, 28), (1099, 81), (2149, 40)):
        assert len(meter.respond(pdu.read_registers(start, count), HOUR)) == 2 + 2 * count


def measure() -> dict[str, object]:
    if not STATUS.exists():
        tracemalloc.start()
    build(len(MODELS))  # the tables are shared by all
    before, began = used_bytes(), time.perf_counter()
    meters = build(COUNT)
    built = time.perf_counter()
    for index, meter in enumerate(meters):
        use(meter, old=models()[MODELS[index % len(MODELS)]].generation == "cm2")
    used, total = time.perf_counter(), used_bytes()
    return {
        "meters in one process": f"{COUNT} in {total / 2**20:.0f} MiB (target 300)",
        "one meter": f"{(total - before) / COUNT / 1024:.1f} KiB",
        "build one": f"{(built - began) / COUNT * 1e6:.0f} us",
        "preset and read one": f"{(used - built) / COUNT * 1e6:.0f} us",
    }


def main() -> dict[str, object]:
    ran = subprocess.run([sys.executable, __file__, "--here"], check=True, capture_output=True, text=True)
    found: dict[str, object] = json.loads(ran.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(measure() if "--here" in sys.argv else main(), indent=1))
