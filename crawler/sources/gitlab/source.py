"""GitLab's source: a list by falling time of creation, whole issues many by one request, and their parts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from crawler.client import Client, Response
from crawler.errors import (
    Forbidden,
    ItemError,
    NotFound,
    NotPermitted,
    PageCut,
    PageRejected,
    TrackerError,
)
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode, read_json
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.gitlab.parse.keys import parted
from crawler.sources.gitlab.parse.side import PART, Side
from crawler.sources.gitlab.parts import Lists
from crawler.sources.gitlab.project import ISSUES_OFF, Project
from crawler.sources.gitlab.search import LARGEST, Search

Pages = tuple[RawPage, ...]
_OWN: Final = frozenset({"subscribed"})  # told only where an issue is asked for by itself, or of the asker


class GitLabSource:
    """One project of a GitLab, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._project = Project(connection, client)
        self._lists = Lists(client, self._project)
        parts = urlsplit(connection.base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        size = connection.options.get("page_size")
        self._search = Search(
            client,
            self._project,
            size=size if isinstance(size, int) and 0 < size <= LARGEST else LARGEST,
        )

    def render(self, query: Tree) -> Rendering:
        """Say which issues are asked for by number.

        GitLab's own search leaves out comments, so words are applied to what was fetched.
        """
        asked = asked_numbers(query)
        text = "" if asked.numbers is None else " ".join(f"#{number}" for number in sorted(asked.numbers))
        return Rendering(text=text, exact=asked.exact)

    async def login(self) -> None:
        """Ask for the account where there is a token, and for the project.

        Raises:
            LoginRefused: the token is none.
            NotPermitted: the token may not use the API, or the project has no issues.
            UnknownProduct: the account sees no such project.
            TrackerError: not reachable, or not a GitLab.
        """
        await self._project.login()

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return self._project.learnt()

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        self._project.join(learnt)

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

    async def fetch(self, ref: Reference) -> Pages:
        """Get an issue with its notes, events and links.

        Raises:
            NotFound: there is no such issue, or none that the account may see.
            Forbidden: the account may not see the issues of its project.
        """
        (found,) = await self.fetch_many([ref])
        if isinstance(found, ItemError):
            raise found
        return found

    async def fetch_many(self, refs: Sequence[Reference]) -> list[Pages | ItemError]:
        """Get several issues by one request for each project, and what belongs to each of them."""
        await self._project.known()
        wanted: dict[str | None, set[int]] = {}
        for ref in refs:
            project, number = parted(ref.issue_id)
            if number is not None:
                wanted.setdefault(project, set()).add(number)
        issues: dict[tuple[str | None, int], Json | ItemError | Response] = {}
        for project, numbers in wanted.items():
            issues |= await self._issues(project, sorted(numbers))
        outcomes = await asyncio.gather(*(self._whole(ref, issues) for ref in refs), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and (
                not isinstance(outcome, ItemError) or isinstance(outcome, PageCut)
            ):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, tuple | ItemError)]

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file: by the API, which wants a token, or else as a browser would.

        Raises:
            NotFound: there is no such file.
            Forbidden: the account may not see it, or only with a browser.
        """
        address = attachment.download_url
        is_file = partial(_is_file, attachment)
        if address is None:
            raise NotFound(f"GitLab does not say where {attachment.filename!r} is.")
        if self._project.has_token:
            answer = await self._client.download(
                address,
                headers={**self._project.headers, "Accept": "*/*"},
                accept=(200, 404),
                into=into,
                is_file=is_file,
            )
            if answer.status == 200:
                return _file(answer, attachment)
        web = await self._page_of(address)
        if web is None:
            raise NotFound(f"The file {attachment.filename!r} does not exist, or not for this account.")
        return _file(await self._client.download(web, into=into, is_file=is_file), attachment)

    async def _page_of(self, address: str) -> str | None:
        """The address of a file for browsers, of the connection's own project."""
        about = await self._project.known()
        own = f"{self._project.api}/projects/{about.number}/uploads/"
        path = urlsplit(address).path
        if not path.startswith(own):
            return None
        return f"{self._project.root}/{quote(about.path)}/uploads/{path.removeprefix(own)}"

    async def _path(self, project: str | None) -> str:
        name = quote(project, safe="") if project else str((await self._project.known()).number)
        return f"{self._project.api}/projects/{name}/issues"

    async def _issues(
        self, project: str | None, numbers: Sequence[int]
    ) -> dict[tuple[str | None, int], Json | ItemError | Response]:
        """Issues of one project; one that its list does not have is asked for by itself."""
        path = await self._path(project)
        params = {
            "iids[]": [str(one) for one in numbers],
            "scope": "all",
            "state": "all",
            "per_page": str(LARGEST),
        }
        listed: dict[int, Json] = {}
        try:
            answer = await self._client.get(path, params=params, headers=self._project.headers)
            listed = {row.at("iid").integer(): row.value for row in read_json(answer.body).items()}
        except PageCut:
            raise
        except PageRejected:
            pass  # each by itself, so that only the odd one is refused
        except ItemError as error:
            if project is None and isinstance(error, Forbidden):
                raise NotPermitted(ISSUES_OFF) from error
            if project is None:
                raise TrackerError(f"The project's issues cannot be had any more. {error}") from error
            return {(project, number): error for number in numbers}
        missing = [number for number in numbers if number not in listed]
        alone = await asyncio.gather(*(self._alone(f"{path}/{number}") for number in missing))
        return {(project, one): listed[one] for one in numbers if one in listed} | {
            (project, number): found for number, found in zip(missing, alone, strict=True)
        }

    async def _alone(self, path: str) -> Json | ItemError | Response:
        """An issue by itself; the answer as it came where it is none."""
        try:
            answer = await self._lists.check(path)
        except ItemError as error:
            return error
        try:
            return dict(read_json(answer.body).object())
        except PageRejected:
            return answer

    async def _whole(
        self, ref: Reference, issues: Mapping[tuple[str | None, int], Json | ItemError | Response]
    ) -> Pages:
        project, number = parted(ref.issue_id)
        if number is None:
            raise NotFound(f"GitLab has numbers for its issues, and {ref.issue_id[:100]!r} is none.")
        issue = issues[project, number]
        if isinstance(issue, ItemError):
            raise issue
        if isinstance(issue, Response):
            return (RawPage.of(issue),)
        path = f"{await self._path(project)}/{number}"
        about = await self._project.known()
        told = issue if isinstance(issue, dict) else {}
        parts = await self._lists.of(path, told)
        side = Side(
            number=about.number, path=about.path, name=about.name, totals=parts.totals, refused=parts.refused
        )
        url = f"{self._origin}{path}"
        return (
            _written(url, "issue", _kept(told)),
            *parts.pages,
            _written(self._client.base_url, PART, side.page()),
        )


def _kept(issue: Mapping[str, Json]) -> bytes:
    """An issue without what differs by how it was asked for, so that the same issue has the same page."""
    kept = {name: value for name, value in issue.items() if name not in _OWN}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode("ascii")


def _written(url: str, part: str, body: bytes) -> RawPage:
    return RawPage(
        url=url, body=body, content_type="application/json", part=part, fetched_at=datetime.now(UTC)
    )


def _is_file(attachment: AttachmentRecord, answer: Response) -> bool:
    is_page = (answer.content_type or "").lower().startswith("text/html")
    is_login = urlsplit(answer.url).path.rstrip("/").endswith("/users/sign_in")
    return not is_login and (not is_page or unquote(attachment.filename).lower().endswith((".html", ".htm")))


def _file(answer: Response, attachment: AttachmentRecord) -> RawPage:
    if not _is_file(attachment, answer):
        raise Forbidden(
            f"GitLab sends a login page in place of the file {attachment.filename!r}: it gives files to"
            " tokens from version 17.4 on."
        )
    return RawPage.of(answer, "attachment")
