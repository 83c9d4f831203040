"""Pages of the list of tickets, by falling number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from crawler.errors import TrackerError
from crawler.json_document import JsonNode
from crawler.source import Reference, SearchPage
from crawler.sources.rt.cursor import RtCursor
from crawler.sources.rt.parse.values import moment_of, rows_of, total_of

_NUMBERS: Final = 50  # in one question
_LAST: Final = 2_147_483_647
# The time of a question is one of the account's own zone, which is at most so far from UTC.
_ZONES: Final = timedelta(hours=15)
_EPOCH: Final = datetime(1970, 1, 2, tzinfo=UTC)
# Pages without a ticket after which a list whose length RT does not tell is taken to be at its end.
_EMPTY: Final = 3

Ask = Callable[[dict[str, str]], Awaitable[JsonNode]]


class Search:
    """One search, from a cursor on.

    Args:
        ask: gets a page of the list.
        numbers: of the tickets that are asked for; None: any.
        since: only tickets changed at or after this time.
        size: tickets on a page.
    """

    def __init__(
        self, ask: Ask, numbers: frozenset[int] | None, *, since: datetime | None, size: int
    ) -> None:
        self._ask = ask
        self._numbers = numbers
        self._since = since
        self._size = size

    async def pages(self, place: RtCursor, limit: int | None) -> AsyncIterator[SearchPage]:
        """Yield pages until the last one, or until there are as many references as wanted."""
        given = 0
        while limit is None or given < limit:
            size = self._size if limit is None else min(self._size, limit - given)
            if self._numbers is None:
                page, following = await self._list(place, size)
            else:
                page, following = await self._chosen(place, self._numbers, size)
            given += len(page.references)
            yield page
            if following is None:
                return
            place = following

    async def _list(self, place: RtCursor, size: int) -> tuple[SearchPage, RtCursor | None]:
        rows, total = await self._rows(place, f"id < {_LAST if place.below is None else place.below}", size)
        following: RtCursor | None = None
        if rows:
            lowest = min(number for number, _ in rows)
            following = replace(place, below=lowest, page=1, seen=place.seen + len(rows))
            if total is not None and total <= len(rows):
                following = None
        elif total is None and place.page < _EMPTY:
            following = replace(place, page=place.page + 1)
        told = None if total is None or self._since is not None else place.seen + total
        return self._page(rows, following, told), following

    async def _chosen(
        self, place: RtCursor, numbers: frozenset[int], size: int
    ) -> tuple[SearchPage, RtCursor | None]:
        top = _LAST + 1 if place.below is None else place.below
        rest = sorted((number for number in numbers if 0 < number < top), reverse=True)
        asked = rest[: min(size, _NUMBERS)]
        if not asked:
            return self._page([], None, place.seen), None
        rows, _ = await self._rows(place, " OR ".join(f"id = {number}" for number in asked), len(asked))
        if not {number for number, _ in rows} <= set(asked):
            raise TrackerError("RT answers a question for some tickets with others: its list cannot be read.")
        seen = place.seen + len(rows)
        following = None
        if len(rest) > len(asked):
            following = replace(place, below=asked[-1], seen=seen)
        return self._page(rows, following, None if following else seen), following

    async def _rows(
        self, place: RtCursor, which: str, size: int
    ) -> tuple[list[tuple[int, datetime | None]], int | None]:
        query = f"({which})"
        if place.queue is not None:
            query += f" AND Queue = {place.queue}"
        if self._since is not None:
            moment = max(self._since.astimezone(UTC) - _ZONES, _EPOCH)
            query += f" AND LastUpdated >= '{moment:%Y-%m-%d %H:%M:%S}'"
        params = {"query": query, "orderby": "id", "order": "DESC", "fields": "LastUpdated"}
        answer = await self._ask({**params, "per_page": str(size), "page": str(place.page)})
        rows = [_row(row) for row in rows_of(answer)]
        if place.below is not None and any(number >= place.below for number, _ in rows):
            raise TrackerError("RT does not keep to the numbers that are asked for: its list cannot be read.")
        return rows, total_of(answer)

    def _page(
        self, rows: list[tuple[int, datetime | None]], following: RtCursor | None, total: int | None
    ) -> SearchPage:
        since = None if self._since is None else self._since.replace(microsecond=0)
        kept = {
            number: modified
            for number, modified in rows
            if since is None or modified is None or modified >= since
        }
        return SearchPage(
            references=tuple(
                Reference(issue_id=str(number), modified=modified) for number, modified in kept.items()
            ),
            cursor=None if following is None else following.text(),
            total=total,
        )


def _row(row: JsonNode) -> tuple[int, datetime | None]:
    number = row.at("id").key()
    if not (number.isascii() and number.isdecimal() and len(number) <= 10):
        raise TrackerError("RT's list has a ticket whose id is no number.")
    updated = row.optional_text("LastUpdated")
    return int(number), None if updated is None else moment_of(updated)
