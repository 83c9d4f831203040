"""Request Tracker's source: a list by falling number; a ticket, its history, its attachments, its texts."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Final

from msgspec.structs import replace

from crawler.client import Client
from crawler.errors import ItemError, NotFound, PageRejected, TrackerError, UnknownProduct
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode, read_json
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.rt.api import PAGE, Api
from crawler.sources.rt.cursor import RtCursor
from crawler.sources.rt.parse.names import PART, Names, Wanted, wanted_names
from crawler.sources.rt.parse.transactions import bodies_of, written_in
from crawler.sources.rt.parse.values import moment_of, rows_of, text_of
from crawler.sources.rt.search import Search

_TRANSACTION: Final = "Type,Field,OldValue,NewValue,Data,Created,Creator,ObjectId,TimeTaken"
_ATTACHMENT: Final = "TransactionId,ContentType,Filename,ContentLength,Created,Creator"
_AT_ONCE: Final = 50  # texts, or transactions whose attachments are listed, in one question
# A ticket's time of change is that of its last transaction, give or take what making it takes.
_SAME: Final = timedelta(seconds=5)
_QUEUES: Final = 200  # pages


class RtSource:
    """A Request Tracker, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._api = Api(connection, client)
        self._base = connection.base_url.rstrip("/")
        size = connection.options.get("page_size")
        self._size = size if isinstance(size, int) and 0 < size <= PAGE else PAGE
        self._server: str | None = None
        self._names: dict[Wanted, str | None] = {}
        self._closed: dict[tuple[str, str], bool] = {}  # by queue and status
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def render(self, query: Tree) -> Rendering:
        """Say the query in TicketSQL: its numbers only.

        Without an index of its own RT finds no word in what was written, and does not say so.
        """
        asked = asked_numbers(query)
        text = "" if asked.numbers is None else " OR ".join(f"id = {each}" for each in sorted(asked.numbers))
        return Rendering(text=text, exact=asked.exact)

    async def login(self) -> None:
        """Ask for the version, which RT tells no stranger.

        Raises:
            LoginRefused: token, name or password are wrong, or there is none.
            TrackerError: not reachable, or no RT with REST 2.0.
        """
        self._server = f"Request Tracker {(await self._api.version())[:60]}"

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return {
            "server": self._server,
            "names": [[kind, key, name] for (kind, key), name in self._names.items()],
            "closed": [[queue, status, ends] for (queue, status), ends in self._closed.items()],
        }

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        self._server = learnt.optional_text("server")
        for row in learnt.each("names"):
            kind, key, name = row.items()
            self._names[kind.text(), key.text()] = None if name.value is None else name.text()
        for row in learnt.each("closed"):
            queue, status, ends = row.items()
            self._closed[queue.text(), status.text()] = ends.boolean()

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of tickets in any status but deleted, the largest number first.

        Raises:
            UnknownProduct: the account sees no such queue.
            TrackerError: the answer is not a list of tickets.
        """
        place = RtCursor() if cursor is None else RtCursor.read(cursor)
        search = Search(self._list_answer, asked_numbers(query).numbers, since=since, size=self._size)
        try:
            if cursor is None and product is not None:
                place = RtCursor(queue=await self._queue(product))
            async for page in search.pages(place, limit):
                yield replace(page, server=self._server)
        except ItemError as error:
            raise TrackerError(f"RT's list of tickets cannot be read. {error}") from error

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get a ticket, its history, what is attached, what was written, and the names it has numbers of.

        Raises:
            NotFound: there is no such ticket, or it is deleted.
            Forbidden: the account may not see it.
        """
        number = ref.issue_id.removeprefix("#")
        if not _is_number(number):
            raise NotFound(f"RT has numbers for its tickets, and {ref.issue_id[:40]!r} is none.")
        what = f"Ticket {int(number)}"
        answer = await self._api.ask(f"ticket/{int(number)}", {"fields[Queue]": "Name,Lifecycle"}, what)
        ticket = read_json(answer.body)
        if text_of(ticket, "Status") == "deleted":
            raise NotFound(f"{what} is deleted.")
        key = ticket.at("id").integer()  # of the ticket that this one was merged into
        changed = moment_of(text_of(ticket, "LastUpdated") or "")

        def is_end(rows: Sequence[JsonNode]) -> bool:
            latest = moment_of(text_of(rows[-1], "Created") or "")
            return latest is None or changed is None or latest >= changed - _SAME

        history = await self._api.pages(
            f"ticket/{key}/history", {"fields": _TRANSACTION}, "history", what, is_end
        )
        transactions = _rows(history)
        attached = await self._attachments(key, "TransactionId", written_in(transactions), what)
        wanted = [each for keys in bodies_of(_rows(attached)).values() for each in keys]
        bodies = await self._attachments(key, "id", wanted, what, fields="Content")
        names = await self._names_page(ticket, key, transactions)
        return RawPage.of(answer), *history, *attached, *bodies, names

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file; RT gives its bytes within JSON.

        Raises:
            NotFound: there is no such file.
            Forbidden: the account may not see it.
        """
        what = f"The file {attachment.filename!r}"
        path = (attachment.download_url or "").removeprefix(f"{self._base}/REST/2.0/")
        if not path.startswith("attachment/") or not _is_number(path.removeprefix("attachment/")):
            raise NotFound(f"RT does not say where {attachment.filename!r} is.")
        answer = await self._api.ask(path, {}, what)
        told = read_json(answer.body)
        try:
            body = base64.b64decode(told.optional_text("Content") or "")
        except (binascii.Error, ValueError) as error:
            raise PageRejected(f"{what} cannot be had: what RT sends is not base64.") from error
        return replace(RawPage.of(answer, "file"), body=body, content_type=text_of(told, "ContentType"))

    async def _attachments(
        self, ticket: int, name: str, keys: Sequence[str], what: str, *, fields: str = _ATTACHMENT
    ) -> list[RawPage]:
        """Those of a ticket's attachments whose field has one of the values."""
        part = "bodies" if fields == "Content" else "attachments"
        pages: list[RawPage] = []
        for start in range(0, len(keys), _AT_ONCE):
            asked = [{"field": name, "operator": "IN", "value": list(keys[start : start + _AT_ONCE])}]
            params = {"fields": fields, "query": json.dumps(asked, separators=(",", ":"))}
            found = await self._api.pages(f"ticket/{ticket}/attachments", params, part, what)
            pages += [replace(page, part=f"{part}/{len(pages) + at}") for at, page in enumerate(found, 1)]
        return pages

    async def _list_answer(self, params: dict[str, str]) -> JsonNode:
        return read_json((await self._api.ask("tickets", params, "The list")).body)

    async def _queue(self, wanted: str) -> int:
        """The number of the queue of that name."""
        known: dict[str, int] = {}
        empty = 0
        for page in range(1, _QUEUES):
            params = {"fields": "Name", "find_disabled_rows": "1", "per_page": str(PAGE), "page": str(page)}
            answer = await self._api.ask("queues/all", params, "The list of queues")
            rows = rows_of(read_json(answer.body))
            before = len(known)
            for row in rows:
                name, key = text_of(row, "Name"), row.at("id").key()
                if name is not None and _is_number(key):
                    known.setdefault(name, int(key))
            empty = 0 if len(known) > before else empty + 1
            if empty == 2:  # queues that are not shown may fill a page
                break
        folded = {name.casefold(): key for name, key in known.items()}
        if wanted.casefold() in folded:
            return folded[wanted.casefold()]
        near = get_close_matches(wanted, known, n=3) or sorted(known)[:20]
        hint = f" It has: {', '.join(near)}." if near else ""
        raise UnknownProduct(f"The account sees no queue {wanted!r} in RT.{hint}")

    async def _names_page(self, ticket: JsonNode, key: int, transactions: list[JsonNode]) -> RawPage:
        wanted = wanted_names(transactions)
        queue = ticket.find("Queue")
        queue_key = None if queue is None else text_of(queue, "id")
        if queue is not None and queue_key is not None and text_of(queue, "Name") is None:
            wanted.add(("queue", queue_key))
        found = await self._looked_up(wanted)
        closed = await self._is_closed(key, queue_key or "", ticket.at("Status").text())
        return RawPage(
            url=f"{self._base}/REST/2.0/rt",
            body=Names(names=found, is_closed=closed).page(),
            content_type="application/json; charset=utf-8",
            part=PART,
            fetched_at=datetime.now(UTC),
        )

    async def _looked_up(self, wanted: Iterable[Wanted]) -> dict[str, dict[str, str]]:
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for each in sorted(wanted):
            kind, key = each
            async with self._locks[each]:
                if each not in self._names:
                    told = await self._api.find(f"{kind}/{key}", {}) if _is_number(key) else None
                    self._names[each] = None if told is None else text_of(told, "Name")
            if (name := self._names[each]) is not None:
                found[kind][key] = name
        return dict(found)

    async def _is_closed(self, ticket: int, queue: str, status: str) -> bool | None:
        """Whether the queue's lifecycle counts a status among the closed ones; asked once for each."""
        async with self._locks[queue, f"status {status}"]:
            for is_closed, word in ((True, "__Inactive__"), (False, "__Active__")):
                if (queue, status) in self._closed:
                    break
                params = {"query": f"id = {ticket} AND Status = '{word}'", "per_page": "1"}
                told = await self._api.find("tickets", params)
                if told is not None and rows_of(told):
                    self._closed[queue, status] = is_closed
            return self._closed.get((queue, status))


def _rows(pages: Iterable[RawPage]) -> list[JsonNode]:
    return [row for page in pages for row in rows_of(read_json(page.body))]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10
