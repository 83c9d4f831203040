"""Pages of a search: the list of issues by falling number, and the search for words by offsets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from crawler.errors import PageRejected, TrackerError
from crawler.json_document import JsonNode
from crawler.source import Reference, SearchPage
from crawler.sources.redmine.cursor import RedmineCursor
from crawler.sources.redmine.parse.values import moment_of
from crawler.sources.redmine.query import LAST, Question

_NUMBERS: Final = 100  # in one question, and on the page that answers it
_OVERLAP: Final = 5  # rows of a search that are asked for again: others above them may have vanished
_EPOCH: Final = datetime(1970, 1, 2, tzinfo=UTC)

Params = dict[str, str]
# Asks for a list; None: this Redmine has no such search.
Ask = Callable[[str, Params], Awaitable[JsonNode | None]]


class Search:
    """One search, from a cursor on.

    Args:
        ask: gets an answer.
        question: what is asked for.
        since: only issues changed at or after this time.
        size: rows on a page.
    """

    def __init__(self, ask: Ask, question: Question, *, since: datetime | None, size: int) -> None:
        self._ask = ask
        # The search for words knows no time of change; the list does, and the words are looked for later.
        self._question = question if since is None or not question.words else Question(exact=False)
        self._since = since
        self._size = size

    async def pages(self, place: RedmineCursor, limit: int | None) -> AsyncIterator[SearchPage]:
        """Yield pages until the last one, or until there are as many references as wanted."""
        given = 0
        while limit is None or given < limit:
            size = self._size if limit is None else min(self._size, limit - given)
            page, following = await self._next(place, size)
            given += len(page.references)
            yield page
            if following is None:
                return
            place = following

    async def _next(self, place: RedmineCursor, size: int) -> tuple[SearchPage, RedmineCursor | None]:
        if place.words or (self._question.words and self._question.numbers is None):
            found = await self._words(place, size)
            if found is not None:
                return found
            self._question = Question(exact=False)  # a Redmine before 3.3: everything is listed
            place = RedmineCursor(project=place.project)
        if self._question.numbers is not None:
            return await self._numbers(place, size)
        return await self._list(place, size)

    async def _list(self, place: RedmineCursor, size: int) -> tuple[SearchPage, RedmineCursor | None]:
        params = {} if place.below is None else {"issue_id": f"<={place.below - 1}"}
        references, total = await self._rows(place, params, size)
        _check_order(references, place.below)
        following = None
        if references and total > len(references):
            lowest = min(int(reference.issue_id) for reference in references)
            following = replace(place, below=lowest, seen=place.seen + len(references))
        return _page(references, following, place.seen + total), following

    async def _numbers(self, place: RedmineCursor, size: int) -> tuple[SearchPage, RedmineCursor | None]:
        top = LAST + 1 if place.below is None else place.below
        rest = sorted((n for n in self._question.numbers or () if 0 < n < top), reverse=True)
        asked = rest[: min(size, _NUMBERS)]
        references: tuple[Reference, ...] = ()
        total = 0
        if asked:
            params = {"issue_id": ",".join(map(str, asked))}
            references, total = await self._rows(place, params, len(asked))
            if not {int(reference.issue_id) for reference in references} <= set(asked):
                raise TrackerError(_IGNORES_NUMBERS)
        seen = place.seen + len(references)
        following = None
        if len(rest) > len(asked):
            following = replace(place, below=asked[-1], seen=seen)
        elif self._question.words:
            following = RedmineCursor(project=place.project, words=True, seen=seen)
        told = place.seen + total if following is None else None
        return _page(references, following, told), following

    async def _words(self, place: RedmineCursor, size: int) -> tuple[SearchPage, RedmineCursor | None] | None:
        params = {
            "q": " ".join(self._question.words),
            "issues": "1",
            "attachments": "1",  # the names of files, too
            "scope": "all" if place.project is None else "subprojects",
            "all_words": "",  # one of them is enough
            "limit": str(size),
            "offset": str(place.offset),
        }
        path = "search.json" if place.project is None else f"projects/{place.project}/search.json"
        answer = await self._ask(path, params)
        if answer is None or answer.find("total_count") is None:
            return None
        total = answer.at("total_count").integer()
        rows = list(answer.at("results").items())
        known = self._question.numbers or frozenset()
        numbers = [row.at("id").integer() for row in rows]
        references = tuple(Reference(issue_id=str(number)) for number in numbers if number not in known)
        end = place.offset + len(rows)
        following = None
        if rows and end < total:
            onward = max(end - _OVERLAP, place.offset + 1)
            following = replace(place, words=True, offset=onward, seen=place.seen + len(references))
        # Only where nothing else was asked for, the total is that of the search.
        return _page(references, following, total if not known else None), following

    async def _rows(
        self, place: RedmineCursor, params: Params, size: int
    ) -> tuple[tuple[Reference, ...], int]:
        params = {**params, "status_id": "*", "sort": "id:desc", "limit": str(size)}
        if place.project is not None:
            params["project_id"] = str(place.project)
        if self._since is not None:
            # Neither fractions nor other zones are understood.
            moment = max(self._since.astimezone(UTC), _EPOCH)
            params["updated_on"] = f">={moment:%Y-%m-%dT%H:%M:%SZ}"
        answer = await self._ask("issues.json", params)
        if answer is None:
            raise TrackerError("The tracker has no list of issues, so it is no Redmine that can be read.")
        rows = list(answer.at("issues").items())
        if answer.find("total_count") is None:
            raise PageRejected(
                "The list of issues does not say how many there are, as every Redmine does: look at what"
                " stands between us and the tracker."
            )
        return tuple(map(_reference, rows)), answer.at("total_count").integer()


_IGNORES_NUMBERS: Final = (
    "This Redmine does not search by the numbers of issues, so its list cannot be read without losing some:"
    " it is too old, ask for an update."
)


def _check_order(references: tuple[Reference, ...], below: int | None) -> None:
    numbers = [int(reference.issue_id) for reference in references]
    if below is not None and numbers and max(numbers) >= below:
        raise TrackerError(_IGNORES_NUMBERS)


def _reference(row: JsonNode) -> Reference:
    updated = row.find("updated_on")
    return Reference(
        issue_id=str(row.at("id").integer()),
        modified=None if updated is None else moment_of(updated.text()),
    )


def _page(
    references: tuple[Reference, ...], following: RedmineCursor | None, total: int | None
) -> SearchPage:
    unique = tuple({reference.issue_id: reference for reference in references}.values())
    return SearchPage(references=unique, cursor=None if following is None else following.text(), total=total)
