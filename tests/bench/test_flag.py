"""FLAG at the bench: lines, visits, the Elster driver, what is told and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from bench_stand import stand, station_of

from bench.bench import Bench
from bench.cli import call
from bench.drivers.capabilities import Capability
from bench.errors import (
    ForeignAnswer,
    NoAnswer,
    NotArmed,
    Refused,
    StationError,
    Undeterminable,
    UsageError,
    WrongDevice,
)
from bench.flag_narrator import FlagNarrator, flag_mishap
from bench.safety import Armed
from bench.scheme.elster import scheme_meter
from bench.station import StationFileError
from protocols.elster.tables import Source
from protocols.flag.frames import Answer, Command

SECOND = 1_000_000_000
ENTRY = "password: simulated, protection: sacrificial"


def station(medium: str = "optical", model: str = "A1140", link: str = "", device: str = "", meters: int = 1) -> str:
    rows = "\n".join(
        f'  m{n}: {{model: {model}, link: line, outstation: "00{n}", {ENTRY}{device}}}' for n in range(1, meters + 1)
    )
    return f"schema: 1\nname: flag\nlinks: {{line: {{type: sim, medium: {medium}{link}}}}}\ndevices:\n{rows}\n"


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator:
    with ExitStack() as stack:
        numbers = count()

        def open_one(text: str, seed: int = 0) -> Bench:
            return stack.enter_context(stand(text, tmp_path / f"bench{next(numbers)}", seed=seed)).bench

        yield open_one


def armed(bench: Bench, name: str = "m1") -> Armed:
    return bench.arm(bench.elster(name))


MEDIA = [
    ("optical", ""),
    ("optical", ", echo: true"),
    ("rs232", ""),
    ("rs485", ""),
    ("network", ""),
    ("pstn", ""),
    ("gsm", ""),
    ("paknet", ""),
]


@pytest.mark.parametrize(("medium", "link"), MEDIA, ids=lambda value: value.strip(", ") or "plain")
@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_a_meter_is_read_over_every_medium(open_bench, medium: str, link: str, model: str) -> None:
    bench = open_bench(station(medium, model, link))
    meter = bench.elster("m1")
    found, findings = meter.identify()
    assert all(finding.agrees for finding in findings)
    assert found.serial.endswith("M1")
    assert found.message.maker == "GEC"
    first, second = meter.read_energies(), meter.read_energies()
    assert second[Source.IMPORT] > first[Source.IMPORT] > 0  # 10 kW, a second and more
    assert meter.read_programming_log().count == 0


def test_several_meters_share_a_line_and_one_is_left_before_the_next(open_bench) -> None:
    bench = open_bench(station("rs485", meters=5))
    serials = [bench.elster(f"m{n}").identify()[0].serial for n in (1, 2, 3, 4, 5, 1)]
    assert [serial[-2:] for serial in serials] == ["M1", "M2", "M3", "M4", "M5", "M1"]
    trace = bench.traces["m1"].text()
    assert trace.count(Command("B", "0").encode().hex()) == 1


@pytest.mark.parametrize(("medium", "room"), [("optical", 1), ("rs232", 10), ("rs485", 32)])
def test_a_line_has_room_for_so_many(tmp_path: Path, medium: str, room: int) -> None:
    rows = "\n".join(f'  m{n}: {{model: A1140, link: line, outstation: "{n:03d}"}}' for n in range(1, room + 2))
    text = f"schema: 1\nname: flag\nlinks: {{line: {{type: sim, medium: {medium}}}}}\ndevices:\n"
    station_of(text + "\n".join(rows.splitlines()[:room]) + "\n", tmp_path)
    with pytest.raises(StationFileError, match=f"m{room + 1}.link: link line is"):
        station_of(text + rows + "\n", tmp_path)


def test_a_visit_that_was_idle_is_opened_anew(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    before = meter.read_clock()
    for idle in (50, 100, 200):
        bench.clock.sleep(idle * SECOND)
        assert meter.read_clock() > before
    assert meter.session.repeated == 0


def test_reading_uses_no_password(open_bench) -> None:
    bench = open_bench(station().replace("password: simulated, ", ""))
    meter = bench.elster("m1")
    assert meter.read_energies()
    with pytest.raises(UsageError, match="m1: this needs a password"):
        meter.set_clock(armed(bench), meter.read_clock())


def test_a_wrong_password_is_refused_and_not_told(open_bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHT", "ABCD1234")
    text = station().replace("simulated", "{env: RIGHT}")
    bench = open_bench(text)
    meter = bench.elster("m1")
    meter.set_clock(armed(bench), meter.read_clock())
    with pytest.raises(Refused) as caught:
        meter.session.log_in(b"WXYZ9876")
    assert "WXYZ" not in str(caught.value)
    for secret in (b"ABCD1234", b"WXYZ9876"):
        assert secret.decode() not in bench.traces["m1"].text()
        assert secret.hex() not in bench.traces["m1"].text()


@pytest.mark.parametrize("value", ["", "short", "nine char", "pässword"])
def test_a_variable_that_holds_no_password_is_named_and_not_shown(
    open_bench, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("WHERE", value)
    bench = open_bench(station().replace("simulated", "{env: WHERE}"))
    meter = bench.elster("m1")
    with pytest.raises(UsageError, match="WHERE") as caught:
        meter.set_clock(armed(bench), meter.read_clock())
    assert not value or value not in str(caught.value)


def test_programming_is_counted_once_a_visit_with_its_user(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    now = meter.read_clock()
    meter.set_clock(armed(bench), now + timedelta(hours=1))
    log = meter.read_programming_log()
    assert (log.count, log.users[0].strip()) == (1, b"meterbench")
    assert meter.read_clock() - now > timedelta(hours=1)


def test_a_billing_reset_is_stored_and_stamped(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    bench.clock.sleep(3600 * SECOND)
    before, stamp = meter.read_energies(), meter.demand_reset_stamp()
    meter.reset_demand(armed(bench))
    (kept,) = meter.read_billing()
    assert meter.demand_reset_stamp() != stamp
    stored = Decimal(kept.totals[Source.IMPORT]) / 1000
    assert before[Source.IMPORT] <= stored <= meter.read_energies()[Source.IMPORT]


def test_a_load_profile_comes_by_stream_as_by_packets(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    bench.clock.sleep(3 * 86_400 * SECOND)
    by_stream = meter.read_profile()
    assert len(by_stream) > 3 * 48
    assert meter.read_profile(stream=False)[:100] == by_stream[:100]
    with pytest.raises(UsageError):
        meter.read_profile(days=1, start=meter.read_clock())


def test_an_unknown_identity_is_refused_in_words(open_bench) -> None:
    meter = open_bench(station()).elster("m1")
    with pytest.raises(Refused, match=r"ERR2.*unknown identity") as caught:
        meter.read_object(123, 4)
    assert caught.value.code == 2


def test_without_its_supply_a_meter_does_not_answer_and_comes_back(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    before = meter.read_energies()
    bench.host.stage.switch_supply("m1", on=False)
    with pytest.raises(NoAnswer):
        meter.read_clock()
    bench.host.stage.switch_supply("m1", on=True)
    assert meter.wait_until_it_answers(60 * SECOND) < 60 * SECOND
    assert meter.read_energies()[Source.IMPORT] >= before[Source.IMPORT]


def test_a_power_cycle_has_a_witness(open_bench) -> None:
    bench = open_bench(station())
    bench.elster("m1").read_clock()
    assert bench.supplies.can_cycle("m1")
    bench.supplies.cycle("m1")
    assert bench.elster("m1").read_clock()


def test_another_model_behind_the_address_is_not_written_to(open_bench) -> None:
    bench = open_bench(station(model="A1120", device=', simulate: {profile: {ident: "120510070213@000"}}'))
    with pytest.raises(WrongDevice):
        armed(bench)


def test_a_pinned_serial_number_that_differs_is_not_written_to(open_bench, tmp_path: Path) -> None:
    bench = open_bench(station(device=', serial: "4711"'))
    assert armed(bench)
    meter = bench.elster("m1")
    bench.host.stage.flag.meter("m1").serial = b"0000000000004712"
    assert [finding.refuses for finding in meter.identify()[1]] == [False, False, True]


def test_a_damaged_answer_is_foreign_and_a_read_is_asked_again(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    meter.read_clock()
    bench.host.stage.flag.meter("m1").habits.answer_check = lambda _frame: 0
    with pytest.raises(ForeignAnswer):
        meter.read_clock()
    assert meter.session.retried == 1


def test_a_meter_has_what_its_model_has(open_bench) -> None:
    found = {model: open_bench(station(model=model)).elster("m1").capabilities for model in ("A1120", "A1140", "A1700")}
    assert Capability.READ_PROFILE not in found["A1120"]
    assert Capability.READ_PROFILE in found["A1140"]
    assert [Capability.READ_INSTANTANEOUS in found[model] for model in found] == [False, False, True]


def test_a_call_that_fails_is_told_with_the_modems_words(open_bench, tmp_path: Path) -> None:
    bench = open_bench(station("pstn"))
    line = bench.host.flag_line("line")
    exchange = bench.host.stage.flag.port("line").name
    assert exchange
    line._call = line._call.__class__("999")
    with pytest.raises(StationError, match="dialled 8 times in vain: "):
        bench.elster("m1").read_clock()


def test_a_port_without_a_modem_says_so(open_bench) -> None:
    bench = open_bench(station("rs232"))
    line = bench.host.flag_line("line")
    from protocols.dialling import Dialling  # noqa: PLC0415

    line._call = Dialling("1")
    with pytest.raises(StationError, match="nobody answers ATZ"):
        bench.elster("m1").read_clock()


@pytest.mark.parametrize("identity", [655, 795, 861, 933, 940])
def test_what_selects_nothing_is_not_written_without_permission(open_bench, identity: int) -> None:
    meter = open_bench(station()).elster("m1")
    with pytest.raises(NotArmed, match=r"m1: identity .* needs permission"):
        meter.session.select(identity, b"\x01")
    assert meter.session.writes == []


def test_a_refused_password_is_not_given_again(open_bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHT", "ABCD1234")
    profile = ", simulate: {profile: {refused_password: NAK, lockout_attempts: 2}}"
    bench = open_bench(station(device=profile).replace("simulated", "{env: RIGHT}"))
    meter = bench.elster("m1")
    with pytest.raises(Refused, match="NAK"):
        meter.session.log_in(b"WXYZ9876")
    meter.session.log_in(b"ABCD1234")  # and the second one would have locked everybody out


def test_a_visit_is_counted_once(open_bench) -> None:
    meter = open_bench(station()).elster("m1")
    meter.read_clock()
    meter.session.require(1)
    assert meter.session.visits == 2


def test_a_real_meter_is_not_written_where_only_we_say_what_a_number_means(
    open_bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_bench(station())
    monkeypatch.setattr(bench.host, "kind", "real")
    meter = bench.elster("m1")
    permission = armed(bench)
    before = meter.image("outstation")
    for what in ("outstation", "clock_adjust", "profile_clear"):
        with pytest.raises(Undeterminable, match="a public source for its number"):
            meter.write_object(permission, meter.identity(what).number, b"777")
    with pytest.raises(Undeterminable):
        meter.session.write_in_parts(permission, meter.scheme_item("tariff_special_days")[0], bytes(256))
    assert (meter.session.writes, meter.image("outstation")) == ([], before)
    meter.set_clock(permission, meter.read_clock())
    scheme = scheme_meter(meter)
    assert scheme is not None
    scheme.write_assumed()
    meter.adjust_clock(permission, meter.read_clock())


def test_equal_seeds_give_equal_digests_and_others_do_not(open_bench) -> None:
    digests = []
    for seed in (3, 3, 4):
        bench = open_bench(station("gsm"), seed)
        bench.elster("m1").identify()
        digests.append(bench.host.digest)
    assert digests[0] == digests[1] != digests[2]


# -- what is told ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "data", "words"),
    [
        ("tx", b"/?094!\r\n", "sign-on to 094"),
        ("tx", b"/?!\r\n", "sign-on to whoever hears it"),
        ("rx", b"/GEC5120510070213@000\r\n", "identification /GEC5120510070213@000"),
        ("tx", b"\x06056\r\n", "option select: data stream at 9600 Bd"),
        ("tx", Command("R", "1", b"798001(10)").encode(), "read 798 serial number, 16 bytes"),
        ("tx", Command("R", "1", b"507002(40)").encode(), "read 507 totals, packet 2, 64 bytes"),
        ("tx", Command("W", "1", b"655001(01)").encode(), "write 655 end of billing := 01"),
        ("tx", Command("B", "0").encode(), "break: the visit is over"),
        ("tx", b"\x1b", "ESC: end the data stream"),
        ("rx", Answer(b"(ERR5)").encode(), "error message (ERR5): locked, or the password has expired"),
        ("rx", Answer(b"(00)").encode()[:-1] + b"\x7f", "no answer: block check character 7F where the block's is 02"),
        ("tx", b"ATZ\r", "to the modem: ATZ"),
        ("rx", b"\r\nNO CARRIER\r\n", "the modem: NO CARRIER"),
        ("tx", bytes(66), "wake-up, 66 NUL"),
    ],
)
def test_a_visit_in_words(direction: str, data: bytes, words: str) -> None:
    assert FlagNarrator("A1140").tell(direction, data) == words


@pytest.mark.parametrize("direction", ["tx", "rx"])
@pytest.mark.parametrize("data", [b"", b"\x02", b"\x01R1", b"\xff\xfe", b"/", b"\x06", b"\x01RD\x02x\x03\x00"])
def test_what_is_no_message_is_no_mishap(direction: str, data: bytes) -> None:
    assert isinstance(FlagNarrator("nobody").tell(direction, data), str)


def test_nothing_of_a_log_in_is_in_the_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "S3CRET99")
    file = tmp_path / "station.yaml"
    file.write_text(station().replace("simulated", "{env: LAB_PASSWORD}"))
    folder = tmp_path / "evidence"
    words = ["run", "programming/test_clock.py", "--station", str(file), "--allow-destructive", "m1"]
    assert call([*words, "--evidence", str(folder)]) == 0
    files = [path for path in folder.rglob("*") if path.is_file()]
    rows = [json.loads(row) for path in files if path.suffix == ".jsonl" for row in path.read_text().splitlines()]
    replies = [row["hex"] for row in rows if row.get("hex", "").startswith("015032")]
    assert replies
    assert all(set(reply[8:]) == {"x"} for reply in replies)
    for path in files:
        content = path.read_bytes()
        for form in (b"S3CRET99", b"S3CRET99".hex().encode(), b"S3CRET99".hex().upper().encode()):
            assert form not in content, path


def test_the_first_mishap_is_told_and_not_only_what_followed_from_it(open_bench) -> None:
    bench = open_bench(station())
    meter = bench.elster("m1")
    habits = bench.host.stage.flag.meter("m1").habits
    habits.answer_check = habits.command_check = lambda frame: frame[-1]
    with pytest.raises(ForeignAnswer, match=r"block check character .*; asked again: no answer to the sign-on"):
        meter.read_clock()


@pytest.mark.parametrize(
    ("request_", "answer", "why"),
    [
        (b"/?094!\r\n", b"", "no answer came"),
        (b"/?094!\r\n", b"/GEC5120510070213@000\r\n", ""),
        (b"\x06056\r\n", b"", "no answer came"),
        (b"\x06", b"", ""),
        (Command("B", "0").encode(), b"", ""),
        (Command("R", "1", b"798001(10)").encode(), b"\x15", "the meter refused"),
        (Command("R", "1", b"798001(10)").encode(), Answer(b"(ERR2)").encode(), "the meter refused"),
        (Command("R", "1", b"798001(10)").encode(), Answer(b"(00)").encode(), ""),
        (Command("R", "1", b"798001(10)").encode(), b"\x02(00)\x03\x7f", "no answer: block check character 7F"),
        (b"\x01RD\x02550001(0C)\x03\x00", bytes(263), ""),
    ],
)
def test_what_is_wrong_with_an_answer_as_such(request_: bytes, answer: bytes, why: str) -> None:
    assert flag_mishap(request_, answer).startswith(why)
    assert bool(flag_mishap(request_, answer)) is bool(why)
