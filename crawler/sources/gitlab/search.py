"""Pages of references: the project's whole list, or the issues of some numbers.

The list is walked by the time of creation, on every version alike: pages by number lose issues where one is
deleted meanwhile, and end at 50,000.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from crawler.client import Client, Response
from crawler.errors import PageRejected
from crawler.http.link import next_page
from crawler.json_document import JsonNode, read_json
from crawler.source import Reference, SearchPage
from crawler.sources.gitlab.cursor import GitLabCursor
from crawler.sources.gitlab.project import Project

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)  # GitLab keeps microseconds, and tells milliseconds
_MOST_NUMBERS = 100  # in one question


class Search:
    """Searches of one project."""

    def __init__(self, client: Client, project: Project, *, size: int) -> None:
        self._client = client
        self._project = project
        self._size = size

    async def pages(
        self, numbers: frozenset[int] | None, *, since: datetime | None, limit: int | None, cursor: str | None
    ) -> AsyncIterator[SearchPage]:
        """Yield the pages; see :meth:`crawler.source.Source.search`."""
        place = GitLabCursor() if cursor is None else GitLabCursor.read(cursor)
        given: set[str] = set()
        while True:
            if numbers is None:
                references, following, total = await self._list(place, since)
            else:
                references, following, total = await self._numbered(numbers, place)
            fresh = {each.issue_id: each for each in references if each.issue_id not in given}
            rest = None if limit is None else limit - len(given)
            page = tuple(fresh.values())[:rest]
            given.update(each.issue_id for each in page)
            is_last = following is None or len(given) == limit
            yield SearchPage(
                references=page,
                cursor=None if is_last or following is None else following.text(),
                total=total,
            )
            if is_last or following is None:
                return
            place = following

    async def _list(
        self, place: GitLabCursor, since: datetime | None
    ) -> tuple[list[Reference], GitLabCursor | None, int | None]:
        params = {"order_by": "created_at", "sort": "desc", "per_page": str(self._size)}
        if since is not None:
            params["updated_after"] = _written(max(since.astimezone(UTC), _EPOCH))
        if place.before is not None:
            params["created_before"] = place.before
        if place.page > 1:
            params["page"] = str(place.page)
        rows, answer = await self._rows(params)
        total = place.total
        if place.before is None and place.page == 1:
            told = answer.headers.get("x-total", "")
            total = int(told) if told.isascii() and told.isdecimal() and len(told) < 10 else None
        following = None
        if rows and _has_next(answer, len(rows), self._size):
            following = _after(place, rows, total)
        return list(map(_reference, rows)), following, total

    async def _numbered(
        self, numbers: frozenset[int], place: GitLabCursor
    ) -> tuple[list[Reference], GitLabCursor | None, None]:
        rest = sorted((one for one in numbers if place.below is None or one < place.below), reverse=True)
        asked = rest[:_MOST_NUMBERS]
        if not asked:
            return [], None, None
        params = [("iids[]", str(number)) for number in asked]
        rows, _ = await self._rows({"per_page": str(_MOST_NUMBERS)}, params)
        found = [_reference(row) for row in rows if row.at("iid").integer() in asked]
        return found, GitLabCursor(below=asked[-1]) if len(rest) > len(asked) else None, None

    async def _rows(
        self, params: dict[str, str], more: Sequence[tuple[str, str]] = ()
    ) -> tuple[list[JsonNode], Response]:
        asked = {"scope": "all", "state": "all", **params}
        answer = await self._client.get(
            self._project.place("issues"), params=[*asked.items(), *more], headers=self._project.headers
        )
        return list(read_json(answer.body).items()), answer


def _after(place: GitLabCursor, rows: Sequence[JsonNode], total: int | None) -> GitLabCursor:
    oldest = min(row.at("created_at").time() for row in rows)
    try:
        before = _written(oldest + _TICK)
    except OverflowError:
        raise PageRejected("The list of issues has a time that cannot be.") from None
    if place.before is None or before < place.before:
        return GitLabCursor(before=before, total=total)
    return GitLabCursor(before=place.before, page=place.page + 1, total=total)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _has_next(answer: Response, rows: int, size: int) -> bool:
    if "x-next-page" in answer.headers:
        return bool(answer.headers["x-next-page"].strip())
    if "link" in answer.headers:
        return next_page(answer.headers) is not None
    return rows >= size


def _reference(row: JsonNode) -> Reference:
    return Reference(issue_id=str(row.at("iid").integer()), modified=row.optional_time("updated_at"))
