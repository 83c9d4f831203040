"""The address of a project within GitLab's API, made of that of one of its pages."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from crawler.http.web_address import web_page

_API = re.compile(
    r"(?P<root>(?:/[\w.~-]+){0,5}?)/api/v4/projects/(?P<project>[0-9]+|[\w.-]+(?:%2F[\w.-]+)+)(?:/.*)?",
    re.ASCII | re.IGNORECASE,
)
_SEGMENT: Final = r"[A-Za-z0-9_.][\w.-]{0,254}"
_PROJECT = re.compile(rf"/({_SEGMENT}(?:/{_SEGMENT}){{1,20}})", re.ASCII)
# Pages of versions before 12, whose addresses have no /-/ between the project and what is within it.
_PAGES: Final = frozenset({
    "activity", "blob", "boards", "commits", "issues", "labels", "merge_requests", "milestones", "tree",
    "wikis",
})  # fmt: skip
_NO_GROUPS: Final = frozenset({
    "-", "admin", "api", "assets", "browse", "dashboard", "explore", "groups", "help", "issues", "jira", "my",
    "oauth", "orgs", "profile", "projects", "rest", "search", "secure", "snippets", "ticket", "uploads",
    "users",
})  # fmt: skip
_NOT_ONE: Final = frozenset({
    "github.com", "www.github.com", "api.github.com", "bitbucket.org", "codeberg.org", "sourceforge.net",
})  # fmt: skip


class Place(NamedTuple):
    """A project within an API."""

    root: str  # path of the GitLab on its host, without a slash at its end
    project: str  # its number, or its full path with %2F between the parts


def base_of(url: str) -> str | None:
    """Return the API's address of the project that a page is of; None: it is no page of one."""
    page = web_page(url)
    if page is None or page.host in _NOT_ONE or page.has_account:
        return None
    api = _API.fullmatch(page.path)
    if api is not None:
        return _written(f"{page.origin}{api['root']}", unquote(api["project"]))
    project = _project_in(page.path)
    return None if project is None else _written(page.origin, project)


def place_in(base_url: str) -> Place | None:
    """Take a base address apart; None: it names no project."""
    api = _API.fullmatch(urlsplit(base_url).path)
    return None if api is None else Place(api["root"], api["project"])


def _written(server: str, project: str) -> str:
    return f"{server}/api/v4/projects/{quote(project, safe='')}"


def _project_in(path: str) -> str | None:
    place, dash, _ = path.partition("/-/")
    if not dash:
        segments = place.rstrip("/").removesuffix("/-").split("/")
        # The first two are the least that a project has: a group, and its own name.
        end = next((at for at, each in enumerate(segments[3:], start=3) if each in _PAGES), len(segments))
        place = "/".join(segments[:end]).removesuffix(".git")
    match = _PROJECT.fullmatch(place)
    return None if match is None or match[1].partition("/")[0].lower() in _NO_GROUPS else match[1]
