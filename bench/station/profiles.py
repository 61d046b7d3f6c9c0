"""Profile files: what was found out about a meter, for `simulate: {profile: FILE}` of a station file.

`meterbench run characterisation --write-profile FILE` writes them; a person may write one too. It begins with
`format: meterbench-profile` and `version: 1`, says under `of` whose profile it is, and has one entry below `profile`
for each value: the value itself, or a mapping with `value` and whatever says where it comes from. The other sections
are for people and are only looked at for slips of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.station.devices import MODBUS_MODELS, MODELS
from bench.station.mistakes import Keys, Mistake, StationFileError, shown, suggestion
from bench.station.source import FileKind, Source, read_source

if TYPE_CHECKING:
    from protocols.powerlogic.tables import Model

FORMAT, VERSION = "meterbench-profile", 1
PROFILE_FILE = FileKind("profile file", f"format: {FORMAT}")
SECTIONS = ("format", "version", "of", "measured", "profile", "undetermined", "link")
OF = ("model", "family", "firmware", "vendor", "name", "product_id", "serial")
_ON_THE_PLATE = ("product_name", "product_id")
ENTRY = ("value", "uncertainty", "how", "when")


def with_profiles(source: Source) -> Source:
    """The source of a station with the content of each profile file in the place of its name.

    Raises:
        StationFileError: a profile file that cannot be used, with its own file and lines.
    """
    found = dict(_named(source.data))
    if not found:
        return source
    data: Any = source.data
    devices = dict(data["devices"])
    mistakes = list(source.mistakes)
    for device, name in found.items():
        entry = devices[device]
        keys = ("devices", device, "simulate", "profile")
        path = Path(source.file).parent / name
        if not path.is_file():
            mistakes.append(Mistake(keys, f"there is no profile file {shown(str(path))}", source.line(keys)))
            values: Mapping[str, object] = {}
        else:
            values = read_profile(path, str(entry.get("model")))
        devices[device] = {**entry, "simulate": {**entry["simulate"], "profile": dict(values)}}
    return replace(source, data={**data, "devices": devices}, mistakes=tuple(mistakes))


def _named(data: object) -> Iterator[tuple[str, str]]:
    devices = data.get("devices") if isinstance(data, dict) else None
    for name, device in devices.items() if isinstance(devices, dict) else ():
        simulate = device.get("simulate") if isinstance(device, dict) else None
        profile = simulate.get("profile") if isinstance(simulate, dict) else None
        if isinstance(profile, str):
            yield name, profile


def read_profile(path: Path, model: str) -> dict[str, object]:
    """The values of a profile file, for a device of this model; a model that does not exist is told elsewhere.

    What stands on the plate of the meter that was asked is left out where the device is another model of its family.

    Raises:
        StationFileError: one line `file:line: reason` for every mistake in the file.
    """
    source = read_source(path, PROFILE_FILE)
    mistakes = [*source.mistakes, *_wrong_frame(source)]
    if not mistakes:
        mistakes = [*_wrong_model(source, model), *_wrong_values(source, model)]
    if mistakes:
        raise StationFileError(source.file, mistakes)
    data: Any = source.data
    left_out = () if data["of"]["model"] == model else _ON_THE_PLATE
    return {name: _value(entry) for name, entry in data["profile"].items() if name not in left_out}


def _value(entry: object) -> object:
    return entry["value"] if isinstance(entry, dict) else entry


def _wrong_frame(source: Source) -> Iterator[Mistake]:
    """What is wrong with the sections of the file."""
    data = source.data
    if not isinstance(data, dict):
        yield _mistake(source, (), f"a profile file is a mapping and not {shown(data)}")
        return
    if (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        yield _mistake(source, ("format",), f"must begin with format: {FORMAT} and version: {VERSION}")
        return
    strangers = list(_strangers(source, (), SECTIONS))
    if strangers:  # a section that is missing is most likely one of them
        yield from strangers
        return
    for section in ("of", "profile"):
        if not isinstance(data.get(section), dict):
            yield _mistake(source, (section,), f"must be a mapping, not {shown(data.get(section))}")
    yield from _strangers(source, ("of",), OF)
    for name, entry in data["profile"].items() if isinstance(data.get("profile"), dict) else ():
        if isinstance(entry, dict):
            yield from _strangers(source, ("profile", name), ENTRY)
            if "value" not in entry:
                yield _mistake(source, ("profile", name), "value is missing")


def _strangers(source: Source, keys: Keys, known: tuple[str, ...]) -> Iterator[Mistake]:
    inner: Any = source.data
    for key in keys:
        inner = inner.get(key)
    for name in inner if isinstance(inner, dict) else ():
        if name not in known:
            reason = f"unknown key {shown(name)}{suggestion(name, known)} allowed: {', '.join(known)}"
            yield Mistake(keys, reason, source.line((*keys, name)))


def _wrong_model(source: Source, model: str) -> Iterator[Mistake]:
    """A profile is of one family: its commands and registers are others in the next."""
    data: Any = source.data
    of = data["of"].get("model")
    if of not in MODBUS_MODELS:
        reason = f"{shown(of)} is not a known model{suggestion(of, MODBUS_MODELS)} allowed: {', '.join(MODBUS_MODELS)}"
        yield _mistake(source, ("of", "model"), reason)
    elif model in MODELS and model not in MODBUS_MODELS:
        yield _mistake(source, ("of", "model"), f"this is the profile of a {of}, and the device is an {model}")
    elif model in MODELS and _model(of).family != _model(model).family:
        yield _mistake(source, ("of", "model"), f"this is the profile of a {of}, and the device is a {model}")


def _wrong_values(source: Source, model: str) -> Iterator[Mistake]:
    from simulators.meters.powerlogic.profile import ProfileError, profile_of  # noqa: PLC0415  # few stations need it

    data: Any = source.data
    for name, entry in data["profile"].items() if model in MODBUS_MODELS else ():
        try:
            profile_of(_model(model), {name: _value(entry)})
        except ProfileError as error:
            yield _mistake(source, ("profile", name), str(error))


def _model(name: str) -> Model:
    from protocols.powerlogic.tables import models  # noqa: PLC0415  # as above

    return models()[name]


def _mistake(source: Source, keys: Keys, reason: str) -> Mistake:
    return Mistake(keys, reason, source.line(keys))
