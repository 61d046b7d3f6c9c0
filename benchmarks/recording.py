"""What recording costs per exchange, taken and written, beside the same exchanges without recording."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.redaction import wire_forms
from bench.serving.recording import recorded
from bench.stage import stage_of
from bench.station import builtin_station
from bench.trace import TraceWriter
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers
from simulators.world import World

MANY, ROUNDS = 20_000, 5
ASK = encode_rtu(1, read_registers(1699, 28))
ANSWER = encode_rtu(1, bytes.fromhex("0338") + bytes(56))


def take(writer: TraceWriter) -> None:
    for t in range(0, MANY * 2, 2):
        writer.tx(t, ASK)
        writer.rx(t + 1, ANSWER)


def writing(folder: Path, round_: int, kind: str) -> float:
    """Seconds for MANY exchanges, from the first byte to the closed file."""
    writer = TraceWriter(f"{kind}-{round_}", "new", frames="rtu")
    if kind != "plain":
        writer.masks.registers = frozenset({2028, 7721})
        for secret in wire_forms("07123456"):
            writer.mask(secret)
    begin = perf_counter()
    if kind == "written through":
        writer.stream(folder / writer.name)
    take(writer)
    writer.write(folder)
    return perf_counter() - begin


def serving(folder: Path | None) -> float:
    """Seconds for MANY exchanges with a device behind a network without delays, recorded or not."""
    station = builtin_station("sim")
    stage = stage_of(station, World(1), {})
    with recorded(folder, stage, station, {"seed": 1}, kept=False):
        connection = stage.network("lan").connect()
        frame = encode_mbap(1, 4, read_registers(1699, 28))
        begin = perf_counter()
        for _ in range(MANY):
            connection.exchange(frame, 0)
    return perf_counter() - begin


def best(measure: Callable[[int], float]) -> tuple[float, float]:
    """Best and median of the rounds, in microseconds an exchange."""
    found = [measure(round_) / MANY * 1e6 for round_ in range(ROUNDS)]
    return min(found), statistics.median(found)


def main() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = {
            "taken and written at the end": "plain",
            "the same with a serial number and two registers hidden": "masked",
            "hidden and written through while it happens": "written through",
        }
        found: dict[str, object] = {}
        for words, kind in kinds.items():
            least, middle = best(lambda round_, kind=kind: writing(folder, round_, kind))
            found[words] = f"{least:.2f} us an exchange (median {middle:.2f}, target 10)"
        bare, _ = best(lambda _: serving(None))
        taped, _ = best(lambda round_: serving(folder / f"served-{round_}"))
    found["an exchange with a simulated meter"] = f"{bare:.2f} us"
    found["the same, recorded by serve --record"] = f"{taped:.2f} us, {taped / bare:.2f} x, {taped - bare:.2f} us more"
    return found


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
