"""The contract of a tracker: a source that logs in, searches and fetches, and a parser that reads pages.

Fetching yields raw pages, parsing is pure, saving is somebody else's work. A package of ``crawler.sources``
is one kind of tracker and names its parts in ``KIND``. Third parties add a kind by an entry point in the
group ``ims_crawler.sources`` that names such a :class:`Kind`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol, Self

from msgspec import Struct, field

from crawler.errors import ItemError
from crawler.records import AttachmentRecord, IssueRecord, Json

if TYPE_CHECKING:
    from crawler.client import Client
    from crawler.http.response import Response
    from crawler.http.transfer import Transfer
    from crawler.json_document import JsonNode
    from crawler.query import Tree


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """Where a tracker is and who asks it. Its repr never shows the password."""

    base_url: str  # http(s)://host[:port][/path], without a slash at its end
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    timezone: str | None = None  # IANA name of the server's own zone; None: the kind's default
    options: Mapping[str, Json] = dataclasses.field(default_factory=dict)  # see Features.options


class Reference(Struct, frozen=True, kw_only=True):
    """One hit of a search: enough to fetch the issue."""

    issue_id: str  # the tracker's number or key
    url: str | None = None
    listed: Mapping[str, str] = field(default_factory=dict)  # the list's own columns, under their headers
    modified: datetime | None = None  # when it was last changed, where the list tells; see Features
    # SHA-256 of each page that the stored issue was read from, by its part: an issue whose pages are all the
    # same again is not read again. Empty: it is. None of a source's business.
    kept: Mapping[str, bytes] = field(default_factory=dict)


class SearchPage(Struct, frozen=True, kw_only=True):
    """One page of hits."""

    references: tuple[Reference, ...]
    cursor: str | None  # give it to search() to go on after this page; None: this was the last one
    total: int | None = None  # the tracker's own count of all hits, where it tells one
    server: str | None = None  # the program that answers, with its version, where it tells them


class RawPage(Struct, frozen=True, kw_only=True):
    """One answer as it came, inflated but not decoded; what parse() needs and what is kept."""

    url: str  # the final address, without secrets
    body: bytes
    content_type: str | None = None  # the header, charset included
    part: str = "issue"  # which of the issue's pages this is, in the source's own words
    status: int = 200
    fetched_at: datetime | None = None

    @classmethod
    def of(cls, answer: Response, part: str = "issue", *, url: str | None = None) -> Self:
        """The page that an answer, which came just now, is.

        Args:
            answer: as the client gives it.
            part: which of the issue's pages it is.
            url: in place of the answer's own address.
        """
        return cls(
            url=answer.url if url is None else url,
            body=answer.body,
            content_type=answer.content_type,
            part=part,
            status=answer.status,
            fetched_at=datetime.now(UTC),
        )


class Rendering(Struct, frozen=True, kw_only=True):
    """A query in a tracker's own language.

    Where the tracker cannot express a part, ``exact`` is false: the tracker then answers with more than was
    asked for (never less), and the whole query is applied again to the fetched issues.
    """

    text: str
    exact: bool = True


class Option(Struct, frozen=True, kw_only=True):
    """A setting of one kind of tracker, stored with the connection: ``trackers add --option NAME=VALUE``."""

    name: str
    default: bool | int | str | None  # its type is the option's type; None: a text, unset
    help: str  # one sentence
    least: int | None = None  # of a number; None: no bound
    most: int | None = None  # likewise


class Features(Struct, frozen=True, kw_only=True):
    """What a kind of tracker can do, and how it wants to be treated."""

    default_zone: str = "UTC"  # IANA name; of times without an offset, where the connection names no zone
    tells_changes: bool = True  # search(since=…) is honoured; else every hit is fetched and looked at
    since_overlap: timedelta = timedelta(
        days=1
    )  # asked for again, before ``since``: clocks differ, times are cut
    modified_precision: timedelta | None = None  # of Reference.modified; None: the list does not tell it
    # Some changes, such as an edited comment, leave the list's time alone: a census reads every issue again.
    unseen_changes: bool = False
    batch_size: int = 1  # references that one fetch_many() takes; 1: the source has no fetch_many()
    obeys_robots: bool = (
        True  # robots.txt is meant for it; an API that one has a token for is none of its business
    )
    download_hosts: tuple[
        str, ...
    ] = ()  # other hosts of attached files ("*.example.com"), asked without credentials
    exact_sizes: bool = False  # the sizes that it tells of files are their bytes; else they may be rounded
    forbidden: Literal["denied", "limited"] = "denied"  # what a bare 403 says: no right, or too many requests
    credential: Literal["password", "token"] = "password"
    secret_help: str = ""  # one sentence: where its people make the token, and which rights it needs
    needs_username: bool = True  # a secret alone is not enough to log in
    one_login: bool = False  # a second login of an account ends the first one
    # Its list has whole issues, which only the process that read it knows: another would ask for each again.
    lists_whole_issues: bool = False
    known_products: bool = (
        False  # its products are those of its products.toml; to other kinds these are words
    )
    options: tuple[Option, ...] = ()


class Parser(Protocol):
    """Reader of one tracker's pages. Pure: no network, no clock."""

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue from its pages, as :meth:`Source.fetch` gave them.

        Raises:
            PageRejected: a page fails its gate under both engines.
        """
        ...


class Source(Protocol):
    """A tracker, seen through one account."""

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
            UsageError: the cursor is none of this source's.
            TrackerError: the answer is not a list of issues.
        """
        ...

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get the pages that make up one issue; their ``part`` may be numbered, such as ``comments/2``.

        Raises:
            ItemError: this issue cannot be had.
            AccessError: the account was shut out.
        """
        ...

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get the bytes of an attachment from its ``download_url``.

        Args:
            attachment: which one.
            into: for :meth:`crawler.client.Client.download`, which then gives the bytes to it as they come;
                None, or a source that has the file within an answer: they are the page's body.

        Raises:
            ItemError: this file cannot be had.
            AccessError: the account was shut out.
        """
        ...


