"""The Link header (RFC 8288), by which APIs name the next page of a list."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINK = re.compile(
    r"<([^<>]{1,4000})>((?:\s*;\s*[\w-]{1,40}\s*=\s*(?:\"[^\"]{0,200}\"|[^\s\",;]{1,200})){0,8})"
)
_RELATION = re.compile(r"\brel\s*=\s*\"?([^\";]*)", re.IGNORECASE)


def next_page(headers: Mapping[str, str]) -> str | None:
    """Return the address of the next page as the server gives it; None: this is the last one."""
    for link in _LINK.finditer(headers.get("link", "")):
        relation = _RELATION.search(link[2])
        if relation is not None and "next" in relation[1].lower().split():
            return link[1].strip()
    return None
