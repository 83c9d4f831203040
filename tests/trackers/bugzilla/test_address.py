"""Addresses that people copy from a Bugzilla."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.sources.bugzilla import KIND

assert KIND.base_of is not None
base_of = KIND.base_of


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://bugs.example.com/show_bug.cgi?id=12#c3", "https://bugs.example.com"),
        ("https://example.com:8443/a/bugs/buglist.cgi?quicksearch=x", "https://example.com:8443/a/bugs"),
        ("https://example.com/bugs/rest/bug/12/comment", "https://example.com/bugs"),
        ("https://example.com/bugs/rest.cgi/version", "https://example.com/bugs"),
        ("https://bugzilla.example.org", "https://bugzilla.example.org"),
        ("https://bugzilla.example.org/123", "https://bugzilla.example.org"),
        ("https://bugzilla.example.org/sub/", "https://bugzilla.example.org/sub"),
        ("https://kim:x@example.com/query.cgi", "https://example.com"),
        ("https://example.com/", None),
        ("https://example.com/rest/api/2/issue/A-1", None),
        ("https://example.com/notbugzilla/index.cgi", None),
        ("ftp://bugzilla.example.org/", None),
        ("https://[::1/show_bug.cgi", None),
        ("https://example.com:99999999/show_bug.cgi", None),
        ("", None),
    ],
)
def test_the_base_is_what_its_pages_begin_with(address: str, base: str | None) -> None:
    assert base_of(address) == base


@given(st.text(max_size=60) | st.text(max_size=40).map("https://example.com/{}/show_bug.cgi".format))
def test_any_text_has_a_base_or_none(text: str) -> None:
    base = base_of(text)
    assert base is None or base_of(f"{base}/show_bug.cgi") == base
