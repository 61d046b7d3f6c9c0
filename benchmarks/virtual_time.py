"""How much faster than its line a virtual transfer is, and how many pymodbus polls a second virtual time carries."""

from __future__ import annotations

import json
import statistics
import time

from bench.bench import Bench
from bench.evidence import Evidence
from bench.host import Host
from bench.safety import Safety
from bench.station import builtin_station

ROUNDS = 5
POLLS = 3000


def transfer(source: str, target: str, *, power_cycle: bool) -> dict[str, float]:
    station = builtin_station("sim")
    walls, virtual = [], 0.0
    for _ in range(ROUNDS):
        host = Host(station)
        bench = Bench(host, Safety(station), Evidence(None), "benchmark", "benchmark")
        if not power_cycle:
            bench.supplies.can_cycle = lambda _device: False
        old, new = bench.device(source), bench.target(target)
        start, begun = host.clock.now(), time.perf_counter()
        report = bench.transfer(old, new)
        walls.append(time.perf_counter() - begun)
        virtual = (host.clock.now() - start) / 1e9
        assert report.result == 0
        host.close()
    wall = statistics.median(walls)
    return {"virtual_s": round(virtual, 3), "wall_ms": round(wall * 1e3, 2), "times_faster": round(virtual / wall)}


def polls(device: str, count: int) -> dict[str, float]:
    station = builtin_station("sim")
    rates = []
    for _ in range(ROUNDS):
        host = Host(station)
        driver = Bench(host, Safety(station), Evidence(None), "benchmark", None).device(device)
        driver.session.read(driver.energy_register, count)
        begun = time.perf_counter()
        for _ in range(POLLS):
            driver.session.read(driver.energy_register, count)
        rates.append(POLLS / (time.perf_counter() - begun))
        host.close()
    return {"polls_per_s": round(statistics.median(rates)), "best": round(max(rates))}


def main() -> dict[str, object]:
    return {
        "transfer cm3350 to pm820, both at 9600 Bd": transfer("cm3350", "pm820", power_cycle=True),
        "the same without the power cycle": transfer("cm3350", "pm820", power_cycle=False),
        "transfer cm2350 (9600 Bd) to new-pm850 (Ethernet)": transfer("cm2350", "new-pm850", power_cycle=True),
        "polls of 1 register, Ethernet": polls("new-pm850", 1),
        "polls of 28 registers, Ethernet": polls("new-pm850", 28),
        "polls of 1 register, 9600 Bd": polls("pm850", 1),
        "polls of 28 registers, 9600 Bd": polls("pm850", 28),
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
