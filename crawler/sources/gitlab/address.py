"""The address of a project's API within the address of one of its pages."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

_API = re.compile(
    r"(?P<root>(?:/[\w.~-]+){0,5}?/api/v4)/projects/(?P<key>(?:[\w.-]|%[0-9A-Fa-f]{2})+)(?:/.*)?", re.A
)
_PATH: Final = r"(?P<path>[\w.-]+(?:/[\w.-]+){1,20}?)"
_PAGE = re.compile(rf"/{_PATH}(?:/-(?:/.*)?|/(?:issues|merge_requests)(?:/[0-9]+)?)?/?", re.A)
_OTHERS: Final = frozenset(
    {"github.com", "www.github.com", "api.github.com", "bitbucket.org", "codeberg.org"}
)
# What other trackers, and GitLab itself, have in the place of a group.
_NO_GROUPS: Final = frozenset(
    {
        *("api", "browse", "dashboard", "explore", "groups", "issues"),
        *("projects", "repos", "rest", "secure", "ticket", "users"),
    }
)


class Place(NamedTuple):
    """A project within an API."""

    root: str  # path of the API on its host, such as /api/v4
    key: str  # number of the project, or its path with %2F


def base_of(url: str) -> str | None:
    """Return the API's address of the project that a page is of; None: it is no page of one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or host in _OTHERS or parts.username is not None:
        return None
    origin = f"{parts.scheme}://{parts.netloc}"
    api = _API.fullmatch(parts.path)
    if api is not None:
        return f"{origin}{api['root']}/projects/{api['key']}"
    page = _PAGE.fullmatch(parts.path)
    if page is None or page["path"].partition("/")[0].lower() in _NO_GROUPS:
        return None
    path = page["path"].removesuffix(".git")
    return f"{origin}/api/v4/projects/{quote(path, safe='')}"


def place_in(base_url: str) -> Place | None:
    """Take a base address apart; None: it names no project."""
    api = _API.fullmatch(urlsplit(base_url).path)
    return None if api is None else Place(api["root"], api["key"])


def path_in(base_url: str) -> str:
    """The project's path, as far as the address tells it."""
    place = place_in(base_url)
    return "" if place is None else unquote(place.key)
