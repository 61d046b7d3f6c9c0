"""What a meter must refuse, and that a refusal leaves everything as it was."""

from bench.bench import Bench
from bench.drivers.powerlogic import Series
from bench.errors import NoAnswer, Refused
from bench.measure import Measure
from bench.procedures.preset import preset_words
from bench.procedures.reading import growth_of
from protocols.powerlogic.energy import Quantity, encode_set
from protocols.powerlogic.tables import commands
from scenarios.marks import catches, destructive

INVALID_COMMAND, INVALID_PARAMETERS = 81, 82
SOMETHING = encode_set({quantity: 1_234_567 + 1000 * index for index, quantity in enumerate(Quantity)})
TOO_MUCH, LEAST = 10_000, 1_000_000


def judge_unchanged(before: dict[Quantity, int], meter: Series, measure: Measure, since: int, what: str) -> None:
    """The energies are those of before and what the load has added since the instant `since`."""
    growth = growth_of(meter)
    after = meter.read_energies()
    wrong = [
        f"{quantity.title} {before[quantity]} became {after[quantity]}"
        for quantity in Quantity
        if not -growth.down(quantity, after.answered_at - since)
        <= after[quantity] - before[quantity]
        <= growth.within(quantity, after.answered_at - since)
    ]
    measure(f"energies after {what}", "; ".join(wrong) or "unchanged", device=meter.name).is_("unchanged")


@destructive("tries presets that must be refused")
@catches("D07", "D08", "D09", "D11")
def test_one_word_out_of_range_refuses_the_whole_preset(fresh: Series, bench: Bench, measure: Measure) -> None:
    """At each of the 28 places, a word beyond 9999 is answered with 82 and nothing is applied."""
    armed = bench.arm(fresh)
    for place in range(len(SOMETHING)):
        words = list(SOMETHING)
        words[place] = TOO_MUCH if place % 2 else -TOO_MUCH
        since, before = bench.clock.now(), fresh.read_energies()
        found = preset_words(fresh, words, armed=armed, journal=bench.journal)
        measure(f"result with word {place + 1} out of range", found.result, device=fresh.name).is_(INVALID_PARAMETERS)
        judge_unchanged(before.values, fresh, measure, since, f"word {place + 1} out of range")


@destructive("sends a command that must be refused")
@catches("D14")
def test_an_unknown_command_is_refused(fresh: Series, bench: Bench, measure: Measure) -> None:
    """6290 for 6209 is answered with 81 and changes nothing."""
    since, before = bench.clock.now(), fresh.read_energies()
    found = preset_words(fresh, SOMETHING, armed=bench.arm(fresh), journal=bench.journal, code=6290)
    measure("result of 6290", found.result, device=fresh.name).is_(INVALID_COMMAND)
    judge_unchanged(before.values, fresh, measure, since, "an unknown command")


@destructive("sends a preset without a buffer, which must be refused")
def test_a_preset_without_a_buffer_is_refused(fresh: Series, bench: Bench, measure: Measure) -> None:
    """With pointer 8019 at nothing there is nothing to load: 82, and nothing changes."""
    since, before = bench.clock.now(), fresh.read_energies()
    found = preset_words(fresh, SOMETHING, armed=bench.arm(fresh), journal=bench.journal, data=0)
    measure("result without a buffer", found.result, device=fresh.name).is_(INVALID_PARAMETERS)
    judge_unchanged(before.values, fresh, measure, since, "a preset without a buffer")


@destructive("writes to the live energy registers, which must be refused")
@catches("D30")
def test_the_live_energies_take_no_direct_write(fresh: Series, bench: Bench, measure: Measure) -> None:
    """Registers 1700-1727 change through the command and through nothing else."""
    since, before = bench.clock.now(), fresh.read_energies()
    bench.journal.audit("write", device=fresh.name, registers="1700", values=[4321])
    try:
        fresh.session.write(bench.arm(fresh), fresh.energy_register + 1, 4321)
    except Refused as error:
        measure("answer to a direct write", "refused", device=fresh.name, note=str(error)).is_("refused")
    judge_unchanged(before.values, fresh, measure, since, "a direct write")


