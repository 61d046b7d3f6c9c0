"""Secrets in texts, command lines and stations, and the forms in which a serial number goes over a wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.redaction import SHORTEST, is_tagged, redacted, redacted_words, secrets_in, serial_tag, wire_forms

WORDS = st.from_regex(r"[A-Za-z0-9]{4,12}", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    [
        "curl https://bench:hunter2@relay/4/cycle",
        "relay --password hunter2 4 cycle",
        "relay --token=hunter2 4",
        "env RELAY_API_KEY=hunter2 relay",
        "relay --secret 'hunter2' cycle",
        "rfc2217://bench:hunter2@192.0.2.7:4001",
    ],
)
def test_one_vocabulary_cuts_out_and_finds_the_same_secrets(text: str) -> None:
    assert "hunter2" not in redacted(text)
    assert "hunter2" in list(secrets_in(text))
    assert "hunter2" not in " ".join(redacted_words(text.split()))


@given(WORDS)
def test_what_is_found_is_what_is_cut_out(secret: str) -> None:
    content = {"links": [{"url": f"socket://user:{secret}@host:1"}], "power": f"relay --password {secret}"}
    assert {secret} <= set(secrets_in(content))
    told = redacted(content)
    assert told["links"][0]["url"] == "socket://***@host:1"
    assert told["power"] == "relay --password ***"


def test_a_pin_of_a_relay_is_no_secret_in_a_station_but_one_on_a_command_line() -> None:
    assert redacted("relay.exe --pin 4 off") == "relay.exe --pin 4 off"
    assert redacted_words(["--pin", "4711"]) == ["--pin", "***"]


def test_a_serial_number_is_known_as_text_as_swapped_words_as_a_number_and_packed() -> None:
    forms = wire_forms("07123456")
    assert b"07123456" in forms
    assert b"70214365" in forms
    assert (7123456).to_bytes(4, "big") in forms
    assert bytes.fromhex("07123456") in forms


def test_a_form_that_stands_in_any_wire_by_chance_is_left() -> None:
    assert wire_forms("12") == []
    assert all(len(form) >= SHORTEST for form in wire_forms("4411"))
    assert b"4411" in wire_forms("4411")


def test_a_tag_says_nothing_but_yes_or_no() -> None:
    tag = serial_tag("07123456")
    assert "07123456" not in tag
    assert is_tagged("07123456", tag)
    assert not is_tagged("07123457", tag)
    assert serial_tag("07123456") == tag, "the traces of one run agree"
