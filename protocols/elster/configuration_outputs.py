"""What is counted and what leaves the meter: register sources, transformer ratios, pulse outputs, profile channels.

The A1140 and the A1700 number their sources differently; a table of the other model is off by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from protocols.elster.configuration_billing import PERIODS
from protocols.elster.configuration_items import ConfigurationError, Item, Layout, pack_entries, sized, unpack_entries

#: Sources of registers and outputs by their number in the meter (head-end software, one source).
_A1140 = ("import", "export", "q1", "q2", "q3", "q4", "va_import", "va_export")
_A1700 = ("import", "export", "q1", "q2", "q3", "q4", "va", "customer_1", "customer_2", "customer_3",
          "input_1", "input_2", "input_3", "input_4")  # fmt: skip
_OF_A1140 = {**dict(enumerate(_A1140)), 14: "customer_1", 15: "customer_2"}
SOURCES: Mapping[str, Mapping[int, str]] = {
    "A1120": _OF_A1140,
    "A1140": _OF_A1140,
    "A1700": dict(enumerate(_A1700, 1)),
}
#: What stands for no source: the A1700 counts from one, the A1140 marks an empty register with FF.
NO_SOURCE: Mapping[str, int] = {"A1120": 0xFF, "A1140": 0xFF, "A1700": 0}
#: Load-profile channels by their bit in the mask. Bit 7 of an A1700 is the daylight saving flag; the order of its bits
#: 8 to 14 is assumed.
CHANNELS: Mapping[str, Mapping[int, str]] = {
    "A1140": {**dict(enumerate(_A1140)), 14: "customer_1", 15: "customer_2"},
    "A1700": {**dict(enumerate(_A1700[:7])), **dict(enumerate(_A1700[7:], 8))},
}
_PULSE_BYTES = 7
_PULSES = range(1, 1 << 32)
_WIDTHS = range(1, 1 << 16)


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
        for name, sources in (("tou_sources", self.tou), ("demand_sources", self.demand)):
            item = model.items[name]
            numbers = bytes(_number(source, model) for source in sources)
            if len(numbers) > item.size:
                raise ConfigurationError(f"{name}: {len(numbers)} registers, the {model.model} has {item.size}")
            found[name] = numbers.ljust(item.size, bytes([NO_SOURCE[model.model]]))
        return found

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The sources that lie in its identities, without the unused registers at the end.

        Raises:
            ConfigurationError: a number that is no source of the model.
        """
        return cls(*(_sources(objects, model.items[name], model) for name in ("tou_sources", "demand_sources")))


@dataclass(frozen=True, slots=True)
class Ratio:
    """Primary and secondary in hundredths of an ampere or a volt."""

    primary: int
    secondary: int


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
        found = {"current_transformer": _encode_ratio(self.ct, model.items["current_transformer"])}
        if self.vt is not None:
            found["voltage_transformer"] = _encode_ratio(self.vt, model.items["voltage_transformer"])
        return found

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The ratios that lie in its identities.

        Raises:
            ConfigurationError: their bytes are missing, too many or too few.
        """
        ct, vt = (
            _decode_ratio(sized(objects, model.items[name])) if name in model.items else None
            for name in ("current_transformer", "voltage_transformer")
        )
        assert ct is not None
        return cls(ct, vt)


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
            source = SOURCES[model.model].get(entry[0])
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
        bits = {name: bit for bit, name in CHANNELS.get(model.model, {}).items()}
        strange = [name for name in self.channels if name not in bits]
        if strange or not bits or self.period not in PERIODS:
            what = f"channel {strange[0]}" if strange else f"load profile of {self.period} min"
            raise ConfigurationError(f"the {model.model} has no {what}")
        mask = sum(1 << bits[name] for name in set(self.channels))
        return {"profile_mask": mask.to_bytes(2, "big"), "profile_period": bytes([PERIODS.index(self.period)])}

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The load profile that lies in its identities.

        Raises:
            ConfigurationError: no load profile of the model.
        """
        known = CHANNELS.get(model.model)
        if known is None:
            raise ConfigurationError(f"the {model.model} has no load profile")
        mask = int.from_bytes(sized(objects, model.items["profile_mask"]), "big")
        code = sized(objects, model.items["profile_period"])[0]
        if mask & ~sum(1 << bit for bit in known) or code >= len(PERIODS):
            raise ConfigurationError(f"mask {mask:04X} with period code {code} is no load profile of an {model.model}")
        return cls(tuple(name for bit, name in sorted(known.items()) if mask >> bit & 1), PERIODS[code])


def _number(source: str | None, model: Layout) -> int:
    if source is None:
        return NO_SOURCE[model.model]
    numbers = {name: number for number, name in SOURCES[model.model].items()}
    if source not in numbers:
        raise ConfigurationError(f"the {model.model} has no source {source}")
    return numbers[source]


def _sources(objects: Mapping[str, bytes], item: Item, model: Layout) -> tuple[str | None, ...]:
    known: dict[int, str | None] = {**SOURCES[model.model], NO_SOURCE[model.model]: None}
    numbers = sized(objects, item).rstrip(bytes([NO_SOURCE[model.model]]))
    strange = [number for number in numbers if number not in known]
    if strange:
        raise ConfigurationError(f"{item.name}: the {model.model} has no source {strange[0]}")
    return tuple(known[number] for number in numbers)


def _encode_ratio(ratio: Ratio, item: Item) -> bytes:
    rest = item.size - 4
    if not (1 <= ratio.primary < 1 << 32 and 1 <= ratio.secondary < 1 << 8 * rest):
        raise ConfigurationError(f"{item.name}: {ratio.primary}:{ratio.secondary} hundredths do not fit")
    return ratio.primary.to_bytes(4, "little") + ratio.secondary.to_bytes(rest, "little")


def _decode_ratio(data: bytes) -> Ratio:
    ratio = Ratio(int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little"))
    if not (ratio.primary and ratio.secondary):
        raise ConfigurationError(f"{data.hex()} is no ratio")
    return ratio
