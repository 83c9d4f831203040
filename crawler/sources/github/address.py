"""The address of a repository's API within the address of one of its pages."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_API = re.compile(r"(?P<root>(?:/[\w.~-]+){0,5}?)/repos/(?P<name>[\w.-]+/[\w.-]+)(?:/.*)?", re.ASCII)
_PAGE = re.compile(
    r"/(?P<name>[A-Za-z0-9][\w-]*/[\w.-]+?)(?:\.git)?"
    r"(?:/(?:issues|pulls?|discussions|milestones?|labels|wiki|actions|projects|settings|tree|blob)(?:/.*)?)?/?",
    re.ASCII,
)
_OURS: Final = frozenset({"github.com", "www.github.com"})
_OTHERS: Final = frozenset({"gitlab.com", "bitbucket.org", "codeberg.org"})
_NO_OWNERS: Final = frozenset({"api", "issues", "orgs", "projects", "users", "ticket", "rest"})
_API_HOST: Final = "https://api.github.com"


class Place(NamedTuple):
    """A repository within an API."""

    root: str  # path of the API on its host, without a slash at its end
    name: str  # owner/repository


def base_of(url: str) -> str | None:
    """Return the API's address of the repository that a page is of; None: it is no page of one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or host in _OTHERS or parts.username is not None:
        return None
    api = _API.fullmatch(parts.path)
    if api is not None and host not in _OURS:
        return f"{parts.scheme}://{parts.netloc}{api['root']}/repos/{api['name']}"
    page = _PAGE.fullmatch(parts.path)
    if page is None or page["name"].partition("/")[0].lower() in _NO_OWNERS or host == "api.github.com":
        return None
    root = _API_HOST if host in _OURS else f"{parts.scheme}://{parts.netloc}/api/v3"
    return f"{root}/repos/{page['name']}"


def place_in(base_url: str) -> Place | None:
    """Take a base address apart; None: it names no repository."""
    api = _API.fullmatch(urlsplit(base_url).path)
    return None if api is None else Place(api["root"], api["name"])
