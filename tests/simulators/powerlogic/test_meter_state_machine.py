"""The command interface against a reference that knows nothing of it: pointers, buffer, setup mode, supply, result.

The reference is what powerlogic manuals say, in forty lines: a command runs 150 ms after its code is written, its
result goes where pointer #2 aims, a preset takes the 28 words that pointer #3 aims at or none of them, setup mode keeps
a draft for two minutes, and a reset or a loss of supply takes with it what was volatile.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from meter_desk import IN_SERVICE, MS, SECOND, Desk, refused

from protocols.powerlogic.energy import SERIES_ORDER, decode, encode_set
from simulators.power.feeder import Load

WORDS, CT = 28, 3201
EXECUTION, BOOT, TIMEOUT = 150 * MS, 8 * SECOND, 120 * SECOND
AREA = range(8000, 8150)
VALUES = st.sampled_from([0, 1, 2, 8017, 8020, 8021, 8022, 8122, 8123, 9999, 10000, -9999])


class CommandInterface(RuleBasedStateMachine):
    """A PM850 without a load, and what ought to be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk("PM850", Load(0))
        self.desk.now = 60 * SECOND
        self.area = dict.fromkeys(AREA, 0)
        self.energies = [IN_SERVICE[quantity] for quantity in SERIES_ORDER]
        self.ratio = self.desk.word(CT)
        self.draft: dict[int, int] | None = None
        self.touched = 0
        self.due: list[tuple[int, int]] = []
        self.listens_from = 0
        self.supplied = True

    # -- the reference ------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        while self.due and self.due[0][0] <= self.desk.now:
            when, code = self.due.pop(0)
            self.time_out(when)
            self.execute(code, when)
        self.time_out(self.desk.now)

    def time_out(self, now: int) -> None:
        if self.draft is not None and now - self.touched > TIMEOUT:
            self.draft = None

    def execute(self, code: int, when: int) -> None:
        pointer = self.area[8018]
        commands = {
            6209: self.preset,
            6211: self.clear,
            9020: lambda: self.enter(when),
            9021: lambda: self.leave(when),
            1110: lambda: self.reset(when),
        }
        result = commands.get(code, lambda: 81)()
        if result is not None and pointer in range(8020, 8150):
            status = self.area[8017]
            if status in range(8020, 8150):
                self.area[status] = code
            self.area[pointer] = result
        elif result is not None and self.area[8017] in range(8020, 8150):
            self.area[self.area[8017]] = code

    def preset(self) -> int:
        start = self.area[8019]
        if not 8020 <= start <= 8150 - WORDS:
            return 82
        words = [self.area[start + k] for k in range(WORDS)]
        words = [word - 65536 if word > 32767 else word for word in words]
        if any(abs(word) > 9999 for word in words):
            return 82
        self.energies = [decode(words[k : k + 4]) for k in range(0, WORDS, 4)]
        return 0

    def clear(self) -> int:
        self.energies = [0] * len(SERIES_ORDER)
        return 0

    def enter(self, when: int) -> int:
        if self.draft is not None:
            return 81
        self.draft, self.touched = {}, when
        return 0

    def leave(self, when: int) -> int | None:
        if self.draft is None:
            return 81
        draft, self.draft = self.draft, None
        if self.area[8001] != 1:
            return 0
        self.ratio = draft.get(CT, self.ratio)
        self.reset(when)
        return None

    def reset(self, when: int) -> None:
        self.area = dict.fromkeys(AREA, 0)
        self.draft = None
        self.due.clear()
        self.listens_from = when + BOOT

    def listening(self) -> bool:
        self.settle()
        return self.supplied and self.desk.now >= self.listens_from

    # -- what can happen ----------------------------------------------------------------------------------------------

    @rule(span=st.sampled_from([1, 149 * MS, 150 * MS, SECOND, 8 * SECOND, 120 * SECOND, 120 * SECOND + 1]))
    def wait(self, span: int) -> None:
        self.desk.wait(span)
        self.settle()

    @precondition(lambda self: self.listening())
    @rule(
        first=st.sampled_from([8001, 8017, 8018, 8019, 8020, 8022, 8050, 8122]),
        values=st.lists(VALUES, min_size=1, max_size=3),
    )
    def write(self, first: int, values: list[int]) -> None:
        self.desk.write(first, *values)
        self.area.update({first + k: value & 0xFFFF for k, value in enumerate(values)})
        self.touched = self.desk.now

    @precondition(lambda self: self.listening())
    @rule(start=st.sampled_from([8022, 8050]), value=st.integers(-(10**16) + 1, 10**16 - 1))
    def fill(self, start: int, value: int) -> None:
        words = encode_set(dict.fromkeys(SERIES_ORDER, value))
        self.desk.write(start, *words)
        self.area.update({start + k: word & 0xFFFF for k, word in enumerate(words)})
        self.touched = self.desk.now

    @precondition(lambda self: self.listening())
    @rule(code=st.sampled_from([6209, 6209, 6211, 9020, 9020, 9021, 1110, 7777]))
    def command(self, code: int) -> None:
        self.desk.poke(8000, code)
        self.area[8000] = code
        self.touched = self.desk.now
        self.due.append((self.desk.now + EXECUTION, code))

    @precondition(lambda self: self.listening())
    @rule(value=st.integers(1, 32767))
    def ratio_is_written(self, value: int) -> None:
        answer = refused(self.desk, lambda desk: desk.poke(CT, value))
        assert answer == (None if self.draft is not None else 2)
        if self.draft is not None:
            self.draft[CT] = value
            self.touched = self.desk.now

    @precondition(lambda self: self.listening() and self.draft is None)
    @rule(value=st.integers(1, 32767))
    def a_draft_is_made(self, value: int) -> None:
        self.command(9020)
        self.wait(EXECUTION)
        if self.listening():
            self.ratio_is_written(value)

    @precondition(lambda self: self.listening())
    @rule(value=st.integers(-(10**16) + 1, 10**16 - 1))
    def a_preset_is_prepared(self, value: int) -> None:
        self.write(8017, [8020, 8021, 8022])
        self.fill(8022, value)

    @precondition(lambda self: self.supplied)
    @rule(off=st.sampled_from([1, 200 * MS, 10 * SECOND]))
    def supply_fails(self, off: int) -> None:
        self.settle()
        self.desk.supply(on=False)
        self.desk.wait(off)
        self.desk.supply(on=True)
        self.reset(self.desk.now)

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def the_meter_is_what_the_reference_says(self) -> None:
        assert self.desk.listens() == self.listening()
        if not self.listening():
            return
        assert list(self.desk.energies().values()) == self.energies
        for part in (range(8000, 8016), range(8017, 8150)):  # no manual says what 8016 is
            assert self.desk.read(part.start, len(part)) == [self.area[register] for register in part]
        assert self.desk.word(CT) == (self.draft or {}).get(CT, self.ratio)


CommandInterface.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCommandInterface = CommandInterface.TestCase
