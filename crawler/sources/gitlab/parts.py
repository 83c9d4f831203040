"""The lists that belong to an issue: notes, events and links, each to its last page.

Which of them are asked for is decided by what the issue and its notes say, since each costs a request:
weights and iterations are of paid editions, which tell these fields with every issue; a link between issues
leaves a note under both.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from crawler.client import Client, Response
from crawler.errors import Forbidden, ItemError, NotFound, PageRejected, PageTooLarge
from crawler.json_document import JsonNode, read_json
from crawler.records import Json
from crawler.source import RawPage
from crawler.sources.gitlab.paging import has_more, total_of
from crawler.sources.gitlab.parse.system_notes import tells_of_links
from crawler.sources.gitlab.project import Project

BASIC: Final = ("resource_label_events", "resource_state_events", "resource_milestone_events")
# Which field of an issue is there where GitLab's edition has the list.
LICENSED: Final = {"weight": "resource_weight_events", "iteration": "resource_iteration_events"}
_SIZES: Final = (100, 20)  # entries of a page; GitLab fails at large ones of some imported issues
_MOST_PAGES: Final = 5_000  # of one list of an issue


class Parts(Struct):
    """What belongs to one issue."""

    pages: list[RawPage] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)  # rows of a part, by GitLab's own count
    refused: dict[str, int] = field(default_factory=dict)  # with which status, by the part


class Lists:
    """Asks for the parts of issues; what a project does not have is asked for once a session."""

    def __init__(self, client: Client, project: Project) -> None:
        self._client = client
        self._project = project
        self._off: dict[tuple[str, str], int] = {}  # by project and part: with which status
        self._open: set[tuple[str, str]] = set()
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, path: str, issue: Mapping[str, Json]) -> Parts:
        """Get what belongs to an issue.

        Args:
            path: the issue's, within the API.
            issue: as GitLab tells it.

        Raises:
            NotFound: the issue is not there any more.
        """
        found = Parts()
        names = [*BASIC, *(part for name, part in LICENSED.items() if name in issue)]
        outcomes = await asyncio.gather(
            self._with_links(path, issue, found),
            *(self._part(path, name, found) for name in names),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        found.pages.sort(key=lambda page: page.part.partition("/")[0])  # each list's own pages stay in order
        return found

    async def _with_links(self, path: str, issue: Mapping[str, Json], found: Parts) -> None:
        notes = await self._part(path, "notes", found)
        if notes is None or issue.get("blocking_issues_count") or any(map(_may_tell_links, notes)):
            await self._part(path, "links", found)

    async def _part(self, path: str, name: str, found: Parts) -> list[Response] | None:
        """Get one list; None: it is refused."""
        place = (path.rpartition("/issues/")[0], name)
        if place not in self._open and place not in self._off:
            async with self._locks[place]:
                if place not in self._open and place not in self._off:
                    return await self._asked(path, name, place, found)
        if (status := self._off.get(place)) is not None:
            _refuse(found, name, status)
            return None
        return await self._asked(path, name, place, found)

    async def _asked(
        self, path: str, name: str, place: tuple[str, str], found: Parts
    ) -> list[Response] | None:
        answers = await self._pages(path, name)
        if isinstance(answers, Response):
            is_whole_project = answers.status != 404 or name in LICENSED.values() or _is_no_route(answers)
            if not is_whole_project:
                await self.check(path)
            else:
                self._off[place] = 0 if _is_no_route(answers) else answers.status
            _refuse(found, name, 0 if _is_no_route(answers) else answers.status)
            return None
        self._open.add(place)
        if (total := total_of(answers[0].headers)) is not None:
            found.totals[name] = total
        found.pages += [RawPage.of(each, f"{name}/{number}") for number, each in enumerate(answers, start=1)]
        return answers

    async def check(self, path: str) -> Response:
        """Get the issue by itself.

        Raises:
            NotFound: it is not there, or the account may not see it, which GitLab does not tell apart.
            Forbidden: the account may not see the project's issues.
        """
        answer = await self._client.get(path, headers=self._project.headers, accept=(200, 404))
        if answer.status == 404:
            raise NotFound(f"Issue {path.rpartition('/')[2]} does not exist, or not for this account.")
        return answer

    async def _pages(self, path: str, name: str) -> list[Response] | Response:
        """All pages of a list, by smaller ones where GitLab fails at large ones; or the refusal."""
        for size in _SIZES[:-1]:
            try:
                return await self._swept(path, name, size)
            except ItemError as error:
                if type(error) is not ItemError and not isinstance(error, PageTooLarge):
                    raise
        return await self._swept(path, name, _SIZES[-1])

    async def _swept(self, path: str, name: str, size: int) -> list[Response] | Response:
        """As GitLab has them; once more where rows vanished between two pages and others moved up."""
        answers = await self._read(path, name, size)
        if isinstance(answers, list) and len(answers) > 1 and _is_short(answers):
            return await self._read(path, name, size)
        return answers

    async def _read(self, path: str, name: str, size: int) -> list[Response] | Response:
        answers: list[Response] = []
        while True:
            params = {"per_page": str(size), "page": str(len(answers) + 1)}
            if name == "notes":
                params |= {"sort": "asc", "order_by": "created_at"}
            answer = await self._answer(f"{path}/{name}", params)
            if answer.status != 200:
                return answer
            answers.append(answer)
            if not has_more(answer.headers, count=_count(answer), size=size):
                return answers
            if len(answers) >= _MOST_PAGES:
                raise PageRejected("The list of an issue does not end: each of its pages names another one.")

    async def _answer(self, path: str, params: Mapping[str, str]) -> Response:
        # A stranger may be asked for a login by one part only; a token that is refused is no longer valid.
        accept = (200, 404) if self._project.has_token else (200, 401, 404)
        try:
            return await self._client.get(path, params=params, headers=self._project.headers, accept=accept)
        except Forbidden:
            return Response(path, 403, {}, b"")


def _refuse(found: Parts, name: str, status: int) -> None:
    if name not in LICENSED.values():
        found.refused[name] = status


def _rows(answer: Response) -> list[JsonNode]:
    """The rows of a page; none where it cannot be read, which the parser says."""
    try:
        return list(read_json(answer.body).items())
    except PageRejected:
        return []


def _count(answer: Response) -> int:
    return len(_rows(answer))


def _is_short(answers: list[Response]) -> bool:
    keys = {
        str(row.value["id"])
        for answer in answers
        for row in _rows(answer)
        if isinstance(row.value, dict) and "id" in row.value
    }
    return len(keys) < (total_of(answers[0].headers) or 0)


def _may_tell_links(answer: Response) -> bool:
    return any(
        isinstance(row.value, dict)
        and row.value.get("system") is True
        and isinstance(body := row.value.get("body"), str)
        and tells_of_links(body)
        for row in _rows(answer)
    )


def _is_no_route(answer: Response) -> bool:
    """Whether this GitLab is too old for a list; what happened then stands in the notes."""
    try:
        told = read_json(answer.body).object()
    except PageRejected:
        return False
    return answer.status == 404 and "error" in told and "message" not in told