class BatchSource(Source, Protocol):
    """A source that gets several issues by one request; ``Features.batch_size`` is above 1."""

    async def fetch_many(self, refs: Sequence[Reference]) -> list[tuple[RawPage, ...] | ItemError]:
        """Get the pages of several issues, or why one cannot be had, in the order of the references.

        Raises:
            AccessError: the account was shut out.
            TrackerError: the answer is not what was asked for.
        """
        ...


class SharingSource(Source, Protocol):
    """A source that can begin with what the one of another process of the session has learnt.

    A long session has several processes, each with a source. What the tracker tells all of them alike, such
    as who the account is and how its lists of names read, needs to be asked for by one of them only.
    """

    async def learnt(self) -> dict[str, Json]:
        """What this one was told of the tracker since it logged in, in its own words; no secret.

        It may wait for what an issue that is being fetched is about to bring.
        """
        ...

    async def join(self, learnt: JsonNode) -> None:
        """In place of :meth:`login`: the same account has logged in elsewhere a moment ago.

        Args:
            learnt: by that source, when this one was about to begin.

        Raises:
            CrawlError: as for :meth:`login`.
        """
        ...


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of tracker. Naming it loads neither its source nor its parser."""

    name: str  # as in ``trackers add --kind``
    title: str  # as people call it
    open_source: Callable[[Connection, Client], Source]
    open_parser: Callable[[Connection], Parser]
    features: Features = field(default_factory=Features)
    # The base address for an address that people copy from their browser; None: it does not look like one of
    # this kind. Pure; also applied to what ``--url`` gives.
    base_of: Callable[[str], str | None] | None = None
    # Asks a server, without credentials, whether it is of this kind: the program with its version where it
    # tells them, such as "Redmine 5.0.4", or the title; None: it is not. A CrawlError means the same.
    recognise: Callable[[Client], Awaitable[str | None]] | None = None
