"""How a server shows, to somebody who is not logged in, that it is a Request Tracker."""

from __future__ import annotations

import re

from crawler.client import Client
from crawler.errors import PageRejected
from crawler.json_document import read_json

_VERSION = re.compile(r"RT Version ([0-9][\w.+~-]{0,40})")


async def recognise(client: Client) -> str | None:
    """Return the program with its version where the login page tells it; None: it is something else."""
    answer = await client.get("REST/2.0/rt", accept=range(200, 500))
    try:
        said = read_json(answer.body).optional_text("message")
    except PageRejected:
        return None
    if answer.status != 401 or said != "Unauthorized":
        return None
    front = await client.get("", accept=range(200, 500))
    version = _VERSION.search(front.text)
    if version is not None:
        return f"Request Tracker {version[1]}"
    return "Request Tracker" if "bestpractical.com" in front.text else None
