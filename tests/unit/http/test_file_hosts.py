"""Files on other hosts that a kind declares: they are had, and such a host learns nothing of our account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import httpx
import pytest

from crawler.client import Client
from crawler.errors import Forbidden, NotFound, RedirectRefused, TrackerError
from crawler.http.origin import FileHosts
from tests.fixtures.rawserver import RawServer, reply
from tests.fixtures.virtualtime import VirtualTime

Start: TypeAlias = Callable[..., Awaitable[RawServer]]


def client_of(server: RawServer, *hosts: RawServer, **options: Any) -> Client:
    names = [httpx.URL(host.url).netloc.decode() for host in hosts]
    return Client(server.url, basic_auth=("kim", "canary"), file_hosts=names, **options)


def moved(server: RawServer, path: str = "/signed?x=1") -> bytes:
    return reply(b"", f"Location: {server.url}{path}", status="302 Found")


def secrets_in(server: RawServer) -> list[bytes]:
    words = (b"authorization", b"cookie", b"x-token", b"canary")
    return [request for request in server.requests if any(word in request.lower() for word in words)]


async def test_a_file_host_gets_neither_cookie_nor_credential_nor_token(rawserver: Start) -> None:
    files = await rawserver(reply(b"bytes", "Set-Cookie: theirs=1; Path=/"))
    server = await rawserver(reply(b"in", "Set-Cookie: sid=canary; Path=/"), moved(files), reply())
    async with client_of(server, files) as client:
        await client.get("/login")
        by_redirect = await client.download("/files/1", headers={"X-Token": "canary"})
        straight = await client.download(f"{files.url}/files/2", headers={"X-Token": "canary"})
        assert (by_redirect.body, straight.body) == (b"bytes", b"bytes")
        assert server.header("x-token", 1) == "canary"
        assert server.header("cookie", 1) == "sid=canary"
        assert secrets_in(files) == []
        assert [cookie.name for cookie in client.cookies] == ["sid"]


async def test_a_page_is_never_had_from_there_and_a_file_from_nowhere_else(rawserver: Start) -> None:
    files, strange = await rawserver(reply()), await rawserver(reply())
    server = await rawserver(moved(files), moved(strange), moved(files))
    async with client_of(server, files) as client:
        for ask, address in (
            (client.get, "/page"),
            (client.download, "/file"),
            (client.get, files.url),
            (client.download, strange.url),
        ):
            with pytest.raises(RedirectRefused):
                await ask(address)
    assert (files.requests, strange.requests) == ([], [])


async def test_there_is_no_way_back_from_a_file_host_to_where_we_are_known(rawserver: Start) -> None:
    server = await rawserver(reply())
    files = await rawserver(moved(server, "/settings/delete"))
    async with client_of(server, files) as client:
        with pytest.raises(RedirectRefused, match="no file"):
            await client.download(f"{files.url}/1")
    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("https://files.example.com/a", True),
        ("https://files.example.com:443/a", True),
        ("https://FILES.example.com/a", True),
        ("https://a.b.cdn.example.org/x", True),
        ("https://cdn.example.org/x", False),
        ("https://evilcdn.example.org/x", False),
        ("https://files.example.com.evil.org/a", False),
        ("https://files.example.com:8443/a", False),
        ("http://files.example.com/a", False),
        ("https://u:p@files.example.com/a", False),
        ("ftp://files.example.com/a", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_host_is_one_of_them_by_its_whole_name(address: str, held: bool) -> None:
    hosts = FileHosts(("files.example.com", "*.cdn.example.org"), plain=False)
    assert hosts.hold(httpx.URL(address)) is held
    assert (hosts.resolve(address, "https://t.example.com/") is not None) is held


async def test_a_403_means_what_the_kind_says(rawserver: Start, virtual_time: VirtualTime) -> None:
    server = await rawserver(reply(b"", status="403 Forbidden"))
    async with client_of(server) as client:
        with pytest.raises(Forbidden):
            await client.get("/issues/1")
    times: dict[str, Any] = {
        "sleep": virtual_time.sleep,
        "clock": virtual_time.clock,
        "now": virtual_time.now,
    }
    asked = len(server.requests)
    async with client_of(server, forbidden="limited", **times) as client:
        with pytest.raises(TrackerError, match="refuses further requests"):
            await client.get("/issues/1")
    assert len(server.requests) > asked + 1
    missing = await rawserver(reply(b"", status="404 Not Found"))
    async with client_of(missing, forbidden="limited") as client:
        with pytest.raises(NotFound):
            await client.get("/issues/1")
