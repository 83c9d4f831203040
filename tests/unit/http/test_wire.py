"""A connection is used again where nothing is left over, and sends nothing that would be two headers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.http.connections import Connections
from crawler.http.wire import Wire
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


NAMES = st.sampled_from([b"X", b"Host", b"Cookie", b"Content-Length", b"a b", b""])
VALUES = st.sampled_from([b"1", b"tracker.example", b" 1", b"a\r\nX: b", b"a\0", b"\xea\xb9\x80", b"1, 2"])
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/", "/a?b=1"]),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
    st.sampled_from([None, b"", b"a=1"]),
)


@given(st.lists(REQUESTS, max_size=4).map(lambda few: [each for each in few for _ in range(2)]))
def test_a_request_is_checked_and_written_as_if_it_were_the_first(
    requests: list[tuple[str, str, list[tuple[bytes, bytes]], bytes | None]],
) -> None:
    def written(
        wire: Wire, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes | None
    ) -> object:
        request = httpx.Request(method, f"http://tracker.example{path}", headers=headers, content=body)
        try:
            return wire._message(h11.Connection(h11.CLIENT), request)
        except httpx.LocalProtocolError as error:
            return str(error)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    used = Wire(tls, idle=1)
    for each in requests:
        assert written(used, *each) == written(Wire(tls, idle=1), *each)


@pytest.mark.parametrize("header", ["a\r\nb", "a\0b", "a\nb"])
async def test_nothing_is_sent_that_would_be_two_headers(rawserver: Start, header: str) -> None:
    server = await rawserver(reply())
    connections = Connections()
    request = httpx.Request("GET", server.url, headers={"X": header})
    with pytest.raises(httpx.LocalProtocolError):
        await connections.take("http").handle_async_request(request)
    await connections.close()
    assert server.requests == []
