"""What a meter held before a scheme was programmed: the file from which it can be resumed or restored.

It is JSON, sealed with a check sum, and is written before the first byte goes to the meter: to a file beside it, to the
disk, then renamed. Passwords cannot be read from a meter, so none is in it; the serial number is a salted hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.redaction import is_tagged, serial_tag
from bench.scheme.model import NAMELESS
from bench.scheme.plan import Plan, Write
from bench.whole_file import write_whole
from protocols.elster.configuration import ConfigurationError, decode_text, layout

FORMAT = "meterbench scheme snapshot"
VERSION = 1
#: Many times what the largest scheme needs (bytes).
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The objects of a meter by name before it was programmed, and with what.

    Attributes:
        device: its id in the station file.
        model: A1120, A1140 or A1700.
        serial: salted hash of its serial number.
        scheme: the id of the scheme that was about to be programmed.
        count: of the programming log.
        objects: the bytes by the name of the identity, the scheme id among them.
    """

    device: str
    model: str
    serial: str
    scheme: str
    count: int
    objects: Mapping[str, bytes]

    def is_of(self, serial: str) -> bool:
        """Whether it was taken of the meter with this serial number."""
        return is_tagged(serial, self.serial)

    def restoring(self) -> Plan:
        """The plan that brings the meter back to it; passwords stay as they are."""
        items = layout(self.model).items
        names = [name for name in items if name in self.objects and name != "scheme_id"]
        scheme_id = self.objects["scheme_id"]
        try:
            name = decode_text(scheme_id, items["scheme_id"]) or NAMELESS
        except ConfigurationError:
            name = "(unreadable)"
        writes = tuple(Write(items[name], self.objects[name]) for name in names)
        return Plan(self.model, name, 0, Write(items["scheme_id"], scheme_id), writes)


def take(device: str, model: str, serial: str, scheme: str, count: int, objects: Mapping[str, bytes]) -> Snapshot:
    """A snapshot of a meter that has just been read."""
    return Snapshot(device, model, serial_tag(serial), scheme, count, dict(objects))


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write the file; it is there whole, or not at all.

    Raises:
        UsageError: there is such a file already.
        StationError: it cannot be written.
    """
    if path.exists():
        raise UsageError("exists already; a snapshot is not overwritten, name a new file", path)
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "device": snapshot.device,
        "model": snapshot.model,
        "serial": snapshot.serial,
        "scheme": snapshot.scheme,
        "programming_count": snapshot.count,
        "objects": {name: data.hex() for name, data in snapshot.objects.items()},
    }
    text = json.dumps(content | {"seal": _seal(content)}, indent=1) + "\n"
    write_whole(path, text.encode(), "the snapshot is missing, so nothing was programmed")


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file.

    Raises:
        UsageError: no such file, no snapshot, or one that was changed since it was written.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UsageError(f"larger than {_LARGEST >> 10} KiB; is this a snapshot?", path)
        content = json.loads(data)
        seal = content.pop("seal")
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise UsageError(f"is no snapshot of version {VERSION}", path)
        if seal != _seal(content):
            raise UsageError("was changed since it was written: its seal does not fit", path)
        objects = {name: bytes.fromhex(data) for name, data in content["objects"].items()}
        found = Snapshot(
            content["device"], content["model"], content["serial"], content["scheme"], content["programming_count"],
            objects,
        )  # fmt: skip
        sizes = {name: layout(found.model).items[name].size for name in objects}
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UsageError("is no snapshot of a meter, or a damaged one", path) from None
    if "scheme_id" not in objects or any(len(data) != sizes[name] for name, data in objects.items()):
        raise UsageError("holds an object that the model does not have in this size", path)
    return found


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
