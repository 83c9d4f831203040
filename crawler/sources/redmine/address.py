"""The address of a Redmine within the address of one of its pages."""

from __future__ import annotations

import re

from crawler.http.web_address import web_page

_PAGE = re.compile(
    r"(?P<folder>(?:/[\w.~-]+){0,5}?)"
    r"/(?:issues(?:\.json|/[0-9]+(?:\.json)?|/gantt|/calendar|/new)?"
    r"|projects/[a-z0-9_-]+/(?:issues|activity|roadmap|wiki|settings|news|time_entries|files)(?:/.*)?"
    r"|projects(?:\.json)?|my/(?:page|account|api_key))/?"
)
_NOT_ONE = frozenset({"github.com", "www.github.com", "gitlab.com", "bitbucket.org"})


def base_of(url: str) -> str | None:
    """Return the address of the Redmine that a page is of; None: it does not look like a page of one."""
    page = web_page(url)
    if page is None or page.host in _NOT_ONE or page.has_account:
        return None
    found = _PAGE.fullmatch(page.path)
    if found is None or found["folder"].endswith("/-"):  # GitLab has /-/issues
        return None
    return f"{page.origin}{found['folder']}"
