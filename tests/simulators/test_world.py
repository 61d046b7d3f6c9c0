"""The kernel: the guards around time, ties, errors, random streams, the digest, and the contract with SimPy 4."""

import gc
import threading
from collections.abc import Generator
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from simpy.events import NORMAL, Event

from simulators.world import SECOND, Deadlock, Digest, OutOfTime, Reentrancy, World, WorldError


def at(instant: int) -> "Any":
    return lambda: instant


def never() -> None:
    return None


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_time_moves_to_what_is_waited_for() -> None:
    world = World()
    assert world.run_until(at(500), 1000)
    assert world.now == 500


def test_what_comes_exactly_at_the_deadline_counts() -> None:
    world = World()
    assert world.run_until(at(1000), 1000)
    assert world.now == 1000


def test_one_nanosecond_later_is_too_late() -> None:
    world = World()
    assert not world.run_until(at(1001), 1000)
    assert world.now == 1000


def test_an_event_at_the_deadline_still_happens_and_may_end_the_wait() -> None:
    world = World()
    arrived: list[int] = []
    world.call_at(1000, lambda: arrived.append(world.now))
    assert world.run_until(lambda: arrived[0] if arrived else None, 1000)


def test_an_event_may_bring_the_condition_forward() -> None:
    world = World()
    due = [900]
    world.call_at(100, lambda: due.__setitem__(0, 200))
    assert world.run_until(lambda: due[0], 1000)
    assert world.now == 200


def test_events_at_the_reached_instant_have_run() -> None:
    world = World()
    seen: list[str] = []
    world.call_at(500, lambda: seen.append("first"))
    world.call_at(500, lambda: seen.append("second"))
    assert world.run_until(at(500), None)
    assert seen == ["first", "second"]


def test_events_of_now_run_even_if_the_condition_has_held_for_long() -> None:
    world = World()
    world.sleep(500)
    seen: list[int] = []
    world.call_at(500, lambda: seen.append(world.now))
    assert world.run_until(at(100), 500)
    assert seen == [500]


def test_a_deadline_that_has_passed_is_now() -> None:
    world = World()
    world.sleep(500)
    assert not world.run_until(never, 100)
    assert world.run_until(at(500), 100)
    assert world.now == 500
    world.call_at(500, never)
    assert world.run_until(at(500), 100)


def test_time_never_goes_back() -> None:
    world = World()
    world.sleep(500)
    world.advance_to(100)
    world.sleep(-10)
    assert world.now == 500


def test_an_action_cannot_be_asked_for_in_the_past() -> None:
    world = World()
    world.sleep(500)
    with pytest.raises(WorldError, match="499 ns, but it is already 500 ns"):
        world.call_at(499, never)


def test_a_wait_that_nothing_can_end_is_a_deadlock_at_once() -> None:
    world = World()
    world.call_at(7, never)
    with pytest.raises(Deadlock):
        world.run_until(never, None)
    assert world.now == 7


def test_a_deadlocked_world_can_be_used_again() -> None:
    world = World()
    with pytest.raises(Deadlock):
        world.run_until(never, None)
    world.sleep(5)
    assert world.now == 5


def test_those_of_one_instant_run_in_the_order_of_asking() -> None:
    world = World()
    seen: list[int] = []
    for number in range(20):
        world.call_at(100 if number % 2 else 50, lambda number=number: seen.append(number))
    world.advance_to(100)
    assert seen == [*range(0, 20, 2), *range(1, 20, 2)]


def test_an_action_asked_for_now_runs_after_those_asked_before() -> None:
    world = World()
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        world.call_at(world.now, lambda: seen.append("third"))

    world.call_at(10, first)
    world.call_at(10, lambda: seen.append("second"))
    world.advance_to(10)
    assert seen == ["first", "second", "third"]


# -- guards ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", ["run_until", "advance_to", "sleep"])
def test_time_cannot_be_moved_from_inside_an_event(move: str) -> None:
    world = World()
    moves = {
        "run_until": lambda: world.run_until(never, 100),
        "advance_to": lambda: world.advance_to(100),
        "sleep": lambda: world.sleep(10),
    }
    world.call_at(10, moves[move])
    with pytest.raises(Reentrancy, match="must not block"):
        world.sleep(50)


