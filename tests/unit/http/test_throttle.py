"""Limits of a host: concurrency, rate, pauses."""

from __future__ import annotations

import asyncio

import pytest

from crawler.throttle import HostThrottle, Limits, Throttle
from tests.fixtures.virtualtime import VirtualTime


@pytest.fixture
def host(virtual_time: VirtualTime) -> HostThrottle:
    return Throttle(sleep=virtual_time.sleep, clock=virtual_time.clock).host("tracker.example:443")


async def starts(host: HostThrottle, time: VirtualTime, count: int) -> list[float]:
    """When each of so many requests begins, in seconds from now."""
    began = time.clock()
    found: list[float] = []

    async def one() -> None:
        async with host.turn():
            found.append(time.clock() - began)

    await asyncio.gather(*(one() for _ in range(count)))
    return found


async def test_requests_are_evenly_spaced_however_many_wait(
    host: HostThrottle, virtual_time: VirtualTime
) -> None:
    with host.member(Limits(concurrency=3, rate=2)):
        assert await starts(host, virtual_time, 6) == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])


async def test_time_without_requests_is_not_saved_up(host: HostThrottle, virtual_time: VirtualTime) -> None:
    with host.member(Limits(concurrency=3, rate=2)):
        await starts(host, virtual_time, 1)
        await virtual_time.sleep(60)
        assert await starts(host, virtual_time, 3) == pytest.approx([0, 0.5, 1])


async def test_a_pause_holds_for_those_who_wait_already(
    host: HostThrottle, virtual_time: VirtualTime
) -> None:
    with host.member(Limits(concurrency=5, rate=1)):
        async with host.turn():
            waiting = asyncio.create_task(starts(host, virtual_time, 2))
            await asyncio.sleep(0)
            host.pause(10)
            host.pause(4)  # a shorter one takes nothing back
        assert await waiting == pytest.approx([10, 11])


async def test_the_strictest_of_those_who_take_part_holds_and_only_so_long(
    host: HostThrottle, virtual_time: VirtualTime
) -> None:
    with host.member(Limits(concurrency=9)):
        with host.member(Limits(concurrency=1, rate=0.5)):
            assert await starts(host, virtual_time, 2) == pytest.approx([0, 2])
        await virtual_time.sleep(2)
        assert await starts(host, virtual_time, 3) == [0, 0, 0]


async def test_a_place_that_is_given_up_goes_to_the_next(host: HostThrottle) -> None:
    done: list[str] = []

    async def one(name: str) -> None:
        async with host.turn():
            done.append(name)

    with host.member(Limits(concurrency=1)):
        async with host.turn():
            tasks = [asyncio.create_task(one(name)) for name in "abc"]
            await asyncio.sleep(0)
            tasks[0].cancel()
        tasks[1].cancel()  # it has just been given the turn
        await asyncio.wait(tasks, timeout=1)
        assert done == ["c"]
        async with asyncio.timeout(1), host.turn():
            pass


async def test_never_more_at_once_than_allowed_whatever_is_cancelled(host: HostThrottle) -> None:
    active = most = 0

    async def one() -> None:
        nonlocal active, most
        async with host.turn():
            active += 1
            most = max(most, active)
            try:
                await asyncio.sleep(0)
            finally:
                active -= 1

    with host.member(Limits(concurrency=3)):
        tasks = [asyncio.create_task(one()) for _ in range(60)]
        for n, task in enumerate(tasks):
            if n % 3 == 1:
                await asyncio.sleep(0)
                task.cancel()
        await asyncio.wait(tasks, timeout=2)
        assert all(task.done() for task in tasks)
        assert (most, active) == (3, 0)
        async with host.turn(), host.turn(), host.turn():
            pass


def test_a_name_has_one_set_of_limits() -> None:
    throttle = Throttle()
    assert throttle.host("a:1") is throttle.host("a:1")
    assert throttle.host("a:1") is not throttle.host("a:2")
