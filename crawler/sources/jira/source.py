"""Jira's source: lists of keys with their times of change, and whole issues, many by one request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches
from urllib.parse import urlsplit

from msgspec.structs import replace

from crawler.client import Client
from crawler.errors import Forbidden, ItemError, NotFound, PageCut, PageRejected, TrackerError, UnknownProduct
from crawler.http.response import Response
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.jira.api import JiraApi
from crawler.sources.jira.cursor import JiraCursor
from crawler.sources.jira.pages import BATCH, IssuePages, raw_file
from crawler.sources.jira.query import jql, keyed, words_of
from crawler.sources.jira.search import (
    FIELDS,
    Hit,
    Hits,
    Step,
    read_hit,
    read_hits,
    step_of_cloud,
    step_of_server,
)

PAGE_SIZE = 1000
_MOST_BARREN = 60  # answers in a row that bring nothing new
_UNGIVEN = "Jira's list says that there is more and does not give it: try again later."
_PROJECTS = 100  # on a page of Cloud's list


class JiraSource:
    """A Jira, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._api = JiraApi(connection, client)
        self._pages = IssuePages(self._api, connection.base_url)
        size = connection.options.get("page_size")
        self._page_size = size if isinstance(size, int) and size > 0 else PAGE_SIZE
        self._asks_words = connection.options.get("word_index") is True

    def render(self, query: Tree) -> Rendering:
        """Say the query in JQL: its numbers, and its words where the connection's options want that."""
        asked = asked_numbers(query)
        if asked.numbers is not None:
            keys = ", ".join(f"*-{number}" for number in sorted(asked.numbers))
            return Rendering(text=f"key in ({keys})", exact=asked.exact)
        return Rendering(text=words_of(query) if self._asks_words else "", exact=asked.exact)

    async def login(self) -> None:
        """See what answers there, and that it knows the account.

        Raises:
            LoginRefused: it does not.
            TrackerError: this is no Jira, or one whose API is switched off or too old.
        """
        await self._api.server()

    async def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return self._api.learnt()

    async def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        self._api.join(learnt)

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of keys, the issue that was created last first.

        Raises:
            UnknownProduct: there is no such project.
            TrackerError: the answer is not a list of issues.
        """
        place: JiraCursor | None = JiraCursor() if cursor is None else JiraCursor.read(cursor)
        if cursor is None and product is not None:
            place = JiraCursor(projects=await self._projects_named(product))
        numbers = asked_numbers(query).numbers
        words = words_of(query) if self._asks_words else ""
        given = barren = 0
        while place is not None and (limit is None or given < limit):
            size = self._page_size if limit is None else min(self._page_size, limit - given)
            if numbers is not None:
                step = await self._look_up(numbers, place, since)
            else:
                step = await self._list(place, words, since, size)
            fresh = step.fresh if limit is None else step.fresh[: limit - given]
            barren = 0 if fresh else barren + 1
            if barren > _MOST_BARREN:
                raise TrackerError(_UNGIVEN)
            place = step.place
            given += len(fresh)
            if fresh or place is None:
                yield SearchPage(
                    references=tuple(hit.reference() for hit in fresh),
                    cursor=None if place is None else place.text(),
                    total=step.total,
                    server=(await self._api.server()).title,
                )

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get an issue, and what its answer leaves out of its comments and history.

        Raises:
            NotFound: there is none, or none that the account may see.
            Forbidden: the account may not see it.
        """
        return await self._pages.one(ref.issue_id)

    async def fetch_many(self, refs: Sequence[Reference]) -> list[tuple[RawPage, ...] | ItemError]:
        """Get several issues by one request; what that does not bring is asked for by itself."""
        return await self._pages.many([ref.issue_id for ref in refs])

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file.

        Raises:
            NotFound: there is no such file.
            Forbidden: the account may not see it, or is sent to a login page.
        """
        if attachment.download_url is None:
            raise NotFound(f"Jira does not tell where {attachment.filename!r} is.")

        def is_file(answer: Response) -> bool:
            is_page = (answer.content_type or "").lower().startswith("text/html")
            is_login = urlsplit(answer.url).path.endswith("/login.jsp")
            return not is_login and (not is_page or _may_be_page(attachment))

        answer = await self._api.file(attachment.download_url, into, is_file)
        if not is_file(answer):
            raise Forbidden(
                "Jira sends a login page in place of the file: some of its versions give files to a name with"
                " its password only, not to a token."
            )
        return raw_file(answer)

    async def _list(self, place: JiraCursor, words: str, since: datetime | None, size: int) -> Step:
        server = await self._api.server()
        dates = self._api.dates
        question = jql(dates, projects=place.projects, words=words, since=since, until=place.until)
        if server.is_cloud:
            return step_of_cloud(await self._hits_of_cloud(question, place, size), place)
        body: dict[str, Json] = {
            "jql": question,
            "startAt": place.start,
            "maxResults": size + (place.last is not None),
            "fields": list(FIELDS),
        }
        answer = await self._ask_list("search", body)
        return step_of_server(_read(answer, is_cloud=False), place, dates, size)

    async def _hits_of_cloud(self, question: str, place: JiraCursor, size: int) -> Hits:
        body: dict[str, Json] = {"jql": question, "maxResults": size, "fields": list(FIELDS)}
        if place.token is None:
            return _read(await self._ask_list("search/jql", body), is_cloud=True)
        answer = await self._api.post("search/jql", body | {"nextPageToken": place.token}, accept=(200, 400))
        if answer.status == 400:  # it lives for some days, and its words are in the account's language
            return Hits(rows=(), is_refused=True)
        return _read(await self._api.read(answer), is_cloud=True)

    async def _look_up(self, numbers: Iterable[int], place: JiraCursor, since: datetime | None) -> Step:
        """Some of the keys that a query of numbers stands for, which is one for each project."""
        projects = place.projects or tuple(await self._project_keys())
        keys = [f"{project}-{number}" for number in sorted(numbers) for project in projects]
        asked = keys[place.looked_up : place.looked_up + BATCH]
        hits = await self._hits_of_keys(asked) if asked else []
        found = tuple(
            hit
            for hit in hits
            if hit.key in asked and (since is None or hit.updated is None or hit.updated >= since)
        )
        end = place.looked_up + len(asked)
        return Step(fresh=found, place=replace(place, looked_up=end) if end < len(keys) else None)

    async def _hits_of_keys(self, keys: Sequence[str]) -> list[Hit]:
        if (await self._api.server()).is_cloud:
            body: dict[str, Json] = {"issueIdsOrKeys": list(keys), "fields": list(FIELDS)}
            answer = await self._ask_list("issue/bulkfetch", body)
        else:
            # A key that no issue has would make the whole question wrong, were it looked at.
            body = {"jql": keyed(keys), "maxResults": len(keys), "validateQuery": False}
            answer = await self._ask_list("search", body | {"fields": list(FIELDS)})
        try:
            return [read_hit(each) for each in answer.at("issues").items()]
        except PageRejected as error:
            raise _no_list(error) from error

    async def _ask_list(self, path: str, body: Json) -> JsonNode:
        try:
            return await self._api.read(await self._api.post(path, body))
        except PageCut:
            raise
        except ItemError as error:
            raise TrackerError(f"Jira does not answer a search: {error}") from error

    async def _projects_named(self, wanted: str) -> tuple[str, ...]:
        """The keys of the project with this key or name, or else of those whose keys begin so."""
        known = await self._project_keys()
        folded = wanted.casefold()
        same = [key for key, name in known.items() if folded in (key.casefold(), name.casefold())]
        found = same or [key for key in known if key.casefold().startswith(folded)]
        if found:
            return tuple(sorted(found))
        near = get_close_matches(wanted.upper(), known, n=3) or sorted(known)[:20]
        raise UnknownProduct(
            f"Jira shows this account no project {wanted!r}. It has: {', '.join(near)}."
            if near
            else f"Jira shows this account no project {wanted!r}, nor any other."
        )

    async def _project_keys(self) -> dict[str, str]:
        """Every project that the account may see: its key and its name."""
        known: dict[str, str] = {}
        is_cloud = (await self._api.server()).is_cloud
        while True:
            params = {"startAt": str(len(known)), "maxResults": str(_PROJECTS)} if is_cloud else {}
            try:
                answer = await self._api.get("project/search" if is_cloud else "project", params)
                listed = await self._api.read(answer)
                rows = list(listed.at("values").items() if is_cloud else listed.items())
                fresh = {row.at("key").text(): row.optional_text("name") or "" for row in rows}
                is_last = not is_cloud or listed.flag("isLast") or fresh.keys() <= known.keys()
            except PageCut:
                raise
            except ItemError as error:
                raise TrackerError(f"Jira does not list its projects: {error}") from error
            known |= fresh
            if is_last:
                return known


def _read(answer: JsonNode, *, is_cloud: bool) -> Hits:
    try:
        return read_hits(answer, is_cloud=is_cloud)
    except PageRejected as error:
        raise _no_list(error) from error


def _no_list(error: PageRejected) -> TrackerError:
    return TrackerError(f"Jira's answer to a search is not a list of issues: {error}")


def _may_be_page(attachment: AttachmentRecord) -> bool:
    is_named_so = attachment.filename.lower().endswith((".htm", ".html"))
    return is_named_so or "htm" in (attachment.file_type or "").lower()
