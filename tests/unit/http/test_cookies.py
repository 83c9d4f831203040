"""Cookies go back to where they came from, as a browser would send them."""

from __future__ import annotations

import pytest

from crawler.http.cookies import Cookies


def sent_back(host: str, cookie: str, to: str | None = None) -> bytes | None:
    cookies = Cookies()
    cookies.take(f"http://{host}/login", [(b"Set-Cookie", cookie.encode())])
    return cookies.header(f"http://{to or host}/page")


@pytest.mark.parametrize(
    ("host", "cookie"),
    [
        ("ims", "sid=1; Domain=ims; Path=/"),
        ("ims", "sid=1; domain=.IMS; Path=/; HttpOnly"),
        ("ims", 'sid=1; Path=/; Domain="ims"'),
        ("ims:8080", "sid=1; Domain=ims; Path=/"),
        ("ims.", "sid=1; Domain=ims; Path=/"),
        ("localhost", "sid=1; Domain=localhost; Path=/"),
        ("127.0.0.1:80", "sid=1; Domain=127.0.0.1; Path=/"),
        ("ims.example.com", "sid=1; Domain=ims.example.com; Path=/"),
        ("ims.example.com", "sid=1; Domain=example.com; Path=/"),
        ("ims.example.com", "sid=1; Path=/"),
    ],
)
def test_a_cookie_for_its_own_host_is_kept_for_it(host: str, cookie: str) -> None:
    assert sent_back(host, cookie) == b"sid=1"


@pytest.mark.parametrize("domain", ["elsewhere", "example.org", "com", ".com", "x.ims.example.com"])
def test_a_cookie_for_another_host_is_dropped(domain: str) -> None:
    assert sent_back("ims.example.com", f"sid=1; Domain={domain}; Path=/") is None
    assert (
        sent_back("ims.example.com", "sid=1; Domain=ims.example.com; Path=/", to="other.example.com") is None
    )
