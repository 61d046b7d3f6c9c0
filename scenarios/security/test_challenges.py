"""Challenge and reply: every visit has a challenge of its own, and only the right reply to it opens the meter."""

from itertools import pairwise

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.errors import DeviceError
from bench.measure import Measure
from bench.procedures.flag_talk import MINUTE, kind_of, need_punctual_line, talking
from protocols.flag import login
from scenarios.marks import catches, destructive, needs

VISITS = 12
ENOUGH = 2
REFUSED = ("error message", "NAK")
#: When a meter with a lock-out lets the right password in again, at the latest.
AFTER_A_LOCK_OUT = (0, 5 * MINUTE, 15 * MINUTE)
_ANOTHER = b"Z"


@needs("read-out")
@catches("T30")
def test_every_log_in_succeeds(meter: Elster, measure: Measure) -> None:
    """The reply to any challenge has sixteen digits: a dozen visits, and every one is let in."""
    need_punctual_line(meter.session, "which log-ins fail")
    failed: list[str] = []
    password = meter.session.given_password()
    for _ in range(VISITS):
        try:
            meter.session.log_in(password)
        except DeviceError as error:
            failed.append(str(error))
        if len(failed) == ENOUGH:  # a meter may lock out whoever goes on
            break
    measure("log-ins that failed", len(failed), device=meter.name, note="; ".join(sorted(set(failed)))).is_(0)


@needs("read-out")
@catches("E29", "E70", "E71")
def test_every_visit_has_a_challenge_that_nobody_foresees(meter: Elster, measure: Measure) -> None:
    """A dozen challenges: all different, in each of their bytes, and not a fixed step apart."""
    with talking(meter) as talk:
        seeds = [(talk.enter(), talk.break_off())[0] for _ in range(VISITS)]
    fixed = sum(len(set(column)) == 1 for column in zip(*seeds, strict=True))
    steps = [int.from_bytes(b, "big") - int.from_bytes(a, "big") for a, b in pairwise(seeds)]
    measure("different challenges", len(set(seeds)), device=meter.name).is_(VISITS)
    measure("bytes of the challenge that never change", fixed, device=meter.name).is_(0)
    measure("steps from challenge to challenge", len(set(steps)), device=meter.name).is_(VISITS - 1)


@needs("read-out")
@catches("E29")
def test_a_reply_that_was_heard_opens_nothing(meter: Elster, measure: Measure) -> None:
    """Who has heard the reply of one visit and gives it again in the next is refused, and reads nothing."""
    row = meter.identity("serial_number")
    with talking(meter) as talk:
        reply = login.reply_to(talk.enter(), meter.session.given_password())
        measure("reply", kind_of(talk.reply(reply)), device=meter.name).is_("ACK")
        talk.break_off()
        talk.enter()
        measure("the same reply in another visit", kind_of(talk.reply(reply)), device=meter.name).one_of(REFUSED)
        found = kind_of(talk.read(row.number, row.size))
        measure("reading after the replayed reply", found, device=meter.name).is_("error message")


@needs("read-out")
@catches("E72")
def test_a_reply_is_acknowledged_and_not_repeated(meter: Elster, measure: Measure) -> None:
    """P2 is answered with ACK and nothing else: what it said is nowhere on the line again."""
    with talking(meter) as talk:
        seed = talk.enter()
        reply = login.reply_to(seed, meter.session.given_password())
        answer = talk.reply(reply)
        measure("answer to the reply", kind_of(answer), device=meter.name).is_("ACK")
        measure("the reply comes back", login.encode_digits(reply) in answer, device=meter.name).is_(expected=False)


@destructive("tries wrong passwords; a meter with a lock-out refuses everybody for a while")
@needs("read-out")
@catches("E73", "E74")
def test_a_wrong_password_is_refused_and_the_right_one_is_not(meter: Elster, bench: Bench, measure: Measure) -> None:
    """A password that is wrong in one character opens nothing, and after that the right one still does."""
    right, row = meter.session.given_password(), meter.identity("serial_number")
    bench.journal.audit("wrong passwords", device=meter.name)
    with talking(meter, bench.arm(meter)) as talk:
        for place in range(0, len(right), 3):
            wrong = right[:place] + _ANOTHER + right[place + 1 :]
            talk.enter()
            what = f"a password with another character {place + 1}"
            measure(f"reply for {what}", kind_of(talk.answer_with(wrong)), device=meter.name).one_of(REFUSED)
            found = kind_of(talk.read(row.number, row.size))
            measure(f"reading after {what}", found, device=meter.name).is_("error message")
            talk.break_off()
        opened = "never"
        for pause in AFTER_A_LOCK_OUT:
            talk.rest(pause)
            talk.enter()
            if kind_of(talk.answer_with(right)) == "ACK":
                opened = "again"
                break
            talk.break_off()
        measure("the right password opens", opened, device=meter.name).is_("again")
