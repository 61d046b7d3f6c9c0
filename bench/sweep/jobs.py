"""The procedures that are swept, and what each of them changes in a meter: old or new, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bench.drivers.powerlogic.series import BUFFER, BUFFER_WORDS
from bench.procedures.programming import RESETS, Programming, change_setup, reset, restart, set_clock
from bench.procedures.transfer_report import TransferReport
from bench.sweep.snapshot import Snapshot, powered
from bench.sweep.stand import Stand
from bench.sweep.tap import writes_to
from protocols.powerlogic.energy import WORDS, Quantity, decode
from protocols.powerlogic.words import signed
from simulators.metering.energy import WH
from simulators.meters.powerlogic.metrology import PARTIAL

Side = Literal["old", "new", "either", "neither"]
#: What a set-up is changed to: one value of the set-up proper, one of the demand, which has a memory of its own.
SETTINGS = {"neutral_ct_primary": 600, "power_demand_interval": 20}
FLOATS = {"enable_floats": 1}
#: What the clock is set to.
MOMENT = datetime(2027, 2, 28, 23, 0, 0)  # noqa: DTZ001  # a meter keeps local time without a zone
_STAMPS = tuple(f"stamps.{name}" for names in RESETS.values() for name in names)


@dataclass(frozen=True, slots=True)
class Story:
    """What has happened to a meter: how it was, how it is, and when the change that ought to hold was made (ns)."""

    stand: Stand
    before: Snapshot
    now: Snapshot
    changed_at: int | None


@dataclass(frozen=True, slots=True)
class Job:
    """One procedure.

    Attributes:
        run: does it, and returns its report.
        command: the command that makes it happen, by name.
        owns: what it may change of the state that a meter keeps.
        parts: each thing that it changes, and on which side it is.
    """

    run: Callable[[Stand], TransferReport | Programming]
    command: str
    owns: tuple[str, ...]
    parts: Callable[[Story], Mapping[str, Side]]


# -- running them ------------------------------------------------------------------------------------------------------


def _transfer(stand: Stand) -> TransferReport:
    return stand.bench.transfer(stand.source, stand.target)


def _set_clock(stand: Stand) -> Programming:
    target = stand.target
    return set_clock(target, MOMENT, armed=stand.bench.arm(target), journal=stand.bench.journal)


def _setup(settings: Mapping[str, int]) -> Callable[[Stand], Programming]:
    def run(stand: Stand) -> Programming:
        target = stand.target
        return change_setup(target, settings, armed=stand.bench.arm(target), journal=stand.bench.journal)

    return run


def _reset(name: str) -> Callable[[Stand], Programming]:
    def run(stand: Stand) -> Programming:
        target = stand.target
        return reset(target, name, armed=stand.bench.arm(target), journal=stand.bench.journal)

    return run


def _restart(stand: Stand) -> Programming:
    target = stand.target
    return restart(target, armed=stand.bench.arm(target), journal=stand.bench.journal)


# -- old or new --------------------------------------------------------------------------------------------------------


def _side(*, old: bool, new: bool) -> Side:
    if old:
        return "either" if new else "old"
    return "new" if new else "neither"


def _energies(story: Story, kind: str, loaded: list[int]) -> dict[str, Side]:
    """Each energy exactly: what was there before and all that was counted, or what was loaded and all since."""
    notices, at = story.stand.notices, story.now.at
    old = story.before.grown(kind, powered(notices, story.before.at, at))
    since = story.changed_at if story.changed_at is not None else at
    new = [
        value + more for value, more in zip(loaded, story.before.growth(kind, powered(notices, since, at)), strict=True)
    ]
    names = [q.title for q in Quantity] if kind == "accumulated" else [f"{kind} {q.title}" for q in PARTIAL]
    found = zip(names, story.now.energies(kind), old, new, strict=True)
    return {name: _side(old=value == before, new=value == after) for name, value, before, after in found}


def _transferred(story: Story) -> dict[str, Side]:
    until = story.now.at if story.changed_at is None else story.changed_at
    words = [signed(word) for word in _buffer(story.stand, until)]
    loaded = [decode(words[i : i + WORDS]) * WH for i in range(0, BUFFER_WORDS, WORDS)]
    return _energies(story, "accumulated", loaded)


def _buffer(stand: Stand, until: int) -> tuple[int, ...]:
    """The words that were in the buffer at an instant, as the wire tells."""
    filled = [write.words for write in writes_to(stand.tap.frames, stand.unit)
              if write.at <= until and write.register == BUFFER and len(write.words) == BUFFER_WORDS]  # fmt: skip
    return filled[-1] if filled else (0,) * BUFFER_WORDS


def _cleared(story: Story) -> dict[str, Side]:
    found: dict[str, Side] = {}
    for kind, count in (("accumulated", len(Quantity)), ("conditional", len(PARTIAL)), ("incremental", len(PARTIAL))):
        found |= _energies(story, kind, [0] * count)
    return found | _stamps(story, RESETS["clear_energies"])


def _stamps(story: Story, names: tuple[str, ...]) -> dict[str, Side]:
    old, new = story.before.state["stamps"], story.now.state["stamps"]
    return {
        name: _side(old=old.get(name) == new.get(name), new=new.get(name) not in (None, old.get(name)))
        for name in names
    }


def _clock(story: Story) -> dict[str, Side]:
    shown = story.now.clock
    old = story.now.shows_at(shown, story.before.at, story.before.clock)
    new = story.changed_at is not None and story.now.shows_at(shown, story.changed_at, MOMENT)
    return {"clock": _side(old=old, new=new)}


def _settings(wanted: Mapping[str, int]) -> Callable[[Story], dict[str, Side]]:
    def parts(story: Story) -> dict[str, Side]:
        old, new = _set_up(story.before), _set_up(story.now)
        return {
            name: _side(old=new.get(name, 0) == old.get(name, 0), new=new.get(name) == value)
            for name, value in wanted.items()
        }

    return parts


def _set_up(snapshot: Snapshot) -> dict[str, int]:
    return {**snapshot.state["config"], "power_demand_interval": snapshot.state["demand"]["interval"] // 60_000_000_000}


def _demand(story: Story) -> dict[str, Side]:
    name = "power_demand_reset_count"
    old, new = story.before.state, story.now.state
    counted = new["config"].get(name, 0) - old["config"].get(name, 0)
    same = all(old["demand"][what] == new["demand"][what] for what in ("peak", "peak_time"))
    return _stamps(story, RESETS["reset_demand"]) | {
        "peaks": _side(old=same, new=not same),
        "count of resets": _side(old=counted == 0, new=counted > 0),
    }


def _extremes(story: Story) -> dict[str, Side]:
    same = story.before.state["extremes"] == story.now.state["extremes"]
    return _stamps(story, RESETS["reset_minmax"]) | {"extremes": _side(old=same, new=not same)}


def _nothing(_story: Story) -> dict[str, Side]:
    return {}


JOBS: dict[str, Job] = {
    "transfer": Job(_transfer, "preset_energies", ("accumulated", "stamps.energy_preset_time"), _transferred),
    "clear-energies": Job(_reset("clear_energies"), "clear_energies",
                          ("accumulated", "conditional", "incremental", "last_increment", *_STAMPS), _cleared),
    "clock": Job(_set_clock, "set_clock", ("clock", "demand.peak_time"), _clock),
    "setup": Job(_setup(SETTINGS), "leave_setup",
                 ("config.neutral_ct_primary", "demand.interval"), _settings(SETTINGS)),
    "floats": Job(_setup(FLOATS), "leave_setup", ("config.enable_floats",), _settings(FLOATS)),
    "demand": Job(_reset("reset_demand"), "reset_demand",
                  ("demand.peak", "demand.peak_time", "config.power_demand_reset_count", *_STAMPS), _demand),
    "extremes": Job(_reset("reset_minmax"), "reset_minmax", ("extremes", *_STAMPS), _extremes),
    "restart": Job(_restart, "soft_reset", (), _nothing),
}  # fmt: skip
