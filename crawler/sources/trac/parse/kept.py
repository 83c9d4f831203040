"""A ticket's page as it is kept: without mail addresses that its script has and its words hide."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from crawler.errors import PageRejected
from crawler.html import LexborDocument
from crawler.http.decode import decode
from crawler.source import RawPage
from crawler.sources.trac.parse.mail import shown_addresses
from crawler.sources.trac.parse.script import hide_addresses


def without_hidden_addresses(page: RawPage) -> RawPage:
    """Hide in a page's script what its words hide from the account; anything else stays to the byte."""
    # Whatever the page's encoding, Trac writes its script in ASCII; other bytes come back as they were.
    html = page.body.decode("utf-8", "surrogateescape")
    hidden = hide_addresses(html, partial(_shown, page))
    return page if hidden == html else replace(page, body=hidden.encode("utf-8", "surrogateescape"))


def _shown(page: RawPage) -> frozenset[str]:
    try:
        return shown_addresses(LexborDocument(decode(page.body, page.content_type).text))
    except PageRejected:
        return frozenset()
