"""Defects of Elster meters in saving what is programmed: what is kept of it, when, and what goes with it unasked."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.elster.configuration import layout
from simulators.faults.change import decide
from simulators.faults.registry import defect, raised
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_KEPT = "test_a_cut_soon_after_programming_keeps_the_scheme"
_INTERRUPTED = "test_an_interrupted_programming_is_told_by_the_meter_itself"
_OPENS = "test_a_password_that_is_programmed_opens_the_meter"
_SECTION = "test_every_section_is_programmed_on_its_own"
_UNTOUCHED = "test_a_scheme_leaves_what_was_counted"
_ONE_PACKET = "test_half_an_object_is_no_change"
_RATES = "test_a_programmed_tariff_switches_the_registers"
_NEVER = 1 << 62
#: How long a slow save takes (ns), and how much of an object a packet is.
_SLOW, _PACKET, _HALF = 20_000_000_000, 64, 4


def _number(meter: Meter, name: str) -> int:
    return layout(meter.model.name).items[name].number


def _saves(meter: Meter, times: Mapping[str, int], other: int | None = None) -> None:
    """Have changes of these names be safe after so long (ns) instead of the delay; `other` is for all the rest."""

    def save_time(what: str, now: int, delay: int) -> int:
        return now + times.get(what, delay if other is None else other)

    decide(meter, save_time=save_time)


@defect("E111", "a section is acknowledged and not saved", "a cut days later brings the old demand period back",
        why="a forgotten save: the section is copied to where the engines look for it, and nowhere else",
        shows="^demand period after a power cut$", caught_by=_KEPT, family=_FAMILY)  # fmt: skip
def not_saved(meter: Meter) -> None:
    """The demand period stays in fast memory."""
    _saves(meter, {"demand": _NEVER})


@defect("E112", "the scheme id is saved before the rest", "after a cut a meter has the new name and the old scheme",
        why="the id lies in a page of its own, which is written at once; the sections wait for a background task",
        shows="^(current transformer|demand period) after a power cut$", caught_by=_KEPT, family=_FAMILY)  # fmt: skip
def id_first(meter: Meter) -> None:
    """The id is safe at once, everything else twenty seconds later."""
    _saves(meter, {"scheme_id": 0, "programming_log": 0}, _SLOW)


@defect("E113", "the scheme id is saved at the end of a visit only", "a cut leaves the old name on a mixture",
        why="a name that changes twice in a visit is written once, to spare the memory",
        shows="^(scheme id of an interrupted meter|told of an interrupted programming|scheme id after a power cut)$",
        caught_by=_INTERRUPTED, family=_FAMILY)  # fmt: skip
def marker_not_saved(meter: Meter) -> None:
    """What the id says meanwhile does not survive a cut."""
    marker = b"*PARTIAL"

    def save_time(what: str, now: int, delay: int) -> int:
        partial = what == "scheme_id" and meter.memory[what].startswith(marker)
        return _NEVER if partial else now + delay

    decide(meter, save_time=save_time)


@defect("E114", "the programming counter is not saved", "after a cut nobody has programmed the meter",
        why="the log is saved every two hours with the registers",
        shows="^programmings after a power cut|^programmer after", severity="function", caught_by=_KEPT,
        family=_FAMILY)  # fmt: skip
def count_not_saved(meter: Meter) -> None:
    """The log lives in fast memory."""
    _saves(meter, {"programming_log": _NEVER})


@defect("E115", "a password is stored half", "neither the old password nor the new one opens the meter",
        why="eight characters are two words, and an interrupt comes between them",
        shows="^password, as told$|^the programmed password opens$|" + raised("Refused", r"\(ERR5\): locked"),
        severity="function", caught_by=_OPENS, family=_FAMILY)  # fmt: skip
def half_a_password(meter: Meter) -> None:
    """The last four characters stay."""
    passwords = {_number(meter, f"password_{level}") for level in (1, 2, 3)}
    stored = meter.firmware.stored

    def half(number: int, before: bytes, data: bytes) -> bytes:
        return data[:_HALF] + before[_HALF:] if number in passwords else stored(number, before, data)

    decide(meter, stored=half)


@defect("E116", "an object of several packets is stored packet by packet", "a visit that breaks off leaves half of it",
        why="there is no memory for a whole object, so each packet goes where it belongs at once",
        shows="^(special days after|programmings counted of) half an object$", severity="function",
        caught_by=_ONE_PACKET, family=_FAMILY)  # fmt: skip
def packet_by_packet(meter: Meter) -> None:
    """What has come is in force, filled up with FF."""
    decide(meter, stores_parts=True)


@defect("E117", "the second packet of an object is lost", "a display sequence ends in the middle",
        why="the buffer of the next packet is the one that is still being stored",
        shows="^section display$", severity="function", caught_by=_SECTION,
        family=_FAMILY)  # fmt: skip
def second_packet_lost(meter: Meter) -> None:
    """Of what the display shows by itself, only the first packet is new."""
    sequence = _number(meter, "display_automatic")

    def stored(number: int, before: bytes, data: bytes) -> bytes:
        return data[:_PACKET] + before[_PACKET:] if number == sequence else data

    decide(meter, stored=stored)


@defect("E118", "transformers that are programmed clear the totals", "energies begin at zero with the new ratios",
        why="what was counted with other ratios is taken for wrong",
        shows="^(import|export|Q[1-4]|VA( import| export)?) after programming$", caught_by=_UNTOUCHED,
        family=_FAMILY)  # fmt: skip
def clears_totals(meter: Meter) -> None:
    """The sums are preset to nothing."""

    def clear(sick: Meter, what: str, now: int) -> None:
        if what == "transformers":
            sick.registers.accumulators.preset(now, [0] * len(sick.registers.energies(now)))

    decide(meter, after_change=clear)


@defect("E119", "a scheme forgets the billing history", "the sets of the last months are gone",
        why="the memory of the history is laid out anew with each scheme",
        shows="^billing sets after programming$", caught_by=_UNTOUCHED, family=_FAMILY)  # fmt: skip
def forgets_billing(meter: Meter) -> None:
    """The history is empty after a scheme."""

    def forget(sick: Meter, what: str, _now: int) -> None:
        if what == "scheme_id":
            sick.billing.sets.clear()

    decide(meter, after_change=forget)


@defect("E120", "a new tariff does not switch", "all energy goes on in the rate that was there when it came",
        why="the switching times are worked out once a day, at a midnight that has passed",
        shows="^rate [12] counted( over a day)?$", caught_by=_RATES, family=_FAMILY)  # fmt: skip
def never_switches(meter: Meter) -> None:
    """Whatever counts when a tariff is programmed goes on."""
    fresh: list[bool] = []
    active = meter.firmware.active_rates

    def rates(before: frozenset[int], wanted: frozenset[int]) -> frozenset[int]:
        return before if fresh else active(before, wanted)

    def note(_sick: Meter, what: str, _now: int) -> None:
        if what == "tariff":
            fresh.append(True)

    decide(meter, active_rates=rates, after_change=note)


@defect("E121", "a meter without a scheme takes any password", "whoever comes first programs it",
        why="the door of the factory is shut with the first scheme, an unnamed meter is taken for one there",
        shows="wrong password$|^the same reply in another visit$|^reading after the replayed reply$|"
        "with another character",
        severity="function",
        caught_by="test_a_scheme_is_not_programmed_with_a_wrong_password", family=_FAMILY)  # fmt: skip
def factory_door(meter: Meter) -> None:
    """A blank id opens every level."""
    same = meter.firmware.same_password

    def taken(said: bytes, right: bytes) -> bool:
        return not meter.memory["scheme_id"].strip() or same(said, right)

    decide(meter, same_password=taken)


@defect("E122", "level 2 programs a scheme", "who may set the clock may change the tariff",
        why="sections of a scheme were given the level of the objects beside them",
        shows="^(writing at|section after) level 2$", severity="function",
        caught_by="test_a_level_too_low_programs_nothing",
        family=_FAMILY)  # fmt: skip
def level_2_programs(meter: Meter) -> None:
    """One level less is enough."""
    allows = meter.firmware.allows
    decide(meter, allows=lambda session, needed, expired: allows(session, min(needed, 2), expired))
