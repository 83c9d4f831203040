"""Bugzilla's source: by its REST API where it has one, else by its pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from crawler.client import Client
from crawler.errors import ItemError
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.bugzilla.api import BugzillaApi
from crawler.sources.bugzilla.cgi.source import CgiBugzilla
from crawler.sources.bugzilla.query import words_of
from crawler.sources.bugzilla.rest import RestBugzilla
from crawler.sources.bugzilla.version import NoApi

PAGE_SIZE = 500


class BugzillaSource:
    """A Bugzilla, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._connection = connection
        self._client = client
        size = connection.options.get("page_size")
        self._page_size = size if isinstance(size, int) and size > 0 else PAGE_SIZE
        self._way: RestBugzilla | CgiBugzilla | None = None
        self._finding = asyncio.Lock()

    def render(self, query: Tree) -> Rendering:
        """Say the query in Bugzilla's words: its numbers, and parts of its words."""
        asked = asked_numbers(query)
        if asked.numbers is not None:
            return Rendering(text="id=" + ",".join(map(str, sorted(asked.numbers))), exact=asked.exact)
        groups = [" or ".join(texts) for texts in words_of(query)]
        return Rendering(text=" and ".join(f"substring({each})" for each in groups), exact=asked.exact)

    async def login(self) -> None:
        """See what answers there, and that it knows the account.

        Raises:
            LoginRefused: it does not.
            TrackerError: this is no Bugzilla.
        """
        await self._found()

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return {} if self._way is None else self._way.learnt()

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        if learnt.find("api") is not None:
            api = BugzillaApi(self._connection, self._client)
            api.join(learnt)
            self._way = self._by_api(api)
            return
        if (title := learnt.optional_text("title")) is not None:
            way = self._by_pages(title)
            await way.login()  # a cookie is a session of its own
            self._way = way
            return
        await self.login()

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of numbers, the largest first; Bugzilla tells no total.

        Raises:
            UnknownProduct: there is no such product.
            TrackerError: the answer is not a list of bugs.
        """
        way = await self._found()
        async for page in way.search(query, product=product, since=since, limit=limit, cursor=cursor):
            yield page

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get a bug with its comments, its history and its list of files.

        Raises:
            NotFound: there is none.
            Forbidden: the account may not see it.
        """
        (outcome,) = await self.fetch_many([ref])
        if isinstance(outcome, ItemError):
            raise outcome
        return outcome

    async def fetch_many(self, refs: Sequence[Reference]) -> list[tuple[RawPage, ...] | ItemError]:
        """Get several bugs by few requests; what these do not bring is asked for by itself."""
        return await (await self._found()).many([ref.issue_id for ref in refs])

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file.

        Raises:
            NotFound: there is no such file, or it was deleted.
            Forbidden: the account may not see it.
        """
        return await (await self._found()).download(attachment, into)

    async def _found(self) -> RestBugzilla | CgiBugzilla:
        """The way in which this Bugzilla is read, logged in."""
        async with self._finding:
            if self._way is None:
                way = await self._find()
                await way.login()
                self._way = way
        return self._way

    async def _find(self) -> RestBugzilla | CgiBugzilla:
        api = BugzillaApi(self._connection, self._client)
        try:
            await api.version()
        except NoApi as pages:
            return self._by_pages(pages.title)
        return self._by_api(api)

    def _by_api(self, api: BugzillaApi) -> RestBugzilla:
        return RestBugzilla(self._connection, api, page_size=self._page_size)

    def _by_pages(self, title: str) -> CgiBugzilla:
        return CgiBugzilla(self._connection, self._client, page_size=self._page_size, title=title)
