"""Keys of issues: the number within the connection's project, ``group/project#number`` elsewhere."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from crawler.errors import PageRejected
from crawler.json_document import JsonNode

_PATH = r"[A-Za-z0-9_.][\w.-]{0,254}(?:/[A-Za-z0-9_.][\w.-]{0,254}){0,20}"
_KEY = re.compile(rf"(?:(?P<project>{_PATH})#|#)?(?P<number>[0-9]{{1,10}})", re.ASCII)
_WEB = re.compile(rf"/(?P<project>{_PATH}?)(?:/-)?/(?:issues|work_items)/(?P<number>[0-9]{{1,10}})", re.ASCII)
_LINK = re.compile(r"/projects/(?P<project>[0-9]{1,18})/issues/(?P<number>[0-9]{1,10})\Z")


def parted(key: str) -> tuple[str | None, int | None]:
    """The project that a key names, if it does, and the number; no number: it is no key."""
    match = _KEY.fullmatch(key)
    return (None, None) if match is None else (match["project"], int(match["number"]))


def key_in(reference: str, here: str) -> str | None:
    """The key that a reference in the words of GitLab stands for; None: it is none.

    Args:
        reference: ``#5``, ``project#5`` for one in the same group, or ``group/project#5``.
        here: the full path of the project that the words stand in.
    """
    project, number = parted(reference)
    if number is None or "#" not in reference:
        return None
    if project is None:
        return str(number)
    if "/" not in project and "/" in here:
        project = f"{here.rpartition('/')[0]}/{project}"
    return str(number) if project.casefold() == here.casefold() else f"{project}#{number}"


def key_of_link(address: str | None, home: int) -> str | None:
    """The key of an issue that is named by its address within the API, where projects are numbers."""
    match = None if address is None else _LINK.search(address)
    if match is None:
        return None
    number = str(int(match["number"]))
    return number if int(match["project"]) == home else f"{int(match['project'])}#{number}"


def path_of(issue: JsonNode) -> str | None:
    """The full path of the project that an issue is in, as it tells it itself."""
    references = issue.find("references")
    full = None if references is None else references.optional_text("full")
    if full:
        return parted(full)[0]
    try:
        place = unquote(urlsplit(issue.optional_text("web_url") or "").path)
    except ValueError:
        return None
    match = _WEB.fullmatch(place)
    return None if match is None else match["project"]


def key_of(issue: JsonNode, *, home: int, here: str) -> str:
    """The key of an issue, seen from a project.

    Args:
        issue: as GitLab tells it.
        home: the number of the project.
        here: its full path.
    """
    number = issue.at("iid").integer()
    if number < 1:
        raise PageRejected("The answer's issue has no number.")
    of = issue.optional_integer("project_id")
    path = path_of(issue)
    if of is None:
        return str(number) if path is None or path.casefold() == here.casefold() else f"{path}#{number}"
    return str(number) if of == home else f"{path or of}#{number}"
