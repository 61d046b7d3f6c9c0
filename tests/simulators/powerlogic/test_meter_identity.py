"""Who a meter says it is, which functions it knows, and what it makes of a broadcast."""

import pytest
from meter_desk import MS, SECOND, Desk, refused

from protocols.modbus import pdu
from protocols.modbus.frames import encode_rtu
from protocols.modbus.server import RtuServer

GATES = {
    "CM2350": {3, 4, 6, 8, 16, 17, 22, 23},  # 11 is listed by the bulletin and not spoken here
    "CM3350": {3, 4, 6, 8, 16, 17, 22, 23},
    "CM4250": {3, 4, 6, 8, 16, 17, 22, 23},
    "PM850": {3, 4, 6, 16, 17, 43},
}
SAMPLES = {
    1: pdu.read_bits(0, 1),
    2: pdu.read_bits(0, 1, 2),
    3: pdu.read_registers(7699, 1),
    4: pdu.read_registers(7699, 1, 4),
    5: pdu.write_bit(0, value=True),
    6: pdu.write_register(7719, 0),
    7: bytes([7]),
    8: pdu.diagnose(0),
    15: pdu.write_bits(0, [True]),
    16: pdu.write_registers(7719, [0]),
    17: pdu.report_server_id(),
    20: bytes([20, 7, 6, 0, 1, 0, 0, 0, 1]),
    22: pdu.mask_write_register(7719, 0, 0),
    23: pdu.read_write_registers(7699, 1, 7719, [0]),
    43: pdu.read_device_identification(1),
}


@pytest.mark.parametrize("model", GATES)
@pytest.mark.parametrize("function", SAMPLES)
def test_a_function_that_the_family_lacks_is_refused_with_01(model: str, function: int) -> None:
    code = refused(Desk(model), lambda desk: desk.ask(SAMPLES[function]))
    assert (code == 1) is (function not in GATES[model])


@pytest.mark.parametrize(("model", "product"), [("CM2350", 2350), ("CM3350", 3350), ("CM4250", 4250)])
def test_function_17_of_a_circuit_monitor_is_64h_and_a_product_id(model: str, product: int) -> None:
    answer = Desk(model).ask(pdu.report_server_id())
    assert answer == bytes([17, 4, 0x64, 0xFF]) + product.to_bytes(2, "big")


@pytest.mark.parametrize("model", ["PM820", "PM850", "PM870"])
def test_function_17_of_a_pm800_is_250_and_its_name(model: str) -> None:
    text = f"{model} Power Meter".encode()
    assert Desk(model).ask(pdu.report_server_id()) == bytes([17, 2 + len(text), 250, 0xFF]) + text


@pytest.mark.parametrize(("label", "vendor"), [(0, b"Schneider Electric"), (1, b"Square D")])
def test_function_43_of_a_pm800(label: int, vendor: bytes) -> None:
    desk = Desk("PM850", vendor_label=label, os_version=11_061)
    objects = b"".join(bytes([number, len(text)]) + text for number, text in enumerate([vendor, b"PM850", b"V11.061"]))
    assert desk.ask(pdu.read_device_identification(1)) == bytes([43, 14, 1, 1, 0, 0, 3]) + objects
    assert desk.word(4128) == label
    assert desk.word(7001) == 11_061


def test_a_pm800_refuses_individual_access() -> None:
    assert refused(Desk("PM850"), lambda desk: desk.ask(pdu.read_device_identification(4, 1))) == 3


def test_identity_is_a_profile_value() -> None:
    assert Desk("CM2350", product_id=481, slave_id=1).ask(pdu.report_server_id()) == bytes([17, 4, 1, 0xFF, 0x01, 0xE1])


def test_a_product_id_is_shown_where_the_map_has_it() -> None:
    assert Desk("CM2350").value("product_id") == 2350


@pytest.mark.parametrize(("accepts", "result"), [(False, 0), (True, 5)])
def test_a_broadcast_is_obeyed_by_profile_and_never_answered(accepts: bool, result: int) -> None:
    desk = Desk(accepts_broadcast=accepts)
    server = RtuServer(1, desk.meter)
    assert server.receive(encode_rtu(0, pdu.write_register(8029, 5)), 0) == []
    assert desk.word(8030) == result


def test_a_damaged_or_foreign_frame_is_met_with_silence() -> None:
    desk = Desk()
    server = RtuServer(1, desk.meter)
    sound = encode_rtu(1, pdu.write_register(8029, 5))
    for frame in (sound[:-1] + bytes([sound[-1] ^ 1]), encode_rtu(2, pdu.write_register(8029, 5)), b"", b"\x01"):
        assert server.receive(frame, 0) == []
    assert desk.word(8030) == 0


def test_a_meter_without_supply_hears_nothing() -> None:
    desk = Desk()
    server = RtuServer(1, desk.meter)
    desk.supply(on=False)
    assert server.receive(encode_rtu(1, pdu.write_register(8029, 5)), SECOND) == []
    desk.supply(on=True)
    desk.wait(10 * SECOND + MS)
    assert desk.word(8030) == 0
