"""What the plugin costs per trivial test, over plain pytest in the same run (CPU time of the process)."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MANY, ROUNDS = 2000, 5
PLAIN = "def test_{i}():\n    assert {i} == {i}\n"
# The same assertion in both: pytest rewrites it, which costs more than anything that is compared here.
MEASURED = "def test_{i}(measure):\n    assert {i} == {i}\n    measure('value', {i}).is_({i})\n"


def cpu_of(words: list[str]) -> float:
    before = os.times()
    subprocess.run(words, check=True, capture_output=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


class Variant:
    """One way to run a trivial test; milliseconds of CPU per test is the slope between one test and many."""

    def __init__(self, folder: Path, name: str, text: str, extra: list[str]) -> None:
        self.name, self.extra, self.slopes = name, extra, []
        self.few, self.many = folder / f"{name}_few", folder / f"{name}_many"
        for where, count in ((self.few, 1), (self.many, MANY)):
            where.mkdir()
            (where / "test_it.py").write_text("".join(text.format(i=i) for i in range(count)))

    def measure(self, round_: int) -> None:
        base = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:allure_pytest"]
        small, large = (
            cpu_of([*base, *[word.format(f"{self.name}-{round_}-{where.name}") for word in self.extra], str(where)])
            for where in (self.few, self.many)
        )
        self.slopes.append((large - small) / (MANY - 1) * 1e3)


def main() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variants = [
            Variant(folder, "plain", PLAIN, ["-p", "no:meterbench"]),
            Variant(folder, "loaded", PLAIN, []),
            Variant(folder, "measured", MEASURED, []),
            Variant(folder, "kept", MEASURED, [f"--evidence={folder}/evidence-{{}}"]),
        ]
        for round_ in range(ROUNDS):  # the variants take turns, so that a busy machine is busy for all of them
            for variant in variants:
                variant.measure(round_)
        plain, loaded, measured, kept = (min(variant.slopes) for variant in variants)
        ratios = [[b / a for a, b in zip(variants[0].slopes, v.slopes, strict=True)] for v in variants[1:]]
    return {
        "plain pytest, ms per test": round(plain, 3),
        "plugin loaded and unused": f"{loaded / plain:.2f} x (median of rounds {statistics.median(ratios[0]):.2f})",
        "one measurement a test": f"{measured / plain:.2f} x (median {statistics.median(ratios[1]):.2f}, target 1.7)",
        "the same, into evidence": f"{kept / plain:.2f} x (median {statistics.median(ratios[2]):.2f}, target 2.5)",
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
