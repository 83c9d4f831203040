"""Which Bugzilla answers, and where its REST API is."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.client import Client
from crawler.errors import AccessError, ItemError, PageRejected, TrackerError
from crawler.json_document import read_json

# The second one where the web server does not rewrite addresses.
_PLACES = ("rest", "rest.cgi")
_HEADERS = {"Accept": "application/json"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A Bugzilla by its own words."""

    api: str  # where its API is, below the base address
    title: str  # as people call it, such as "Bugzilla 5.0.6"


async def find_version(client: Client) -> Version:
    """Ask without a credential.

    Raises:
        TrackerError: no Bugzilla with a REST API answers there.
    """
    doubts: list[str] = []
    for api in _PLACES:
        try:
            answer = await client.get(f"{api}/version", headers=_HEADERS)
            number = read_json(answer.body).at("version").text()
            return Version(api=api, title=f"Bugzilla {number[:40]}")
        except (AccessError, ItemError) as error:
            doubts.append(str(error))
    raise TrackerError(
        f"The address does not answer as a Bugzilla with a REST API, which it has from 5.0 on: {doubts[0]}"
        " Give the address that its pages begin with, without show_bug.cgi."
    )


async def recognise(client: Client) -> str | None:
    """Ask a server whether it is a Bugzilla; see :attr:`crawler.source.Kind.recognise`."""
    try:
        version = await find_version(client)
        # Others have a version, too; only a Bugzilla answers this so.
        answer = await client.get(f"{version.api}/bug/0", headers=_HEADERS, accept=range(200, 500))
        told = read_json(answer.body)
        return version.title if told.flag("error") and told.optional_integer("code") is not None else None
    except PageRejected:
        return None
