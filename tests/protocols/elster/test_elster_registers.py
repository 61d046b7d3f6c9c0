"""Registers as bytes: BCD, totals, TOU, cumulative and maximum demand, transformer ratios."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from elster_values import ENERGIES, MODELS, NUMBERS, TIMES
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.elster.bcd import decode_bcd, encode_bcd
from protocols.elster.registers import (
    CumulativeDemand,
    MaximumDemand,
    decode_cumulative,
    decode_energies,
    decode_maximum,
    decode_sources,
    decode_totals,
    encode_energies,
    encode_records,
    encode_sources,
    encode_totals,
)
from protocols.elster.tables import Source, model
from protocols.elster.transformers import Ratio, decode_ratio, encode_ratio


def test_bcd_has_its_last_digits_first() -> None:
    assert encode_bcd(123_456, 8) == bytes.fromhex("5634120000000000")
    assert decode_bcd(bytes.fromhex("5634120000000000")) == 123_456
    assert encode_bcd(0, 0) == b""
    assert decode_bcd(b"") == 0


@given(st.integers(1, 12).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, 100**size - 1))))
def test_bcd_round_trip(drawn: tuple[int, int]) -> None:
    size, value = drawn
    data = encode_bcd(value, size)
    assert len(data) == size
    assert decode_bcd(data) == value


@pytest.mark.parametrize("value", [-1, 100])
def test_what_the_digits_cannot_carry_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit into 2 digits"):
        encode_bcd(value, 1)


@pytest.mark.parametrize("data", [b"\x0a", b"\xa0", b"\xa5", b"\x12\xff"])
def test_a_digit_above_9_is_an_error_of_both_kinds(data: bytes) -> None:
    with pytest.raises(ValueError, match="digit above 9"):
        decode_bcd(data)
    with pytest.raises(ProtocolError):
        decode_bcd(data)


def test_totals_of_an_a1140_have_their_customers_at_112() -> None:
    data = encode_totals("A1140", {Source.IMPORT: 1_000_000, Source.VA_IMPORT: 2, Source.CUSTOMER_1: 3})
    assert len(data) == 128
    assert data[:8] == bytes.fromhex("0000000100000000")
    assert (data[48], data[112]) == (2, 3)
    assert data[56:112] == bytes(56)


def test_totals_of_an_a1700() -> None:
    data = encode_totals("A1700", {Source.VA: 7, Source.CUSTOMER_3: 9})
    assert len(data) == 80
    assert (data[48], data[72]) == (7, 9)
    with pytest.raises(ProtocolError, match="A1700 have no slot for va_import"):
        encode_totals("A1700", {Source.VA_IMPORT: 1})


@given(st.sampled_from(MODELS).flatmap(lambda m: st.tuples(st.just(m), _totals(m))))
def test_totals_round_trip(drawn: tuple[str, dict[Source, int]]) -> None:
    name, values = drawn
    assert decode_totals(name, encode_totals(name, values)) == values


def _totals(name: str) -> st.SearchStrategy[dict[Source, int]]:
    return st.fixed_dictionaries({Source(slot): ENERGIES for slot in model(name)["totals"] if slot != "-"})


def test_totals_of_the_other_model_are_noticed() -> None:
    with pytest.raises(ProtocolError, match="16 registers, not 10"):
        decode_totals("A1140", encode_totals("A1700", {}))


@given(st.lists(ENERGIES, max_size=32))
def test_tou_registers_round_trip(values: list[int]) -> None:
    assert decode_energies(encode_energies(values)) == tuple(values)


def test_half_a_register_is_none() -> None:
    with pytest.raises(ProtocolError, match="12 bytes are no whole registers of 8 bytes"):
        decode_energies(bytes(12))


def test_a_cumulative_demand() -> None:
    assert CumulativeDemand(12_345, 1).encode() == bytes.fromhex("452301000000000001")
    assert CumulativeDemand().encode() == bytes.fromhex("0000000000000000ff")


def test_a_maximum_demand() -> None:
    record = MaximumDemand(12_345, datetime(1970, 1, 1, 0, 4, 16), 1)
    assert record.encode() == bytes.fromhex("00010000 01 45230100000000")
    assert MaximumDemand().encode() == bytes.fromhex("00000000 ff 00000000000000")


def test_in_an_empty_record_only_the_source_counts() -> None:
    assert decode_maximum(b"\xff" * 12) == (MaximumDemand(),)
    assert decode_cumulative(b"\xff" * 9) == (CumulativeDemand(),)


@given(st.lists(st.builds(CumulativeDemand, ENERGIES, NUMBERS), max_size=8))
def test_cumulative_demands_round_trip(records: list[CumulativeDemand]) -> None:
    assert decode_cumulative(encode_records(records)) == tuple(records)


@given(st.lists(st.builds(MaximumDemand, st.integers(0, 10**14 - 1), TIMES, NUMBERS), max_size=24))
def test_maximum_demands_round_trip(records: list[MaximumDemand]) -> None:
    assert decode_maximum(encode_records(records)) == tuple(records)


@given(st.lists(st.none() | NUMBERS))
def test_sources_round_trip(numbers: list[int | None]) -> None:
    assert decode_sources(encode_sources(numbers)) == tuple(numbers)


@pytest.mark.parametrize("number", [255, 256, -1])
def test_no_source_has_the_number_of_an_empty_record(number: int) -> None:
    with pytest.raises(ProtocolError):
        encode_sources([number])


@given(st.integers(0, 10**8 - 1), st.integers(0, 10**4 - 1))
def test_ratios_round_trip(primary: int, secondary: int) -> None:
    ratio = Ratio(primary, secondary)
    for name, kind in (("A1140", "ct"), ("A1700", "ct"), ("A1700", "vt")):
        assert decode_ratio(name, kind, encode_ratio(name, kind, ratio)) == ratio


def test_ratios_have_the_widths_of_the_model() -> None:
    ratio = Ratio(20_000, 500)  # 200 A / 5 A
    assert encode_ratio("A1140", "ct", ratio) == bytes.fromhex("0000020000050000")
    assert encode_ratio("A1700", "ct", ratio) == bytes.fromhex("000002000005")
    with pytest.raises(ProtocolError, match="A1140 has no VT ratio"):
        encode_ratio("A1140", "vt", ratio)
    with pytest.raises(ProtocolError, match="the CT ratio of the A1700 has 6 bytes, not 8"):
        decode_ratio("A1700", "ct", bytes(8))
