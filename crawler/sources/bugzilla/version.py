"""Which Bugzilla answers, and where its REST API is."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.client import Client
from crawler.errors import AccessError, Forbidden, ItemError, NotFound, PageRejected, TrackerError
from crawler.json_document import read_json
from crawler.sources.bugzilla.parse.xml import clean, read_bugzilla

# The second one where the web server does not rewrite addresses.
_PLACES = ("rest", "rest.cgi")
_HEADERS = {"Accept": "application/json"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A Bugzilla by its own words."""

    api: str  # where its API is, below the base address
    title: str  # as people call it, such as "Bugzilla 5.0.6"


class NoApi(TrackerError):
    """There is no REST API, though there may be a Bugzilla."""


async def find_version(client: Client) -> Version:
    """Ask without a credential.

    Raises:
        NoApi: no Bugzilla with a REST API answers there.
        TrackerError: nobody knows, since the server fails.
    """
    doubts: list[str] = []
    for api in _PLACES:
        try:
            answer = await client.get(f"{api}/version", headers=_HEADERS)
            number = read_json(answer.body).at("version").text()
            return Version(api=api, title=f"Bugzilla {number[:40]}")
        except (AccessError, Forbidden, NotFound, PageRejected) as error:
            doubts.append(str(error))
        except ItemError as error:
            raise TrackerError(f"The server does not say which Bugzilla it is: {error}") from error
    raise NoApi(f"There is no REST API: {doubts[0]}")


async def find_pages(client: Client) -> str:
    """The name and version of a Bugzilla, as its XML tells them.

    Raises:
        TrackerError: no Bugzilla answers there.
    """
    try:
        answer = await client.get("show_bug.cgi", params=[("ctype", "xml"), ("id", "1")])
        root = read_bugzilla(clean(answer.body))
    except (AccessError, ItemError) as error:
        raise TrackerError(
            f"The address does not answer as a Bugzilla: {error} Give the address that its pages begin with,"
            " without show_bug.cgi."
        ) from error
    return f"Bugzilla {root.attributes.get('version', '')[:40]}".strip()


async def recognise(client: Client) -> str | None:
    """Ask a server whether it is a Bugzilla; see :attr:`crawler.source.Kind.recognise`."""
    try:
        version = await find_version(client)
    except NoApi:
        return await find_pages(client)
    # Others have a version, too; only a Bugzilla answers this so.
    answer = await client.get(f"{version.api}/bug/0", headers=_HEADERS, accept=range(200, 500))
    try:
        told = read_json(answer.body)
        return version.title if told.flag("error") and told.optional_integer("code") is not None else None
    except PageRejected:
        return None
