"""What pydantic finds wrong with a scheme or a meter list, in the words of the file.

Of what stands under `passwords` or `password` nothing is told but its line: it may be the password itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from bench.station.mistakes import Mistake, shown, suggestion, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from bench.station.mistakes import Keys
    from bench.station.source import FileKind, Source

_SHAPES = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_SECRET = frozenset({"passwords", "password"})
_LEVEL = "must name a level and where its password is found, as in 3: {env: NAME}; what stands there is not shown"
_REFERENCE = "must be a reference such as {env: METER_PASSWORD}; what stands there is not shown"


def explained(error: ValidationError, model: type[BaseModel], source: Source, kind: FileKind) -> list[Mistake]:
    """The mistakes that pydantic found in `source`, read as `model`; another file altogether is one mistake."""
    first = kind.begins.partition(":")[0]
    if isinstance(source.data, dict) and first not in source.data:
        return [Mistake((), f"this is no {kind.name}; a {kind.name} begins with {kind.begins}", source.line(()))]
    details = (d for d in error.errors(include_url=False) if d["type"] != "too_short" or not d["input"])
    return [*dict.fromkeys(_mistake(detail, model, source) for detail in details)]  # a wrong entry is no missing one


def _mistake(detail: ErrorDetails, model: type[BaseModel], source: Source) -> Mistake:
    keys: Keys = tuple(key for key in detail["loc"] if key != "[key]")
    line = source.line(keys)
    open_keys = without_secrets(keys)
    if _SECRET.intersection(keys) and not (detail["type"] == "extra_forbidden" and keys[-1] in _SECRET):
        return Mistake(open_keys, _LEVEL if open_keys[-1:] == ("passwords",) else _REFERENCE, line)
    match detail["type"]:
        case "missing":
            return Mistake(keys[:-1], f"{keys[-1]} is missing", line)
        case "extra_forbidden":
            known = [*_keys_of(model, keys[:-1])]
            reason = f"unknown key {shown(keys[-1])}{suggestion(keys[-1], known)} allowed: {', '.join(known)}"
            return Mistake(keys[:-1], reason, line)
        case "too_short":
            return Mistake(keys, "must have at least one entry", line)
        case kind:
            shape = _SHAPES.get(kind)
            return Mistake(keys, f"must be {shape}, not {shown(detail['input'])}" if shape else detail["msg"], line)


def _keys_of(model: type[BaseModel], keys: Sequence[str | int]) -> Iterator[str]:
    """The keys that the entry at `keys` may have."""
    for key in keys:
        field = next((f for name, f in model.model_fields.items() if key in {name, f.alias}), None)
        if field is not None:
            inner = next(_models_in(field.annotation), None)
            if inner is None:
                return
            model = inner
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
