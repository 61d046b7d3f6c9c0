import socket
import struct
from contextlib import suppress
from time import perf_counter

import pytest
from served_stage import Served, connect, request, take

from protocols.modbus.frames import encode_mbap
from simulators.doors.modbus_tcp import open_modbus_tcp
from simulators.doors.tcp import TcpDoor
from simulators.world import MILLISECOND

ANSWER = 9 + 56
DEEP = 16


def serve(served: Served, medium: str = "ethernet", *, turnaround: int = 0, delay: int = 0) -> TcpDoor:
    served.begin(medium, turnaround=turnaround, delay=delay)
    return served.open(lambda: open_modbus_tcp(served.realtime, served.stage.network("link")))


def transactions(data: bytes) -> list[int]:
    return [struct.unpack_from(">H", data, at)[0] for at in range(0, len(data), ANSWER)]


def flood_until_full(client: socket.socket) -> None:
    """Send requests and read nothing, until the other side takes no more."""
    client.setblocking(False)
    requests = b"".join(request(number) for number in range(100))
    with suppress(BlockingIOError):
        while True:
            client.send(requests)


@pytest.mark.parametrize(
    ("medium", "turnaround", "delay"),
    [("ethernet", 0, 0), ("ethernet", 2 * MILLISECOND, MILLISECOND), ("rs485", 0, MILLISECOND), ("rs485", 0, 0)],
)
def test_sixteen_requests_in_one_segment_are_all_answered_in_order(
    served: Served, medium: str, turnaround: int, delay: int
) -> None:
    door = serve(served, medium, turnaround=turnaround, delay=delay)
    with connect(door.port) as client:
        client.sendall(b"".join(request(number) for number in range(DEEP)))
        assert transactions(take(client, DEEP * ANSWER)) == list(range(DEEP))


def test_an_answer_shows_what_the_meter_counts(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as client:
        client.sendall(request(1))
        words = struct.unpack(">28h", take(client, ANSWER)[9:])
    energies = served.act(lambda: served.stage.meters["meter"].energies(served.stage.world.now))
    assert words[0] == next(iter(energies.values())) % 10_000


def test_requests_in_single_bytes_are_put_together(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as client:
        for byte in request(9):
            client.sendall(bytes([byte]))
        assert transactions(take(client, ANSWER)) == [9]


def test_delays_and_turnaround_are_those_of_the_network(served: Served) -> None:
    door = serve(served, turnaround=40 * MILLISECOND, delay=5 * MILLISECOND)
    with connect(door.port) as client:
        times = []
        for number in range(5):
            began = perf_counter()
            client.sendall(request(number))
            take(client, ANSWER)
            times.append(perf_counter() - began)
    assert min(times) >= 0.050
    assert min(times) < 0.050 * 1.05 + 0.005


def test_a_stream_that_is_no_modbus_is_closed_behind_the_answers_to_what_came_before(served: Served) -> None:
    for turnaround in (0, 10 * MILLISECOND):
        door = serve(served, turnaround=turnaround)
        with connect(door.port) as client:
            client.sendall(request(1) + b"GET / HTTP/1.1\r\n\r\n")
            assert transactions(take(client, 10_000)) == [1]


def test_garbage_and_half_open_clients_do_not_disturb_a_good_one(served: Served) -> None:
    door = serve(served, turnaround=MILLISECOND)
    with connect(door.port) as good, connect(door.port) as half, connect(door.port) as garbage:
        half.sendall(request(1)[:5])
        for number in range(20):
            good.sendall(request(number))
            if number == 10:
                garbage.sendall(b"\xff" * 300)
            assert transactions(take(good, ANSWER)) == [number]
        assert take(garbage, 1) == b""
        half.sendall(request(1)[5:])
        assert transactions(take(half, ANSWER)) == [1]


def test_who_has_said_his_last_word_still_gets_his_answers(served: Served) -> None:
    door = serve(served, turnaround=20 * MILLISECOND, delay=MILLISECOND)
    with connect(door.port) as client:
        client.sendall(request(1) + request(2))
        client.shutdown(socket.SHUT_WR)
        assert transactions(take(client, 10_000)) == [1, 2]


def test_who_never_reads_is_read_no_further_and_harms_nobody(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as slow, connect(door.port) as good:
        flood_until_full(slow)
        good.sendall(request(5))
        assert transactions(take(good, ANSWER)) == [5]
        waiting = [caller.transport.get_write_buffer_size() for caller in door.callers]
        assert max(waiting) < 1 << 20


def test_a_flood_to_a_slow_line_waits_in_the_senders_socket(served: Served) -> None:
    door = serve(served, "rs485")
    with connect(door.port) as flooding:
        flooding.sendall(request(1))
        take(flooding, ANSWER)  # the door has taken the call before it is flooded
        flood_until_full(flooding)
        (caller,) = door.callers
        queued = served.act(lambda: caller._connection.backlog)
        assert 0 < queued < 2000


def test_an_absent_unit_is_reported_by_the_gateway_and_the_next_request_is_answered(served: Served) -> None:
    door = serve(served, "rs485")
    with connect(door.port) as client:
        client.sendall(request(1, unit=99) + request(2))
        assert take(client, 9) == encode_mbap(1, 99, b"\x83\x0b")
        assert transactions(take(client, ANSWER)) == [2]


def test_a_broadcast_through_the_gateway_leaves_nothing_waiting(served: Served) -> None:
    door = serve(served, "rs485")
    with connect(door.port) as client:
        client.sendall(encode_mbap(1, 0, bytes.fromhex("061f54000a")) + request(2))
        client.shutdown(socket.SHUT_WR)
        assert transactions(take(client, 10_000)) == [2]


def test_a_taken_port_is_an_error_of_the_system(served: Served) -> None:
    door = serve(served)
    with pytest.raises(OSError, match="in use"):
        served.open(lambda: open_modbus_tcp(served.realtime, served.stage.network("link"), "127.0.0.1", door.port))


def test_closing_hangs_up_on_everybody(served: Served) -> None:
    door = serve(served)
    with connect(door.port) as client:
        client.sendall(request(1))
        take(client, ANSWER)
        served.run(door.close)
        try:
            rest = client.recv(1)
        except ConnectionResetError:
            rest = b""
        assert rest == b""
