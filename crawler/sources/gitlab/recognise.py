"""How a server shows, to somebody who is not logged in, that it is a GitLab."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from crawler.client import Client
from crawler.sources.gitlab.address import place_in

_SITE = re.compile(r"<meta\s[^<>]{0,200}og:site_name[^<>]{0,200}>", re.IGNORECASE)


async def recognise(client: Client) -> str | None:
    """Return the name of the program; None: it is something else. It tells nobody its version."""
    place = place_in(client.base_url)
    root = urlsplit(client.base_url).path.rstrip("/") if place is None else place.root
    version = await client.get(f"{root}/api/v4/version", accept=range(200, 500))
    if "x-gitlab-meta" in version.headers:
        return "GitLab"
    if version.status != 401:
        return None
    # Before version 14 that header was not there yet.
    front = await client.get(f"{root}/users/sign_in", accept=range(200, 500))
    site = _SITE.search(front.text[:50_000])
    return "GitLab" if site is not None and "gitlab" in site[0].lower() else None
