"""The data stream: the same bytes as by packets, whole or not at all, and ended when somebody says so."""

from bench.bench import Bench
from bench.disturbances import Disturbances
from bench.drivers.elster import Elster
from bench.errors import DeviceError
from bench.measure import Measure
from bench.procedures.flag_talk import SECOND, kind_of, never, talking
from protocols.flag import stream
from protocols.flag.device import STREAM
from protocols.flag.frames import ESC, SOH, STX, checked
from scenarios.communication.test_blocks import same
from scenarios.communication.test_sign_on import expected_kind, kind_of_meter
from scenarios.marks import catches, destructive, needs
from simulators.faults.line_registry import fault_called

BLOCKS = 2
TRIES = 3
#: So many blocks take seventeen seconds at 9600 Bd; so long (ns) is listened to until they are ended.
LONG, A_WHILE = 41, 2 * SECOND
#: Frames that pass before the line goes dead: identification, challenge, ACK, two blocks.
THEN_DEAD = 5
#: What a stream that breaks off may be called: over a call it is the call that is held to have gone.
TOLD = ("NoAnswer", "ForeignAnswer", "CallLost")
#: When a meter has given up a visit of which nothing is heard any more (ns).
GIVEN_UP = 125 * SECOND


@destructive("resets billing, so that there is something in the history to be read")
@needs("read-out", "reset-demand")
@catches("E24", "E58", "E69", "T24", "T25", "T26", "T58")
def test_a_stream_brings_what_packets_bring(meter: Elster, bench: Bench, measure: Measure) -> None:
    """The newest billing set is the same by data stream, in blocks of 256 bytes, and by packets of 64."""
    bench.journal.audit("billing reset", device=meter.name)
    meter.reset_demand(bench.arm(meter))
    row = meter.identity("billing_history")
    packets = meter.session.read(row.number, row.size)
    found = meter.session.stream(row.number, BLOCKS)
    measure("bytes by stream", len(found), device=meter.name).is_(BLOCKS * stream.BLOCK)
    measure("the set by stream", same(found[: row.size], packets[: len(found)]), device=meter.name).is_("the same")


@needs("read-out")
@catches("E59")
def test_a_stream_that_is_ended_leaves_a_clean_line(meter: Elster, measure: Measure) -> None:
    """ESC ends a long stream within the block that is under way; the break is heard, and the next sign-on is clean."""
    row, kind = meter.identity("billing_history"), expected_kind(meter.model.name)
    with talking(meter) as talk:
        talk.enter(STREAM)
        talk.answer_with(None)
        asked = checked(SOH + b"RD" + STX + f"{row.number:03d}001({LONG:02X})".encode() + b"\x03")
        begun = talk.say(asked, until=never, within=A_WHILE)
        measure("the stream begins", begun[:1] == STX, device=meter.name).is_(expected=True)
        for _ in range(TRIES):  # an adapter that dawdles makes a pause where there is none
            talk.interject(ESC)
            if not talk.listen(SECOND):
                break
        measure("bytes after ESC and a second", len(talk.listen(2 * SECOND)), device=meter.name).is_(0)
        measure("after the break", kind_of(talk.break_off()), device=meter.name).is_("silence")
        found = talk.sign_on()
        measure("the next sign-on", kind_of_meter(found), device=meter.name).is_(kind)
        talk.let_go(found)


@needs("read-out")
@catches("T56")
def test_a_stream_on_a_bad_line_is_whole_or_none(
    meter: Elster, bench: Bench, disturbances: Disturbances, measure: Measure
) -> None:
    """The line goes dead in the midst of a stream: nothing of it is taken, and that is told; later it is read whole."""
    row, got, said = meter.identity("billing_history"), 0, "nothing"
    disturbances.put(meter.name, fault_called(f"drop(p=100%, after={THEN_DEAD})"))
    try:
        got = len(meter.session.stream(row.number, 2 * BLOCKS))
    except DeviceError as error:
        said = type(error).__name__
    disturbances.calm(meter.name)
    measure("bytes of a stream that was broken off", got, device=meter.name).is_(0)
    measure("told of a stream that was broken off", said, device=meter.name).one_of(TOLD)
    bench.clock.sleep(GIVEN_UP)
    again = len(meter.session.stream(row.number, 2 * BLOCKS))
    measure("bytes on a good line", again, device=meter.name).is_(2 * BLOCKS * stream.BLOCK)
