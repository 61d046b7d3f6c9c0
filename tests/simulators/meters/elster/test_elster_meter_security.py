from elster_desk import MINUTE, SECOND, Desk, pytest

from protocols.flag.device import PROGRAMMING, Ack, Nak
from protocols.flag.login import encode_digits, reply_to

ZEROS = b"0" * 16


def answer(desk, password, now=0):
    return desk.meter.password(desk.session, 2, encode_digits(reply_to(desk.session.seed, password)), now)


def opened(desk, now=0):
    desk.session = desk.meter.open("optical", PROGRAMMING, now)
    return desk


def test_a_reply_of_zeros_reads_and_does_not_write():
    desk = opened(Desk(serial="0000055074944"))
    assert desk.meter.password(desk.session, 2, ZEROS, 0) == Ack()
    assert desk.read("798001(10)") == b"0000000055074944"[-16:]
    assert desk.refused(desk.write, 795, b"R5228052") == "ERR5"


def test_before_any_reply_nothing_is_read():
    desk = opened(Desk())
    assert desk.refused(desk.read, "798001(10)") == "ERR5"


def test_a_second_reply_to_the_same_challenge_raises_the_level():
    desk = opened(Desk(passwords={1: "FEDC0001", 3: "FEDC0003"}))
    seed = desk.session.seed
    desk.meter.password(desk.session, 2, ZEROS, 0)
    assert answer(desk, b"FEDC0003") == Ack()
    assert (desk.session.level, desk.session.seed) == (3, seed)
    desk.meter.password(desk.session, 2, ZEROS, 0)
    assert desk.session.level == 3


@pytest.mark.parametrize(("password", "level"), [("AAAA0001", 1), ("BBBB0002", 2), ("CCCC0003", 3)])
def test_each_password_has_its_level(password, level):
    desk = opened(Desk(passwords={1: "AAAA0001", 2: "BBBB0002", 3: "CCCC0003"}))
    answer(desk, password.encode())
    assert desk.session.level == level


def test_a_wrong_password_is_refused_and_takes_the_level():
    desk = Desk()
    desk.log_in()
    assert desk.refused(answer, desk, b"WRONGONE") == "ERR5"
    assert desk.refused(desk.write, 795, b"NEW     ") == "ERR5"


def test_a_replayed_reply_is_refused_because_every_session_has_its_challenge():
    desk = opened(Desk())
    reply = encode_digits(reply_to(desk.session.seed, b"00000000"))
    first = desk.session.seed
    opened(desk)
    assert desk.session.seed != first
    assert desk.refused(desk.meter.password, desk.session, 2, reply, 0) == "ERR5"


@pytest.mark.parametrize("operand", [b"", b"0" * 15, b"G" * 16, b"0" * 17])
def test_a_reply_that_is_none_is_a_breach_of_the_protocol(operand):
    desk = opened(Desk())
    assert desk.meter.password(desk.session, 2, operand, 0) == Nak()
    assert desk.session.level == -1


def test_after_five_minutes_another_reply_is_needed():
    desk = Desk()
    desk.log_in()
    desk.write(795, b"FIRST   ", 300 * SECOND)
    assert desk.refused(desk.write, 795, b"SECOND  ", 300 * SECOND + 1) == "ERR5"
    assert desk.refused(desk.read, "798001(10)", 301 * SECOND) == "ERR5"
    answer(desk, b"00000000", 301 * SECOND)
    desk.write(795, b"THIRD   ", 302 * SECOND)
    assert desk.meter.image(795, 302 * SECOND) == b"THIRD   "


@pytest.mark.parametrize("weaker", [ZEROS, b"AAAA0001"])
def test_what_is_no_password_of_a_level_does_not_renew_it(weaker):
    desk = opened(Desk(passwords={1: "AAAA0001", 3: "CCCC0003"}))
    answer(desk, b"CCCC0003")
    if weaker is ZEROS:
        desk.meter.password(desk.session, 2, ZEROS, 299 * SECOND)
    else:
        answer(desk, weaker, 299 * SECOND)
    assert desk.refused(desk.write, 795, b"LATE    ", 301 * SECOND) == "ERR5"
    desk.meter.password(desk.session, 2, ZEROS, 302 * SECOND)
    assert desk.session.level == 0
    assert desk.read("798001(10)", 303 * SECOND)


def test_the_level_ends_with_the_session():
    desk = Desk()
    desk.log_in()
    desk.close()
    assert opened(desk).session.level == -1


def test_a_password_itself_is_taken_where_the_profile_allows_it():
    desk = opened(Desk(profile={"plain_password": True}))
    assert desk.meter.password(desk.session, 1, b"00000002", 0) == Ack()
    assert desk.session.level == 2
    assert desk.refused(opened(Desk()).meter.password, desk.session, 1, b"00000002", 0) == "ERR1"


def test_a_lock_out_refuses_even_the_right_password_for_a_while():
    desk = opened(Desk(profile={"lockout_attempts": 3, "lockout_time": "10 min"}))
    for _ in range(3):
        desk.refused(answer, desk, b"WRONGONE", MINUTE)
    assert desk.refused(answer, desk, b"00000000", 11 * MINUTE - 1) == "ERR5"
    assert answer(desk, b"00000000", 11 * MINUTE) == Ack()


def test_zeros_do_not_forgive_the_wrong_passwords_before():
    desk = opened(Desk(profile={"lockout_attempts": 3, "lockout_time": "10 min"}))
    for _ in range(3):
        desk.refused(answer, desk, b"WRONGONE")
        desk.session.level = -1
        if desk.meter.security._locked_until == 0:
            desk.meter.password(desk.session, 2, ZEROS, 0)
    assert desk.refused(answer, desk, b"00000000") == "ERR5"


def test_the_right_password_forgives_the_wrong_ones_before():
    desk = opened(Desk(profile={"lockout_attempts": 2}))
    for _ in range(5):
        desk.refused(answer, desk, b"WRONGONE")
        assert answer(desk, b"00000000") == Ack()


def test_a_refused_password_may_be_answered_with_nak():
    desk = opened(Desk(profile={"refused_password": "NAK"}))
    assert answer(desk, b"WRONGONE") == Nak()


def test_equal_streams_give_equal_challenges():
    assert opened(Desk(serial="7")).session.seed == opened(Desk(serial="7")).session.seed
    assert opened(Desk(serial="7")).session.seed != opened(Desk(serial="8")).session.seed


@pytest.mark.parametrize("passwords", [{3: "short"}, {0: "00000000"}, {3: "ÄÄÄÄÄÄÄÄ"}])
def test_a_password_that_cannot_be_is_refused_without_telling_it(passwords):
    with pytest.raises(ValueError, match="is not 8 ASCII") as caught:
        Desk(passwords=passwords)
    assert "short" not in str(caught.value)
