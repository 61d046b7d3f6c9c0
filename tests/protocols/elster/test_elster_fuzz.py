"""Random bytes give a value or a ProtocolError, in every decoder of the family."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.elster import bcd, history, instantaneous, logs, moments, profile, registers, requests, transformers

DECODERS: dict[str, Callable[[bytes], object]] = {
    "bcd": bcd.decode_bcd,
    "energies": registers.decode_energies,
    "totals": lambda data: registers.decode_totals("A1140", data),
    "cumulative": registers.decode_cumulative,
    "maximum": registers.decode_maximum,
    "sources": registers.decode_sources,
    "set A1140": lambda data: history.decode_set("A1140", data),
    "set A1700": lambda data: history.decode_set("A1700", data),
    "history": lambda data: history.decode_history("A1700", data),
    "log": logs.decode_event_log,
    "log with information": lambda data: logs.decode_event_log(data, info=True),
    "event set": lambda data: logs.decode_event_set("A1700", data),
    "programming log": logs.decode_programming_log,
    "status": logs.decode_status,
    "battery": logs.decode_battery_support,
    "ratio": lambda data: transformers.decode_ratio("A1700", "vt", data),
    "time": moments.decode_time,
    "clock": moments.decode_clock,
    "clock block": moments.decode_clock_block,
    "demand period": moments.decode_demand_period,
    "request": instantaneous.decode_request,
    "instantaneous": instantaneous.decode_value,
    "value": profile.decode_value,
    "mask": lambda data: profile.decode_mask("A1140", data),
    "setup": lambda data: profile.decode_setup("A1700", data),
    "records A1140": lambda data: profile.decode_records("A1140", data),
    "records A1700": lambda data: profile.decode_records("A1700", data, extended=True),
    "days": requests.decode_days,
    "counts": requests.decode_counts,
    "range": requests.decode_range,
}
SIZES = (1, 2, 3, 4, 7, 8, 9, 12, 14, 16, 17, 53, 66, 80, 128, 457, 605)
LIKELY = st.sampled_from(b"\x00\x09\x99\xe4\xe8\xea\xff\x40\x01").map(lambda byte: bytes((byte,)))
BYTES = (
    st.binary(max_size=80)
    | st.sampled_from(SIZES).flatmap(lambda size: st.binary(min_size=size, max_size=size))
    | st.lists(LIKELY, max_size=60).map(b"".join)
)


@pytest.mark.parametrize("name", DECODERS)
@given(data=BYTES)
def test_no_bytes_break_a_decoder(name: str, data: bytes) -> None:
    try:
        DECODERS[name](data)
    except ProtocolError as error:
        assert str(error)  # noqa: PT017
