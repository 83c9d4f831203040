"""How a server shows, to somebody who is not logged in, that it is a Roundup."""

from __future__ import annotations

from crawler.client import Client
from crawler.errors import PageRejected
from crawler.json_document import read_json


async def recognise(client: Client) -> str | None:
    """Return the name of the program; None: it is something else. It does not tell its version."""
    answer = await client.get("rest/", headers={"X-Requested-With": "rest"}, accept=range(200, 500))
    try:
        told = read_json(answer.body)
        if told.find("data") is not None and told.at("data").find("supported_versions") is not None:
            return "Roundup"
        told.at("error").at("msg").text()  # it lets no stranger in
    except PageRejected:
        return None
    front = await client.get("", accept=range(200, 500))
    return "Roundup" if "@@file/" in front.text[:20_000] else None
