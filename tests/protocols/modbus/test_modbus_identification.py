"""Function 43/14: categories, pages, individual access, conformity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_memory import PM850, MemoryDevice, join
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse

from protocols.conversation import Reply
from protocols.modbus import ForeignAnswer, ModbusException, Responder, TcpClient, TcpServer, encode_mbap, pdu
from protocols.modbus.identification import conformity_of, decode_page

EXTENDED = {**PM850, 4: b"Power Meter", 0x80: b"made by hand"}
catalogues = st.dictionaries(st.integers(0, 255), st.binary(max_size=244), min_size=1, max_size=20)


def identified(objects: dict[int, bytes], read_code: int) -> dict[int, bytes]:
    device = MemoryDevice()
    device.objects = objects
    return join(TcpClient(1).identify(read_code), TcpServer({1: device}).receive)


class BasicOnly(MemoryDevice):
    conformity_level = 1


def test_a_category_shows_all_below_it() -> None:
    assert identified(EXTENDED, 1) == PM850
    assert identified(EXTENDED, 2) == {**PM850, 4: b"Power Meter"}
    assert identified(EXTENDED, 3) == EXTENDED


def test_the_bytes_of_a_basic_answer() -> None:
    device = MemoryDevice()
    device.objects = {0: b"SE", 1: b"PM8", 2: b"V1"}
    assert Responder(device).respond(bytes.fromhex("2B0E0100"), 0).hex(" ") == (
        "2b 0e 01 81 00 00 03 00 02 53 45 01 03 50 4d 38 02 02 56 31"
    )


def test_pymodbus_reads_it() -> None:
    answer = DecodePDU(is_server=False).decode(Responder(MemoryDevice()).respond(pdu.read_device_identification(1), 0))
    assert isinstance(answer, ReadDeviceInformationResponse)
    assert answer.information == PM850


@pytest.mark.parametrize(("highest", "level"), [(2, 0x81), (3, 0x82), (127, 0x82), (128, 0x83)])
def test_the_conformity_level_follows_from_what_is_shown(highest: int, level: int) -> None:
    assert conformity_of({0: b"", highest: b""}) == level


def test_a_device_may_state_its_own_conformity() -> None:
    basic = Responder(BasicOnly())
    page = decode_page(bytes.fromhex("2B0E0300"), basic.respond(bytes.fromhex("2B0E0300"), 0))
    assert (page.conformity_level, page.objects) == (1, PM850)
    assert basic.respond(bytes.fromhex("2B0E0400"), 0).hex() == "ab03"  # no individual access


def test_an_unknown_start_begins_again_at_the_first_object() -> None:
    answer = Responder(MemoryDevice()).respond(bytes.fromhex("2B0E0163"), 0)
    assert decode_page(bytes.fromhex("2B0E0163"), answer).objects == PM850


def test_a_known_start_begins_there() -> None:
    answer = Responder(MemoryDevice()).respond(bytes.fromhex("2B0E0102"), 0)
    assert decode_page(bytes.fromhex("2B0E0102"), answer).objects == {2: b"V10.600"}


def test_one_object_by_name() -> None:
    serve = TcpServer({1: MemoryDevice()}).receive
    assert join(TcpClient(1).identify_object(1), serve) == b"PM850"
    with pytest.raises(ModbusException, match="exception 02"):
        join(TcpClient(1).identify_object(9), serve)


def test_no_object_at_all_is_an_unknown_function() -> None:
    with pytest.raises(ModbusException, match="exception 01"):
        identified({}, 1)


def test_a_long_catalogue_comes_in_pages() -> None:
    objects = {key: bytes((key,)) * 100 for key in range(7)}
    request = pdu.read_device_identification(2)
    device = MemoryDevice()
    device.objects = objects
    page = decode_page(request, Responder(device).respond(request, 0))
    assert (list(page.objects), page.next_object) == ([0, 1], 2)
    assert identified(objects, 2) == objects


@given(catalogues)
def test_whatever_is_shown_arrives(objects: dict[int, bytes]) -> None:
    assert identified(objects, 3) == objects


def test_an_object_too_long_for_a_pdu_is_cut() -> None:
    assert identified({0: bytes(300)}, 1) == {0: bytes(244)}


def test_a_catalogue_without_end_is_noticed() -> None:
    def for_ever(data: bytes, _now: int) -> list[Reply]:
        return [Reply(encode_mbap(data[0] << 8 | data[1], 1, bytes.fromhex("2B0E0181FF0001000141")))]

    with pytest.raises(ForeignAnswer, match="never end"):
        join(TcpClient(1).identify(), for_ever)


@pytest.mark.parametrize(
    "answer",
    [
        "2B0E01810000",  # no number of objects
        "2B0E0281000000",  # another read code
        "2B0D0181000000",  # another MEI type
        "2B0E0181000001",  # an object is missing
        "2B0E018100000100054142",  # an object is cut
        "2B0E01810000010001414200",  # bytes left over
    ],
)
def test_pages_that_do_not_add_up(answer: str) -> None:
    with pytest.raises(ForeignAnswer):
        decode_page(pdu.read_device_identification(1), bytes.fromhex(answer))
