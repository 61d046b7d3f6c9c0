"""Every defect of frames and security changes its symptom and nothing else: each is held against a healthy twin.

Both live through the same conversations with a FLAG server, without a line; what is compared is every byte and delay.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

import pytest

from protocols.conversation import ProtocolError
from protocols.flag.device import PROGRAMMING, STREAM
from protocols.flag.frames import ACK, ESC, ETX, NAK, SOH, STX, Command, checked, encode_option
from protocols.flag.login import NO_PASSWORD, encode_digits, reply_to
from protocols.flag.server import FlagServer, State
from simulators.faults import switch_on
from simulators.faults.registry import load
from simulators.meters.elster.build import build_meter
from simulators.meters.elster.events import Event
from simulators.power.feeder import Feeder, Load

MS, SECOND = 1_000_000, 1_000_000_000
PASSWORD, OTHER_END = b"00000000", b"0000WXYZ"
EVERYTHING = "everything"
SCHEME = 795


class Host:
    """Whoever talks to a meter: says something, and writes down what comes and when."""

    def __init__(self, defect: str | None = None) -> None:
        born = datetime(2026, 3, 10, 8)  # noqa: DTZ001  # a meter keeps local time without a zone
        meter = build_meter("A1140", Feeder(load=Load(1_000_000)), epoch=born, outstation="094", stream=Random(7))
        if defect:
            switch_on(defect, meter)
        self.meter, self.server = meter, FlagServer(meter)
        self.now = 0
        self.heard: list[tuple[int, bytes]] = []

    def say(self, message: bytes, after: int = 2 * SECOND) -> bytes:
        """What is answered, all of it; then some time passes."""
        replies = self.server.receive(message, self.now)
        found = [(reply.delay, reply.data) for reply in replies]
        end = self.now + after
        while (due := self.server.deadline()) is not None and due <= end:
            found += [(due - self.now + reply.delay, reply.data) for reply in self.server.wake(due)]
            if len(found) > 60:
                break
        self.now = max(end, self.now)
        self.heard += found
        return b"".join(data for _, data in found)

    def call(self, address: bytes = b"094") -> bytes:
        return self.say(b"/?" + address + b"!\r\n", 1_400 * MS)  # at 300 Bd it takes one second and a bit

    def enter(self, mode: int = PROGRAMMING) -> bytes:
        """Sign on; the challenge."""
        self.call()
        return bytes.fromhex(self.say(encode_option("5", mode))[5:21].decode())

    def reply(self, reply: bytes) -> bytes:
        return self.command("P2", b"(" + encode_digits(reply) + b")")

    def log_in(self, password: bytes = PASSWORD) -> bytes:
        return self.reply(reply_to(self.enter(), password))

    def command(self, name: str, data: bytes | None, *, more: bool = False) -> bytes:
        return self.say(Command(name[0], name[1], data, more).encode())

    def rename(self) -> bytes:
        return self.command("W1", b"795001(" + b"58" * 8 + b")")

    def leave(self) -> None:
        self.command("B0", None)

    @property
    def name(self) -> bytes:
        return self.meter.memory["scheme_id"]


def addresses(host: Host) -> None:
    for address in (b"", b"94", b"000094", b"93", b"7094", b"0947", b" 094", b"094 "):
        host.call(address)
        host.server.lose(host.now)


def falls_back(host: Host) -> None:
    host.call()
    host.say(encode_option("3", PROGRAMMING), 40 * SECOND)
    host.call()
    host.say(b"", 40 * SECOND)


def reads_out(host: Host) -> None:
    host.call()
    host.say(encode_option("5", 0))
    host.say(NAK)
    host.say(ACK)


def challenges(host: Host) -> None:
    for _ in range(4):
        host.enter()
        host.leave()


def reads(host: Host) -> None:
    host.enter()
    host.reply(NO_PASSWORD)
    host.command("R1", b"798001(10)")
    host.command("R1", b"507002(40)")


def replies_nothing(host: Host) -> None:
    host.enter()
    host.command("R1", b"798001(10)")


def zeros(host: Host) -> bytes:
    host.enter()
    host.reply(NO_PASSWORD)
    return host.rename()


def logs_in(host: Host) -> None:
    host.log_in()
    host.rename()


def guesses(host: Host) -> None:
    host.log_in()
    host.reply(b"guessing")
    host.rename()


def half_right(host: Host) -> None:
    host.log_in(OTHER_END)
    host.rename()


def three_times_wrong(host: Host) -> None:
    for _ in range(3):
        host.log_in(b"WRONGONE")
        host.leave()
    host.log_in()


def five_minutes(host: Host) -> None:
    host.log_in()
    for _ in range(11):
        host.say(b"", 30 * SECOND)
        host.command("R1", b"798001(01)")
    host.rename()


def next_visit(host: Host) -> None:
    host.log_in()
    host.leave()
    host.enter()
    host.rename()


def two_minutes(host: Host) -> str:
    host.enter()
    host.reply(NO_PASSWORD)
    host.say(b"", 50 * SECOND)
    host.command("R1", b"798001(01)")
    host.say(b"", 125 * SECOND)
    return host.server.state.name


def refusals(host: Host) -> None:
    host.log_in()
    host.command("R1", b"999001(01)")


def renumbers(host: Host) -> bytes:
    host.log_in()
    host.command("W1", b"798001(" + b"58" * 16 + b")")
    return host.meter.serial


def packet_000(host: Host) -> None:
    host.log_in()
    host.command("R1", b"798000(01)")


def beyond(host: Host) -> None:
    host.log_in()
    host.command("R1", b"798001(20)")


def wrong_check(host: Host) -> bytes:
    host.log_in()
    sound = Command("W", "1", b"795001(" + b"58" * 8 + b")").encode()
    host.say(sound[:-1] + bytes((sound[-1] ^ 0x55,)))
    return host.name


def wrong_parity(host: Host) -> bytes:
    host.log_in()
    sound = Command("W", "1", b"795001(" + b"58" * 8 + b")").encode()
    host.say(sound[:8] + bytes((sound[8] | 0x80,)) + sound[9:])
    return host.name


def resets_billing(host: Host) -> int:
    host.log_in()
    host.command("W1", b"655001(01)")
    return host.meter.events.logs[Event.BILLING].count


def parts(host: Host) -> None:
    host.log_in()
    host.command("R3", b"907001()")
    host.say(ACK)
    host.command("W3", b"907001(" + b"FF" * 64 + b")", more=True)
    for index in range(3):
        host.command("W3", b"(" + b"FF" * 64 + b")", more=index < 2)


def streams(host: Host) -> None:
    host.enter(STREAM)
    host.reply(NO_PASSWORD)
    host.say(checked(SOH + b"RD" + STX + b"543001(03)" + ETX), 10 * SECOND)
    host.say(checked(SOH + b"RD" + STX + b"510001(00)" + ETX), 10 * SECOND)  # FF where a record is empty


def ends_stream(host: Host) -> None:
    host.enter(STREAM)
    host.reply(NO_PASSWORD)
    host.say(checked(SOH + b"RD" + STX + b"543001(08)" + ETX), SECOND)
    host.say(ESC, 10 * SECOND)


ROUTINE: dict[str, Callable[[Host], object]] = {
    "addresses": addresses,
    "fall-back": falls_back,
    "a readout": reads_out,
    "challenges": challenges,
    "reads": reads,
    "without a reply": replies_nothing,
    "a write at level 0": zeros,
    "a write": logs_in,
    "a wrong password": guesses,
    "half a password": half_right,
    "three wrong passwords": three_times_wrong,
    "five minutes": five_minutes,
    "the next visit": next_visit,
    "two minutes of silence": two_minutes,
    "a refusal": refusals,
    "a write to what is only read": renumbers,
    "packet 000": packet_000,
    "a read beyond the end": beyond,
    "a wrong check character": wrong_check,
    "wrong parity": wrong_parity,
    "a billing reset": resets_billing,
    "partial blocks": parts,
    "a stream": streams,
    "a stream that is ended": ends_stream,
}
_WRITES_REFUSED = {"a write at level 0", "a wrong password", "half a password", "five minutes", "the next visit"}
_READS_REFUSED = {"without a reply", "a refusal", "packet 000", "a read beyond the end"}
_REFUSED = {*_WRITES_REFUSED, *_READS_REFUSED, "three wrong passwords", "a write to what is only read"}
#: Defect -> the parts of the routine that it may change; all others must be those of a healthy meter.
BUSINESS: dict[str, set[str] | str] = {
    **dict.fromkeys(("E01", "E02", "E03", "E04", "E11", "E12", "E29", "E64", "E70", "E71", "E130"), EVERYTHING),
    "E10": {"fall-back"},
    "E13": {"two minutes of silence"},
    "E14": {"addresses"},
    "E15": {"addresses"},
    "E16": {"addresses"},
    "E61": {"addresses"},
    "E20": {"a readout"},
    "E63": {"a readout"},
    "E23": {"partial blocks"},
    "E27": {"partial blocks"},
    "E24": {"a stream", "a stream that is ended"},
    "E58": {"a stream", "a stream that is ended"},
    "E66": {"a stream", "a stream that is ended"},
    "E69": {"a stream", "a stream that is ended"},
    "E59": {"a stream that is ended"},
    "E31": {"a write at level 0", "a wrong password"},
    "E32": {"the next visit", "challenges", "three wrong passwords"},
    "E34": _REFUSED,
    "E78": _REFUSED,
    "E98": _REFUSED,
    "E62": {"fall-back"},
    "E67": {"fall-back"},
    "E65": {"challenges", "the next visit", "three wrong passwords"},
    "E68": {"two minutes of silence"},
    "E72": EVERYTHING,
    "E73": {"half a password"},
    "E74": {"three wrong passwords"},
    "E75": {"a write at level 0"},
    "E76": {"a wrong password"},
    "E77": {"five minutes"},
    "E79": {"packet 000"},
    "E142": {"a write to what is only read"},
    "E144": {"a wrong password", "without a reply"},
    "E80": {"a read beyond the end"},
    "E99": {"a wrong check character"},
    "E100": {"wrong parity"},
    "E101": {"a wrong check character", "wrong parity"},
    "E141": {"a billing reset"},
}
MINE = [id_ for id_, found in load().items() if found.install.__module__.endswith(("elster_frames", "elster_security"))]


def lived(defect: str | None, part: str) -> object:
    """Everything that a meter says in a part of the routine, and what is to be seen of it then."""
    host = Host(defect)
    try:
        return ROUTINE[part](host), host.heard, host.name
    except (ValueError, ProtocolError):
        return "the challenge could not be read", host.heard


HEALTHY = {part: lived(None, part) for part in ROUTINE}


@pytest.mark.parametrize("id_", MINE)
def test_a_defect_changes_its_own_business_and_nothing_else(id_: str) -> None:
    changed = {part for part in ROUTINE if lived(id_, part) != HEALTHY[part]}
    business = BUSINESS[id_]
    assert changed
    if business != EVERYTHING:
        assert changed <= set(business)


def test_every_defect_has_its_business() -> None:
    assert set(MINE) == set(BUSINESS)


def test_a_healthy_twin_is_one() -> None:
    assert {part: lived(None, part) for part in ROUTINE} == HEALTHY


def test_a_defect_touches_no_other_meter() -> None:
    healthy, sick = Host(), Host("E01")
    assert healthy.call() == sick.call()
    assert healthy.say(encode_option("5", PROGRAMMING)) != sick.say(encode_option("5", PROGRAMMING))


def test_two_defects_in_one_meter() -> None:
    host = Host("E31")
    switch_on("E32", host.meter)
    host.log_in()
    host.leave()
    host.enter()
    assert host.rename() == ACK
    assert zeros(Host("E31")) == ACK


def test_a_damaged_write_that_is_obeyed_is_answered_with_nak() -> None:
    host = Host("E101")
    assert wrong_check(host) == b"X" * 8
    assert host.heard[-1][1] == NAK


def test_a_billing_reset_that_is_denied_is_done_once() -> None:
    host = Host("E141")
    assert resets_billing(host) == 1
    assert host.heard[-1][1] == NAK


def test_esc_ends_a_stream_in_a_block_and_between_two() -> None:
    for pause in range(300, 900, 30):
        host = Host()
        host.enter(STREAM)
        host.reply(NO_PASSWORD)
        host.say(checked(SOH + b"RD" + STX + b"543001(08)" + ETX), pause * MS)
        assert host.say(ESC, 10 * SECOND) == b""
        assert host.server.state is State.VISIT
