"""Pages of the list of issues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from crawler.errors import PageRejected
from crawler.json_document import JsonNode
from crawler.source import Reference, SearchPage
from crawler.sources.roundup.cursor import RoundupCursor
from crawler.sources.roundup.parse.values import moment_of
from crawler.sources.roundup.query import LAST, Question

Pairs = list[tuple[str, str]]
Ask = Callable[[str, Pairs], Awaitable[JsonNode]]

_NUMBERS: Final = 200  # in one question
# The time of a question is one of the account's own zone, which is at most so far from UTC.
_ZONES: Final = timedelta(hours=15)
_EPOCH: Final = datetime(1970, 1, 2, tzinfo=UTC)


class Search:
    """One search, from a cursor on."""

    def __init__(
        self, ask: Ask, question: Question, *, since: datetime | None, size: int, product_property: str
    ) -> None:
        self._ask = ask
        self._question = question
        self._since = since
        self._size = size
        self._property = product_property

    async def pages(self, place: RoundupCursor, limit: int | None) -> AsyncIterator[SearchPage]:
        """Yield pages until the last one, or until there are as many references as wanted."""
        given = 0
        while limit is None or given < limit:
            if self._question.numbers is None:
                references, total, following = await self._list(place)
            else:
                references, total, following = await self._chosen(place, self._question.numbers)
            if limit is not None and given + len(references) > limit:
                references = references[: limit - given]
                lowest = min(int(reference.issue_id) for reference in references)
                following = replace(place, below=lowest, total=place.total, seen=place.seen + len(references))
            given += len(references)
            yield SearchPage(
                references=references, cursor=None if following is None else following.text(), total=total
            )
            if following is None:
                return
            place = following

    async def _list(
        self, place: RoundupCursor
    ) -> tuple[tuple[Reference, ...], int | None, RoundupCursor | None]:
        """The next page; one further up again where issues were retired, since the others moved up then."""
        while True:
            pairs = [("@page_size", str(self._size)), ("@page_index", str(place.page))]
            rows, total = await self._rows(place, pairs)
            if rows and place.total is not None and total is not None and total < place.total:
                back = -((total - place.total) // self._size)
                place = replace(place, page=max(1, place.page - back), total=total)
                continue
            break
        fresh = tuple(row for row in rows if place.below is None or int(row.issue_id) < place.below)
        if not rows:
            return (), place.total, None
        lowest = min(int(row.issue_id) for row in rows)
        below = lowest if place.below is None else min(lowest, place.below)
        is_last = len(rows) < self._size if total is None else place.page * self._size >= total
        following = replace(
            place, page=place.page + 1, below=below, total=total, seen=place.seen + len(fresh)
        )
        return fresh, total, None if is_last else following

    async def _chosen(
        self, place: RoundupCursor, numbers: frozenset[int]
    ) -> tuple[tuple[Reference, ...], int | None, RoundupCursor | None]:
        top = LAST + 1 if place.below is None else place.below
        rest = sorted((number for number in numbers if 0 < number < top), reverse=True)
        asked = rest[:_NUMBERS]
        if not asked:
            return (), place.seen, None
        rows, _ = await self._rows(place, [("id", str(number)) for number in asked])
        seen = place.seen + len(rows)
        if len(rest) > len(asked):
            return rows, None, replace(place, below=asked[-1], seen=seen)
        return rows, seen, None

    async def _rows(self, place: RoundupCursor, pairs: Pairs) -> tuple[tuple[Reference, ...], int | None]:
        pairs = [*pairs, ("@sort", "-id"), ("@fields", "activity"), ("@verbose", "1")]
        if self._since is not None:
            moment = max(self._since.astimezone(UTC) - _ZONES, _EPOCH)
            pairs.append(("activity", f"from {moment:%Y-%m-%d.%H:%M:%S}"))
        if place.product is not None:
            pairs.append((self._property, place.product))
        data = (await self._ask("rest/data/issue", pairs)).at("data")
        rows = list(data.at("collection").items())
        if data.find("@total_size") is None:
            raise PageRejected("The list does not say how many issues there are, as every Roundup does.")
        total = data.at("@total_size").integer()
        return tuple(map(_reference, rows)), None if total < 0 else total


def _reference(row: JsonNode) -> Reference:
    number = row.at("id").key()
    if not (number.isascii() and number.isdecimal()):
        raise PageRejected("The list has an issue whose id is no number.")
    activity = row.optional_text("activity")
    return Reference(issue_id=number, modified=None if activity is None else moment_of(activity))
