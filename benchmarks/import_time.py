"""CPU time of `import bench` over bare Python, and of the plugin that every pytest session loads."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

ROUNDS = 15


def cpu_ms(code: str) -> float:
    found = []
    for _ in range(ROUNDS):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True)
        after = os.times()
        found.append(after.children_user - before.children_user + after.children_system - before.children_system)
    return statistics.median(found) * 1e3


def main() -> dict[str, object]:
    bare = cpu_ms("pass")
    pytest_alone = cpu_ms("import pytest")
    return {
        "import bench": f"{cpu_ms('import bench') - bare:.0f} ms over bare Python (target 150)",
        "import bench.plugin": f"{cpu_ms('import pytest, bench.plugin') - pytest_alone:.0f} ms over import pytest",
        "import bench.run (a scenario is there)": f"{cpu_ms('import bench.run') - bare:.0f} ms over bare Python",
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
