"""What is counted and what leaves the meter: register sources, transformer ratios, pulse outputs, profile channels.

The A1140 and the A1700 number their sources differently; a table of the other model is off by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from protocols.elster.configuration_items import ConfigurationError, Item, Layout, pack_entries, sized, unpack_entries
from protocols.elster.moments import period_code, period_minutes
from protocols.elster.profile import decode_mask, encode_mask
from protocols.elster.tables import Source, source_numbers, sources
from protocols.elster.tables import model as known_model
from protocols.elster.transformers import Kind, Ratio, decode_ratio, encode_ratio

#: What stands for no source where none has that number: the A1140 marks an empty register with FF.
_EMPTY = 0xFF
_PULSE_BYTES = 7
_PULSES = range(1, 1 << 32)
_WIDTHS = range(1, 1 << 16)


def source_names(model: str) -> Mapping[int, str]:
    """The sources of a model by their number, without the one that means none."""
    return {number: source.value for number, source in sources(model).items() if source is not Source.NONE}


def channel_names(model: str) -> tuple[str, ...]:
    """The channels that the load profile of a model can have, in the order of their bits; none without a profile."""
    facts = known_model(model)
    return tuple(facts["channels"][bit] for bit in sorted(facts["channels"])) if facts["profile_channels"] else ()


@dataclass(frozen=True, slots=True)
class RegisterSources:
    """What the TOU registers (667) and the maximum demand registers (668) count; None for nothing."""

    tou: tuple[str | None, ...]
    demand: tuple[str | None, ...]

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its two identities.

        Raises:
            ConfigurationError: a source that the model does not have, or more registers than it has.
        """
        found = {}
        for name, counted in (("tou_sources", self.tou), ("demand_sources", self.demand)):
            item = model.items[name]
            numbers = bytes(_number(source, model) for source in counted)
            if len(numbers) > item.size:
                raise ConfigurationError(f"{name}: {len(numbers)} registers, the {model.model} has {item.size}")
            found[name] = numbers.ljust(item.size, bytes([_no_source(model)]))
        return found

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The sources that lie in its identities, without the unused registers at the end.

        Raises:
            ConfigurationError: a number that is no source of the model.
        """
        return cls(*(_sources(objects, model.items[name], model) for name in ("tou_sources", "demand_sources")))


@dataclass(frozen=True, slots=True)
class Transformers:
    """CT ratio (616) and, on the A1700, VT ratio (614)."""

    ct: Ratio
    vt: Ratio | None = None

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its identities; of one or two of them, by model.

        Raises:
            ConfigurationError: a VT ratio for a model without one or the other way round, or a number too large.
        """
        if ("voltage_transformer" in model.items) != (self.vt is not None):
            raise ConfigurationError(f"the {model.model} has {'a' if self.vt is None else 'no'} VT ratio")
        found = {"current_transformer": encode_ratio(model.model, "ct", self.ct)}
        if self.vt is not None:
            found["voltage_transformer"] = encode_ratio(model.model, "vt", self.vt)
        return found

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The ratios that lie in its identities.

        Raises:
            ConfigurationError: their bytes are missing, too many or too few.
        """
        ct = _decoded(model, "ct", sized(objects, model.items["current_transformer"]))
        if "voltage_transformer" not in model.items:
            return cls(ct)
        return cls(ct, _decoded(model, "vt", sized(objects, model.items["voltage_transformer"])))


@dataclass(frozen=True, slots=True)
class PulseOutput:
    """`constant` pulses for one kWh, kvarh or kVAh of a source, each `width` ms long."""

    source: str
    constant: int
    width: int = 80


@dataclass(frozen=True, slots=True)
class PulseOutputs:
    """The pulse outputs in order."""

    outputs: tuple[PulseOutput, ...]

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its identity.

        Raises:
            ConfigurationError: more than the model has, an unknown source, a number too large.
        """
        for output in self.outputs:
            if output.constant not in _PULSES or output.width not in _WIDTHS:
                raise ConfigurationError(f"{output.constant} pulses of {output.width} ms do not fit")
        entries = [
            bytes([_number(o.source, model)]) + o.constant.to_bytes(4, "little") + o.width.to_bytes(2, "little")
            for o in self.outputs
        ]
        return {"pulse_outputs": pack_entries(entries, model.items["pulse_outputs"].size, "pulse_outputs")}

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The outputs that lie in its identity.

        Raises:
            ConfigurationError: no outputs of the model.
        """
        entries = unpack_entries(sized(objects, model.items["pulse_outputs"]), _PULSE_BYTES, "pulse_outputs")
        outputs = []
        for entry in entries:
            source = source_names(model.model).get(entry[0])
            constant, width = int.from_bytes(entry[1:5], "little"), int.from_bytes(entry[5:], "little")
            if source is None or not constant or not width:
                raise ConfigurationError(f"pulse_outputs: {entry.hex()} is no output")
            outputs.append(PulseOutput(source, constant, width))
        return cls(tuple(outputs))


@dataclass(frozen=True, slots=True)
class ProfileSetup:
    """The channels of the load profile (777), in the order of their bits, and its period in minutes."""

    channels: tuple[str, ...]
    period: int

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its two identities.

        Raises:
            ConfigurationError: a model without a load profile, a channel or a period that it does not have.
        """
        known = channel_names(model.model)
        strange = [name for name in self.channels if name not in known]
        if strange or not known:
            what = f"channel {strange[0]}" if strange else "load profile"
            raise ConfigurationError(f"the {model.model} has no {what}")
        mask = encode_mask(model.model, [Source(name) for name in self.channels])
        return {"profile_mask": mask, "profile_period": bytes([period_code(self.period)])}

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The load profile that lies in its identities.

        Raises:
            ConfigurationError: no load profile of the model.
        """
        if "profile_mask" not in model.items:
            raise ConfigurationError(f"the {model.model} has no load profile")
        channels = decode_mask(model.model, sized(objects, model.items["profile_mask"]))
        code = sized(objects, model.items["profile_period"])[0]
        return cls(tuple(channel.value for channel in channels), period_minutes(code))


def _no_source(model: Layout) -> int:
    return source_numbers(model.model).get(Source.NONE, _EMPTY)


def _number(source: str | None, model: Layout) -> int:
    if source is None:
        return _no_source(model)
    numbers = {name: number for number, name in source_names(model.model).items()}
    if source not in numbers:
        raise ConfigurationError(f"the {model.model} has no source {source}")
    return numbers[source]


def _sources(objects: Mapping[str, bytes], item: Item, model: Layout) -> tuple[str | None, ...]:
    known: dict[int, str | None] = {**source_names(model.model), _no_source(model): None}
    numbers = sized(objects, item).rstrip(bytes([_no_source(model)]))
    strange = [number for number in numbers if number not in known]
    if strange:
        raise ConfigurationError(f"{item.name}: the {model.model} has no source {strange[0]}")
    return tuple(known[number] for number in numbers)


def _decoded(model: Layout, kind: Kind, data: bytes) -> Ratio:
    ratio = decode_ratio(model.model, kind, data)
    if not (ratio.primary and ratio.secondary):
        raise ConfigurationError(f"{data.hex()} is no {kind.upper()} ratio")
    return ratio
