"""What pydantic finds wrong with a station file, in the words of the station file."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from bench.station.devices import Device
from bench.station.links import LINK_TYPES
from bench.station.mistakes import Mistake, nearest, shown, suggestion
from bench.station.model import Station

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from bench.station.mistakes import Keys
    from bench.station.source import Source

#: What pydantic calls a value of another shape, and what should have stood there.
_SHAPES = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
}


def explained(error: ValidationError, source: Source) -> list[Mistake]:
    """The mistakes that pydantic found in `source`. One about the schema number silences all others."""
    details = error.errors(include_url=False)
    misspelt = {_meant(detail["loc"]) for detail in details if detail["type"] == "extra_forbidden"}
    told = (detail for detail in details if detail["type"] != "missing" or detail["loc"] not in misspelt)
    mistakes = [_mistake(detail, source) for detail in told]
    return [mistake for mistake in mistakes if mistake.keys == ("schema",)] or mistakes


def _mistake(detail: ErrorDetails, source: Source) -> Mistake:
    loc = detail["loc"]
    keys = _keys(loc)
    match detail["type"]:
        case "missing":
            return Mistake(keys[:-1], f"{keys[-1]} is missing", source.line(keys))
        case "extra_forbidden":
            known = _known_keys(loc[:-1])
            hint = suggestion(keys[-1], known)
            reason = f"unknown key {shown(keys[-1])}{hint} allowed: {', '.join(known)}"
            return Mistake(keys[:-1], reason, source.line(keys))
        case "union_tag_not_found":
            return Mistake(keys, f"type is missing; allowed: {', '.join(LINK_TYPES)}", source.line(keys))
        case "union_tag_invalid":
            tag = detail["input"]["type"]
            hint = suggestion(tag, LINK_TYPES)
            reason = f"{shown(tag)} is not a link type{hint} allowed: {', '.join(LINK_TYPES)}"
            return Mistake((*keys, "type"), reason, source.line((*keys, "type")))
        case "too_short":
            return Mistake(keys, "must have at least one entry", source.line(keys))
        case kind:
            shape = _SHAPES.get(kind)
            reason = f"must be {shape}, not {shown(detail['input'])}" if shape else detail["msg"]
            return Mistake(keys, reason, source.line(keys))


def _keys(loc: Keys) -> Keys:
    """The location without what is not in the file: the type of a link, and the mark of a wrong key."""
    match loc:
        case (*rest, "[key]"):
            return tuple(rest)
        case ("links", link, tag, *rest) if tag in LINK_TYPES:
            return ("links", link, *rest)
        case _:
            return loc


def _meant(loc: Keys) -> Keys:
    """The location of an unknown key as it would be without the slip of the pen."""
    return (*loc[:-1], nearest(loc[-1], _known_keys(loc[:-1])) or loc[-1])


def _known_keys(loc: Keys) -> list[str]:
    """The keys that the entry at pydantic's location `loc` may have."""
    match loc:
        case ("links", _, str(tag), *_):
            model: type[BaseModel] | None = LINK_TYPES.get(tag)
        case ("devices", _, *rest):
            model = _inner(Device, rest)
        case _:
            model = _inner(Station, loc)
    fields: Mapping[str, object] = model.model_fields if model else {}
    return [getattr(field, "alias", None) or name for name, field in fields.items()]


def _inner(model: type[BaseModel], names: Keys | list[str | int]) -> type[BaseModel] | None:
    for name in names:
        annotation = model.model_fields[str(name)].annotation
        inner = [
            part
            for part in (annotation, *get_args(annotation))
            if isinstance(part, type) and issubclass(part, BaseModel)
        ]
        if not inner:
            return None
        model = inner[0]
    return model
