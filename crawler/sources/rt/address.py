"""The address of a Request Tracker within the address of one of its pages."""

from __future__ import annotations

import re

from crawler.http.web_address import web_page

_PAGE = re.compile(
    r"(?P<folder>(?:/[\w.~-]+){0,5}?)"
    r"/(?:(?:Ticket|Search|SelfService|Dashboards|Prefs)/[\w./-]*\.html|REST/2\.0(?:/.*)?)"
)


def base_of(url: str) -> str | None:
    """Return the address of the RT that a page is of; None: it does not look like a page of one."""
    page = web_page(url)
    if page is None or page.has_account:
        return None
    found = _PAGE.fullmatch(page.path)
    return None if found is None else f"{page.origin}{found['folder']}"
