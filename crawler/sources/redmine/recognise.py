"""How a server shows, to somebody who is not logged in, that it is a Redmine."""

from __future__ import annotations

import re

from crawler.client import Client

_REALM = 'realm="Redmine API"'
_META = re.compile(r"<meta\s+name=[\"']description[\"']\s+content=[\"']Redmine[\"']", re.IGNORECASE)


async def recognise(client: Client) -> str | None:
    """Return the name of the program; None: it is something else. Its pages do not tell the version."""
    answer = await client.get("users/current.json", accept=range(200, 500))
    if answer.status == 401 and _REALM in answer.headers.get("www-authenticate", ""):
        return "Redmine"
    front = await client.get("", accept=range(200, 500))  # where the API is off; redirects to a login
    return "Redmine" if _META.search(front.text[:20_000]) else None
