"""What a site asks of crawlers is kept to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from crawler.client import Client
from crawler.errors import NotPermitted, TrackerError
from crawler.http.robots import SLOWEST, Robots
from tests.fixtures.rawserver import RawServer, reply
from tests.fixtures.virtualtime import VirtualTime

Start: TypeAlias = Callable[..., Awaitable[RawServer]]
RULES = b"User-agent: *\nDisallow: /private\nAllow: /private/open\n"


async def test_they_are_read_once_before_anything_else_and_kept_to(rawserver: Start) -> None:
    server = await rawserver(reply(RULES), reply())
    async with Client(server.url, robots=True) as client:
        await client.get("/ticket/1")
        await client.get("/private/open")
        with pytest.raises(NotPermitted, match="--ignore-robots") as refused:
            await client.get("/private/x?token=canary")
        assert "canary" not in str(refused.value)
    assert server.asked == ["GET /robots.txt", "GET /ticket/1", "GET /private/open"]


async def test_a_redirect_does_not_lead_around_them(rawserver: Start) -> None:
    moved = reply(b"", "Location: /private/x", status="302 Found")
    server = await rawserver(reply(RULES), moved, reply())
    async with Client(server.url, robots=True) as client:
        with pytest.raises(NotPermitted):
            await client.get("/ticket/1")
    assert server.asked == ["GET /robots.txt", "GET /ticket/1"]


async def test_a_pause_that_they_ask_for_is_made(rawserver: Start, virtual_time: VirtualTime) -> None:
    server = await rawserver(reply(b"User-agent: ims-crawler\nCrawl-delay: 7\n"), reply())
    async with Client(server.url, robots=True, sleep=virtual_time.sleep, clock=virtual_time.clock) as client:
        began = virtual_time.clock()
        for _ in range(3):
            await client.get("/")
        assert virtual_time.clock() - began >= 14


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", status="404 Not Found"),
        reply(b"", status="403 Forbidden"),
        reply(b"", status="401 Unauthorized"),
        reply(b"<html><body><form action='login'>User-agent: *<br>Disallow: /</form></html>"),
        reply(bytes(range(256)) * 100),
        reply(b"", "Location: http://127.0.0.1:1/elsewhere", status="302 Found"),
    ],
    ids=["missing", "forbidden", "for members", "a page", "garbage", "elsewhere"],
)
async def test_a_site_without_them_asks_for_nothing(rawserver: Start, answer: bytes) -> None:
    server = await rawserver(answer, reply())
    async with Client(server.url, robots=True) as client:
        assert (await client.get("/ticket/1")).body == b"fine"


async def test_a_host_that_cannot_be_reached_is_said_so(virtual_time: VirtualTime) -> None:
    async with Client("http://127.0.0.1:1", robots=True, sleep=virtual_time.sleep) as client:
        with pytest.raises(TrackerError, match="cannot be reached"):
            await client.get("/")


async def test_who_is_not_told_to_keep_to_them_does_not_ask(rawserver: Start) -> None:
    server = await rawserver(reply())
    async with Client(server.url) as client:
        await client.get("/private/x")
    assert server.asked == ["GET /private/x"]


@pytest.mark.parametrize("delay", ["-1", "0", "nonsense", "1e400"])
def test_a_delay_that_is_none_is_none(delay: str) -> None:
    found = Robots.read(f"User-agent: *\nCrawl-delay: {delay}\n".encode()).delay
    assert found is None or found <= SLOWEST
