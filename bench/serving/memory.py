"""The state file: what the meters of a served station keep from one run to the next.

One JSON object: `format`, `version`, when it was saved, the meters by device id (what each keeps is in
`simulators/meters/*/state.py`), and a check sum over all of it. Energies are whole picojoule, so nothing is
lost by stopping. The file is found fit for every meter before one of them is changed, and is replaced in one step.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import StationError, UsageError
from simulators.meters.elster import state as elster
from simulators.meters.powerlogic import state as powerlogic

if TYPE_CHECKING:
    from types import ModuleType

    from simulators.stage import Stage

FORMAT = "meterbench-state"
VERSION = 1
_CHECK_SUM = "sha256"


def read_state(path: Path) -> dict[str, Any] | None:
    """What a state file holds; None where there is no file yet.

    Raises:
        UsageError: it cannot be read, is damaged, or is no state file of this version.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not path.absolute().parent.is_dir():
            raise UsageError("the folder for the state file does not exist", path) from None
        return None
    except OSError as error:
        raise UsageError(f"the state file cannot be read: {error.strerror}", path) from None
    except (ValueError, RecursionError):
        raise UsageError("this is no state file: it is not JSON", path) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(f'this is no state file: its format is not "{FORMAT}"', path)
    if content.get("version") != VERSION:
        raise UsageError(f"the state file has version {content.get('version')}; this release reads {VERSION}", path)
    if content.pop(_CHECK_SUM, None) != _sum_of(content):
        raise UsageError("the state file is damaged: its check sum does not fit", path)
    return content


def restore_state(path: Path, content: dict[str, Any], stage: Stage) -> None:
    """Make the meters of a fresh stage those of the file; their clocks have gone on meanwhile.

    Raises:
        UsageError: the file is of another station; no meter has been changed.
    """
    meters = content.get("meters")
    if not isinstance(meters, dict) or set(meters) != set(stage.devices):
        raise UsageError(f"the state file is of another station: it has {', '.join(meters or ()) or 'no meters'}", path)
    try:
        asleep = max(datetime.now(UTC) - datetime.fromisoformat(content["saved_at"]), timedelta(0))
    except (KeyError, TypeError, ValueError):
        raise UsageError("the state file is damaged: saved_at is no time", path) from None
    states = {}
    for name in stage.devices:
        try:
            states[name] = _of(stage, name).parse(stage.meter(name), meters[name])
        except (elster.StateError, powerlogic.StateError) as error:
            raise UsageError(f"the state file does not fit {name}: {error}", path) from None
    for name, state in states.items():
        _of(stage, name).put_back(stage.meter(name), stage.world.now, state, asleep=asleep)


def _of(stage: Stage, name: str) -> ModuleType:
    """What knows the state of a meter's family: `state_of`, `parse` and `put_back`."""
    return elster if stage.devices[name].flag else powerlogic


def save_state(path: Path, stage: Stage) -> None:
    """Write what the meters keep now. The old file stays whole until the new one is on the disk.

    Raises:
        StationError: the disk refuses.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "saved_at": datetime.now(UTC).isoformat(),
        "meters": {name: _of(stage, name).state_of(stage.meter(name), stage.world.now) for name in stage.devices},
    }
    content[_CHECK_SUM] = _sum_of(content)
    try:
        _replace(path.absolute(), json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise StationError(f"{path}: the state cannot be saved: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _sum_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
