"""A Bugzilla's base address, made of any address of it that people copy."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PAGE = re.compile(
    r"/(?:(?:show_bug|buglist|query|enter_bug|describecomponents|show_activity|attachment|userprefs|report)\.cgi"
    r"|rest(?:\.cgi)?/(?:bug|version|product)(?:/.*)?)$"
)
_SHORT = re.compile(r"/[0-9]+$")  # bugzilla.example.com/12, where the host says what it is


def base_of(address: str) -> str | None:
    """The base address; None: it does not look like a Bugzilla's."""
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").lower()
        parts.port  # noqa: B018 - refuses what is no number
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    page = _PAGE.search(parts.path)
    if page is not None:
        return origin + parts.path[: page.start()]
    if "bugzilla" in host.split("."):
        return origin + _SHORT.sub("", parts.path).rstrip("/")
    return None
