"""A world in pace with the wall clock. Upper bounds are generous, for busy machines; lower ones are exact."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter_ns

import pytest

from simulators.realtime import Lateness, RealTime, new_loop
from simulators.world import MILLISECOND, SECOND, World

LATE = 400 * MILLISECOND


def on_loop(body: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(body(), 10)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(whole())


async def until(realtime: RealTime, *instants: int) -> list[tuple[int, int]]:
    """Run until actions at these instants have happened: their world instants, and those of the wall."""
    happened: list[tuple[int, int]] = []
    over = asyncio.Event()

    def happen() -> None:
        happened.append((realtime.world.now, realtime.wall()))
        if len(happened) == len(instants):
            over.set()

    for instant in instants:
        realtime.act(lambda instant=instant: realtime.world.call_at(instant, happen))
    await realtime.run(over)
    return happened


def test_events_happen_at_their_instants_and_not_before_the_wall_clock() -> None:
    async def body() -> None:
        realtime = RealTime(World())
        wanted = [30 * MILLISECOND, 10 * MILLISECOND, 31 * MILLISECOND]
        for (world, wall), instant in zip(await until(realtime, *wanted), sorted(wanted), strict=True):
            assert world == instant
            assert instant <= wall < instant + LATE
        assert realtime.lateness.count >= 2
        assert realtime.lateness.worst < LATE

    on_loop(body)


def test_a_world_at_ten_times_the_speed_needs_a_tenth_of_the_time() -> None:
    async def body() -> None:
        realtime = RealTime(World(), speed=10)
        began = perf_counter_ns()
        ((world, _),) = await until(realtime, SECOND)
        assert world == SECOND
        assert 0.1 * SECOND <= perf_counter_ns() - began < 0.1 * SECOND + LATE

    on_loop(body)


def test_what_comes_from_outside_finds_the_world_at_the_present() -> None:
    async def body() -> None:
        realtime = RealTime(World())
        seen: list[str] = []
        realtime.world.call_at(5 * MILLISECOND, lambda: seen.append("earlier"))
        while realtime.wall() < 20 * MILLISECOND:  # the loop is busy, so the timer cannot come
            pass
        now = realtime.act(lambda: (seen.append("outside"), realtime.world.now)[1])
        assert seen == ["earlier", "outside"]
        assert 20 * MILLISECOND <= now <= realtime.wall()

    on_loop(body)


def test_what_is_due_at_once_happens_at_once() -> None:
    async def body() -> None:
        realtime = RealTime(World())
        seen: list[int] = []
        realtime.act(lambda: realtime.world.call_at(realtime.world.now, lambda: seen.append(1)))
        assert seen == [1]

    on_loop(body)


def test_an_earlier_event_moves_the_timer_forward() -> None:
    async def body() -> None:
        realtime = RealTime(World())
        realtime.act(lambda: realtime.world.call_at(60 * SECOND, lambda: None))
        ((world, wall),) = await until(realtime, 20 * MILLISECOND)
        assert world == 20 * MILLISECOND
        assert wall < 20 * MILLISECOND + LATE

    on_loop(body)


class OnlyKeywords(Exception):
    def __init__(self, *, cause: str) -> None:
        super().__init__()
        self.cause = cause


def test_an_error_inside_the_world_stops_the_run_and_comes_out_whole() -> None:
    def fail() -> None:
        raise OnlyKeywords(cause="a register that does not exist")

    async def body() -> None:
        realtime = RealTime(World())
        realtime.world.call_at(MILLISECOND, fail)
        realtime.arm()
        with pytest.raises(OnlyKeywords) as raised:
            await realtime.run(asyncio.Event())
        assert raised.value.cause == "a register that does not exist"

    on_loop(body)


def test_trouble_of_one_socket_does_not_stop_the_world(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ConnectionResetError

    async def body() -> None:
        realtime = RealTime(World())
        asyncio.get_running_loop().call_soon(fail)
        assert await until(realtime, 5 * MILLISECOND)

    on_loop(body)
    assert "ConnectionResetError" in caplog.text


def test_a_closed_clock_lets_the_world_stand_still() -> None:
    async def body() -> None:
        realtime = RealTime(World())
        seen: list[int] = []
        realtime.act(lambda: realtime.world.call_at(5 * MILLISECOND, lambda: seen.append(1)))
        realtime.close()
        await asyncio.sleep(0.03)
        assert (seen, realtime.world.now < 5 * MILLISECOND) == ([], True)

    on_loop(body)


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_does_not_exist_is_refused(speed: float) -> None:
    async def body() -> None:
        with pytest.raises(ValueError, match="above 0"):
            RealTime(World(), speed=speed)

    on_loop(body)


def test_long_waits_of_the_loop_end_in_time_and_calls_from_threads_end_them() -> None:
    async def body() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(0.12)  # waited for in two parts
        assert 0.12 <= loop.time() - began < 0.12 + LATE / SECOND
        woken = loop.create_future()
        threading.Timer(0.01, lambda: loop.call_soon_threadsafe(woken.set_result, None)).start()
        await asyncio.wait_for(woken, 5)

    on_loop(body)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    lateness = Lateness()
    assert lateness.summary() == {"count": 0, "p50": 0, "p99": 0, "max": 0}
    for late in range(1, 101):
        lateness.note(late)
    assert lateness.summary() == {"count": 100, "p50": 50, "p99": 99, "max": 100}
