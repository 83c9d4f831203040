"""Redmine's source: a list by falling number, and one answer for each issue with all that belongs to it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

from crawler.client import Client, Response
from crawler.errors import (
    Forbidden,
    ItemError,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
    UnknownProduct,
)
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode, read_json
from crawler.query import Tree
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.redmine.account import API_IS_OFF, TRUSTED_FOR, Account
from crawler.sources.redmine.cursor import RedmineCursor
from crawler.sources.redmine.lookup import PAGE, Lookup
from crawler.sources.redmine.parse.names import PART
from crawler.sources.redmine.query import question_of
from crawler.sources.redmine.search import Search

_INCLUDED: Final = "journals,attachments,relations,children,watchers,changesets"
_REFUSED: Final = (200, 401, 403, 404, 422)


class RedmineSource:
    """A Redmine, seen through one account."""

    def __init__(
        self, connection: Connection, client: Client, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._base = connection.base_url.rstrip("/")
        self._client = client
        self._account = Account(connection, client, clock=clock)
        self._lookup = Lookup(self._side_answer)
        size = connection.options.get("page_size")
        self._size = size if isinstance(size, int) and 0 < size <= PAGE else PAGE

    def render(self, query: Tree) -> Rendering:
        """Say the query in Redmine's language, see :mod:`crawler.sources.redmine.query`."""
        question = question_of(query)
        return Rendering(text=question.text(), exact=question.exact)

    async def login(self) -> None:
        """Ask Redmine who this is; for a stranger, whether it shows its list.

        Raises:
            LoginRefused: key, name or password are wrong.
            NotPermitted: the API is off, or not for strangers.
            TrackerError: not reachable, or not a Redmine.
        """
        if not self._account.is_stranger:
            await self._account.check()
            return
        try:
            answer = await self._list_answer("issues.json", {"limit": "1"})
        except ItemError as error:
            raise TrackerError(f"The address does not answer like a Redmine: {error}") from error
        if answer is None or answer.find("issues") is None:
            raise TrackerError("The address does not answer like a Redmine: it has no list of issues.")

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return await self._lookup.learnt()

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        self._account.trust()
        self._lookup.take(learnt)

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of issues, open and closed, the largest number first.

        Raises:
            UnknownProduct: the account sees no such project.
            NotPermitted: the account may not see issues, or is no longer known.
            TrackerError: the answer is not a list of issues.
        """
        place = RedmineCursor() if cursor is None else RedmineCursor.read(cursor)
        search = Search(self._list_answer, question_of(query), since=since, size=self._size)
        try:
            if cursor is None and product is not None:
                place = RedmineCursor(project=await self._project(product))
            async for page in search.pages(place, limit):
                if page.cursor is None:
                    # A list to a stranger would look whole, and what it lacks like gone.
                    await self._account.check()
                yield page
        except ItemError as error:
            raise TrackerError(f"The tracker's list cannot be read. {error}") from error

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get an issue, and the names of what it has only numbers of.

        Raises:
            NotFound: there is no such issue.
            Forbidden: the account may not see it.
        """
        number = ref.issue_id.removeprefix("#")
        if not (number.isascii() and number.isdecimal()):
            raise NotFound(f"Redmine has numbers for its issues, and {ref.issue_id!r} is none.")
        await self._account.check(within=TRUSTED_FOR)
        what = f"Issue {int(number)}"
        answer = await self._client.get(
            f"issues/{int(number)}.json",
            params={"include": _INCLUDED},
            headers=self._account.headers,
            accept=_REFUSED,
        )
        issue = await self._raw(answer, what)
        names = await self._lookup.names_for(issue.body)
        side = RawPage(
            url=f"{self._base}/issue_statuses.json",
            body=names.page(),
            content_type="application/json; charset=utf-8",
            part=PART,
            fetched_at=issue.fetched_at,
        )
        return issue, side

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file.

        Raises:
            NotFound: there is no such file.
            Forbidden: the account may not see it.
        """
        what = f"The file {attachment.filename!r}"
        if attachment.download_url is None:
            raise NotFound(f"Redmine does not say where {attachment.filename!r} is.")

        def is_file(answer: Response) -> bool:
            return urlsplit(answer.url).path != urlsplit(f"{self._base}/login").path

        answer = await self._client.download(
            attachment.download_url,
            headers=self._account.headers,
            accept=_REFUSED,
            into=into,
            is_file=is_file,
        )
        if not is_file(answer):
            raise Forbidden(f"{what} is shown only to those who log in.")
        return await self._raw(answer, what)

    async def _project(self, wanted: str) -> int:
        """The number of the project of that name or identifier."""
        known: dict[str, int] = {}
        shown: list[str] = []
        for node in await self._lookup.projects():
            number = node.at("id").integer()
            names = [node.optional_text("identifier"), node.optional_text("name")]
            for name in filter(None, names):
                known.setdefault(name.casefold(), number)
            shown += [name for name in names[1:] if name]
        number_of_it = known.get(wanted.casefold())
        if number_of_it is not None:
            return number_of_it
        near = get_close_matches(wanted, shown, n=3)
        hint = f" Near to it: {', '.join(near)}." if near else ""
        if not near and shown:
            hint = f" It has: {', '.join(sorted(shown)[:20])}."
        raise UnknownProduct(f"The account sees no project {wanted!r} in the tracker.{hint}")

    async def _list_answer(self, path: str, params: Mapping[str, str]) -> JsonNode | None:
        answer = await self._client.get(
            path, params=dict(params), headers=self._account.headers, accept=_REFUSED
        )
        if answer.status == 401:
            raise NotPermitted(
                "This Redmine shows nothing to strangers: store the tracker with an API access key."
            )
        if answer.status == 403 and path != "issues.json":
            return None  # no right to search: the list is left
        if answer.status == 403:
            where = "of this project" if "project_id" in params else "of this Redmine"
            raise NotPermitted(f"The account may not see the issues {where}, or the API is off. {API_IS_OFF}")
        if answer.status == 404:
            return None
        if answer.status == 422:
            raise TrackerError("Redmine did not understand the question that was sent to it.")
        return read_json(answer.body)

    async def _side_answer(self, path: str, params: Mapping[str, str]) -> JsonNode | None:
        answer = await self._client.get(
            path, params=dict(params), headers=self._account.headers, accept=_REFUSED
        )
        if answer.status != 200:
            return None
        try:
            return read_json(answer.body)
        except PageRejected as error:
            raise PageRejected(f"The names at {path} cannot be read: {error}") from error

    async def _raw(self, answer: Response, what: str) -> RawPage:
        if answer.status == 404:
            raise NotFound(f"{what} does not exist.")
        if answer.status in (401, 403):
            await self._account.check()  # a key that was taken back is no property of the issue
            raise Forbidden(f"{what} is not shown to this account.")
        if answer.status == 422:
            raise PageRejected(f"{what} cannot be had: Redmine did not understand the question.")
        return RawPage.of(answer)
