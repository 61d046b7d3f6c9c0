"""The option select message: the speed changes as it was offered, and a bad or missing one leads to the readout."""

from bench.drivers.elster import Elster
from bench.measure import Measure
from bench.procedures.flag_talk import SECOND, Talk, conformance, kind_of, overhearing, talking
from protocols.flag import login
from protocols.flag.device import PROGRAMMING, STREAM
from protocols.flag.frames import ACK
from scenarios.marks import catches, needs

#: Speeds that an option select may name and that were not offered: whichever of them is not.
OTHERS = ("3", "4")
#: How long a meter that was not answered may take until it goes on by itself (6.4.3.2), and a readout after it.
BY_ITSELF = 3 * SECOND


def readout_of(answer: bytes) -> str:
    """Whether an answer is a readout, or what it is instead."""
    return "readout" if kind_of(answer) == "data" and answer[1:-2].endswith(b"!\r\n") else kind_of(answer)


@needs("read-out")
@catches("T07", "T08")
def test_the_visit_goes_on_at_the_speed_that_was_offered(meter: Elster, measure: Measure) -> None:
    """After the option select both sides speak at the offered speed: the challenge comes, and its answer is heard."""
    with talking(meter) as talk:
        for mode, name in ((PROGRAMMING, "programming mode"), (STREAM, "data stream")):
            seed = talk.enter(mode)
            measure(f"bytes of the challenge, {name}", len(seed), device=meter.name).is_(login.SIZE)
            measure(f"answer at that speed, {name}", kind_of(talk.answer_with(None)), device=meter.name).is_("ACK")
            talk.break_off()


@needs("read-out")
@catches("E10", "E62", "E67")
def test_without_a_sound_option_select_the_readout_comes_at_300(meter: Elster, measure: Measure) -> None:
    """A speed that was not offered, or no option select at all: the meter reads out at the speed of the sign-on."""
    with talking(meter) as talk, overhearing(meter) as heard:
        offered = talk.offered(talk.sign_on())
        other = next(speed for speed in OTHERS if speed != offered)
        found = talk.choose(ACK + f"0{other}1\r\n".encode())
        measure("answer to a speed that was not offered", readout_of(found), device=meter.name).is_("readout")
        taken(talk)
        talk.sign_on()
        measure("without an option select", readout_of(talk.await_block(BY_ITSELF)), device=meter.name).is_("readout")
        taken(talk)
    breaches = [b.rule for b in conformance(meter, heard).breaches if b.rule in {"tt.short", "tt.long"}]
    measure("how long it waits for the option select", ", ".join(breaches) or "right", device=meter.name).is_("right")


def taken(talk: Talk) -> None:
    """The readout is taken, and the meter goes back to its start."""
    talk.say(ACK, within=SECOND)