def test_time_cannot_be_moved_from_inside_a_process() -> None:
    world = World()

    def careless() -> Generator[Event, Any, None]:
        yield world.env.timeout(10)
        world.sleep(10)

    world.process(careless())
    with pytest.raises(Reentrancy):
        world.sleep(50)


def test_after_a_refused_nesting_the_world_goes_on() -> None:
    world = World()
    world.call_at(10, lambda: world.sleep(1))
    with pytest.raises(Reentrancy):
        world.sleep(50)
    world.sleep(50)
    assert world.now == 60


@pytest.mark.parametrize("first_move", [lambda world: world.sleep(5), lambda world: world.advance_to(0)])
def test_a_second_thread_cannot_move_time(first_move: Any) -> None:
    world = World()
    first_move(world)
    caught: list[BaseException] = []

    def other() -> None:
        try:
            world.sleep(10)
        except WorldError as error:
            caught.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [Reentrancy]
    assert "second thread" in str(caught[0])


# -- errors ------------------------------------------------------------------------------------------------------------


class Stubborn(Exception):
    """An exception that SimPy cannot rebuild from its arguments."""

    def __init__(self, *, code: int) -> None:
        super().__init__()
        self.code = code


def test_plain_simpy_loses_such_an_exception() -> None:
    env = simpy.Environment()

    def fails() -> Generator[Event, Any, None]:
        yield env.timeout(1)
        raise Stubborn(code=7)

    env.process(fails())
    with pytest.raises(TypeError):
        env.run()


def test_the_original_exception_of_a_process_comes_out_whole() -> None:
    world = World()
    original = Stubborn(code=7)

    def fails() -> Generator[Event, Any, None]:
        yield world.env.timeout(10)
        raise original

    world.process(fails())
    with pytest.raises(Stubborn) as caught:
        world.sleep(100)
    assert caught.value is original
    assert world.now == 10


def test_the_original_exception_of_an_action_comes_out_whole() -> None:
    world = World()
    original = Stubborn(code=8)

    def fail() -> None:
        raise original

    world.call_at(10, fail)
    world.call_at(10, lambda: world.digest.note(world.now, "after"))
    before = world.digest.hexdigest()
    with pytest.raises(Stubborn) as caught:
        world.sleep(100)
    assert caught.value is original
    assert world.digest.hexdigest() == before
    world.sleep(0)  # what was left of the instant happens on the next run
    assert world.digest.hexdigest() != before


def test_an_exception_of_the_condition_comes_out_and_frees_the_world() -> None:
    world = World()

    def condition() -> int | None:
        raise Stubborn(code=9)

    with pytest.raises(Stubborn):
        world.run_until(condition, 100)
    world.sleep(10)
    assert world.now == 10


def test_a_process_that_nobody_can_resume_is_thrown_away_quietly() -> None:
    world = World()

    def waits_for_nothing() -> Generator[Event, Any, None]:
        yield world.env.event()

    world.process(waits_for_nothing())
    world.sleep(10)
    gc.collect()
    world.call_at(20, never)
    world.sleep(20)
    assert world.now == 30


def test_a_process_returns_a_value_to_one_that_waits_for_it() -> None:
    world = World()
    seen: list[int] = []

    def answers() -> Generator[Event, Any, int]:
        yield world.env.timeout(5)
        return 42

    def asks() -> Generator[Event, Any, None]:
        seen.append((yield world.process(answers())))

    world.process(asks())
    world.sleep(10)
    assert seen == [42]


# -- budget ------------------------------------------------------------------------------------------------------------


def test_a_budget_ends_what_recurs_for_ever() -> None:
    world = World(budget=SECOND)

    def tick() -> None:
        world.call_at(world.now + 1_000_000, tick)

    world.call_at(0, tick)
    with pytest.raises(OutOfTime, match="the budget of 1 s"):
        world.run_until(never, None)
    assert world.now == SECOND


def test_the_last_nanosecond_of_a_budget_can_be_used() -> None:
    world = World(budget=100)
    world.sleep(50)
    world.sleep(50)
    with pytest.raises(OutOfTime):
        world.sleep(1)


# -- pace --------------------------------------------------------------------------------------------------------------


def test_a_paced_world_is_asked_before_every_move() -> None:
    world = World()
    asked: list[int] = []
    world.pace = asked.append
    world.call_at(30, never)
    world.sleep(100)
    assert asked == [30, 100]


