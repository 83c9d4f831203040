"""Certificates are always checked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest

from crawler.client import Client
from crawler.errors import TrackerError
from crawler.http.connections import Connections
from tests.fixtures.rawserver import RawServer, reply
from tests.fixtures.virtualtime import VirtualTime

Start: TypeAlias = Callable[..., Awaitable[RawServer]]
Make: TypeAlias = Callable[..., tuple[ssl.SSLContext, ssl.SSLContext]]


async def test_a_trusted_certificate_for_this_host_is_fine(rawserver: Start, certificate: Make) -> None:
    server_tls, trusting = certificate("127.0.0.1")
    server = await rawserver(reply(), tls=server_tls)
    async with Client(server.url, tls=trusting) as client:
        assert (await client.get("/")).body == b"fine"


@pytest.mark.parametrize(
    ("address", "valid_days", "trusted"),
    [("127.0.0.1", 1, False), ("127.0.0.1", -1, True), ("127.0.0.2", 1, True)],
    ids=["self-signed", "expired", "for another host"],
)
async def test_a_certificate_that_is_not_valid_stops_the_crawl_at_once_and_nothing_is_sent(
    rawserver: Start, certificate: Make, address: str, valid_days: int, trusted: bool
) -> None:
    server_tls, trusting = certificate(address, valid_days=valid_days)
    server = await rawserver(reply(), tls=server_tls)
    async with Client(server.url, tls=trusting if trusted else None, basic_auth=("a", "c4nary")) as client:
        with pytest.raises(TrackerError, match="certificate of 127"):
            await client.get("/")
        assert client.stats.requests == 1
    assert server.requests == []


async def test_connections_for_plain_addresses_trust_no_certificate(
    rawserver: Start, certificate: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_tls, trusting = certificate("127.0.0.1")
    server = await rawserver(reply(), tls=server_tls)
    monkeypatch.setattr("crawler.http.connections._usual_authorities", lambda: trusting)
    for scheme, is_trusted in (("https", True), ("http", False)):
        connections = Connections()
        request = httpx.Request("GET", server.url)
        asking = connections.take(scheme).handle_async_request(request)
        if is_trusted:
            assert (await asking).status_code == 200
        else:
            with pytest.raises(httpx.ConnectError):
                await asking
        await connections.close()


async def test_a_server_that_speaks_no_tls_stops_the_crawl() -> None:
    async def complain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply(b"", status="400 Bad Request"))
        writer.close()

    server = await asyncio.start_server(complain, "127.0.0.1", 0)
    async with server, Client(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
        with pytest.raises(TrackerError, match="No encrypted connection"):
            await client.get("/")
        assert client.stats.requests == 1


async def test_a_server_that_never_answers_the_greeting_stops_the_crawl(
    rawserver: Start, virtual_time: VirtualTime
) -> None:
    server = await rawserver(reply())  # waits for the end of a request, which a TLS greeting does not have
    url = server.url.replace("http:", "https:")
    async with Client(url, connect_timeout=0.05, sleep=virtual_time.sleep) as client:
        with pytest.raises(TrackerError, match="cannot be reached"):
            await client.get("/")
    assert server.requests == []


async def test_a_greeting_that_is_cut_off_is_tried_again(
    rawserver: Start, certificate: Make, virtual_time: VirtualTime
) -> None:
    server_tls, trusting = certificate("127.0.0.1")
    server = await rawserver(reply(), tls=server_tls)
    address = urlsplit(server.url)
    cuts = [1, 1]

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            if cuts:
                await reader.read(cuts.pop())
                return
            far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
            with closing(far_writer):
                await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(65536):
            writer.write(some)
        writer.close()

    proxy = await asyncio.start_server(between, "127.0.0.1", 0)
    async with proxy:
        url = f"https://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        async with Client(url, tls=trusting, sleep=virtual_time.sleep) as client:
            assert (await client.get("/")).body == b"fine"
        assert client.stats.requests == 3
        await asyncio.sleep(0.01)
