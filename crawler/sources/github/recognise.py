"""How a server shows, to somebody who is not logged in, that it is a GitHub."""

from __future__ import annotations

from crawler.client import Client


async def recognise(client: Client) -> str | None:
    """Return the program, with its version where it tells one; None: it is something else."""
    answer = await client.get(client.base_url, accept=range(200, 500))
    version = answer.headers.get("x-github-enterprise-version", "")
    if version:
        return f"GitHub Enterprise Server {version.removeprefix('enterprise-server@')[:40]}"
    is_api = "x-github-media-type" in answer.headers and "x-github-request-id" in answer.headers
    return "GitHub" if is_api else None
