"""Addresses that people copy from a Jira."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.sources.jira import KIND

assert KIND.base_of is not None
base_of = KIND.base_of


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://shop.atlassian.net", "https://shop.atlassian.net"),
        ("https://shop.atlassian.net/jira/software/projects/A/boards/1", "https://shop.atlassian.net"),
        ("https://jira.example.com/browse/ABC-12?focused=1#top", "https://jira.example.com"),
        ("https://example.com:8443/jira/browse/ABC-12", "https://example.com:8443/jira"),
        ("https://example.com/a/b/projects/ABC/issues", "https://example.com/a/b"),
        ("http://example.com/secure/Dashboard.jspa", "http://example.com"),
        ("https://example.com/jira/secure/RapidBoard.jspa?rapidView=1", "https://example.com/jira"),
        ("https://example.com/issues/?jql=project", "https://example.com"),
        ("https://example.com/rest/api/2/issue/A-1", "https://example.com"),
        ("https://kim:x@example.com/browse/A-1", "https://example.com"),
        ("https://api.atlassian.com/ex/jira/11-aa/rest/api/3", "https://api.atlassian.com/ex/jira/11-aa"),
        ("https://api.atlassian.com/", None),
        ("https://example.com/", None),
        ("https://example.com/issues/12", None),
        ("https://github.com/owner/name/projects", None),
        ("https://notatlassian.net.example.com/", None),
        ("ftp://example.com/browse/A-1", None),
        ("https://[::1/browse/A-1", None),
        ("https://example.com:99999999/browse/A-1", None),
        ("", None),
    ],
)
def test_the_base_is_what_its_pages_begin_with(address: str, base: str | None) -> None:
    assert base_of(address) == base


@given(st.text(max_size=60) | st.text(max_size=40).map("https://example.com/{}/browse/A-1".format))
def test_any_text_has_a_base_or_none(text: str) -> None:
    base = base_of(text)
    assert base is None or base_of(f"{base}/browse/A-1") == base
