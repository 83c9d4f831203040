"""Where a tracker may lead the client, and where not."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from unittest.mock import patch

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import RedirectRefused, UsageError
from crawler.http import origin
from crawler.http.origin import Origin
from tests.fixtures.rawserver import RawServer, reply

Start: TypeAlias = Callable[..., Awaitable[RawServer]]


def leads_to(location: str, *headers: str, status: str = "302 Found") -> bytes:
    return reply(b"", f"Location: {location}", *headers, status=status)


def place(address: str) -> tuple[str, str, int, str] | None:
    try:
        made = Origin(address)
        return made.name, made.key, made.port, str(made.base)
    except UsageError:
        return None


HOSTS = r"([a-z0-9-]{1,5}|xn--[a-z0-9]{1,5}|[0-9]{1,3})(\.([a-z0-9-]{1,5}|[0-9]{1,3})){0,4}\.?"


@given(st.from_regex(rf"https?://{HOSTS}(:[0-9]{{0,6}})?(/[a-zA-Z0-9_.%-]{{0,5}}){{0,3}}", fullmatch=True))
@example("http://127.0.0.1:8080/tody")
@example("http://999.0.0.1/")
@example("http://xn--0")
@example("https://tracker.example:443/a/b/")
def test_a_plain_address_is_read_as_the_http_library_reads_it(address: str) -> None:
    with patch.object(origin, "_PLAIN", re.compile("(?!)")):
        by_the_library = place(address)
    assert place(address) == by_the_library


def target(base: str, link: str, added: bytes) -> tuple[object, ...]:
    try:
        url = Origin(base).resolve(link, added=added)
    except (RedirectRefused, UsageError) as error:
        return type(error), str(error)
    parts = (url.scheme, url.raw_host, url.host, url.port, url.netloc, url.userinfo)
    return *parts, url.path, url.raw_path, url.query, url.fragment, str(url), hash(url), repr(url)


BASES = st.sampled_from([
    "http://tracker.example", "http://tracker.example:80/tody", "https://tracker.example:8443/a.b/c~d",
    "http://127.0.0.1:8080/x//y", "http://[::1]:81/", "http://b\u00fccher.example/../a", "http://tracker.example/a%20b;c",
])  # fmt: skip
LINKS = st.one_of(
    st.from_regex(r"\A(/|//|\?|\./|http://tracker\.example(:80)?|https://tracker\.example:8443/)?"
                  r"[a-zA-Z0-9_.~/;%:@-]{0,12}(\?[a-z0-9=&%+./?-]{0,9})?(\#[a-z?]{0,3})?\Z"),
    st.lists(st.sampled_from(["/", "a", "b-c", ".", "..", "tody", "?", "a=1", "&", "%2F", "#", "//",
                              ":80", "@", "\\", "\xe9", " ", "\n"]),
             max_size=8).map("".join),
)  # fmt: skip


@given(BASES, LINKS, st.sampled_from([b"", b"issueId=7&menuCode=a_b", b"q=%EA%B9%80+x&p=a/b", b"a=~!"]))
@example("http://tracker.example:80/tody", "http://tracker.example:8080/", b"")
@example("http://tracker.example", "http://tracker.example/@evil.example", b"")
@example("http://tracker.example", "http://tracker.exampleevil/", b"")
@example("http://tracker.example", "a?b&", b"c=1")
@example("http://tracker.example", "?", b"c=1")
@example("http://tracker.example", "x" * 9_990 + "/y", b"c=1")
@settings(max_examples=300, deadline=None)
def test_a_plain_link_leads_where_the_http_library_leads(base: str, link: str, added: bytes) -> None:
    with patch.object(origin, "_REST", re.compile("(?!)")):
        by_the_library = target(base, link, added)
    assert target(base, link, added) == by_the_library


def test_the_links_of_a_crawl_are_not_read_letter_by_letter() -> None:
    place = Origin("http://tracker.example/tody")
    assert place.base
    with patch.object(httpx.URL, "__init__", side_effect=AssertionError):
        made = [
            place.resolve("http://tracker.example/tody/view.do?issueId=7&menuCode=x"),
            place.resolve("view.do", added=b"issueId=7&menuCode=x"),
            place.resolve("/tody/view.do?issueId=7", added=b"menuCode=x"),
        ]
    assert {str(url) for url in made} == {"http://tracker.example/tody/view.do?issueId=7&menuCode=x"}


async def test_a_redirect_within_the_origin_is_followed(rawserver: Start) -> None:
    server = await rawserver(
        leads_to("next?a=1"), leads_to("/top#part"), leads_to("//HOST/x y"), leads_to("\xed\x95\x9c"), reply()
    )
    server.scripts[2] = [leads_to(f"{server.url}/x y")]
    async with Client(server.url + "/base") as client:
        got = await client.get("first", headers={"X-Mine": "1"})
        assert client.stats.requests == 5
    assert server.asked == [
        "GET /base/first",
        "GET /base/next?a=1",
        "GET /top",
        "GET /x%20y",
        "GET /%ED%95%9C",
    ]
    assert got.url == f"{server.url}/%ED%95%9C"
    assert server.header("x-mine") == "1"


@pytest.mark.parametrize(
    ("status", "then"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
)
async def test_a_form_becomes_a_get_where_a_browser_does_so(rawserver: Start, status: int, then: str) -> None:
    server = await rawserver(leads_to("/after", status=f"{status} There"), reply())
    async with Client(server.url) as client:
        await client.post("/login", data={"password": "c4nary"})
    assert server.asked == ["POST /login", f"{then} /after"]
    assert (b"c4nary" in server.requests[1]) == (then == "POST")
    assert (server.header("content-type") is None) == (then == "GET")


@pytest.mark.parametrize(
    "location",
    [
        "http://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "http://127.0.0.1:1/",
        "http://127.0.0.2:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{port}@evil.example/",
        "http://evil.example#127.0.0.1:{port}",
        "https://127.0.0.1:{port}/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/",
        "gopher://127.0.0.1:{port}/",
        "data:text/html,x",
        "javascript:alert(1)",
        "http://[::1/",
        "http://127.0.0.1:{port}/\x01",
        "http://127.0.0.1:99999999/",
    ],
)
async def test_a_redirect_away_from_the_origin_is_refused_and_nothing_is_sent_there(
    rawserver: Start, location: str
) -> None:
    server = await rawserver(reply())
    port = httpx.URL(server.url).port
    target = location.format(port=port)
    server.scripts = [[leads_to(target)], [reply()]]
    async with Client(server.url, basic_auth=("ann", "c4nary")) as client:
        if target == "/\\evil.example":  # a browser would leave; for us it is a path, asked at the tracker
            await client.get("/")
            assert len(server.requests) == 2
            return
        with pytest.raises(RedirectRefused):
            await client.get("/")
        if target.isprintable():
            with pytest.raises(RedirectRefused):
                await client.get(target)
    assert len(server.requests) == 1


async def test_neither_credentials_nor_cookies_reach_another_server(rawserver: Start) -> None:
    other = await rawserver(reply())
    server = await rawserver(leads_to(other.url, "Set-Cookie: sid=c4nary"))
    async with Client(server.url, basic_auth=("ann", "c4nary")) as client:
        for _ in range(2):
            with pytest.raises(RedirectRefused):
                await client.get("/")
        with pytest.raises(RedirectRefused):
            await client.post(other.url, data={"a": "b"})
    assert other.connections == 0
    assert server.header("cookie") == "sid=c4nary"


@pytest.mark.parametrize("locations", [["/"], ["/a", "/b", "/"], [f"/{n}" for n in range(9)]])
async def test_circles_and_endless_redirects_are_refused(rawserver: Start, locations: list[str]) -> None:
    server = await rawserver(*(leads_to(location) for location in locations))
    async with Client(server.url) as client:
        with pytest.raises(RedirectRefused):
            await client.get("/")
    assert len(server.requests) == min(len(locations), 6)


async def test_the_same_address_after_a_cookie_was_set_is_no_circle(rawserver: Start) -> None:
    server = await rawserver(leads_to("/", "Set-Cookie: seen=1"), reply())
    async with Client(server.url) as client:
        assert (await client.get("/")).body == b"fine"
    assert server.header("cookie") == "seen=1"


async def test_a_redirect_that_the_caller_wants_to_see_is_not_followed(rawserver: Start) -> None:
    server = await rawserver(leads_to("http://evil.example/"))
    async with Client(server.url) as client:
        got = await client.get("/", accept={302})
    assert got.headers["location"] == "http://evil.example/"


async def test_a_move_to_https_is_followed_remembered_and_never_undone() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path == "/down":
            return httpx.Response(302, headers={"Location": "http://tracker.example/plain"})
        if request.url.scheme == "http":
            return httpx.Response(301, headers={"Location": str(request.url.copy_with(scheme="https"))})
        return httpx.Response(200)

    async with Client("http://tracker.example", transport=httpx.MockTransport(answer)) as client:
        assert (await client.get("/a")).url == "https://tracker.example/a"
        await client.get("/b")
        await client.get("http://tracker.example/c")
        # The way down is not taken: its plain address is asked over https at once.
        await client.get("/down")
    assert asked == [
        "http://tracker.example/a",
        "https://tracker.example/a",
        "https://tracker.example/b",
        "https://tracker.example/c",
        "https://tracker.example/down",
        "https://tracker.example/plain",
    ]


async def test_a_tracker_on_https_never_leads_to_http() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://tracker.example/"})

    async with Client("https://tracker.example", transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(RedirectRefused):
            await client.get("/")
