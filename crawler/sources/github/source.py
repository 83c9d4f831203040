"""GitHub's source: a list by falling date of creation, and for each issue its answer and its timeline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from crawler.client import Client, Response
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    NotFound,
    NotPermitted,
    PageRejected,
    PageTooLarge,
    TrackerError,
)
from crawler.http.link import next_page
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode, read_json
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.github.listed import ListedIssues
from crawler.sources.github.parse.keys import number_in, parted
from crawler.sources.github.parse.timeline import REPOSITORY
from crawler.sources.github.repository import ISSUES_OFF, Repository
from crawler.sources.github.search import Search

_SIZES: Final = (100, 50, 25)  # entries of a page; GitHub breaks off at long ones
_MOST_PAGES: Final = 5_000  # of one list of an issue
_MOVED: Final = (301, 302, 307, 308)
_HOPS: Final = 3


class GitHubSource:
    """One repository of a GitHub, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._repository = Repository(connection, client)
        self._headers = self._repository.headers
        self._listed = ListedIssues()
        size = connection.options.get("page_size")
        self._search = Search(
            client,
            self._repository,
            self._listed,
            size=size if isinstance(size, int) and 0 < size <= _SIZES[0] else _SIZES[0],
            with_pulls=connection.options.get("pull_requests") is True,
        )

    def render(self, query: Tree) -> Rendering:
        """Say which issues are asked for by number.

        GitHub's own search knows whole words only, and no more than a thousand hits, so words are applied to
        what was fetched.
        """
        asked = asked_numbers(query)
        text = "" if asked.numbers is None else " ".join(f"#{number}" for number in sorted(asked.numbers))
        return Rendering(text=text, exact=asked.exact)

    async def login(self) -> None:
        """Ask for the repository, and for the account where there is a token.

        Raises:
            LoginRefused: the token is none.
            NotPermitted: the repository has no issues.
            UnknownProduct: the account sees no such repository.
            TrackerError: not reachable, or not a GitHub.
        """
        await self._repository.login()

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return self._repository.learnt()

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        self._repository.join(learnt)

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of issues, open and closed, the newest first. GitHub tells no total.

        Raises:
            UnknownProduct: the product is not the connection's repository.
            NotPermitted: the account may not see its issues.
            TrackerError: the answer is not a list of issues.
        """
        try:
            if product is not None:
                await self._repository.check_product(product)
            asked = asked_numbers(query).numbers
            async for page in self._search.pages(asked, since=since, limit=limit, cursor=cursor):
                yield page
        except Forbidden as error:
            raise NotPermitted(
                f"The account may not list the issues: give its token the right to read Issues. {error}"
            ) from error
        except ItemError as error:
            raise TrackerError(f"The repository's list of issues cannot be read. {error}") from error

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get an issue and its timeline, and its comments where the timeline has another number of them.

        What the list told of an issue is not asked for again, unless its timeline is elsewhere by now or has
        another number of comments. What else changed since is seen by the next crawl, by the time of change.

        Raises:
            NotFound: there is no such issue, or no longer.
            Forbidden: the account may not see it.
            TrackerError: the repository has no issues any more.
        """
        repository = await self._repository.known()
        other, number = parted(ref.issue_id)
        if number is None:
            raise NotFound(f"GitHub has numbers for its issues, and {ref.issue_id[:100]!r} is none.")
        path = await self._repository.path(f"issues/{number}", of=other)
        listed = self._listed.take(number) if other is None else None
        pages = None if listed is None else await self._as_listed(listed, path)
        if pages is None:
            pages = await self._anew(path)
        side = json.dumps({"full_name": repository}).encode()
        url = self._client.base_url
        pages.append(RawPage(url=url, body=side, content_type="application/json", part=REPOSITORY))
        return tuple(pages)

    async def _as_listed(self, body: bytes, path: str) -> list[RawPage] | None:
        """The pages of an issue as it was listed; None where it is another by now."""
        try:
            timeline = await self._timeline(path)
        except ItemError:
            return None  # the issue itself says what became of it
        url = timeline[0].url.partition("?")[0].removesuffix("/timeline")
        if urlsplit(url).path != urlsplit(path).path or _lacks_comments(body, timeline):
            return None
        issue = RawPage(
            url=url, body=body, content_type="application/json", part="issue", fetched_at=datetime.now(UTC)
        )
        return [issue, *_numbered(timeline, "timeline")]

    async def _anew(self, path: str) -> list[RawPage]:
        issue, timeline = await asyncio.gather(
            self._issue(path), self._timeline(path), return_exceptions=True
        )
        if isinstance(issue, BaseException):
            raise issue
        here = urlsplit(issue.url).path
        if here != urlsplit(path).path and isinstance(timeline, CrawlError):
            timeline = await self._timeline(here)  # under the number of before it is not to be had
        if isinstance(timeline, BaseException):
            raise timeline
        pages = [RawPage.of(issue), *_numbered(timeline, "timeline")]
        if _lacks_comments(issue.body, timeline):
            pages += _numbered(await self._pages(f"{here}/comments", _SIZES[0]), "comments")
        return pages

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file, which lies beside the API: the token is of no use there and not sent.

        Raises:
            NotFound: there is no such file, or GitHub shows it only to those who are logged in.
            Forbidden: it is shown only to those who are logged in.
        """
        if attachment.download_url is None:
            raise NotFound(f"GitHub does not say where {attachment.filename!r} is.")
        may_be_page = attachment.filename.lower().endswith((".html", ".htm"))

        def is_file(answer: Response) -> bool:
            return may_be_page or not (answer.content_type or "").lower().startswith("text/html")

        answer = await self._client.download(attachment.download_url, into=into, is_file=is_file)
        if not is_file(answer):
            raise Forbidden(f"The file {attachment.filename!r} is shown only to those who log in.")
        return RawPage.of(answer)

    async def _issue(self, path: str) -> Response:
        place = path
        for _ in range(_HOPS):
            answer = await self._client.get(place, headers=self._headers, accept=(200, 410, *_MOVED))
            if answer.status == 410 and b"disabled" in answer.body[:2000]:
                raise TrackerError(ISSUES_OFF)
            if answer.status == 410:
                raise NotFound(f"Issue {number_in(path)} was deleted.")
            if answer.status == 200:
                return answer
            place = answer.headers.get("location", "")
            if not place:
                raise NotFound(f"Issue {number_in(path)} was moved to where this account sees nothing.")
        raise ItemError(f"Issue {number_in(path)} is reached only by too many redirects.")

    async def _timeline(self, path: str) -> list[Response]:
        """The whole timeline, by smaller pages where GitHub fails at large ones."""
        for size in _SIZES[:-1]:
            try:
                return await self._pages(f"{path}/timeline", size)
            except ItemError as error:
                if type(error) is not ItemError and not isinstance(error, PageTooLarge):
                    raise
        return await self._pages(f"{path}/timeline", _SIZES[-1])

    async def _pages(self, path: str, size: int) -> list[Response]:
        following: str | None = f"{path}?per_page={size}"
        answers: list[Response] = []
        seen: set[str] = set()
        while following is not None:
            if following in seen or len(answers) >= _MOST_PAGES:
                raise PageRejected("The list of an issue does not end: its pages name each other.")
            seen.add(following)
            answers.append(await self._client.get(following, headers=self._headers))
            following = next_page(answers[-1].headers)
        return answers


def _lacks_comments(issue: bytes, timeline: Sequence[Response]) -> bool:
    """Whether the timeline does not have every comment; a page that cannot be read is the parser's."""
    try:
        announced = read_json(issue).optional_integer("comments")
        told = sum(_is_comment(entry) for page in timeline for entry in read_json(page.body).items())
    except PageRejected:
        return False
    return announced is not None and announced != told


def _is_comment(entry: JsonNode) -> bool:
    return entry.object().get("event") == "commented"


def _numbered(answers: Sequence[Response], name: str) -> list[RawPage]:
    return [RawPage.of(answer, f"{name}/{number}") for number, answer in enumerate(answers, start=1)]
