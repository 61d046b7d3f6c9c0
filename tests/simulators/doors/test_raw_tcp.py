from time import perf_counter

import pytest
from served_stage import READ, UNIT, Served, connect, take

from protocols.modbus.frames import encode_rtu
from simulators.doors.raw_tcp import open_raw_tcp
from simulators.doors.tcp import TcpDoor

ANSWER = 5 + 56
#: 8 characters, 3.5 of silence, 20 ms of turnaround and 61 characters at 9600 8N1, in seconds.
LINE_TIME = (8 + 3.5 + ANSWER) * 10 / 9600 + 0.020


def serve(served: Served, **slices: int) -> TcpDoor:
    served.begin("rs485")
    return served.open(lambda: open_raw_tcp(served.realtime, served.stage.line("link"), **slices))


def test_a_frame_of_the_line_is_answered_at_line_speed(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as client:
        times = []
        for _ in range(5):
            began = perf_counter()
            client.sendall(encode_rtu(UNIT, READ))
            assert take(client, ANSWER)[:3] == bytes([UNIT, 3, 56])
            times.append(perf_counter() - began)
    assert min(times) >= LINE_TIME
    assert min(times) < LINE_TIME * 1.05 + 0.005


def test_an_answer_comes_in_slices_of_line_time(served: Served) -> None:
    door = serve(served, slice_time=10_000_000)
    with connect(door.port) as client:
        client.sendall(encode_rtu(UNIT, READ))
        began, first = perf_counter(), client.recv(4096)
        took = perf_counter() - began
        assert 0 < len(first) < ANSWER
        assert took < LINE_TIME
        take(client, ANSWER - len(first))


def test_one_slice_may_hold_the_whole_answer(served: Served) -> None:
    door = serve(served, slice_time=1_000_000_000)
    with connect(door.port) as client:
        client.sendall(encode_rtu(UNIT, READ))
        assert len(client.recv(4096)) == ANSWER


def test_an_absent_unit_is_silent(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as client:
        client.sendall(encode_rtu(99, READ))
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_two_clients_in_turn_hear_their_own_answers_only(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as one, connect(door.port) as two:
        for client in (one, two, one, two):
            client.sendall(encode_rtu(UNIT, READ))
            assert len(take(client, ANSWER)) == ANSWER
        for client in (one, two):
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.recv(1)


def test_two_clients_at_once_are_one_frame_that_nobody_understands(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as one, connect(door.port) as two:
        for client in (one, two):
            client.sendall(encode_rtu(UNIT, READ) + bytes(20))
            client.settimeout(0.3)
        assert not answered(one)
        assert not answered(two)


def test_two_clients_do_not_talk_into_one_another_even_when_one_hangs_up(served: Served) -> None:
    door = serve(served)
    line = served.stage.line("link")
    heard: list[bytes] = []
    line.tap = lambda _at, direction, _when, data: heard.append(data) if direction == "tx" else None
    second = served.open(lambda: open_raw_tcp(served.realtime, line))
    with connect(door.port) as late:
        with connect(second.port) as gone:
            gone.sendall(bytes(range(40)))
            late.sendall(b"who comes after")
            late.settimeout(0.3)
        assert not answered(late)
    one, two = bytes(range(40)), b"who comes after"
    assert heard in ([one + two], [two + one])


def answered(client: object) -> bool:
    try:
        return take(client, ANSWER)[:3] == bytes([UNIT, 3, 56])  # type: ignore[arg-type]  # a socket
    except TimeoutError:
        return False


def test_a_flood_waits_in_the_senders_socket_and_the_line_is_left_usable(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as flooding:
        flooding.sendall(b"\x00" * 700)
        while not any(caller._reasons == {"line"} for caller in served.act(lambda: list(door.callers))):
            pass
    with connect(door.port) as good:
        good.settimeout(0.3)
        for _ in range(10):  # until the flood's last byte is out
            good.sendall(encode_rtu(UNIT, READ))
            if answered(good):
                break
        else:
            pytest.fail("the line has not become usable again")


def test_who_hangs_up_is_off_the_line(served: Served) -> None:
    door = serve(served)
    line = served.stage.line("link")
    with connect(door.port) as client:
        client.sendall(encode_rtu(UNIT, READ))
        take(client, ANSWER)
        assert len(line._ports) == 1
    while door.callers:
        served.act(lambda: None)
    assert line._ports == []