# -- random streams ----------------------------------------------------------------------------------------------------


def test_a_stream_does_not_depend_on_the_order_of_calls() -> None:
    one, other = World(seed=3), World(seed=3)
    first, second = one.stream("meter 1", 5).random(), one.stream("meter 2", 5).random()
    assert other.stream("meter 2", 5).random() == second
    assert other.stream("meter 1", 5).random() == first


def test_streams_differ_by_entity_occasion_and_seed() -> None:
    draws = {
        World(seed).stream(entity, occasion).random()
        for seed in (1, 2)
        for entity in ("meter 1", "meter 2")
        for occasion in ("", "loss", 1, 2)
    }
    assert len(draws) == 16


def test_a_stream_is_the_same_on_every_machine() -> None:
    assert World(seed=1).stream("line:desk", "collision").randrange(1_000_000) == 166_147


# -- digest ------------------------------------------------------------------------------------------------------------


def _fingerprint(*happenings: tuple[int, str, bytes]) -> str:
    digest = Digest()
    for happening in happenings:
        digest.note(*happening)
    return digest.hexdigest()


def test_equal_happenings_have_equal_digests() -> None:
    assert _fingerprint((1, "desk", b"ab"), (2, "desk", b"")) == _fingerprint((1, "desk", b"ab"), (2, "desk", b""))


@pytest.mark.parametrize(
    "other",
    [
        [(1, "desk", b"ab"), (3, "desk", b"c")],
        [(1, "desk", b"ab"), (2, "line", b"c")],
        [(1, "desk", b"ab"), (2, "desk", b"d")],
        [(2, "desk", b"c"), (1, "desk", b"ab")],
        [(1, "desk", b"abc")],
    ],
)
def test_another_instant_word_byte_or_order_is_another_digest(other: list[tuple[int, str, bytes]]) -> None:
    assert _fingerprint(*other) != _fingerprint((1, "desk", b"ab"), (2, "desk", b"c"))


def test_looking_at_the_digest_does_not_change_it() -> None:
    looked, not_looked = Digest(), Digest()
    for instant in range(1000):
        looked.note(instant, "tick")
        not_looked.note(instant, "tick")
        looked.hexdigest()
    assert looked.hexdigest() == not_looked.hexdigest()


# -- the contract with SimPy -------------------------------------------------------------------------------------------


def test_simpy_keeps_its_clock_and_queue_where_the_world_drives_them() -> None:
    env = simpy.Environment(0)
    assert env._now == env.now == 0
    assert env._queue == []
    event = env.timeout(5)
    when, priority, number, queued = env._queue[0]
    assert (when, priority, queued) == (5, NORMAL, event)
    assert next(env._eid) == number + 1
    env._now = 3
    assert env.now == 3


def test_an_event_put_into_simpys_queue_by_hand_is_processed_in_its_turn() -> None:
    world = World()
    seen: list[str] = []

    def waits() -> Generator[Event, Any, None]:
        yield world.env.timeout(10)
        seen.append("process")

    world.process(waits())
    world.advance_to(0)
    world.call_at(10, lambda: seen.append("action"))
    world.call_at(9, lambda: seen.append("earlier"))
    world.advance_to(10)
    assert seen == ["earlier", "process", "action"]
    event = world.call_at(20, never)
    assert not event.processed
    world.advance_to(20)
    assert event.processed


# -- the fast path of sleep --------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 300), max_size=20),
    st.lists(st.integers(0, 120), min_size=1, max_size=20),
)
def test_sleeping_fast_is_sleeping_slowly(events: list[int], naps: list[int]) -> None:
    fast, slow = World(), World()
    slow.pace = lambda _when: None  # a paced world always takes the long way
    logs: list[list[tuple[int, int]]] = [[], []]
    for world, log in zip((fast, slow), logs, strict=True):
        for instant in events:
            world.call_at(instant, lambda world=world, log=log, instant=instant: log.append((instant, world.now)))
        for nap in naps:
            world.sleep(nap)
            log.append((-1, world.now))
    assert logs[0] == logs[1]


def test_the_fast_path_is_taken() -> None:
    world = World()
    world.sleep(1)
    world.run_until = None  # type: ignore[method-assign, assignment]  # the long way is closed
    world.sleep(10)
    assert world.now == 11
    world.call_at(12, never)
    with pytest.raises(TypeError):
        world.sleep(10)
