"""Cookies go back to where they came from, as a browser would send them."""

from __future__ import annotations

from email.message import Message
from http.cookiejar import CookieJar
from urllib.request import Request

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.http.cookies import Cookies, _Answer


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


PATHS = st.sampled_from(["/", "/a", "/a/b", "/b"])
SET = st.tuples(
    st.just("set"),
    st.sampled_from("xyz"),
    st.sampled_from("12"),
    PATHS,
    st.sampled_from(["", "; Max-Age=90"]),
)
ASK = st.tuples(st.just("ask"), st.sampled_from(["http", "https"]), PATHS)
FORGET = st.tuples(st.just("forget"))


@given(st.lists(st.one_of(SET, ASK, FORGET), max_size=20))
@example([("set", "x", "1", "/", ""), ("ask", "http", "/"), ("set", "x", "2", "/", ""), ("ask", "http", "/")])
@example([("set", "x", "1", "/a", ""), ("ask", "http", "/"), ("ask", "http", "/a"), ("ask", "https", "/b")])
def test_what_is_sent_is_always_what_the_jar_holds_now(steps: list[tuple[str, ...]]) -> None:
    cookies, plain = Cookies(), CookieJar()
    for step in steps:
        match step:
            case ("set", name, value, path, more):
                cookie = f"{name}={value}; Path={path}{more}"
                cookies.take("http://host.example/", [(b"Set-Cookie", cookie.encode())])
                answer = Message()
                answer["Set-Cookie"] = cookie
                plain.extract_cookies(_Answer(answer), Request("http://host.example/"))  # type: ignore[arg-type]
            case ("ask", scheme, path):
                url = f"{scheme}://host.example{path}?q=1"
                asked = Request(url)  # noqa: S310 - only looked at by the jar
                plain.add_cookie_header(asked)
                expected = asked.get_header("Cookie")
                assert cookies.header(url) == (None if expected is None else expected.encode())
            case _:
                cookies.jar.clear()
                plain.clear()
