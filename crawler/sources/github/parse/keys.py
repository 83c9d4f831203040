"""Keys of issues: the number within the connection's repository, ``owner/name#number`` elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from crawler.json_document import JsonNode

_KEY = re.compile(r"(?:(?P<name>[\w.-]{1,100}/[\w.-]{1,100}))?#?(?P<number>[0-9]{1,10})", re.ASCII)
_REPOSITORY = re.compile(r"/repos/([\w.-]{1,100}/[\w.-]{1,100})(?:/|\Z)", re.ASCII)


def parted(key: str) -> tuple[str | None, int | None]:
    """The repository that a key names, if it does, and the number; no number: it is no key."""
    match = _KEY.fullmatch(key)
    if match is None or (match["name"] and "#" not in key):
        return None, None
    return match["name"], int(match["number"])


def number_in(path: str) -> str:
    """The last part of a path."""
    return urlsplit(path).path.rpartition("/")[2][:40]


def repository_of(issue: JsonNode) -> str | None:
    """The full name of the repository that an issue is in, as it tells it itself."""
    told = issue.optional_text("repository_url") or issue.optional_text("url") or ""
    match = _REPOSITORY.search(told)
    return None if match is None else match[1]


def key_of(issue: JsonNode, here: str) -> str:
    """The key of an issue, seen from a repository."""
    number = issue.at("number").integer()
    name = repository_of(issue)
    return str(number) if name is None or name.casefold() == here.casefold() else f"{name}#{number}"
