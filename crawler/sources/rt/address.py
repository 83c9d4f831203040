"""The address of a Request Tracker within the address of one of its pages."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PAGE = re.compile(
    r"(?P<folder>(?:/[\w.~-]+){0,5}?)"
    r"/(?:(?:Ticket|Search|SelfService|Dashboards|Prefs)/[\w./-]*\.html|REST/2\.0(?:/.*)?)"
)


def base_of(url: str) -> str | None:
    """Return the address of the RT that a page is of; None: it does not look like a page of one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return None
    page = _PAGE.fullmatch(parts.path)
    return None if page is None else f"{parts.scheme}://{parts.netloc}{page['folder']}"
