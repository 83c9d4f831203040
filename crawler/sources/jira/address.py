"""A Jira's base address, made of any address of it that people copy."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CLOUD = re.compile(r"[a-z0-9-]+\.(?:atlassian\.net|jira\.com|atlassian-us-gov-mod\.net)")
_GATEWAY = re.compile(r"(/ex/jira/[0-9a-fA-F-]{1,64})(?:/|$)")
_INSIDE = re.compile(
    r"/(?:browse/[^/]+-[0-9]+|projects/[^/]+|secure/[A-Z][A-Za-z!]*(?:\.jspa)?|issues/?$|rest/api/"
    r"|servicedesk/|login\.jsp|plugins/servlet/|jira/(?:software|core|servicedesk|your-work|projects|dashboards))"
)


def base_of(address: str) -> str | None:
    """The base address; None: it does not look like a Jira's."""
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").lower()
        parts.port  # noqa: B018 - refuses what is no number
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if _CLOUD.fullmatch(host):
        return origin
    if host == "api.atlassian.com":
        gateway = _GATEWAY.match(parts.path)
        return None if gateway is None else origin + gateway[1]
    inside = _INSIDE.search(parts.path)
    return None if inside is None else origin + parts.path[: inside.start()]
