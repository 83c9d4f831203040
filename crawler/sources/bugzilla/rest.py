"""The source of a Bugzilla with a REST API: lists of numbers, and whole bugs, many by four requests."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from crawler.errors import Forbidden, ItemError, NotFound, PageCut, PageRejected, TrackerError
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, SearchPage
from crawler.sources.bugzilla.api import BugzillaApi
from crawler.sources.bugzilla.cursor import LOOKED_UP, BugzillaCursor, below_which
from crawler.sources.bugzilla.pages import BugPages
from crawler.sources.bugzilla.products import products_named
from crawler.sources.bugzilla.query import FIELDS, Parameters, conditions, since_of, words_of

PAGE_SIZE = 500
_LAST = 2_147_483_647  # the largest number that the database behind a Bugzilla gives
_FILE = re.compile(r"/attachment\.cgi\?id=([0-9]{1,18})")


class RestBugzilla:
    """A Bugzilla, seen through its API by one account."""

    def __init__(self, connection: Connection, api: BugzillaApi, *, page_size: int) -> None:
        self._api = api
        self._pages = BugPages(api, connection.base_url)
        self._page_size = page_size
        self._fields: tuple[str, ...] | None = None

    async def login(self) -> None:
        """See that the account is known; see :class:`crawler.source.Source`."""
        await self._api.version()

    def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return self._api.learnt()

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
        place = BugzillaCursor() if cursor is None else BugzillaCursor.read(cursor)
        if cursor is None and product is not None:
            place = replace(place, products=await self._products_named(product))
        wanted = asked_numbers(query).numbers
        numbers = None if wanted is None else sorted(wanted, reverse=True)
        groups = words_of(query) if numbers is None else []
        texts = conditions(groups, await self._searched_fields()) if groups else []
        given = 0
        while limit is None or given < limit:
            size = self._page_size if limit is None else min(self._page_size, limit - given)
            asked = None if numbers is None else _below(numbers, place.below)[:LOOKED_UP]
            found = [] if asked == [] else await self._list(place, texts, since, size, asked)
            given += len(found)
            floor = below_which((number for number, _ in found), asked)
            place = replace(place, below=floor)
            yield SearchPage(
                references=tuple(Reference(issue_id=str(number), modified=time) for number, time in found),
                cursor=None if floor is None else place.text(),
                server=(await self._api.version()).title,
            )
            if floor is None:
                return

    async def many(self, numbers: Sequence[str]) -> list[tuple[RawPage, ...] | ItemError]:
        """The pages of bugs, or why one cannot be had, in the order of the numbers."""
        return await self._pages.many(numbers)

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file through the API: its page wants a cookie, which a key does not give.

        Raises:
            NotFound: there is no such file, or it was deleted.
            Forbidden: the account may not see it.
        """
        place = _FILE.search(attachment.download_url or "")
        if place is None:
            raise NotFound(f"Bugzilla does not tell where {attachment.filename!r} is.")
        told = (await self._api.get(f"bug/attachment/{place[1]}")).at("attachments").find(place[1])
        if told is None:
            raise NotFound(f"Bugzilla has no file {place[1]} for this account.")
        data = told.optional_text("data") or ""
        if not data and told.optional_integer("size") == 0:
            raise NotFound(f"The file {attachment.filename!r} was deleted from Bugzilla.")
        try:
            body = base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            raise PageRejected(f"Bugzilla's answer with {attachment.filename!r} cannot be read.") from None
        return RawPage(
            url=attachment.download_url or "",
            body=body,
            content_type=told.optional_text("content_type"),
            part="attachment",
            fetched_at=datetime.now(UTC),
        )

    async def _list(
        self,
        place: BugzillaCursor,
        texts: Parameters,
        since: datetime | None,
        size: int,
        numbers: Sequence[int] | None,
    ) -> list[tuple[int, datetime | None]]:
        params = [("include_fields", "id,last_change_time"), ("order", "bug_id DESC"), ("limit", str(size))]
        params += [("product", name) for name in place.products] + texts
        if since is not None:
            params.append(("last_change_time", since_of(since)))
        if numbers is not None:
            params.append(("id", ",".join(map(str, numbers))))
        # Without any condition Bugzilla refuses to search.
        last = _LAST if place.below is None else place.below
        params += [("f900", "bug_id"), ("o900", "lessthan"), ("v900", str(last))]
        try:
            rows = list((await self._api.get("bug", params)).at("bugs").items())
            found = [(row.at("id").integer(), row.optional_time("last_change_time")) for row in rows]
        except PageCut:
            raise
        except ItemError as error:
            raise TrackerError(f"Bugzilla's answer to a search is not a list of bugs: {error}") from error
        if [number for number, _ in found] != sorted({number for number, _ in found}, reverse=True):
            raise TrackerError("Bugzilla does not give its list by falling numbers: it cannot be read whole.")
        # One that does not know the condition would give its first page again and again.
        return [(number, time) for number, time in found if number < last]

    async def _products_named(self, wanted: str) -> tuple[str, ...]:
        params = [("type", "accessible"), ("include_fields", "name")]
        rows = await self._rows("product", params, "products")
        return products_named(wanted, [row.at("name").text() for row in rows])

    async def _searched_fields(self) -> tuple[str, ...]:
        """Every field that a word may stand in, those of the administrators included."""
        if self._fields is None:
            rows = await self._rows("field/bug", [("include_fields", "name,is_custom")], "fields")
            known = {row.at("name").text(): row.flag("is_custom") for row in rows}
            own = sorted(name for name, is_custom in known.items() if is_custom)
            self._fields = (*(name for name in FIELDS if name in known), *own)
        return self._fields

    async def _rows(self, path: str, params: Parameters, name: str) -> list[JsonNode]:
        try:
            return list((await self._api.get(path, params)).at(name).items())
        except PageCut:
            raise
        except (ItemError, Forbidden) as error:
            raise TrackerError(f"Bugzilla does not list its {name}: {error}") from error


def _below(numbers: Sequence[int], below: int | None) -> list[int]:
    return [each for each in numbers if below is None or each < below]
