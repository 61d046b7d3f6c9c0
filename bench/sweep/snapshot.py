"""What a meter keeps, exactly, and what it ought to keep later: nothing is rounded, so nothing has a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.sweep.stand import Notices
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.state import state_of

#: Which of the seven energies the five conditional and incremental ones are.
_FIVE = (0, 1, 2, 3, 6)
#: A clock is looked at in microseconds and drifts.
_CLOCK_SLACK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a meter keeps at an instant (ns), and at which rates (mW, mvar, mVA) its seven energies grow."""

    at: int
    state: dict[str, Any]
    rates: tuple[int, ...]

    def energies(self, kind: str = "accumulated") -> list[int]:
        """Accumulated, conditional or incremental energies, picojoule."""
        found: list[int] = self.state[kind]
        return found

    @property
    def clock(self) -> datetime:
        """What the clock shows."""
        return datetime.fromisoformat(self.state["clock"])

    def grown(self, kind: str, powered: int) -> list[int]:
        """The energies of this snapshot after `powered` ns more with the supply on."""
        return [old + more for old, more in zip(self.energies(kind), self.growth(kind, powered), strict=True)]

    def growth(self, kind: str, powered: int) -> list[int]:
        """What is counted in `powered` ns."""
        rates = self.rates if kind == "accumulated" else [self.rates[index] for index in _FIVE]
        return [rate * powered for rate in rates]

    def shows_at(self, clock: datetime, since: int, shown: datetime) -> bool:
        """Whether a clock that showed `shown` at the instant `since` (ns) can show `clock` now."""
        return abs(clock - shown - timedelta(microseconds=(self.at - since) // 1000)) <= _CLOCK_SLACK


def take(meter: Meter, now: int) -> Snapshot:
    """A snapshot of a meter that has its supply."""
    return Snapshot(now, state_of(meter, now), meter.energy_rates())


def powered(notices: Notices, since: int, until: int) -> int:
    """How long (ns) the meter had its supply between two instants."""
    whole = until - since
    for place, (step, lost) in enumerate(notices.steps):
        if step == "supply lost":  # the next start in order: one of the same instant may have come before
            back = next((at for name, at in notices.steps[place:] if name == "start"), until)
            whole -= max(0, min(back, until) - max(lost, since))
    return whole


def last_kept_change(notices: Notices, save_time: int, until: int, since: int = 0) -> int | None:
    """The latest change (ns) that no cut has taken back, for a meter that saves everything after `save_time` ns."""
    cuts = [at for at in notices.of("supply lost") if at <= until]
    changes = [at for at in notices.of("changed") if since <= at <= until]
    kept = [at for at in changes if not any(at <= cut < at + save_time for cut in cuts)]
    return max(kept, default=None)


def differing(before: Snapshot, now: Snapshot, since_powered: int, owned: Sequence[str]) -> list[str]:
    """What is otherwise than time and load explain, beside what the procedure owns; one line each."""
    found = [
        f"{kind} energies {now.energies(kind)} instead of {before.grown(kind, since_powered)} pJ"
        for kind in ("accumulated", "conditional", "incremental")
        if kind not in owned and now.energies(kind) != before.grown(kind, since_powered)
    ]
    if "clock" not in owned and not now.shows_at(now.clock, before.at, before.clock):
        found.append(f"clock {now.clock}, {before.clock} at {before.at} ns")
    old, new = _plain(before.state, owned), _plain(now.state, owned)
    return found + [
        f"{name}: {old.get(name)} became {new.get(name)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


#: What moves by itself.
_MOVING = ("accumulated", "conditional", "incremental", "clock", "demand.last", "demand.interval_count",
           "demand.subinterval_count", "area")  # fmt: skip


def _plain(state: dict[str, Any], owned: Sequence[str]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in state.items():
        inner = value.items() if isinstance(value, dict) else (("", value),)
        flat.update({f"{name}.{key}".rstrip("."): it for key, it in inner})
    return {name: it for name, it in flat.items() if name not in (*_MOVING, *owned) and name.split(".")[0] not in owned}
