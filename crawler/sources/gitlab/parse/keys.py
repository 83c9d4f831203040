"""Keys of issues: the number within the connection's project, ``group/project#number`` elsewhere."""

from __future__ import annotations

import re

from crawler.json_document import JsonNode

_KEY = re.compile(r"(?:(?P<path>[\w.-]{1,255}(?:/[\w.-]{1,255}){1,20})#|#)?(?P<number>[0-9]{1,10})", re.ASCII)


def parted(key: str) -> tuple[str | None, int | None]:
    """The project that a key names, if it does, and the number; no number: it is no key."""
    match = _KEY.fullmatch(key)
    return (None, None) if match is None else (match["path"], int(match["number"]))


def joined(path: str | None, number: int, here: str) -> str:
    """The key of an issue, seen from a project."""
    return str(number) if not path or path.casefold() == here.casefold() else f"{path}#{number}"


def path_of(issue: JsonNode) -> str | None:
    """The path of the project that an issue is in, as it tells it itself."""
    references = issue.find("references")
    full = None if references is None else references.optional_text("full")
    return None if full is None else parted(full)[0]


def key_of(issue: JsonNode, here: str) -> str:
    """The key of an issue, seen from a project."""
    return joined(path_of(issue), issue.at("iid").integer(), here)
