"""Questions about block reads: whether one shows one instant, how long it may be, and what stands in its gaps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from bench.bench import Bench
from bench.characterisation.bracket import MILLISECOND, Bracket
from bench.characterisation.finding import Finding, Unknown, duration_found
from bench.drivers.powerlogic import PowerLogic, Series
from bench.errors import Refused
from bench.procedures.preset import preset_energies
from bench.procedures.reading import growth_of
from bench.safety import Armed
from protocols.modbus.pdu import MAX_READ_REGISTERS
from protocols.powerlogic.energy import WORDS, Quantity, decode
from protocols.powerlogic.words import NOT_AVAILABLE, signed
from simulators.lines.framing import Framing

_SECOND = 1_000_000_000
_TOO_MANY = 3
_COUNT = WORDS * len(Quantity)
_AREA = 8020
#: How many gaps between registers that documents describe are read over, and the longest of them.
_GAPS, _LONGEST_GAP = 3, 20
#: Pairs that count the same under a load in one direction: a part and its total.
_PAIRS = {
    Quantity.REAL_TOTAL: (Quantity.REAL_IN, Quantity.REAL_OUT),
    Quantity.REACTIVE_TOTAL: (Quantity.REACTIVE_IN, Quantity.REACTIVE_OUT),
}
#: A block that takes this long (ns a word) to be read word by word is to be told from one that takes no time.
_SLOW_WORD = 500_000
_LOOKS, _MOST_CARRIES = 400, 60
#: A total stands sixteen words behind its part.
_APART = 16
#: A carry through three words, how long before it (ns) the energies begin, and how long it is waited for.
_CARRY, _WAY, _PATIENCE = 10**12, 800 * MILLISECOND, 20 * _SECOND
#: A part of a span that never comes back to where it was.
_GOLDEN, _DITHER = 618_034, 4 * MILLISECOND
_NS_PER_HOUR = 3_600 * _SECOND
#: So many differences are to be expected before their absence says something: e**-5 is the chance of missing them.
_CERTAIN, _QUITE_CERTAIN = 5, 12
_READS = 20
#: Characters of a read of one register over RTU: eight ask, seven answer.
_FRAMES = 8 + 7


# -- one instant? ------------------------------------------------------------------------------------------------------


def reads_at_once(meter: Series, bench: Bench, armed: Armed) -> Finding | Unknown:
    """Whether the 28 words of one read are of one instant.

    First a part and its total are put to one value: read at one instant they stay equal for ever. If they do not, the
    part of a Wh may have been kept by the preset; then the words are put beside a carry, where a read that takes its
    time shows values that never were.
    """
    first = _Pairs(meter, bench, armed)
    unequal = first.watch()
    if not unequal and first.expected < _CERTAIN:
        return Unknown(f"a larger load: {first.told}")
    if not unequal:
        return Finding(value=True, how=first.told)
    second = _Carries(meter, bench, armed)
    torn = second.watch()
    how = f"{first.told}; {second.told}"
    if torn:
        return Finding(value=False, how=how)
    if second.expected < _QUITE_CERTAIN:
        return Unknown(f"a faster line: {how}")
    return Finding(value=True, how=f"{how}: the part of a Wh is kept, the block is whole")


class _Pairs:
    """Parts and totals that begin at one value and count the same: in a block of one instant they never differ."""

    def __init__(self, meter: Series, bench: Bench, armed: Armed) -> None:
        self._meter = meter
        self._start = dict.fromkeys(Quantity, 5_000_000)
        preset_energies(meter, self._start, armed=armed, journal=bench.journal)
        self._began = bench.clock.now()
        self._clock = bench.clock
        self._moved = 0
        self._unequal = self._looks = 0

    def watch(self) -> int:
        """Look until a pair differs, or until that no pair does says something; returns how many differed."""
        while self._looks < _LOOKS and not self._unequal and self.expected < 2 * _CERTAIN:
            self._look()
        return self._unequal

    def _look(self) -> None:
        values = self._meter.read_energies().values
        grown = {quantity: abs(value - self._start[quantity]) for quantity, value in values.items()}
        self._looks += 1
        self._moved = sum(grown[total] for total in _PAIRS)
        self._unequal += sum(grown[total] != max(grown[part] for part in parts) for total, parts in _PAIRS.items())

    @property
    def expected(self) -> int:
        """How many differences a block that takes its time would have shown by now."""
        span = self._clock.now() - self._began
        return self._moved * self._looks * _APART * _SLOW_WORD // span if span else 0

    @property
    def told(self) -> str:
        """What was seen."""
        return (
            f"{self._looks} reads while the totals moved by {self._moved} Wh: {self._unequal} showed a part and its "
            f"total apart, a word every {_SLOW_WORD // 1000} us had shown some {self.expected}"
        )


class _Carries:
    """Energies put beside a carry through three words, again and again, and read while they pass it."""

    def __init__(self, meter: Series, bench: Bench, armed: Armed) -> None:
        self._meter = meter
        self._bench = bench
        self._armed = armed
        self._growth = growth_of(meter)
        self._near = _CARRY - max(2, int(max(self._growth.ceiling.values()) * _WAY / _NS_PER_HOUR))
        self._commanded = 0
        self._torn = self._carries = self._reads = self._span = self._passed = 0

    def watch(self) -> int:
        """Carry until one is torn, or until that none is says something; returns how many values were torn."""
        while self._carries < _MOST_CARRIES and not self._torn and self.expected < _QUITE_CERTAIN:
            self._carry()
        return self._torn

    def _carry(self) -> None:
        clock, energies = self._bench.clock, dict.fromkeys(Quantity, self._near)
        found = preset_energies(self._meter, energies, armed=self._armed, journal=self._bench.journal)
        self._carries += 1
        self._commanded, began = found.commanded_at, clock.now()
        while clock.now() - began < _PATIENCE:
            values = self._look()
            if all(value >= _CARRY for value in values if value != self._near) and max(values) > _CARRY:
                self._passed += sum(value >= _CARRY for value in values)
                break
        self._span += clock.now() - began

    def _look(self) -> list[int]:
        """Read once, each time a little later than a round would have it: no two trials look at the same instants."""
        self._bench.clock.sleep(self._reads * _GOLDEN % _DITHER)
        words = [signed(word) for word in self._meter.session.read(self._meter.energy_register, _COUNT)]
        values = [decode(words[i : i + WORDS]) for i in range(0, _COUNT, WORDS)]
        self._reads += 1
        since = self._bench.clock.now() - self._commanded
        for quantity, value in zip(Quantity, values, strict=True):
            self._torn += not 0 <= value - self._near <= self._growth.within(quantity, since) + 1
        return values

    @property
    def expected(self) -> int:
        """How many torn values a block that takes its time would have shown by now."""
        return self._passed * (WORDS - 1) * _SLOW_WORD * self._reads // self._span if self._span else 0

    @property
    def told(self) -> str:
        """What was seen."""
        return (
            f"{self._passed} energies in {self._carries} trials read while they carried: {self._torn} values were "
            f"torn, a word every {_SLOW_WORD // 1000} us had torn some {self.expected}"
        )


# -- how soon ----------------------------------------------------------------------------------------------------------


def turnaround(meter: PowerLogic) -> Finding:
    """How long the meter takes to begin its answer: the shortest of twenty reads, less the time of the characters."""
    clock, spans = meter.clock, []
    for _ in range(_READS):
        began = clock.now()
        meter.session.read(meter.energy_register)
        spans.append(clock.now() - began)
    line = _line_time(meter.session.link.settings)
    shortest = max(0, min(spans) - line)
    how = f"the shortest of {_READS} reads of one register"
    how += f", less {line // 1000} us of characters" if line else "; the network's own delay is in it"
    return duration_found(Bracket(max(0, shortest - 2 * MILLISECOND), shortest), how)


def _line_time(settings: Mapping[str, object]) -> int:
    """What the characters of such a request and its answer take (ns), with the silence that ends the request."""
    if "baud" not in settings:
        return 0
    framing = Framing(int(str(settings["baud"])), str(settings["framing"]))
    return framing.time_of(_FRAMES) + framing.silence


# -- how long, and over gaps -------------------------------------------------------------------------------------------


def most_registers(meter: PowerLogic) -> Finding | Unknown:
    """The most registers of one read, in the command area: no other block that documents describe is long enough."""
    if not isinstance(meter, Series):
        return Unknown(f"a block of {MAX_READ_REGISTERS} registers that documents describe")
    if _takes(meter, MAX_READ_REGISTERS):
        return Finding(MAX_READ_REGISTERS, f"{MAX_READ_REGISTERS} registers from {_AREA} are read at once")
    low, high = 1, MAX_READ_REGISTERS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _takes(meter, middle) else (low, middle)
    return Finding(low, f"{low} registers from {_AREA} are read at once, {high} are refused")


def _takes(meter: Series, count: int) -> bool:
    try:
        meter.session.read(_AREA, count)
    except Refused as refusal:
        if refusal.code != _TOO_MANY:
            raise
        return False
    return True


def undefined_read(meter: PowerLogic) -> Finding | Unknown:
    """What a block shows where no document describes a register."""
    answers = []
    for first, count in _gaps(meter):
        try:
            words = meter.session.read(first, count)
        except Refused as refusal:
            answers.append(f"{first}-{first + count - 1}: refused with {refusal.reason}")
            continue
        inner = {signed(word) for word in words[1:-1]}
        shown = "filled" if inner == {signed(NOT_AVAILABLE)} else str(sorted(inner))
        answers.append(f"{first}-{first + count - 1}: {shown}")
    how = "; ".join(answers)
    if any(": filled" in answer for answer in answers):
        return Finding("fill", how)
    if all(": refused" in answer for answer in answers):
        return Finding("refuse", how)
    return Unknown(f"registers that the meter leaves out: {how}")


def _gaps(meter: PowerLogic) -> list[tuple[int, int]]:
    """Blocks (first register, count) that begin and end with a described register and have none between."""
    rows = meter.map.rows
    blocks = [(before.end - 1, after.number - before.end + 2) for before, after in pairwise(rows)]
    return [(first, count) for first, count in blocks if 2 < count <= _LONGEST_GAP][:_GAPS]  # noqa: PLR2004  # two ends
