"""Where a sweep cuts: at each byte on the wire, at each step of the meter, before each touch of the bench."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.sweep.jobs import JOBS
from bench.sweep.moments import Moment, moments, parse_moment
from bench.sweep.plan import Plan
from bench.sweep.stand import Stand


def test_every_byte_on_a_serial_line_is_a_moment() -> None:
    plan = Plan(procedure="clock")
    stand = Stand(plan)
    JOBS["clock"].run(stand)
    framing = stand.stage.line("bus").framing
    ends = {frame.at + framing.time_of(count) for frame in stand.tap.frames for count in range(len(frame.data) + 1)}
    steps = {at + offset for _, at in stand.notices.steps for offset in (-1, 0, 1)}
    stand.close()
    assert {moment.at for moment in moments(plan)} == ends | steps
    assert len(ends) > 250


def test_a_moment_says_in_words_where_it_is() -> None:
    words = [moment.what for moment in moments(Plan(procedure="clock"))]
    assert "after 3 of 8 bytes of unit 1: write 8000 := 1310" in words
    assert "just before command executed" in words


def test_equal_plans_have_equal_moments_and_another_seed_has_others() -> None:
    assert moments(Plan(procedure="demand")) == moments(Plan(procedure="demand"))
    energies = Plan(procedure="restart", victim="meter")
    assert [m.at for m in moments(energies)] == sorted(m.at for m in moments(energies) if m.at is not None)


def test_a_network_has_messages_and_a_bench_has_touches() -> None:
    plan = Plan(procedure="restart", victim="bench", medium="ethernet")
    found = moments(plan)
    timed, touches = [m for m in found if m.touch is None], [m for m in found if m.touch is not None]
    assert any(moment.what.startswith("at arrival of unit 1: write 8000 := 1110") for moment in timed)
    assert [moment.touch for moment in touches] == list(range(1, len(touches) + 1))


def test_a_save_that_is_over_after_the_procedure_is_cut_into_too() -> None:
    plan = Plan(procedure="demand", save_delay="20 s")
    last = moments(plan)[-1]
    assert last.what == "just after saved"


@pytest.mark.parametrize(
    ("text", "moment"), [("1980", Moment(1980, None, "1980")), ("touch 7", Moment(None, 7, "touch 7"))]
)
def test_a_moment_is_read_as_it_is_printed(text: str, moment: Moment) -> None:
    assert parse_moment(text) == moment
    assert str(parse_moment(text)) == text


@pytest.mark.parametrize("text", ["", "soon", "-5", "touch", "touch x", "1.5"])
def test_what_is_no_moment_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment"):
        parse_moment(text)
