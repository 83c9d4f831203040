"""How a server shows, to somebody who is not logged in, that it is a GitLab."""

from __future__ import annotations

from crawler.client import Client


async def recognise(client: Client) -> str | None:
    """Return the name of the program; None: it is something else. Strangers are not told its version."""
    answer = await client.get(client.base_url, accept=range(200, 500))
    is_json = (answer.content_type or "").startswith("application/json")
    told = b"404 Project Not Found" in answer.body or b'"path_with_namespace"' in answer.body
    return "GitLab" if "x-gitlab-meta" in answer.headers or (is_json and told) else None
