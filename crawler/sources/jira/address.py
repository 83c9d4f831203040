"""A Jira's base address, made of any address of it that people copy."""

from __future__ import annotations

import re

from crawler.http.web_address import web_page

_CLOUD = re.compile(r"[a-z0-9-]+\.(?:atlassian\.net|jira\.com|atlassian-us-gov-mod\.net)")
_GATEWAY = re.compile(r"(/ex/jira/[0-9a-fA-F-]{1,64})(?:/|$)")
_INSIDE = re.compile(
    r"/(?:browse/[^/]+-[0-9]+|projects/[^/]+|secure/[A-Z][A-Za-z!]*(?:\.jspa)?|issues/?$|rest/api/"
    r"|servicedesk/|login\.jsp|plugins/servlet/|jira/(?:software|core|servicedesk|your-work|projects|dashboards))"
)


def base_of(address: str) -> str | None:
    """The base address; None: it does not look like a Jira's."""
    page = web_page(address)
    if page is None:
        return None
    if _CLOUD.fullmatch(page.host):
        return page.origin
    if page.host == "api.atlassian.com":
        gateway = _GATEWAY.match(page.path)
        return None if gateway is None else page.origin + gateway[1]
    inside = _INSIDE.search(page.path)
    return None if inside is None else page.origin + page.path[: inside.start()]
