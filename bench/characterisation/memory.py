"""Questions about resets and power cuts: how long the meter is away, what it forgets, and how soon a change is safe."""

from __future__ import annotations

from bench.bench import Bench
from bench.characterisation.bracket import MILLISECOND, Bracket, narrow
from bench.characterisation.finding import Finding, Unknown, duration_found
from bench.characterisation.timing import command_time
from bench.drivers.powerlogic import Series
from bench.errors import DeviceError, NoAnswer, StationError, Undeterminable
from bench.procedures.preset import preset_energies
from bench.safety import Armed
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import command_code

_SECOND = 1_000_000_000
#: After so long a meter that was reset will not come back.
_PATIENCE = 180 * _SECOND
#: After so long a meter that still answers has not gone away, or was not seen to.
_STAYS = 20 * _SECOND
_POLL = 100 * MILLISECOND
_POINTERS = (8140, 8141, 8110)
_WORD, _MARK = 8120, 12_345
#: How long (ns) a change is left before the supply goes, one trial after the other until it stays.
_WAITS = (0, 1 * _SECOND, 3 * _SECOND, 10 * _SECOND, 30 * _SECOND)
_OFF = _SECOND


# -- resets ------------------------------------------------------------------------------------------------------------


def boot_time(meter: Series, armed: Armed) -> Finding | Unknown:
    """How long the meter is silent after a soft reset (1110), less what the command itself takes.

    Raises:
        NoAnswer: it does not come back.
    """
    most, width = (8, 20 * MILLISECOND) if meter.clock.virtual else (3, 200 * MILLISECOND)
    command = command_time(meter, armed, "clear_counters", most=4)
    first = _silence(meter, armed)
    if first is None:
        return Unknown(f"a reset that can be seen: after 1110 the meter answered for {_STAYS // _SECOND} s on end")
    away = narrow(lambda after: _look(meter, armed, after), first, width=width, most=most)
    return duration_found(away.minus(command), "1110, then asked until it answered, then asked once in each trial")


def _reset(meter: Series, armed: Armed) -> tuple[int, int]:
    """Reset the meter; returns the instants (ns) between which it heard the command."""
    began = meter.clock.now()
    meter.issue(armed, command_code(meter.model.family, "soft_reset"))
    return began, meter.clock.now()


def _silence(meter: Series, armed: Armed) -> Bracket | None:
    """Reset the meter and ask all the time: how long it was away, None if it never was.

    What it still answers before it goes does not count.

    Raises:
        NoAnswer: it does not come back.
    """
    (began, heard), last, gone = _reset(meter, armed), 0, False
    while meter.clock.now() - began < _PATIENCE:
        at = meter.clock.now() - heard
        if not _answers(meter):
            last, gone = at, True
        elif gone:
            return Bracket(last, meter.clock.now() - began)
        elif at > _STAYS:
            return None
        meter.clock.sleep(_POLL)
    raise NoAnswer(f"still silent {_PATIENCE // _SECOND} s after a soft reset", device=meter.name)


def _look(meter: Series, armed: Armed, after: int) -> tuple[int, bool]:
    """Reset the meter and ask once, so long (ns) after it: by when it was there, or until when it was away."""
    began, heard = _reset(meter, armed)
    meter.clock.sleep(heard + after - meter.clock.now())
    asked = meter.clock.now()
    if _answers(meter):
        return meter.clock.now() - began, True
    meter.wait_until_it_answers(_PATIENCE)
    return asked - heard, False


def _answers(meter: Series) -> bool:
    """Whether a read is answered the first time it is asked."""
    before = meter.session.retried
    try:
        meter.session.read(meter.energy_register)
    except (DeviceError, StationError):
        return False
    return meter.session.retried == before


