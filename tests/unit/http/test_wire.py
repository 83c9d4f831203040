"""Our own connection, where h11 reads whatever is not of the usual shape."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import h11
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.http.connections import Connections
from crawler.http.wire import usual_head
from tests.fixtures.rawserver import End, RawServer, Script, reply

Start: TypeAlias = Callable[..., Awaitable[RawServer]]

LINES = st.sampled_from(
    [
        b"Content-Length: 4",
        b"content-length:4",
        b"Content-Length: 04",
        b"Content-Length: 4, 4",
        b"Content-Length: +4",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked",
        b"Connection: keep-alive",
        b"Connection: close",
        b"Set-Cookie: a=b; Path=/  ",
        b"X:\t\xea\xb0\x80",
        b" folded",
        b"No colon",
        b"Space : x",
        b"X: a\0b",
        b"X: a\rb",
        b"X: a\nY: b",
        b"",
    ]
)
STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 404", b"HTTP/1.1 204 No", b"HTTP/1.0 200 OK", b"HTTP/1.1 99 x", b"x"]
)


def by_h11(data: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(data)
    head = reader.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := reader.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert reader.their_state is h11.DONE  # the next request may be sent
    return head.status_code, list(head.headers), body + reader.trailing_data[0]


@given(STATUS, st.lists(LINES | st.binary(max_size=12), max_size=5), st.sampled_from([b"\r\n", b"\n"]))
@example(b"HTTP/1.1 200 OK", [b"Content-Length: 4", b"Connection: close"], b"\r\n")
@example(b"HTTP/1.1 200 OK", [b"Content-Length: 4", b"Transfer-Encoding: chunked"], b"\r\n")
@example(b"HTTP/1.1 204 No", [b"Content-Length: 4"], b"\r\n")
def test_what_is_read_without_h11_is_read_as_h11_does(status: bytes, lines: list[bytes], end: bytes) -> None:
    data = end.join([status, *lines, b"", b"four"])
    told = usual_head(data)
    if told is not None:
        code, fields, start, length = told
        lower = [(name.lower(), value) for name, value in fields]
        assert length == 4 or not data[start:].startswith(b"four")
        assert by_h11(data) == (code, lower, data[start:])


def test_an_answer_of_the_usual_shape_needs_no_h11() -> None:
    told = usual_head(reply(b"four", "Server: x y ", "Set-Cookie: a=b"))
    fields = [(b"Content-Length", b"4"), (b"Server", b"x y"), (b"Set-Cookie", b"a=b")]
    assert told is not None
    assert told[:2] == (200, fields)
    assert told[3] == 4


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
