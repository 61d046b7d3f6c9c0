"""All benchmarks, one after the other: `python benchmarks/run.py [NAME ...]`."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem != "run" and "def main()" in path.read_text())


def run(name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main()


if __name__ == "__main__":
    for name in sys.argv[1:] or names():
        print(f"## {name}")
        print(json.dumps(run(name), indent=1), flush=True)