def keeps_pointers(meter: Series, armed: Armed) -> Finding | Unknown:
    """Whether pointers and user area survive a soft reset."""
    meter.aim_pointers(armed, status=_POINTERS[0], result=_POINTERS[1], data=_POINTERS[2])
    meter.session.write(armed, _WORD, _MARK)
    try:
        _reset(meter, armed)
        meter.clock.sleep(2 * _SECOND)
        meter.wait_until_it_answers(_PATIENCE)
        pointers, word = meter.read_pointers(), meter.session.read(_WORD)[0]
    finally:
        meter.clear_pointers(armed)
        meter.session.write(armed, _WORD, 0)
    how = f"after a soft reset 8017-8019 hold {', '.join(map(str, pointers))} and {_WORD} holds {word}"
    if (pointers, word) == (_POINTERS, _MARK):
        return Finding(value=True, how=how)
    if (pointers, word) == ((0, 0, 0), 0):
        return Finding(value=False, how=how)
    return Unknown(f"a profile value for this: {how}")


# -- power cuts --------------------------------------------------------------------------------------------------------


def save_time(meter: Series, bench: Bench, armed: Armed) -> Finding | Unknown:
    """How long after a preset a power cut still takes it back; the shorter the cut is known, the sharper."""
    if not bench.supplies.can_cycle(meter.name):
        return Unknown(f"power control of {meter.name}")
    try:
        return _saved_after(_Cuts(meter, bench, armed))
    except Undeterminable as error:
        return Unknown(error.lacks)


def _saved_after(trials: _Cuts) -> Finding | Unknown:
    lost = 0
    for wait in _WAITS:
        kept_at, survived = trials.cut(wait)
        if survived:
            width, most = (20 * MILLISECOND, 10) if trials.virtual else (500 * MILLISECOND, 3)
            found = narrow(trials.cut, Bracket(lost, kept_at), width=width, most=most) if lost else Bracket(0, kept_at)
            return trials.told(found, never_lost=not lost)
        lost = trials.earliest
    return Unknown(f"a preset that is ever saved: {_WAITS[-1] // _SECOND} s after it a power cut still took it back")


class _Cuts:
    """Power cuts after presets: each loads other energies, cuts, and looks which are there."""

    def __init__(self, meter: Series, bench: Bench, armed: Armed) -> None:
        self._meter = meter
        self._bench = bench
        self._armed = armed
        self._number = 0
        self.virtual = bench.clock.virtual
        #: How long (ns) after the last preset its cut came, at the least.
        self.earliest = 0

    def cut(self, wait: int) -> tuple[int, bool]:
        """Preset, wait, cut; returns when the cut was (ns after the preset, at the latest if it survived)."""
        meter, bench = self._meter, self._bench
        self._number += 1
        energies = dict.fromkeys(Quantity, self._number * 10**12)
        found = preset_energies(meter, energies, armed=self._armed, journal=bench.journal)
        loaded = bench.clock.now()  # at the latest; at the earliest when it was commanded
        bench.clock.sleep(found.commanded_at + wait - loaded)
        bench.journal.audit("power cycle", device=meter.name, off=_OFF)
        earliest = bench.clock.now()
        bench.supplies.cycle(meter.name, _OFF)
        latest = bench.supplies.lost_by[meter.name]
        meter.wait_until_it_answers(_PATIENCE)
        shown = meter.read_energies()[Quantity.APPARENT_TOTAL]
        survived = shown // 10**12 == self._number
        self.earliest = max(0, earliest - loaded)
        return (latest - found.commanded_at if survived else self.earliest), survived

    def told(self, found: Bracket, *, never_lost: bool) -> Finding:
        """The finding; where no cut came soon enough to lose anything, none of the time is known but its end."""
        if never_lost:
            high = duration_found(Bracket(found.high, found.high), "").value
            how = f"the supply cut right after a preset, {high} after its command at the latest: nothing was lost"
            return Finding("0 s", how, f"at most {high}")
        return duration_found(found, f"presets and power cuts, {self._number} of each: lost before, kept after")
