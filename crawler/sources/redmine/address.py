"""The address of a Redmine within the address of one of its pages."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PAGE = re.compile(
    r"(?P<folder>(?:/[\w.~-]+){0,5}?)"
    r"/(?:issues(?:\.json|/[0-9]+(?:\.json)?|/gantt|/calendar|/new)?"
    r"|projects/[a-z0-9_-]+/(?:issues|activity|roadmap|wiki|settings|news|time_entries|files)(?:/.*)?"
    r"|projects(?:\.json)?|my/(?:page|account|api_key))/?"
)
_NOT_ONE = frozenset({"github.com", "www.github.com", "gitlab.com", "bitbucket.org"})


def base_of(url: str) -> str | None:
    """Return the address of the Redmine that a page is of; None: it does not look like a page of one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or host in _NOT_ONE or parts.username is not None:
        return None
    page = _PAGE.fullmatch(parts.path)
    if page is None or page["folder"].endswith("/-"):  # GitLab has /-/issues
        return None
    return f"{parts.scheme}://{parts.netloc}{page['folder']}"
