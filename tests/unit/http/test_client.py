"""The client against a server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import gzip
import time
import traceback
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.client import Client, Event
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    NotFound,
    NotPermitted,
    PageTooLarge,
    TrackerError,
    UsageError,
)
from crawler.http.request import Headers
from crawler.http.request import Request as ToAsk
from crawler.http.stats import ClientStats
from crawler.throttle import Throttle
from tests.fixtures.rawserver import End, RawServer, reply
from tests.fixtures.virtualtime import VirtualTime

Start: TypeAlias = Callable[..., Awaitable[RawServer]]
Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Client]]

PAGE = "<p>오류 エラー</p>".encode() * 400
PACKED = gzip.compress(PAGE, mtime=0)


@pytest.fixture
def connect(virtual_time: VirtualTime) -> Connect:
    """A client whose waits take no real time."""

    @asynccontextmanager
    async def make(server: RawServer, **options: Any) -> AsyncIterator[Client]:
        times: dict[str, Any] = {
            "sleep": virtual_time.sleep,
            "clock": virtual_time.clock,
            "now": virtual_time.now,
        }
        async with Client(server.url, **{**times, **options}) as client:
            yield client

    return make


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["http://a.example/1", "http://a.example:81/1?q=2", "https://b.example/"]),
            st.sampled_from(["GET", "POST"]),
            st.sampled_from([(), ((b"Cookie", b"s=1"),), ((b"cookie", b"s=2"),), ((b"Host", b"c"),)]),
            st.sampled_from([None, b"", b"a=1"]),
        ),
        max_size=6,
    )
)
@example([("http://a.example/", "GET", ((b"Cookie", sid),), None) for sid in (b"s=1", b"s=2")])
@example([(address, "GET", (), None) for address in ("http://a.example/", "http://b.example/")])
def test_a_request_is_the_librarys_own_whatever_was_asked_before(
    asked: list[tuple[str, str, Headers, bytes | None]],
) -> None:
    client = Client("http://a.example")
    for address, method, headers, content in asked:
        url = httpx.URL(address)
        made = client._message(ToAsk(method, url, headers, content, ()), headers)
        plain = httpx.Request(method, url, headers=headers, content=content)
        assert (made.method, made.url, made.headers.raw) == (plain.method, plain.url, plain.headers.raw)
        assert made.read() == plain.read()


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    return reply(body, f"Content-Encoding: {encoding}")


async def test_a_page_comes_whole_with_its_address_headers_and_text(
    rawserver: Start, connect: Connect
) -> None:
    server = await rawserver(
        reply(PACKED, "Content-Encoding: gzip", "X-Two: a", "X-Two: b", "Content-Type: text/html")
    )
    async with connect(server) as client:
        got = await client.get("ticket/5", params=[("q", "a b"), ("q", "한"), ("n", 3)])
    assert (got.url, got.status, got.body) == (f"{server.url}/ticket/5?q=a%20b&q=%ED%95%9C&n=3", 200, PAGE)
    assert (got.headers["x-two"], got.content_type, got.text) == ("a, b", "text/html", PAGE.decode())
    assert client.stats == ClientStats(requests=1, bytes=len(PACKED))
    assert server.header("accept-encoding") == "gzip, deflate"
    assert (server.header("user-agent") or "").startswith("ims-crawler/")


async def test_relative_addresses_start_where_a_link_on_the_base_page_would(rawserver: Start) -> None:
    server = await rawserver(reply())
    async with Client(server.url + "/trac/") as client:
        for url in ("", "ticket/5", "/login", f"{server.url}/trac/wiki?a=1", "?b=2"):
            await client.get(url)
        await client.get("query?a=1", params={"b": True})
    assert server.asked == [
        "GET /trac/",
        "GET /trac/ticket/5",
        "GET /login",
        "GET /trac/wiki?a=1",
        "GET /trac/?b=2",
        "GET /trac/query?a=1&b=true",
    ]


async def test_a_form_is_posted_as_a_browser_would(rawserver: Start, connect: Connect) -> None:
    server = await rawserver(reply())
    async with connect(server) as client:
        await client.post("/login", data={"user": "ann", "word": "a b&한"})
        await client.post("/rpc", data=b"{}", headers={"content-type": "application/json", "Accept": "a/b"})
    assert server.requests[0].endswith(b"\r\n\r\nuser=ann&word=a+b%26%ED%95%9C")
    assert server.header("content-type", 0) == "application/x-www-form-urlencoded"
    assert server.header("content-type", 1) == "application/json"
    assert server.requests[1].lower().count(b"\r\naccept:") == 1
    assert server.header("accept", 1) == "a/b"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("Thu, 01 Jan 2026 00:00:40 GMT", 40),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("31536000", 300),
        ("9" * 5000, 300),
        ("soon", 2),
        ("-5", 2),
    ],
)
async def test_a_pause_that_the_tracker_asks_for_holds_for_every_worker(
    rawserver: Start, connect: Connect, virtual_time: VirtualTime, said: str, seconds: float
) -> None:
    busy = reply(b"", f"Retry-After: {said}", status="429 Too Many Requests")
    server = await rawserver(busy, reply())
    events: list[Event] = []
    async with connect(server, on_event=events.append, concurrency=1) as client:
        began = virtual_time.clock()
        first = asyncio.create_task(client.get("/first"))
        others = [asyncio.create_task(client.get(f"/{n}")) for n in range(3)]
        ended = []
        for task in others:
            await task
            ended.append(virtual_time.clock() - began)
        await first
    assert (events[0].kind, events[0].seconds) == ("pause", seconds)
    assert all(end >= seconds for end in ended)
    assert virtual_time.clock() - began < seconds + 1
    assert client.stats.retries == 1
    assert len(server.requests) == 5


async def test_a_quota_that_is_used_up_is_waited_out_even_with_status_403(
    rawserver: Start, connect: Connect, virtual_time: VirtualTime
) -> None:
    reset = int(virtual_time.now().timestamp()) + 1800
    spent = reply(b"", "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {reset}", status="403 Forbidden")
    server = await rawserver(spent, reply())
    async with connect(server) as client:
        assert (await client.get("/")).status == 200
    assert virtual_time.now().timestamp() >= reset


@pytest.mark.parametrize("status", ["429 Slow", "502 Bad", "503 Busy", "504 Late", "522 Cloud", "408 Slow"])
async def test_a_busy_tracker_is_asked_again(rawserver: Start, connect: Connect, status: str) -> None:
    server = await rawserver(reply(b"", status=status), reply(b"", status=status), reply())
    async with connect(server) as client:
        assert (await client.get("/")).body == b"fine"
    assert client.stats.retries == 2
    assert server.connections == 1


async def test_when_the_tries_are_used_up_the_item_fails_and_the_next_one_does_not(
    rawserver: Start, connect: Connect, virtual_time: VirtualTime
) -> None:
    server = await rawserver(*[reply(b"", status="503 Busy")] * 5, reply())
    async with connect(server) as client:
        with pytest.raises(ItemError, match=r"/issue is busy and answers with status 503\.$"):
            await client.get("/issue")
        assert len(server.requests) == 5
        assert (await client.get("/next")).body == b"fine"
    # Full jitter: each wait is somewhere between nothing and twice the limit of the one before.
    assert all(wait <= 0.5 * 2**n for n, wait in enumerate(virtual_time.slept))
    assert client.stats.wait_seconds == pytest.approx(sum(virtual_time.slept))


async def test_a_status_500_is_tried_less_often(rawserver: Start, connect: Connect) -> None:
    server = await rawserver(reply(b"", status="500 Oops"))
    async with connect(server) as client:
        with pytest.raises(ItemError, match="500"):
            await client.get("/")
    assert len(server.requests) == 3


async def test_who_asks_for_one_try_gets_one(rawserver: Start, connect: Connect) -> None:
    server = await rawserver(reply(b"", status="503 Busy"))
    async with connect(server) as client:
        with pytest.raises(ItemError):
            await client.post("/login", data={"a": "b"}, retry=False)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotFound),
        (410, NotFound),
        (403, Forbidden),
        (401, NotPermitted),
        (400, ItemError),
        (418, ItemError),
        (501, ItemError),
        (304, ItemError),
        (302, ItemError),
    ],
)
async def test_a_status_that_says_no_is_named_and_not_asked_again(
    rawserver: Start, connect: Connect, status: int, error: type[CrawlError]
) -> None:
    server = await rawserver(reply(b"", status=f"{status} No"))
    async with connect(server) as client:
        with pytest.raises(CrawlError) as caught:
            await client.get("/")
        assert type(caught.value) is error
        assert (await client.get("/", accept={status})).status == status
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "script",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", 30.0],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x", 0.02] * 100],
        [30.0],
    ],
    ids=["in the headers", "in the body", "before a word"],
)
async def test_a_server_that_drips_meets_a_deadline_for_the_whole_request(
    rawserver: Start, connect: Connect, script: list[bytes | float]
) -> None:
    server = await rawserver(script)
    began = time.monotonic()
    async with connect(server, deadline=0.1, tries=2) as client:
        with pytest.raises(ItemError, match=r"did not answer within 0\.1 seconds"):
            await client.get("/")
    assert time.monotonic() - began < 1
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "broken",
    [
        [End.RESET],
        [End.CLOSE],
        [reply(PAGE)[:40], End.RESET],
        [reply(PAGE)[:500], End.CLOSE],
        [reply(PAGE)[:500], End.RESET],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", End.CLOSE],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", End.CLOSE],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX", End.CLOSE],
        [b"SSH-2.0-OpenSSH_9.9\r\n", End.CLOSE],
        [packed(PACKED[:-1])],
        [packed(PACKED[: len(PACKED) // 2])],
        [packed(PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:])],
        [packed(b"<html>not packed</html>")],
        [packed(zlib.compress(PAGE)[:-1], "deflate")],
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + PACKED[:-3], End.CLOSE],
    ],
    ids=[
        "reset at once",
        "closed at once",
        "reset in the headers",
        "short body",
        "reset in the body",
        "bad chunk length",
        "no last chunk",
        "chunk too long",
        "no http",
        "gzip without its last byte",
        "gzip cut in the middle",
        "gzip with a wrong checksum",
        "gzip that is none",
        "deflate cut",
        "gzip cut without a length",
    ],
)
async def test_a_broken_answer_is_never_handed_out_but_asked_for_again(
    rawserver: Start, connect: Connect, broken: list[bytes | float | End]
) -> None:
    server = await rawserver(broken, broken, reply(PAGE))
    async with connect(server) as client:
        assert (await client.get("/")).body == PAGE
        assert client.stats.retries == 2
        server.scripts = [broken]
        with pytest.raises(ItemError):
            await client.get("/")


async def test_a_body_without_length_is_read_to_its_end(rawserver: Start, connect: Connect) -> None:
    server = await rawserver([b"HTTP/1.1 200 OK\r\n\r\n" + PAGE, End.CLOSE])
    async with connect(server) as client:
        assert (await client.get("/")).body == PAGE


@pytest.mark.parametrize(
    "body",
    [
        packed(PACKED),
        packed(PACKED, "x-gzip"),
        packed(zlib.compress(PAGE), "deflate"),
        packed(zlib.compress(PAGE, wbits=-15), "deflate"),
        packed(PAGE, "identity"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE),
    ],
    ids=["gzip", "x-gzip", "deflate with a header", "deflate", "identity", "chunked"],
)
async def test_every_encoding_that_is_offered_is_understood(
    rawserver: Start, connect: Connect, body: bytes
) -> None:
    server = await rawserver(body)
    async with connect(server) as client:
        assert (await client.get("/")).body == PAGE


async def test_an_encoding_that_was_not_offered_fails_the_item_at_once(
    rawserver: Start, connect: Connect
) -> None:
    server = await rawserver(packed(b"xyz", "br"))
    async with connect(server) as client:
        with pytest.raises(ItemError, match="not offered"):
            await client.get("/")
    assert len(server.requests) == 1


async def test_a_compression_bomb_is_noticed_by_its_size_and_by_its_ratio(
    rawserver: Start, connect: Connect
) -> None:
    bomb = packed(gzip.compress(bytes(16 << 20)))
    server = await rawserver(bomb)
    async with connect(server, max_bytes=1 << 20) as client:
        with pytest.raises(PageTooLarge, match="1,048,576"):
            await client.get("/")
    async with connect(server) as client:
        with pytest.raises(PageTooLarge, match="150 times"):
            await client.get("/")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "huge",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", 30.0],
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"8000\r\n%b\r\n" % bytes(32768) * 40,
            30.0,
        ],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[bytes(65536)] * 40, 30.0],
        [b"HTTP/1.1 200 OK\r\n" + b"X: %b\r\n" % (b"y" * 1000) * 300 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n"],
    ],
    ids=["announced", "in chunks", "without an end", "many headers", "one header"],
)
async def test_what_is_too_large_fails_at_once_and_the_next_item_does_not(
    rawserver: Start, connect: Connect, huge: list[bytes | float]
) -> None:
    server = await rawserver(huge, reply())
    async with connect(server, max_bytes=1 << 20) as client:
        with pytest.raises(PageTooLarge):
            await client.get("/")
        assert (await client.get("/next")).body == b"fine"
    assert len(server.requests) == 2


async def test_the_body_of_an_error_is_not_read_far(rawserver: Start, connect: Connect) -> None:
    server = await rawserver([b"HTTP/1.1 404 No\r\n\r\n", *[bytes(65536)] * 100, 30.0], reply())
    async with connect(server) as client:
        with pytest.raises(NotFound):
            await client.get("/")
        assert client.stats.bytes < 1 << 20
        assert (await client.get("/")).body == b"fine"


async def test_a_host_that_cannot_be_reached_stops_the_crawl_after_a_few_tries(connect: Connect) -> None:
    server = RawServer(reply())
    async with server.running():
        pass
    async with connect(server) as client:
        with pytest.raises(TrackerError, match="cannot be reached"):
            await client.get("/")
    assert client.stats.requests == 3


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced(
    rawserver: Start, connect: Connect
) -> None:
    server = await rawserver([reply(), End.CLOSE])
    async with connect(server) as client:
        for _ in range(3):
            assert (await client.get("/")).body == b"fine"
            await asyncio.sleep(0.01)
    assert client.stats.retries == 0
    assert server.connections == 3


async def test_one_connection_serves_one_worker_after_another(rawserver: Start) -> None:
    server = await rawserver([0.005, reply()])
    async with Client(server.url, concurrency=3) as client:
        for _ in range(5):
            await client.get("/")
        assert server.connections == 1
        await asyncio.gather(*(client.get("/") for _ in range(12)))
        assert (server.connections, server.most_active) == (3, 3)
        for _ in range(4):
            await client.get("/")
    assert len(set(server.via[-4:])) == 1  # the one that was used last is taken first


async def test_clients_of_one_host_share_its_limits(rawserver: Start) -> None:
    server = await rawserver([0.005, reply()])
    throttle = Throttle()
    async with (
        Client(server.url, concurrency=8, throttle=throttle) as one,
        Client(server.url + "/trac", concurrency=2, throttle=throttle) as other,
    ):
        await asyncio.gather(*(client.get("") for client in [one, other] * 8))
    assert server.most_active == 2


async def test_one_who_gives_up_does_not_take_the_connection_with_him(rawserver: Start) -> None:
    server = await rawserver([reply(PAGE)[:300], 30.0], [30.0], reply())
    async with Client(server.url, concurrency=1) as client:
        for asked in (1, 2):
            task = asyncio.create_task(client.get("/"))
            await server.has_been_asked(asked)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(2):
            assert (await client.get("/")).body == b"fine"


async def test_cookies_are_one_jar_for_all_connections_and_stay_out_of_the_headers(rawserver: Start) -> None:
    server = await rawserver(reply(b"", "Set-Cookie: sid=c4nary; HttpOnly; Path=/"), [0.005, reply()])
    async with Client(server.url, concurrency=3) as client:
        first = await client.get("/login")
        await asyncio.gather(*(client.get("/") for _ in range(3)))
        assert [cookie.name for cookie in client.cookies] == ["sid"]
    assert server.connections == 3
    assert [server.header("cookie", which) for which in range(4)] == [None, *["sid=c4nary"] * 3]
    assert "set-cookie" not in first.headers


async def test_a_cookie_comes_back_byte_for_byte(rawserver: Start, connect: Connect) -> None:
    name = "Set-Cookie: name=" + "한글".encode("euc-kr").decode("latin-1")
    server = await rawserver(reply(b"", name, "X: \xff"), reply())
    async with connect(server) as client:
        await client.get("/")
        await client.get("/")
    assert "한글".encode("euc-kr") in server.requests[1]


async def test_a_tracker_cannot_fill_the_memory_with_cookies(rawserver: Start, connect: Connect) -> None:
    server = await rawserver(reply(b"", *(f"Set-Cookie: c{n}=x" for n in range(200))), reply())
    async with connect(server) as client:
        with pytest.raises(ItemError, match="cookies"):
            await client.get("/")
        assert (await client.get("/")).body == b"fine"


async def test_no_secret_shows_in_an_address_a_repr_or_a_traceback(
    rawserver: Start, connect: Connect
) -> None:
    server = await rawserver(
        reply(b"c4nary", "X: c4nary", "Set-Cookie: a=c4nary"), reply(b"", status="404 No")
    )
    secret = {"private_token": "c4nary", "key": "c4nary", "Bugzilla_api_key": "c4nary", "author": "ann"}
    async with connect(server, basic_auth=("bob", "c4nary")) as client:
        got = await client.get("/", params=secret, headers={"PRIVATE-TOKEN": "c4nary"})
        with pytest.raises(NotFound) as caught:
            await client.get("/", params=secret)
    assert b"c4nary" in server.requests[0]
    assert server.header("authorization") == "Basic Ym9iOmM0bmFyeQ=="
    assert got.url.endswith("/?private_token=***&key=***&Bugzilla_api_key=***&author=ann")
    shown = [repr(got), repr(client), *traceback.format_exception(caught.value)]
    assert "c4nary" not in "".join(shown)


@pytest.mark.parametrize(
    "url", ["ftp://host", "host", "http://", "http://ann:pw@host/", "http://[::1/", "http://a b/"]
)
def test_a_base_address_that_is_none_or_carries_a_password_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Client(url)
    assert "pw" not in str(caught.value)


async def test_no_environment_proxy_is_used(
    rawserver: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await rawserver(reply())
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with connect(server) as client:
        assert (await client.get("/")).body == b"fine"


async def test_an_injected_transport_is_asked_instead_of_the_network() -> None:
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, text=f"{request.method} {request.url.path}")
    )
    async with Client("http://tracker.example", transport=transport) as client:
        assert (await client.get("a/b")).text == "GET /a/b"


async def test_a_client_outside_of_its_block_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Client("http://tracker.example").get("/")
