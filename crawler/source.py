"""The contract between a tracker and everything else: four verbs and four records.

A source *logs in*, *searches*, *fetches* raw pages and *parses* them. Fetching yields, parsing is pure;
saving is somebody else's work. Third parties add a kind of tracker with an entry point in the group
``ims_crawler.sources`` that names a class with this shape.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from crawler.records import AttachmentRecord, IssueRecord, Json

if TYPE_CHECKING:
    from crawler.client import Client
    from crawler.query import Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """Where a tracker is and who asks it. Its repr never shows the password."""

    base_url: str  # http(s)://host[:port][/path], without a slash at its end
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timezone: str | None = None  # IANA name of the server's own zone; None: the kind's default
    options: Mapping[str, Json] = field(default_factory=dict)  # a kind's own, documented in its module


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """One hit of a search: enough to fetch the issue."""

    issue_id: str  # the tracker's number or key
    url: str | None = None
    listed: Mapping[str, str] = field(default_factory=dict)  # the list's own columns, under their headers


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPage:
    """One page of hits."""

    references: tuple[Reference, ...]
    cursor: str | None  # give it to search() to go on after this page; None: this was the last one
    total: int | None = None  # the tracker's own count of all hits, where it tells one


@dataclass(frozen=True, kw_only=True, slots=True)
class RawPage:
    """One answer as it came, inflated but not decoded; what parse() needs and what is kept."""

    url: str  # the final address, without secrets
    body: bytes
    content_type: str | None = None  # the header, charset included
    part: str = "issue"  # which of the issue's pages this is, in the source's own words
    status: int = 200
    fetched_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendering:
    """A query in a tracker's own language.

    Where the tracker cannot express a part, ``exact`` is false: the tracker then answers with more than was
    asked for (never less), and the whole query is applied again to the fetched issues.
    """

    text: str
    exact: bool = True


class Source(Protocol):
    """A tracker, seen through one account. Made as ``SourceClass(connection, client)``.

    A kind that cannot tell what changed since a time may say so by a class attribute
    ``ignores_since = True``: whoever asks for changes is then told that every hit is fetched and compared.
    One whose products ``parse_query`` knows says ``has_known_products = True``; to others they are words.
    """

    kind: ClassVar[str]

    def __init__(self, connection: Connection, client: Client) -> None: ...

    def render(self, query: Tree) -> Rendering:
        """Say the query in the tracker's language. Pure."""
        ...

    async def login(self) -> None:
        """Log in.

        Raises:
            LoginRefused: name or password are wrong; do not try again.
            TrackerError: not reachable, or not this kind of tracker.
        """
        ...

    def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of references, the newest issue first where the tracker lets us choose.

        Args:
            query: what to look for; None: everything the account may see.
            product: the tracker's product, component or project, or a prefix of several.
            since: only issues changed at or after this time, where the tracker can tell; else all.
            limit: stop after this many references.
            cursor: go on after the page that gave this cursor.

        Raises:
            UnknownProduct: the tracker has no such product.
            TrackerError: the answer is not a list of issues.
        """
        ...

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get the pages that make up one issue.

        Raises:
            ItemError: this issue cannot be had.
            AccessError: the account was shut out.
        """
        ...

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue from its pages. Pure: no network, no clock.

        Raises:
            PageRejected: a page fails its gate under both engines.
        """
        ...

    async def download(self, attachment: AttachmentRecord) -> RawPage:
        """Get the bytes of an attachment from its ``download_url``.

        Raises:
            ItemError: this file cannot be had.
            AccessError: the account was shut out.
        """
        ...
