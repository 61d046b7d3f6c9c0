"""Parsing a mode C readout: ours, with every check, against PyPI's iec62056-21 in the same run.

Both get the message of 60 lines with its check character and give its data sets. Ours is also given one with an error
in its last line, which it has to find and place.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from time import perf_counter

from protocols.flag.frames import checked
from protocols.flag.readout import ReadoutError, decode_readout
from simulators.meters.elster.build import build_meter

LINES, ROUNDS, SECONDS = 60, 15, 0.05
TARGET = 5


def message(*, broken: bool = False) -> bytes:
    """A readout of 60 lines: an A1140's, whose lines come again until they are enough."""
    lines = build_meter("A1140", outstation="094").readout(60_000_000_000).split(b"\r\n")[:-1]
    lines = (lines * 2)[:LINES]
    if broken:
        lines[-1] = lines[-1].replace(b"(", b"(/")
    return checked(b"\x02" + b"".join(line + b"\r\n" for line in lines) + b"!\r\n\x03")


def timed(parse: Callable[[bytes], object], data: bytes) -> float:
    """Microseconds for one message, over about SECONDS."""
    count, begin = 0, perf_counter()
    while (spent := perf_counter() - begin) < SECONDS:
        for _ in range(20):
            parse(data)
        count += 20
    return spent / count * 1e6


def broken_parse(data: bytes) -> None:
    with suppress(ReadoutError):
        decode_readout(data)


def main() -> dict[str, object]:
    if find_spec("iec62056_21") is None:
        return {"not measured": "PyPI's iec62056-21 is not installed: pip install 'meterbench[peers]'"}
    from iec62056_21.messages import ReadoutDataMessage  # noqa: PLC0415  # nothing else needs it

    data, bad = message(), message(broken=True)
    sets = [(each.address or None, each.value, each.unit) for each in decode_readout(data).sets]
    theirs_sets = [
        (each.address, each.value, each.unit)
        for line in ReadoutDataMessage.from_bytes(data).data_block.data_lines
        for each in line.data_sets
    ]
    assert sets == theirs_sets, "both find the same data sets"
    rounds = [
        (timed(decode_readout, data), timed(ReadoutDataMessage.from_bytes, data), timed(broken_parse, bad))
        for _ in range(ROUNDS)
    ]
    ours, theirs, refused = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(other / mine for mine, other, _ in rounds)
    return {
        "readout": f"{len(data)} bytes, {LINES} lines",
        "ours, with every check": f"{ours:.1f} us, {LINES / ours:.2f} million lines/s",
        "PyPI iec62056-21": f"{theirs:.1f} us",
        "ratio, median of the rounds": f"{ratio:.1f} (target {TARGET})",
        "ours, to the error in the last line": f"{refused:.1f} us",
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
