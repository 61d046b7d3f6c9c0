"""What is to be written into one meter: a scheme for its model with its passwords, or a snapshot to restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.errors import UsageError
from bench.scheme.model import Scheme
from bench.scheme.sections import sections_of
from protocols.elster.configuration import (
    ConfigurationError,
    Item,
    Passwords,
    encode_text,
    layout,
)


@dataclass(frozen=True, slots=True)
class Write:
    """One identity and the bytes it is to hold; they are not told, because they may be a password."""

    item: Item
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that goes into a meter, in order; the scheme id (795) comes last and is kept apart.

    Attributes:
        model: A1120, A1140 or A1700.
        name: the scheme's id, as a person calls it.
        version: of the scheme, 0 for a meter's own state.
        scheme_id: what 795 is to hold.
        writes: sections in order, then passwords.
        set_clock: whether the meter's clock is set as well.
        firmware: patterns of the firmware it is for, none for any.
    """

    model: str
    name: str
    version: int
    scheme_id: Write
    writes: tuple[Write, ...]
    set_clock: bool = False
    firmware: tuple[str, ...] = ()

    @property
    def level(self) -> int:
        """The level that everything in it needs."""
        return max(write.item.write_level for write in (*self.writes, self.scheme_id))

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections it writes, in order."""
        return tuple(dict.fromkeys(write.item.section for write in self.writes))


def plan_of(scheme: Scheme, model: str, environ: Mapping[str, str]) -> Plan:
    """What a scheme writes into a meter of `model`; passwords come from `environ`.

    Raises:
        UsageError: the scheme is for another model, or a password is missing or no password (which is not told).
    """
    if model not in scheme.models:
        reason = f"scheme {scheme.called} is for {', '.join(scheme.models)}, not for an {model}"
        raise UsageError(reason, scheme.file, scheme.line("models"))
    plan_layout = layout(model)
    writes = [
        Write(plan_layout.items[name], data)
        for section in sections_of(scheme).values()
        for name, data in section.encode(plan_layout).items()
    ]
    passwords = _passwords(scheme, environ)
    try:
        writes += [Write(plan_layout.items[name], data) for name, data in passwords.encode(plan_layout).items()]
    except ConfigurationError as error:
        raise UsageError(str(error), scheme.file, scheme.line("passwords")) from None
    return Plan(
        model,
        scheme.called,
        scheme.version,
        Write(plan_layout.items["scheme_id"], encode_text(scheme.id, plan_layout.items["scheme_id"])),
        tuple(writes),
        set_clock=scheme.clock is not None and scheme.clock.set,
        firmware=scheme.firmware,
    )


def _passwords(scheme: Scheme, environ: Mapping[str, str]) -> Passwords:
    found = {}
    for level, entry in scheme.passwords.items():
        password = environ.get(entry.env)
        if not password:  # the variable is not named: somebody may have put the password where its name belongs
            reason = f"passwords.{level}: the environment variable that it names is not set"
            raise UsageError(reason, scheme.file, scheme.line("passwords", level))
        found[int(level)] = password
    return Passwords(found)


def readable_plan(scheme: Scheme, model: str) -> Plan:
    """The plan without passwords: for comparing with a meter, which shows none.

    Raises:
        UsageError: the scheme is for another model.
    """
    return plan_of(scheme.without_passwords(), model, {})
