"""Addresses that people copy from a browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.http.web_address import WebPage, web_page
from crawler.sources import find_kind, kind_names


def test_an_address_is_taken_apart() -> None:
    assert web_page(" https://Bugs.Example.com:8443/a/b?x=1#top\n") == WebPage(
        "https://Bugs.Example.com:8443", "bugs.example.com", "/a/b", False
    )
    assert web_page("http://kim:secret@[::1]/x") == WebPage("http://[::1]", "::1", "/x", True)


@pytest.mark.parametrize(
    "text", ["", "bugs.example.com", "ftp://a/b", "http://", "http://a:b/", "http://a:99999/", "http://[::1/"]
)
def test_what_is_no_page_of_the_web_is_none(text: str) -> None:
    assert web_page(text) is None


@given(text=st.text(max_size=60) | st.builds("http://{}/issues/1".format, st.text(max_size=20)))
def test_whatever_is_copied_no_kind_stumbles_and_none_keeps_a_password(text: str) -> None:
    for name in kind_names():
        base_of = find_kind(name).base_of
        if base_of is not None:
            base = base_of(text)
            assert base is None or "@" not in base.partition("://")[2].partition("/")[0]
