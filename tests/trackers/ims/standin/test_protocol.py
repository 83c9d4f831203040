"""The stand-in speaks HTTP/1.1 on a raw connection, and refuses what is not that."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.protocol import MAX_BODY, MAX_HEAD

LOGIN_PAGE = b"GET /tody/auth/login.do HTTP/1.1\r\nHost: x\r\n\r\n"


async def talk(tracker: StandIn, *parts: bytes) -> bytes:
    """Send parts one after the other and read until the server closes."""
    host, _, port = tracker.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


CLOSING = b"GET /tody/auth/login.do HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_a_connection_is_kept_until_one_side_closes_it(standin: StandIn) -> None:
    answer = await talk(standin, LOGIN_PAGE, LOGIN_PAGE, CLOSING)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.count(b"Connection: close") == 1


async def test_the_length_that_is_told_is_the_length_that_comes(standin: StandIn) -> None:
    head, _, body = (await talk(standin, CLOSING)).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")


async def test_requests_that_come_together_are_answered_in_order_also_with_latency(standin: StandIn) -> None:
    standin.latency = 0.01
    wrong = b"id=kim&password=wrong"
    post = b"POST /tody/auth/login.do HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    post += b"Content-Length: %d\r\n\r\n%s" % (len(wrong), wrong)
    started = time.monotonic()
    answer = await talk(standin, post + LOGIN_PAGE + CLOSING)
    assert time.monotonic() - started >= 0.03
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.find(b"ID or password is wrong") < answer.rfind(b"HTTP/1.1")
    assert answer.count(b"ID or password is wrong") == 1


async def test_a_request_that_comes_byte_by_byte_is_understood(standin: StandIn) -> None:
    answer = await talk(standin, *(CLOSING[place : place + 1] for place in range(len(CLOSING))))
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"GET http://elsewhere.example/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"DELETE / HTTP/1.1\r\n\r\n", 405),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST / HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5000), 413),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEAD + 1), 431),
    ],
    ids=lambda value: str(value)[:48],
)
async def test_what_is_not_understood_is_refused_and_the_connection_closed(
    standin: StandIn, request_bytes: bytes, status: int
) -> None:
    answer = await talk(standin, request_bytes)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


async def test_a_client_that_leaves_before_its_answer_does_no_harm(standin: StandIn) -> None:
    standin.latency = 0.02
    host, _, port = standin.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(LOGIN_PAGE)
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.04)
    standin.latency = 0
    assert (await talk(standin, CLOSING)).startswith(b"HTTP/1.1 200")


async def test_stopping_closes_open_connections() -> None:
    async with StandIn.demo() as tracker:
        host, _, port = tracker.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(LOGIN_PAGE)
        await reader.readuntil(b"\r\n\r\n")
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            await reader.read()
    writer.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(host, int(port))