@destructive("fills the buffer, which must change nothing by itself")
def test_the_buffer_is_not_live(fresh: Series, bench: Bench, measure: Measure) -> None:
    """Words in the buffer are harmless until the command copies them."""
    since, before = bench.clock.now(), fresh.read_energies()
    bench.journal.audit("write", device=fresh.name, registers="8022-8049", values=list(SOMETHING))
    fresh.session.write_block(bench.arm(fresh), 8022, SOMETHING)
    judge_unchanged(before.values, fresh, measure, since, "filling the buffer")


@destructive("locks the meter, presets it, and unlocks it")
@catches("D41")
def test_a_locked_meter_says_so(fresh: Series, bench: Bench, measure: Measure) -> None:
    """With the revenue lock on, a preset is either refused and undone, or accepted and done."""
    codes = {name: code for code, name in commands(fresh.model.family).items()}
    if "revenue_lock" not in codes:
        measure.not_applicable("preset while locked", "this family has no revenue lock", device=fresh.name)
        return
    armed, since, before = bench.arm(fresh), bench.clock.now(), fresh.read_energies()
    bench.journal.audit("revenue lock", device=fresh.name, code=codes["revenue_lock"])
    fresh.command(armed, "revenue_lock")
    try:
        found = preset_words(fresh, SOMETHING, armed=armed, journal=bench.journal)
        span = found.after.answered_at - since
        loaded = found.after[Quantity.REAL_IN] >= LEAST
        old = found.after[Quantity.REAL_IN] - before[Quantity.REAL_IN] <= found.growth.within(Quantity.REAL_IN, span)
        honest = loaded if found.result == 0 else old and found.result is not None
        said = "done" if loaded else "not done"
        shown = "what was said" if honest else f"{said}, with result {found.result}"
        measure("preset while locked", shown, device=fresh.name).is_("what was said")
    finally:
        fresh.command(armed, "revenue_unlock")


@destructive("sends a damaged write to the buffer, which must be refused")
@catches("D29")
def test_a_damaged_write_is_refused(fresh: Series, bench: Bench, measure: Measure) -> None:
    """A block write whose byte count is not that of its words is refused, or not answered, and changes nothing."""
    armed = bench.arm(fresh)
    fresh.session.write_block(armed, 8022, [1, 2, 3, 4])
    bench.journal.audit("write", device=fresh.name, registers="8022-8025", values=[5, 6, 7, 8], byte_count=6)
    try:
        fresh.session.write_damaged(armed, 8022, [5, 6, 7, 8], byte_count=6)
        answer = "taken"
    except (Refused, NoAnswer) as error:
        answer, note = "not taken", str(error)
        measure("answer to a wrong byte count", answer, device=fresh.name, note=note).is_("not taken")
    else:
        measure("answer to a wrong byte count", answer, device=fresh.name).is_("not taken")
    held = str(fresh.session.read(8022, 4))
    measure("buffer after a wrong byte count", held, device=fresh.name).is_("[1, 2, 3, 4]")


@destructive("broadcasts a preset on a simulated line, which nobody must obey")
@catches("D31")
def test_a_broadcast_changes_nothing(fresh: Series, bench: Bench, measure: Measure) -> None:
    """6209 to address 0 is for nobody: or every meter of the line would take the readings of one."""
    name, entry = "energies after a broadcast", fresh.device
    if not bench.may_broadcast(fresh.name):
        measure.not_determinable(name, "a line on which no stranger would obey", device=fresh.name)
        return
    if sum(device.link == entry.link for device in bench.station.devices.values()) < 2:
        measure.not_applicable(name, "alone behind its address, it may take 0 for its own", device=fresh.name)
        return
    armed, since, before = bench.arm(fresh), bench.clock.now(), fresh.read_energies()
    with fresh.pointers_restored(armed):
        fresh.session.write_block(armed, 8022, SOMETHING)
        fresh.aim_pointers(armed)
        bench.journal.audit("broadcast", device=fresh.name, register=8000, code=6209)
        fresh.session.broadcast(armed, 8000, 6209)
        bench.clock.sleep(1_000_000_000)
    judge_unchanged(before.values, fresh, measure, since, "a broadcast")
