"""Pages of references: the repository's whole list, or the issues of some numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlencode

from crawler.client import Client, Response
from crawler.errors import NotFound, NotPermitted, PageRejected, TrackerError
from crawler.http.link import next_page
from crawler.issue_set import IssueSet
from crawler.json_document import JsonNode, read_json
from crawler.source import Reference, SearchPage
from crawler.sources.github.cursor import GitHubCursor
from crawler.sources.github.listed import ListedIssues
from crawler.sources.github.repository import ISSUES_OFF, Repository

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_FAR = (
    "GitHub lists no further issues by the numbers of pages: this server is too old for a repository of that"
    " size, ask for what changed with --since."
)


class Search:
    """Searches of one repository."""

    def __init__(
        self, client: Client, repository: Repository, listed: ListedIssues, *, size: int, with_pulls: bool
    ) -> None:
        self._client = client
        self._listed = listed
        self._repository = repository
        self._size = size
        self._with_pulls = with_pulls

    async def pages(
        self, numbers: frozenset[int] | None, *, since: datetime | None, limit: int | None, cursor: str | None
    ) -> AsyncIterator[SearchPage]:
        """Yield the pages; see :meth:`crawler.source.Source.search`."""
        place = GitHubCursor() if cursor is None else GitHubCursor.read(cursor)
        found = self._list(place, since) if numbers is None else self._numbered(numbers, place)
        given, rest = IssueSet(), limit
        async for references, following in found:
            fresh = {each.issue_id: each for each in references if each.issue_id not in given}
            page = tuple(fresh.values())[:rest]
            given.update(each.issue_id for each in page)
            rest = None if rest is None else rest - len(page)
            is_last = following is None or rest == 0
            yield SearchPage(
                references=page, cursor=None if is_last or following is None else following.text()
            )
            if is_last:
                return

    async def _list(
        self, place: GitHubCursor, since: datetime | None
    ) -> AsyncIterator[tuple[list[Reference], GitHubCursor | None]]:
        params = {"state": "all", "sort": "created", "direction": "desc", "per_page": str(self._size)}
        if since is not None:
            params["since"] = f"{max(since.astimezone(UTC), _EPOCH):%Y-%m-%dT%H:%M:%SZ}"
        page = place.page or f"{await self._repository.path('issues')}?{urlencode(params)}"
        seen = {page}
        while True:
            answer = await self._client.get(page, headers=self._repository.headers, accept=(200, 410, 422))
            _check(answer)
            rows = [row for row in read_json(answer.body).items() if self._is_wanted(row)]
            following = next_page(answer.headers)
            if following is None:
                yield [self._reference(row) for row in rows], None
                return
            if following in seen:
                raise PageRejected("The list of issues does not end: its pages name each other.")
            seen.add(following)
            page = following
            yield [self._reference(row) for row in rows], GitHubCursor(page=page)

    async def _numbered(
        self, numbers: frozenset[int], place: GitHubCursor
    ) -> AsyncIterator[tuple[list[Reference], GitHubCursor | None]]:
        asked = sorted((one for one in numbers if place.below is None or one < place.below), reverse=True)
        if not asked:
            yield [], None
        for number in asked:
            found = []
            try:
                path = await self._repository.path(f"issues/{number}")
                answer = await self._client.get(path, headers=self._repository.headers)
                row = read_json(answer.body)
                if row.at("number").integer() == number and self._is_wanted(row):
                    found = [self._reference(row)]
            except NotFound:
                pass
            yield found, None if number == asked[-1] else GitHubCursor(below=number)

    def _is_wanted(self, row: JsonNode) -> bool:
        return self._with_pulls or row.find("pull_request") is None

    def _reference(self, row: JsonNode) -> Reference:
        reference = Reference(
            issue_id=str(row.at("number").integer()), modified=row.optional_time("updated_at")
        )
        self._listed.keep(row)
        return reference


def _check(answer: Response) -> None:
    if answer.status == 410:
        raise NotPermitted(ISSUES_OFF)
    if answer.status == 422:
        raise TrackerError(_TOO_FAR)
