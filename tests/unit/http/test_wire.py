"""A connection is used again where nothing is left over, and sends nothing that would be two headers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import httpx
import pytest

from crawler.http.connections import Connections
from tests.fixtures.rawserver import End, RawServer, Script, reply

Start: TypeAlias = Callable[..., Awaitable[RawServer]]


async def bodies(server: RawServer, count: int) -> list[bytes | type[Exception]]:
    """What a single connection's user gets, request by request."""
    connections = Connections()
    got: list[bytes | type[Exception]] = []
    for _ in range(count):
        transport = connections.take("http")
        try:
            answer = await transport.handle_async_request(httpx.Request("GET", server.url))
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            got.append(b"".join([piece async for piece in answer.stream]))
            await answer.stream.aclose()
        except httpx.HTTPError as error:
            got.append(type(error))
        connections.give_back("http", transport)
        await asyncio.sleep(0.03)  # what comes unasked is here by then
    await connections.close()
    return got


@pytest.mark.parametrize(
    ("script", "answer", "connections"),
    [
        ([reply()], b"fine", 1),
        ([b"HTTP/1.1 103 Early Hints\r\n\r\n" + reply()], b"fine", 1),
        ([reply()[:9], 0.01, reply()[9:]], b"fine", 1),
        ([reply().replace(b"\r\n", b"\n")], b"fine", 1),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n"], b"fine", 1),
        ([reply(b"fine", "Connection: close")], b"fine", 2),
        ([b"HTTP/1.1 200 OK\r\n\r\nfine", End.CLOSE], b"fine", 2),
        ([reply() + b"more than was asked for"], b"fine", 2),
        ([reply(), 0.01, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"], b"fine", 2),
        ([reply()[:-1], End.CLOSE], httpx.RemoteProtocolError, 2),
        ([End.RESET], httpx.ReadError, 2),
        ([End.CLOSE], httpx.RemoteProtocolError, 2),
        ([b"\0\0\r\n\r\n"], httpx.RemoteProtocolError, 2),
    ],
    ids=lambda value: None,
)
async def test_a_connection_is_used_again_where_nothing_is_left_over(
    rawserver: Start, script: Script, answer: bytes | type[Exception], connections: int
) -> None:
    server = await rawserver(script)
    assert await bodies(server, 2) == [answer, answer]
    assert server.connections == connections


@pytest.mark.parametrize("header", ["a\r\nb", "a\0b", "a\nb"])
async def test_nothing_is_sent_that_would_be_two_headers(rawserver: Start, header: str) -> None:
    server = await rawserver(reply())
    connections = Connections()
    request = httpx.Request("GET", server.url, headers={"X": header})
    with pytest.raises(httpx.LocalProtocolError):
        await connections.take("http").handle_async_request(request)
    await connections.close()
    assert server.requests == []
