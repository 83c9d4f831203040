"""Which Bugzilla answers, and where its REST API is."""

from __future__ import annotations

import re

from msgspec import Struct

from crawler.client import Client
from crawler.errors import AccessError, Forbidden, ItemError, NotFound, PageRejected, TrackerError
from crawler.json_document import read_json
from crawler.sources.bugzilla.parse.xml import clean, read_bugzilla

# The second one where the web server does not rewrite addresses.
_PLACES = ("rest", "rest.cgi")
_HEADERS = {"Accept": "application/json"}
_NUMBER = re.compile(r"Bugzilla ([0-9]{1,4})\.([0-9]{1,4})")


class Version(Struct, frozen=True, kw_only=True):
    """A Bugzilla by its own words."""

    api: str  # where its API is, below the base address
    title: str  # as people call it, such as "Bugzilla 5.0.6"


class NoApi(TrackerError):
    """There is a Bugzilla, and no REST API.

    Args:
        title: as :attr:`Version.title`.
    """

    def __init__(self, title: str) -> None:
        super().__init__("This Bugzilla has no REST API.")
        self.title = title


async def find_version(client: Client, *, pages_first: bool = False) -> Version:
    """Ask without a credential.

    Args:
        client: asks.
        pages_first: whether it is rather one without an API, which a question less then tells.

    Raises:
        NoApi: a Bugzilla answers there by its pages only.
        TrackerError: no Bugzilla answers there, or nobody knows, since the server fails.
    """
    if not pages_first and (found := await _version_at(client, _PLACES[0])):
        return found
    title: str | None = None
    nothing: TrackerError | None = None
    try:
        title = await _title_of_pages(client)
    except TrackerError as error:
        nothing = error
    if title is None or not _is_before_apis(title):
        for place in _PLACES if pages_first else _PLACES[1:]:
            if found := await _version_at(client, place):
                return found
    if title is None:
        raise nothing or TrackerError("The address does not answer as a Bugzilla.")
    raise NoApi(title)


async def _version_at(client: Client, place: str) -> Version | None:
    try:
        answer = await client.get(f"{place}/version", headers=_HEADERS)
        number = read_json(answer.body).at("version").text()
    except (AccessError, Forbidden, NotFound, PageRejected):
        return None
    except ItemError as error:
        raise TrackerError(f"The server does not say which Bugzilla it is: {error}") from error
    return Version(api=place, title=f"Bugzilla {number[:40]}")


async def _title_of_pages(client: Client) -> str:
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


def _is_before_apis(title: str) -> bool:
    """Whether it says that it is older than 5.0 and its development versions, 4.5."""
    told = _NUMBER.match(title)
    return told is not None and (int(told[1]), int(told[2])) < (4, 5)


async def recognise(client: Client) -> str | None:
    """Ask a server whether it is a Bugzilla; see :attr:`crawler.source.Kind.recognise`."""
    try:
        version = await find_version(client)
    except NoApi as pages:
        return pages.title
    # Others have a version, too; only a Bugzilla answers this so.
    answer = await client.get(f"{version.api}/bug/0", headers=_HEADERS, accept=range(200, 500))
    try:
        told = read_json(answer.body)
        return version.title if told.flag("error") and told.optional_integer("code") is not None else None
    except PageRejected:
        return None
