"""A tracker behind a proxy: asked by way of it, with the proxy's account and nobody else's."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from crawler.client import Client
from crawler.errors import NotPermitted, TrackerError, UsageError
from crawler.http.proxy import Proxy, proxy_of_environment, read_proxy
from crawler.http.reach import Reach
from tests.fixtures.certificate import make_certificate
from tests.fixtures.forward_proxy import forward_proxy
from tests.fixtures.rawserver import reply
from tests.unit.http.test_client import Start


async def test_a_tracker_whose_name_only_the_proxy_knows_is_asked_through_it(rawserver: Start) -> None:
    server = await rawserver(reply())
    port = server.url.rpartition(":")[2]
    with forward_proxy(account="kim:c4nary") as there:
        proxy = Proxy(url=there.url.replace("//", "//kim@"), password="c4nary")
        async with Client(f"http://tracker.invalid:{port}", proxy=proxy) as client:
            assert (await client.get("issues/1")).body == b"fine"
    assert there.asked == [f"GET http://tracker.invalid:{port}/issues/1"]
    assert "proxy-authorization" not in server.requests[0].decode().lower()
    assert server.header("Host") == f"tracker.invalid:{port}"


async def test_an_encrypted_tracker_is_asked_through_a_tunnel(rawserver: Start, tmp_path: Path) -> None:
    tls, trusting = make_certificate(tmp_path, "127.0.0.1", valid_days=1)
    server = await rawserver(reply(), tls=tls)
    with forward_proxy() as there:
        async with Client(server.url, proxy=Proxy(url=there.url), tls=trusting) as client:
            assert (await client.get("secret/page")).body == b"fine"
        async with Client(server.url, proxy=Proxy(url=there.url)) as client:
            with pytest.raises(TrackerError, match="certificate of 127"):
                await client.get("secret/page")
    assert set(there.asked) == {f"CONNECT {server.url.removeprefix('https://')}"}
    assert not any("secret" in head for head in there.heads)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_refuses_is_told_from_the_tracker(scheme: str) -> None:
    for how, sentence in (
        ({"account": "a:b"}, "wants another name"),
        ({"refuses": True}, "does not connect"),
    ):
        if scheme == "http" and "refuses" in how:
            continue  # looks like the tracker's own answer
        with forward_proxy(**how) as there:
            proxy = Proxy(url=there.url.replace("//", "//kim@"), password="c4nary")
            async with Client(f"{scheme}://tracker.invalid", proxy=proxy, sleep=_at_once) as client:
                with pytest.raises(TrackerError, match=f"The proxy http://kim@127.*{sentence}") as refusal:
                    await client.get("issues/1")
        assert "c4nary" not in str(refusal.value)


async def test_a_proxy_that_is_not_there_is_named() -> None:
    proxy = Proxy(url="http://127.0.0.1:1")
    async with Client("http://tracker.invalid", proxy=proxy, sleep=_at_once) as client:
        with pytest.raises(TrackerError, match=r"The proxy http://127.0.0.1:1 cannot be reached\."):
            await client.get("issues/1")


async def test_where_a_worker_may_go_is_asked_of_the_proxy(rawserver: Start) -> None:
    server = await rawserver(reply())
    with forward_proxy() as there:
        for url, error in ((there.url, "network of its own"), ("https://127.0.0.1", "http:// or socks5")):
            async with Client(server.url, proxy=Proxy(url=url), reach=Reach()) as client:
                with pytest.raises(NotPermitted, match=error):
                    await client.get("issues/1")
        assert there.asked == []
        allowed = Reach((ip_network("127.0.0.0/8"),))
        async with Client(server.url, proxy=Proxy(url=there.url), reach=allowed) as client:
            assert (await client.get("issues/1")).body == b"fine"
        assert len(there.asked) == 1


@pytest.mark.parametrize(
    ("text", "url", "password"),
    [
        ("proxy:3128", "http://proxy:3128", None),
        ("http://proxy:3128/", "http://proxy:3128", None),
        ("http://kim@proxy:3128", "http://kim@proxy:3128", None),
        ("http://kim:c4%40nary@proxy:3128", "http://kim@proxy:3128", "c4@nary"),
        ("https://[::1]:8080", "https://[::1]:8080", None),
    ],
)
def test_a_proxys_password_is_kept_apart_from_its_address(text: str, url: str, password: str | None) -> None:
    assert read_proxy(text) == (url, password)
    if password is not None:
        proxy = Proxy(url=url, password=password)
        assert password not in repr(proxy) + proxy.described()
        assert proxy.at().auth == ("kim", password)


@pytest.mark.parametrize(
    "text", ["", "ftp://proxy", "http://", "http://proxy/path", "http://proxy?x", "http://[", "a b"]
)
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_proxy(text)


def test_a_proxy_by_socks_works_or_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.http.proxy.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"ALL_PROXY: .*pip install socksio"):
        proxy_of_environment("https://tracker", {"ALL_PROXY": "socks5://proxy"})
    monkeypatch.setattr("crawler.http.proxy.find_spec", lambda name: name)
    assert read_proxy("socks5://proxy") == ("socks5://proxy", None)
    assert Proxy(url="socks5://proxy").port == 1080


ENVIRONMENT = {"HTTPS_PROXY": "http://secure:1", "http_proxy": "plain:2", "ALL_PROXY": "http://any:3"}


@pytest.mark.parametrize(
    ("address", "env", "expected"),
    [
        ("https://ims.example.com", ENVIRONMENT, "http://secure:1 (from HTTPS_PROXY)"),
        ("http://ims.example.com", ENVIRONMENT, "http://plain:2 (from http_proxy)"),
        ("https://ims.example.com", {"all_proxy": "any:3"}, "http://any:3 (from all_proxy)"),
        ("https://ims.example.com", {}, None),
        ("https://ims.example.com", {"HTTP_PROXY": "plain:2"}, None),
        ("http://ims.example.com", {"HTTP_PROXY": "plain:2", "REQUEST_METHOD": "GET"}, None),
        *(
            ("https://ims.example.com", {**ENVIRONMENT, "NO_PROXY": name}, None)
            for name in ("*", "example.com", ".example.com", "*.example.com", "a, IMS.example.com", "com:443")
        ),
        *(
            ("http://ims.example.com", {"ALL_PROXY": "x:1", "no_proxy": name}, "http://x:1 (from ALL_PROXY)")
            for name in ("ample.com", "ims", "10.0.0.0/8", "example.com:443", "x.ims.example.com", " , ")
        ),
        ("http://10.1.2.3", {**ENVIRONMENT, "NO_PROXY": "10.0.0.0/8"}, None),
        ("http://[fd00::1]", {**ENVIRONMENT, "NO_PROXY": "fd00::/8"}, None),
        ("http://[::1]:8000", {**ENVIRONMENT, "NO_PROXY": "[::1]:8000"}, None),
        ("http://127.0.0.1:8000", {**ENVIRONMENT, "NO_PROXY": "localhost,127.0.0.1"}, None),
    ],
)  # fmt: skip
def test_the_environment_names_proxies_and_exceptions(
    address: str, env: dict[str, str], expected: str | None
) -> None:
    proxy = proxy_of_environment(address, env)
    assert (None if proxy is None else proxy.described()) == expected


async def _at_once(seconds: float) -> None:
    del seconds
