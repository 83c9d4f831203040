"""The address of a repository's API within the address of one of its pages."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from crawler.http.web_address import web_page

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
    page = web_page(url)
    if page is None or page.host in _OTHERS or page.has_account:
        return None
    api = _API.fullmatch(page.path)
    if api is not None and page.host not in _OURS:
        return f"{page.origin}{api['root']}/repos/{api['name']}"
    found = _PAGE.fullmatch(page.path)
    if (
        found is None
        or found["name"].partition("/")[0].lower() in _NO_OWNERS
        or page.host == "api.github.com"
    ):
        return None
    root = _API_HOST if page.host in _OURS else f"{page.origin}/api/v3"
    return f"{root}/repos/{found['name']}"


def place_in(base_url: str) -> Place | None:
    """Take a base address apart; None: it names no repository."""
    api = _API.fullmatch(urlsplit(base_url).path)
    return None if api is None else Place(api["root"], api["name"])
