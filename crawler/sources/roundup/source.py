"""Roundup's source: a list by falling number; an issue, its messages and files, and its page."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from crawler.client import Client, Response
from crawler.errors import (
    Forbidden,
    ItemError,
    LoginRefused,
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
from crawler.sources.roundup.cursor import RoundupCursor
from crawler.sources.roundup.parse.issue import ACCOUNT, account_page, collection
from crawler.sources.roundup.parse.values import label_of
from crawler.sources.roundup.query import question_of
from crawler.sources.roundup.search import Pairs, Search

_ANSWERS: Final = (200, 400, 401, 403, 404)
_PROTECTED: Final = ("activity", "actor", "creation", "creator")  # told only where they are asked for
_AT_ONCE: Final = 100  # messages or files in one question
_MESSAGE: Final = "author,content,creation,date"
_FILE: Final = "creation,creator,name,type"
_NO_REST: Final = (
    "The tracker does not answer like a Roundup with its REST interface: give the address that its pages have"
    " before /issue1, and ask its administrators to set enable_rest (from Roundup 2.0 on)."
)


class RoundupSource:
    """A Roundup tracker, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._username = connection.username
        self._headers = {"X-Requested-With": "rest", "Accept": "application/json", "Accept-Language": "en"}
        if connection.username is not None:
            pair = f"{connection.username}:{connection.password or ''}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
        size = connection.options.get("page_size")
        self._size = size if isinstance(size, int) and 0 < size <= 10_000 else 500
        self._product_property = str(connection.options.get("product_property") or "keyword")
        self._wants_history = connection.options.get("history") is not False
        self._base = connection.base_url.rstrip("/")
        self._fields: tuple[str, ...] | None = None  # of the tracker's issues
        self._reading_fields = asyncio.Lock()
        self._zone: str | None = None

    def render(self, query: Tree) -> Rendering:
        """Say the query in Roundup's terms, see :mod:`crawler.sources.roundup.query`."""
        question = question_of(query)
        return Rendering(text=question.text(), exact=question.exact)

    async def login(self) -> None:
        """Ask for the own account; for a stranger, whether there is a list.

        Raises:
            LoginRefused: name or password are wrong.
            NotPermitted: the account may not use the REST interface.
            TrackerError: not reachable, or not a Roundup with a REST interface.
        """
        if self._username is None:
            await self._data("rest/data/issue", [("@page_size", "1")])
            return
        pairs = [("username", self._username), ("@fields", "timezone,username"), ("@page_size", "50")]
        try:
            for node in (await self._data("rest/data/user", pairs)).at("data").at("collection").items():
                # The question finds those that have the name in theirs, too.
                if node.optional_text("username") == self._username:
                    self._zone = node.optional_text("timezone")
        except PageRejected as error:
            raise TrackerError(f"{_NO_REST} {error}") from error

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return {"zone": self._zone, "fields": list(self._fields or ())}

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        self._zone = learnt.optional_text("zone")
        self._fields = tuple(each.text() for each in learnt.each("fields")) or None

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of issues, the largest number first; retired ones are in none.

        Raises:
            UnknownProduct: there is no such keyword.
            NotPermitted: the account may not see issues.
            TrackerError: the answer is not a list of issues.
        """
        place = RoundupCursor() if cursor is None else RoundupCursor.read(cursor)
        search = Search(
            self._data,
            question_of(query),
            since=since,
            size=self._size,
            product_property=self._product_property,
        )
        try:
            if cursor is None and product is not None:
                place = RoundupCursor(product=await self._product(product))
            async for page in search.pages(place, limit):
                yield page
        except ItemError as error:
            raise TrackerError(f"The tracker's list cannot be read. {error}") from error

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get an issue, its messages, its files and its page.

        Raises:
            NotFound: there is no such issue, or it was retired.
            Forbidden: the account may not see it.
        """
        number = ref.issue_id
        if not (number.isascii() and number.isdecimal()):
            raise NotFound(f"Roundup has numbers for its issues, and {number!r} is none.")
        number = str(int(number))
        fields = await self._fields_by(number)
        pairs = [("id", number), ("@verbose", "3"), ("@fields", ",".join(fields))]
        answer = await self._ask("rest/data/issue", pairs)
        rows = list(_collection(answer).items())
        if not rows:
            await self._element(number)
            # A retired issue lives on under its own address, and is in no list.
            raise NotFound(f"Issue {number} was retired.")
        pages = [_raw(answer, f"Issue {number}", "issue")]
        pages += await self._children(rows[0], "messages", "rest/data/msg", _MESSAGE)
        pages += await self._children(rows[0], "files", "rest/data/file", _FILE)
        if self._wants_history:
            page = await self._client.get(f"issue{number}", headers=self._page_headers, accept=_ANSWERS)
            pages.append(_raw(page, f"The page of issue {number}", "history"))
            pages.append(
                RawPage(
                    url=f"{self._base}/rest/data/user",
                    body=account_page(self._zone),
                    content_type="application/json",
                    part=ACCOUNT,
                    fetched_at=pages[0].fetched_at,
                )
            )
        return tuple(pages)

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file.

        Raises:
            NotFound: there is no such file.
            Forbidden: the account may not see it.
        """
        if attachment.download_url is None:
            raise NotFound(f"Roundup does not say where {attachment.filename!r} is.")
        answer = await self._client.download(
            attachment.download_url, headers=self._page_headers, accept=_ANSWERS, into=into
        )
        return _raw(answer, f"The file {attachment.filename!r}", "file")

    @property
    def _page_headers(self) -> dict[str, str]:
        return {name: value for name, value in self._headers.items() if name != "Accept"}

    async def _fields_by(self, number: str) -> tuple[str, ...]:
        """The names of everything that the tracker's issues have, as one of them tells them."""
        async with self._reading_fields:
            if self._fields is None:
                names = (await self._element(number)).at("data").at("attributes").object()
                self._fields = tuple(sorted({*names, *_PROTECTED}))
            return self._fields

    async def _element(self, number: str) -> JsonNode:
        answer = await self._ask(f"rest/data/issue/{number}", [("@verbose", "0")])
        return read_json(_raw(answer, f"Issue {number}", "issue").body)

    async def _children(self, issue: JsonNode, name: str, path: str, fields: str) -> list[RawPage]:
        known = issue.object()
        keys = [node.at("id").key() for node in issue.at(name).items()] if name in known else []
        pages: list[RawPage] = []
        for start in range(0, len(keys), _AT_ONCE):
            pairs: Pairs = [("id", key) for key in keys[start : start + _AT_ONCE]]
            answer = await self._ask(path, [*pairs, ("@verbose", "3"), ("@fields", fields)])
            if answer.status in (401, 403):
                break  # the account may see issues, but none of these
            pages.append(_raw(answer, f"What belongs to an issue ({name})", f"{name}/{len(pages) + 1}"))
        return pages

    async def _product(self, wanted: str) -> str:
        """The id of the product of that name."""
        name = self._product_property
        try:
            answer = await self._data(f"rest/data/{name}", [("@verbose", "2")])
        except TrackerError as error:
            raise UnknownProduct(f"The tracker has no property {name!r} that could be a product.") from error
        known = {}
        for node in answer.at("data").at("collection").items():
            label = label_of(node)
            if label is not None:
                known[label] = node.at("id").key()
        for label, key in known.items():
            if label.casefold() == wanted.casefold():
                return key
        near = get_close_matches(wanted, known, n=3) or sorted(known)[:20]
        hint = f" It has: {', '.join(near)}." if near else ""
        raise UnknownProduct(f"The tracker has no {name} {wanted!r}.{hint}")

    async def _data(self, path: str, pairs: Sequence[tuple[str, str]]) -> JsonNode:
        """An answer that the whole session rests on."""
        try:
            answer = await self._ask(path, pairs)
        except ItemError as error:
            raise TrackerError(f"{_NO_REST} {error}") from error
        if answer.status == 403:
            raise NotPermitted("The account may not use the REST interface, or not see issues by it.")
        if answer.status != 200:
            raise TrackerError(f"{_NO_REST} It answers with status {answer.status}.")
        try:
            return read_json(answer.body)
        except PageRejected as error:
            raise TrackerError(f"{_NO_REST} {error}") from error

    async def _ask(self, path: str, pairs: Sequence[tuple[str, str]]) -> Response:
        answer = await self._client.get(path, params=list(pairs), headers=self._headers, accept=_ANSWERS)
        if answer.status == 401:
            raise LoginRefused(
                f"Roundup refused the login of {self._username}."
                if self._username is not None
                else "Roundup shows nothing to strangers: store the tracker with a name and a password."
            )
        return answer


def _collection(answer: Response) -> JsonNode:
    if answer.status == 403:
        raise Forbidden("The issue is not shown to this account.")
    return collection(answer.body)


def _raw(answer: Response, what: str, part: str) -> RawPage:
    if answer.status == 404:
        raise NotFound(f"{what} does not exist.")
    if answer.status in (401, 403):
        raise Forbidden(f"{what} is not shown to this account.")
    if answer.status == 400:
        raise PageRejected(f"{what} cannot be had: Roundup did not understand the question.")
    return RawPage.of(answer, part)
