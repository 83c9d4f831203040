"""GitLab's source: a list by falling time of creation, and for each issue its answer and its parts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from crawler.client import Client, Response
from crawler.errors import (
    Forbidden,
    ItemError,
    NotFound,
    NotPermitted,
    PageRejected,
    PageTooLarge,
    TrackerError,
)
from crawler.http.link import next_page
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.gitlab.parse.keys import parted
from crawler.sources.gitlab.parse.parts import EDITION_PARTS, PARTS, PROJECT
from crawler.sources.gitlab.project import ISSUES_OFF, Project
from crawler.sources.gitlab.search import Search

_SIZES: Final = (100, 50, 20)  # entries of a page; GitLab breaks off at long ones
_MOST_PAGES: Final = 5_000  # of one list of an issue
_ORDERED: Final = {"notes": "&sort=asc&order_by=created_at"}


class GitLabSource:
    """One project of a GitLab, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._project = Project(connection, client)
        self._headers = self._project.headers
        self._absent: set[str] = set()  # parts that this edition of GitLab has not
        size = connection.options.get("page_size")
        size = size if isinstance(size, int) and 1 < size <= _SIZES[0] else _SIZES[0]
        self._search = Search(client, self._project, size=size)

    def render(self, query: Tree) -> Rendering:
        """Say which issues are asked for by number.

        GitLab's own search does not look into comments, so words are applied to what was fetched.
        """
        asked = asked_numbers(query)
        text = "" if asked.numbers is None else " ".join(f"#{number}" for number in sorted(asked.numbers))
        return Rendering(text=text, exact=asked.exact)

    async def login(self) -> None:
        """Ask for the account, where there is a token, and for the project.

        Raises:
            LoginRefused: the token is none.
            NotPermitted: the token may not read the API, or the project has no issues.
            UnknownProduct: the account sees no such project.
            TrackerError: not reachable, or not a GitLab.
        """
        await self._project.login()

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of issues, open and closed, the newest first.

        Raises:
            UnknownProduct: the product is not the connection's project.
            NotPermitted: the account may not see its issues.
            TrackerError: the answer is not a list of issues.
        """
        try:
            if product is not None:
                await self._project.check_product(product)
            asked = asked_numbers(query).numbers
            async for page in self._search.pages(asked, since=since, limit=limit, cursor=cursor):
                yield page
        except Forbidden as error:
            raise NotPermitted(ISSUES_OFF) from error
        except ItemError as error:
            raise TrackerError(f"The project's list of issues cannot be read. {error}") from error

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get an issue, its notes, and what happened to it.

        Raises:
            NotFound: there is no such issue, or the account may not see it.
            Forbidden: the account may not see it.
        """
        other, number = parted(ref.issue_id)
        if number is None:
            raise NotFound(f"GitLab has numbers for its issues, and {ref.issue_id[:100]!r} is none.")
        path = await self._project.known()
        place = self._project.place(f"issues/{number}", of=other)
        wanted = [part for part in PARTS if part not in self._absent]
        issue, answers = await asyncio.gather(
            self._client.get(place, headers=self._headers),
            asyncio.gather(*(self._part(place, part) for part in wanted), return_exceptions=True),
            return_exceptions=True,
        )
        if isinstance(issue, BaseException):
            raise issue
        if isinstance(answers, BaseException):
            raise answers
        pages, refused = [_raw(issue, "issue")], dict[str, str]()
        for part, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, NotFound | Forbidden):
                refused[part] = "denied" if isinstance(answer, Forbidden) else "absent"
                if part in EDITION_PARTS:
                    self._absent.add(part)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                pages += [_raw(each, f"{part}/{at}") for at, each in enumerate(answer, start=1)]
        pages.append(self._side_page(path, refused))
        return tuple(pages)

    async def download(self, attachment: AttachmentRecord) -> RawPage:
        """Get an attached file by the API, which GitLab has from 17.4 on, else as a browser would.

        Raises:
            NotFound: there is no such file.
            Forbidden: it is shown only to those who are logged in with a browser.
        """
        if attachment.download_url is None:
            raise NotFound(f"GitLab does not say where {attachment.filename!r} is.")
        try:
            answer = await self._client.download(attachment.download_url, headers=self._headers)
        except NotFound:
            rest = "uploads/" + attachment.download_url.rpartition("/uploads/")[2]
            answer = await self._client.download(await self._project.web_place(rest))
        is_page = (answer.content_type or "").lower().startswith("text/html")
        if is_page and not attachment.filename.lower().endswith((".html", ".htm")):
            raise Forbidden(f"The file {attachment.filename!r} is shown only to those who log in.")
        return _raw(answer, "issue")

    def _side_page(self, path: str, refused: Mapping[str, str]) -> RawPage:
        # What an edition has not is the same for all its issues, whichever was the first to show it.
        told = {part: why for part, why in refused.items() if part not in EDITION_PARTS}
        body = json.dumps({"path_with_namespace": path, "refused": told}, sort_keys=True).encode()
        return RawPage(url=self._client.base_url, body=body, content_type="application/json", part=PROJECT)

    async def _part(self, place: str, part: str) -> Sequence[Response]:
        """All pages of a part, smaller ones where GitLab fails at large ones."""
        for size in _SIZES[:-1]:
            try:
                return await self._pages(place, part, size)
            except ItemError as error:
                if type(error) is not ItemError and not isinstance(error, PageTooLarge):
                    raise
        return await self._pages(place, part, _SIZES[-1])

    async def _pages(self, place: str, part: str, size: int) -> Sequence[Response]:
        first = f"{place}/{part}?per_page={size}{_ORDERED.get(part, '')}"
        following: str | None = first
        answers: list[Response] = []
        seen: set[str] = set()
        while following is not None:
            if following in seen or len(answers) >= _MOST_PAGES:
                raise PageRejected("The list of an issue does not end: its pages name each other.")
            seen.add(following)
            answers.append(await self._client.get(following, headers=self._headers))
            following = _following(answers[-1], first)
        return answers


def _following(answer: Response, first: str) -> str | None:
    """The next page: a proxy may have dropped the links, or GitLab's own address may be another one."""
    page = answer.headers.get("x-next-page", "").strip()
    if page.isascii() and page.isdecimal():
        return f"{first}&page={page}"
    return None if "x-next-page" in answer.headers else next_page(answer.headers)


def _raw(answer: Response, part: str) -> RawPage:
    return RawPage(
        url=answer.url,
        body=answer.body,
        content_type=answer.content_type,
        part=part,
        status=answer.status,
        fetched_at=datetime.now(UTC),
    )
