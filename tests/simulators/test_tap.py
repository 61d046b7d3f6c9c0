"""A tap hears what a device hears and says, at its end of the line and at the exact instant."""

from protocols.modbus.frames import decode_mbap, decode_rtu, encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers
from simulators.lines.framing import Framing
from simulators.stage import DevicePlan, LinkPlan, Stage
from simulators.world import MILLISECOND, SECOND, World

ASK = read_registers(1699, 1)


def stage_with(link: LinkPlan) -> tuple[Stage, list[tuple[str, int, bytes]]]:
    heard: list[tuple[str, int, bytes]] = []
    stage = Stage(World(1), [link], [DevicePlan("m", "PM850", "l", 1)])

    def tap(_where: object, way: str, t: int, data: bytes) -> None:
        heard.append((way, t, data))

    stage.line("l").tap = stage.network("l").tap = tap
    return stage, heard


def test_on_a_line_the_request_is_there_when_the_silence_has_ended_it():
    stage, heard = stage_with(LinkPlan("l", framing=Framing(9600, "8E1"), turnaround=7 * MILLISECOND))
    framing = stage.line("l").framing
    stage.line("l").open().write(encode_rtu(1, ASK))
    stage.world.sleep(SECOND)
    (asked, at, request), (said, left, answer) = heard
    assert (asked, said) == ("tx", "rx")
    assert at == framing.time_of(len(request)) + framing.silence
    assert left == at + 7 * MILLISECOND
    assert decode_rtu(answer)[0] == 1


def test_on_a_network_it_is_there_after_the_way_through_it():
    stage, heard = stage_with(LinkPlan("l", medium="ethernet", delay=3 * MILLISECOND, turnaround=7 * MILLISECOND))
    stage.network("l").connect().write(encode_mbap(9, 1, ASK))
    stage.world.sleep(SECOND)
    assert [(way, t) for way, t, _ in heard] == [("tx", 3 * MILLISECOND), ("rx", 10 * MILLISECOND)]
    assert decode_mbap(heard[1][2])[0] == 9


def test_a_network_without_delays_is_heard_too():
    stage, heard = stage_with(LinkPlan("l", medium="ethernet", delay=0, turnaround=0))
    answer = stage.network("l").connect().exchange(encode_mbap(9, 1, ASK), 0)
    assert heard == [("tx", 0, encode_mbap(9, 1, ASK)), ("rx", 0, answer)]


def test_behind_a_gateway_the_line_is_heard_once():
    stage, heard = stage_with(LinkPlan("l"))
    stage.network("l").tap = None
    stage.network("l").connect().write(encode_mbap(9, 1, ASK))
    stage.world.sleep(SECOND)
    assert [way for way, _, _ in heard] == ["tx", "rx"]
    assert heard[0][2] == encode_rtu(1, ASK)
