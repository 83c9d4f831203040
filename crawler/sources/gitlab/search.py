"""Pages of references: the project's whole list, or the issues of some numbers.

The list is walked by the time of creation: each page starts with what was created in the millisecond in
which the one before ended, so that rows that vanish shift nothing. GitLab keeps microseconds and tells
milliseconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from crawler.client import Client
from crawler.errors import NotPermitted, TrackerError, UnknownProduct
from crawler.json_document import JsonNode, read_json
from crawler.source import Reference, SearchPage
from crawler.sources.gitlab.cursor import GitLabCursor
from crawler.sources.gitlab.paging import has_more, total_of
from crawler.sources.gitlab.project import Project

LARGEST = 100  # rows of a page, and numbers that one request takes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)
_MOST_BARREN = 600  # pages in a row that bring nothing new
_DISORDER = (
    "GitLab does not list its issues by their time of creation, as it was asked to: it is too old, ask its"
    " administrators for an update."
)


class Row(Struct, frozen=True, kw_only=True):
    """One row of a list."""

    number: int
    created: datetime  # to the millisecond
    updated: datetime | None

    def reference(self) -> Reference:
        """As the pipeline knows it."""
        return Reference(issue_id=str(self.number), modified=self.updated)


class Step(Struct, frozen=True, kw_only=True):
    """What a page brought, and where to go on."""

    fresh: tuple[Row, ...]
    place: GitLabCursor | None  # None: that was the last page


def page_at(offset: int, largest: int = LARGEST) -> tuple[int, int]:
    """The page that has the row before an offset and the most behind it: its number and its size."""
    before = max(offset - 1, 0)
    sizes = range(largest, largest // 2, -1)
    size = max(sizes, key=lambda each: each - before % each)
    return before // size + 1, size


def step_of(rows: tuple[Row, ...], place: GitLabCursor, *, start: int, more: bool) -> Step:
    """Read a page of the list.

    Args:
        rows: the page.
        place: where it was asked from.
        start: rows that were passed over for it.
        more: whether GitLab says that there is another page.
    """
    if any(one.created < two.created for one, two in pairwise(rows)) or (
        place.until is not None and rows and rows[0].created > place.until + _TICK
    ):
        raise TrackerError(_DISORDER)
    known = set(place.known)
    fresh = tuple({row.number: row for row in rows if row.number not in known}.values())
    seen = place.seen + len(fresh)
    if start and (not rows or rows[0].number not in known):
        # Rows before it have vanished and this one has moved up: the millisecond is read once more.
        return Step(fresh=(), place=replace(place, offset=0))
    if not more or not rows:
        return Step(fresh=fresh, place=None)
    last = rows[-1].created
    ends = {row.number for row in rows if row.created == last}
    if last == place.until:
        following = replace(place, known=tuple(sorted(known | ends)), offset=start + len(rows), seen=seen)
    else:
        following = GitLabCursor(until=last, known=tuple(sorted(ends)), seen=seen)
    return Step(fresh=fresh, place=following)


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
        place: GitLabCursor | None = GitLabCursor() if cursor is None else GitLabCursor.read(cursor)
        given = barren = 0
        while place is not None and (limit is None or given < limit):
            rest = None if limit is None else limit - given
            if numbers is None:
                step, total = await self._list(place, since, rest)
            else:
                step, total = await self._numbered(numbers, place, since)
            fresh = step.fresh[:rest]
            given += len(fresh)
            place = None if given == limit else step.place
            barren = 0 if fresh else barren + 1
            if barren > _MOST_BARREN:
                raise TrackerError("GitLab's list says that there is more and does not give it: try again.")
            if fresh or place is None:
                yield SearchPage(
                    references=tuple(row.reference() for row in fresh),
                    cursor=None if place is None else place.text(),
                    total=total,
                )

    async def _list(
        self, place: GitLabCursor, since: datetime | None, rest: int | None
    ) -> tuple[Step, int | None]:
        size = self._size if rest is None else min(self._size, rest + len(place.known))
        page, size = page_at(place.offset) if place.offset else (1, size)
        params: dict[str, str | list[str]] = {"page": str(page), "per_page": str(size)}
        if place.until is not None:
            params["created_before"] = _written(place.until, "999Z")
        rows, headers = await self._ask(params, since)
        step = step_of(
            rows, place, start=(page - 1) * size, more=has_more(headers, count=len(rows), size=size)
        )
        total = total_of(headers)
        return step, None if total is None else place.seen + max(total - len(place.known), 0)

    async def _numbered(
        self, numbers: frozenset[int], place: GitLabCursor, since: datetime | None
    ) -> tuple[Step, None]:
        rest = sorted((one for one in numbers if place.below is None or one < place.below), reverse=True)
        asked = rest[:LARGEST]
        if not asked:
            return Step(fresh=(), place=None), None
        params: dict[str, str | list[str]] = {
            "iids[]": [str(one) for one in asked],
            "per_page": str(LARGEST),
        }
        rows, _ = await self._ask(params, since)
        found = {row.number: row for row in rows if row.number in asked}
        following = replace(place, below=asked[-1]) if len(rest) > len(asked) else None
        return Step(fresh=tuple(found.values()), place=following), None

    async def _ask(
        self, params: Mapping[str, str | list[str]], since: datetime | None
    ) -> tuple[tuple[Row, ...], Mapping[str, str]]:
        wanted = {"scope": "all", "state": "all", "order_by": "created_at", "sort": "desc", **params}
        if since is not None:
            wanted["updated_after"] = _written(since, "Z")
        about = await self._project.known()
        answer = await self._client.get(
            f"{self._project.api}/projects/{about.number}/issues",
            params=wanted,
            headers=self._project.headers,
            accept=(200, 401, 404),
        )
        if answer.status == 404:
            raise UnknownProduct(f"The account does not see the project {about.path} any more.")
        if answer.status == 401:
            raise NotPermitted("GitLab does not know the account any more: give a new token.")
        return tuple(map(_row, read_json(answer.body).items())), answer.headers


def _row(node: JsonNode) -> Row:
    created = node.at("created_at").time()
    return Row(
        number=node.at("iid").integer(),
        created=created.replace(microsecond=created.microsecond // 1000 * 1000),
        updated=node.optional_time("updated_at"),
    )


def _written(moment: datetime, end: str) -> str:
    moment = max(moment.astimezone(UTC), _EPOCH)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{end}"
