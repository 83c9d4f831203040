"""Which addresses somebody else may have us connect to: public ones, however an address is written."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeAlias

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import NotPermitted, UsageError
from crawler.http.connections import WithinReach
from crawler.http.reach import Reach, networks
from tests.fixtures.rawserver import RawServer, reply

Start: TypeAlias = Callable[..., Awaitable[RawServer]]

OURS = [
    "127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.1", "255.255.255.255", "224.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fec0::1", "ff02::1", "64:ff9b:1::1", "2001::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", OURS)
def test_an_address_of_our_own_network_is_out_of_reach(address: str) -> None:
    assert not Reach().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_within_reach(address: str) -> None:
    assert Reach().permits(address)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_ipv6_that_carries_an_ipv4_address_reaches_no_further_than_that(address: IPv4Address) -> None:
    number = int(address)
    carriers = [0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80]
    for carrier in carriers:
        assert Reach().permits(str(IPv6Address(carrier))) == Reach().permits(str(address))


def test_a_network_that_is_allowed_is_within_reach_and_no_other() -> None:
    reach = Reach(networks(["10.20.0.0/16", "fd00::/8"]))
    assert reach.permits("10.20.3.4")
    assert reach.permits("::ffff:10.20.3.4")
    assert reach.permits("fd12::1")
    assert not reach.permits("10.21.0.1")
    with pytest.raises(UsageError, match="write a network"):
        networks(["10.20.0.1/16"])


async def test_every_notation_of_loopback_is_refused_and_nothing_is_sent(rawserver: Start) -> None:
    server = await rawserver(reply())
    port = httpx.URL(server.url).port
    for host in (
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::ffff:7f00:1]",
    ):
        async with Client(f"http://{host}:{port}", reach=Reach()) as client:
            with pytest.raises(NotPermitted, match="--allow-network"):
                await client.get("/")
    assert server.requests == []


async def test_the_connection_goes_to_the_address_that_was_judged(
    rawserver: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that stands for another address at each question, as a rebinding attack has it."""
    server = await rawserver(reply(b"hello"), reply(b"again"))
    port = httpx.URL(server.url).port
    asked: list[str] = []

    async def rebinding(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.66.66.66"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding)
    async with Client(f"http://tracker.example:{port}", reach=Reach(networks(["127.0.0.1"]))) as client:
        for body in (b"hello", b"again"):
            assert (await client.get("/")).body == body
    assert asked == ["tracker.example"]
    assert server.header("host") == f"tracker.example:{port}"


async def test_tls_asks_for_the_name_and_not_for_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Request] = []

    class Recorder(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request)
            if request.url.host == "8.8.8.8":
                raise httpx.ConnectError("away")
            return httpx.Response(200)

    async def two(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", (address, 443)) for address in ("10.0.0.1", "8.8.8.8", "2606:4700::1111")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    transport = WithinReach(Recorder(), Reach())
    answer = await transport.handle_async_request(httpx.Request("GET", "https://tracker.example/a"))
    assert answer.status_code == 200
    assert [request.url.host for request in sent] == ["8.8.8.8", "2606:4700::1111"]  # not the private one
    assert {request.extensions["sni_hostname"] for request in sent} == {"tracker.example"}
    assert {request.headers["host"] for request in sent} == {"tracker.example"}
