"""One login for all."""

from __future__ import annotations

import asyncio

import pytest

from crawler.errors import LoginRefused, TrackerError
from crawler.http.login_gate import LoginGate
from crawler.http.response import Response


class Door:
    """A login that counts; what stands in ``errors`` is raised first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0
        self.open = asyncio.Event()
        self.open.set()

    async def login(self) -> None:
        self.tries += 1
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)


async def test_all_who_notice_at_once_wait_for_one_login() -> None:
    door = Door()
    gate = LoginGate(door.login)
    await asyncio.gather(*(gate.renew(0) for _ in range(20)))
    assert (door.tries, gate.generation) == (1, 1)


async def test_one_who_notices_late_does_not_log_in_again() -> None:
    door = Door()
    gate = LoginGate(door.login)
    await gate.renew(0)
    await gate.renew(0)
    assert door.tries == 1
    await gate.renew(1)
    assert (door.tries, gate.generation) == (2, 2)


async def test_a_refusal_is_told_to_all_and_never_tried_again() -> None:
    door = Door(LoginRefused("Wrong password."))
    gate = LoginGate(door.login)
    results = await asyncio.gather(*(gate.renew(0) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, LoginRefused) for result in results)
    for _ in range(3):
        with pytest.raises(LoginRefused, match="Wrong password"):
            await gate.renew(0)
    assert (door.tries, gate.generation) == (1, 0)


async def test_a_login_that_could_not_be_tried_fails_for_those_who_waited_and_may_be_tried_later() -> None:
    door = Door(TrackerError("Away."))
    gate = LoginGate(door.login)
    results = await asyncio.gather(*(gate.renew(0) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, TrackerError) for result in results)
    assert door.tries == 1
    await gate.renew(0)
    assert (door.tries, gate.generation) == (2, 1)


async def test_one_who_gives_up_does_not_take_the_login_from_the_others() -> None:
    door = Door()
    door.open.clear()
    gate = LoginGate(door.login)
    first, second = asyncio.create_task(gate.renew(0)), asyncio.create_task(gate.renew(0))
    await asyncio.sleep(0.001)
    first.cancel()
    await asyncio.wait([first])
    door.open.set()
    await second
    assert (door.tries, gate.generation) == (1, 1)


async def test_when_all_give_up_the_login_ends_and_the_next_one_starts_afresh() -> None:
    door = Door()
    door.open.clear()
    gate = LoginGate(door.login)
    waiting = asyncio.create_task(gate.renew(0))
    await asyncio.sleep(0.001)
    waiting.cancel()
    next_one = asyncio.create_task(gate.renew(0))  # comes while the first login is still on its way out
    door.open.set()
    await next_one
    assert waiting.cancelled()
    assert (door.tries, gate.generation) == (2, 1)


def page(shown: bool) -> Response:
    return Response(url="http://x/", status=200, headers={}, body=b"page" if shown else b"login")


def is_login(response: Response) -> bool:
    return response.body == b"login"


async def test_logins_that_bring_no_page_are_not_repeated_for_ever() -> None:
    door = Door()
    gate = LoginGate(door.login)

    async def ask() -> Response:
        return page(shown=False)

    for _ in range(3):
        with pytest.raises(LoginRefused, match="right after every login"):
            await gate.page(ask, is_login)
    assert door.tries == 3


@pytest.mark.parametrize(("quota", "at_once"), [(1, 1), (1, 3), (2, 4), (60, 8)])
async def test_a_session_that_ends_after_so_many_pages_is_renewed_however_often(
    quota: int, at_once: int
) -> None:
    door = Door()
    gate = LoginGate(door.login)
    left, seen = 0, 0

    async def ask() -> Response:
        nonlocal left, seen
        if seen != door.tries:
            left, seen = quota, door.tries
        left -= 1
        answer = page(shown=left >= 0)
        await asyncio.sleep(0)
        return answer

    async def work() -> None:
        for _ in range(200 // at_once):
            assert (await gate.page(ask, is_login)).body == b"page"

    await asyncio.gather(*(work() for _ in range(at_once)))
    assert door.tries >= 200 // at_once * at_once / quota


async def test_a_page_that_no_login_opens_ends_though_others_come() -> None:
    door = Door()
    gate = LoginGate(door.login)

    async def ask() -> Response:
        return page(shown=True)

    async def never() -> Response:
        await gate.page(ask, is_login)
        return page(shown=False)

    with pytest.raises(LoginRefused):
        await gate.page(never, is_login)
