"""The answers that make up an issue: itself, and what Jira cuts off its comments, history and work log.

Issues come in one answer to a list of keys as well as one by one. Each is kept as a page of its own, with its
members in one order, so that an issue that did not change has the same page however it was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from msgspec import Struct

from crawler.client import Response
from crawler.errors import ItemError, NotFound, PageCut, PageRejected
from crawler.json_document import read_json
from crawler.records import Json
from crawler.source import RawPage
from crawler.sources.jira.api import JiraApi
from crawler.sources.jira.query import keyed

BATCH = 50  # issues by one request; Cloud takes 100, and whole ones are long
_PART = 100  # comments or changes by one request; Cloud gives no more
_KEY = re.compile(r"\w{1,200}-[0-9]{1,10}|[0-9]{1,18}")
_EXPAND = ("changelog", "names")

Pages = tuple[RawPage, ...]


class _List(Struct, frozen=True, kw_only=True):
    """A list within an issue that Jira may cut."""

    name: str  # of its pages
    path: str  # below the issue's address
    rows: str  # the member that has the rows there


_LISTS = (
    _List(name="comments", path="comment", rows="comments"),
    _List(name="changelog", path="changelog", rows="values"),
    _List(name="worklog", path="worklog", rows="worklogs"),
)


class IssuePages:
    """Gets the pages of issues."""

    def __init__(self, api: JiraApi, base_url: str) -> None:
        self._api = api
        self._base = base_url.rstrip("/")

    async def one(self, key: str) -> Pages:
        """The pages of an issue.

        Raises:
            ItemError: it cannot be had.
        """
        answer = await self._alone(key)
        url = await self._address(key)
        try:
            issue = read_json(answer.body).object()
        except PageCut:
            raise
        except PageRejected:
            # Kept as it came: what it is, is for the parser to say.
            return (_page(url, answer.body, "issue", content_type=answer.content_type),)
        return await self._whole(key, issue, issue.get("names"), is_alone=True)

    async def many(self, keys: Sequence[str]) -> list[Pages | ItemError]:
        """The pages of issues, or why one cannot be had, in the order of the keys."""
        found = await self._batch([key for key in keys if _KEY.fullmatch(key)])
        outcomes: list[Pages | ItemError] = []
        for key in keys:
            try:
                told = found.get(key)
                outcomes.append(await (self.one(key) if told is None else self._whole(key, *told)))
            except ItemError as error:
                outcomes.append(error)
        return outcomes

    async def _batch(self, keys: Sequence[str]) -> dict[str, tuple[Mapping[str, Json], Json]]:
        """Issues by their keys, each with the names of fields: those that Jira gives to a list of keys."""
        found: dict[str, tuple[Mapping[str, Json], Json]] = {}
        waiting = list(keys)
        while waiting:
            answer = await self._several(waiting)
            issues, total = answer.get("issues"), answer.get("total")
            rows = issues if isinstance(issues, list) else []
            fresh: dict[str, tuple[Mapping[str, Json], Json]] = {
                key: (issue, answer.get("names"))
                for issue in rows
                if isinstance(issue, dict) and isinstance(key := issue.get("key"), str) and key in waiting
            }
            found |= fresh
            waiting = [key for key in waiting if key not in fresh]
            if not fresh or not isinstance(total, int) or total <= len(rows):
                break  # the others are none, or have other keys now; else a Server gives fewer at a time
        return found

    async def _several(self, keys: Sequence[str]) -> Mapping[str, Json]:
        """The answer to a list of keys; an empty one where it cannot be had."""
        body: dict[str, Json]
        if (await self._api.server()).is_cloud:
            path, body = "issue/bulkfetch", {"issueIdsOrKeys": list(keys)}
        else:
            path = "search"
            body = {"jql": keyed(keys), "maxResults": len(keys), "validateQuery": False}
        body |= {"fields": ["*all"], "expand": list(_EXPAND)}
        try:
            return read_json((await self._api.post(path, body)).body).object()
        except ItemError:
            return {}  # too large or too much for it: one by one says what is wrong with which

    async def _alone(self, key: str) -> Response:
        if not _KEY.fullmatch(key):
            raise NotFound(f"Jira has keys such as ABC-12 for its issues, and {key[:80]!r} is none.")
        params = {"fields": "*all", "expand": ",".join(_EXPAND)}
        return await self._api.get(f"issue/{quote(key, safe='')}", params)

    async def _address(self, key: str) -> str:
        return f"{self._base}/{(await self._api.server()).api}/issue/{quote(key, safe='')}"

    async def _whole(
        self, key: str, issue: Mapping[str, Json], names: Json, *, is_alone: bool = False
    ) -> Pages:
        """The issue's own page, and pages of what was cut off it."""
        is_short = not is_alone and _is_cut(issue.get("changelog"), "histories")
        if is_short and not (await self._api.server()).is_cloud:
            return await self.one(key)  # a Server gives more of it for a single issue
        url = await self._address(key)
        pages = [_page(url, _written(issue, names), "issue")]
        fields = issue.get("fields")
        inside = fields if isinstance(fields, dict) else {}
        told = {
            "comments": _is_cut(inside.get("comment"), "comments"),
            "changelog": _is_cut(issue.get("changelog"), "histories"),
            "worklog": _is_cut(inside.get("worklog"), "worklogs"),
        }
        for each in _LISTS:
            if told[each.name]:
                pages += await self._rest(key, url, each)
        return tuple(pages)

    async def _rest(self, key: str, url: str, cut: _List) -> list[RawPage]:
        """A list from its beginning to its end."""
        pages: list[RawPage] = []
        start = 0
        while True:
            params = {"startAt": str(start), "maxResults": str(_PART)}
            if cut.name == "comments":
                params["orderBy"] = "created"
            try:
                answer = await self._api.get(f"issue/{quote(key, safe='')}/{cut.path}", params)
            except NotFound:
                # Some Servers have no address for the history: then it is as long as the issue has it.
                return pages
            address = f"{url}/{cut.path}?startAt={start}"
            pages.append(
                _page(address, answer.body, f"{cut.name}/{len(pages) + 1}", content_type=answer.content_type)
            )
            count, total = _counts(answer.body, cut.rows)
            start += count
            if not count or (total is not None and start >= total):
                return pages


def raw_file(answer: Response) -> RawPage:
    """An attached file as it came."""
    return _page(answer.url, answer.body, "attachment", content_type=answer.content_type)


def _page(url: str, body: bytes, part: str, *, content_type: str | None = "application/json") -> RawPage:
    return RawPage(url=url, body=body, content_type=content_type, part=part, fetched_at=datetime.now(UTC))


def _written(issue: Mapping[str, Json], names: Json) -> bytes:
    """An issue with the names of those of its own fields that say something."""
    fields = issue.get("fields")
    known = names if isinstance(names, dict) else {}
    used = fields if isinstance(fields, dict) else {}
    kept: dict[str, Json] = {
        name: known[name]
        for name, value in used.items()
        if name.startswith("customfield_") and name in known and value not in (None, "", [], {})
    }
    return json.dumps({**issue, "names": kept}, sort_keys=True, separators=(",", ":")).encode("ascii")


def _is_cut(told: Json, rows: str) -> bool:
    """Whether a list has fewer rows than it announces."""
    if not isinstance(told, dict):
        return False
    total, given = told.get("total"), told.get(rows)
    return isinstance(total, int) and isinstance(given, list) and len(given) < total


def _counts(body: bytes, rows: str) -> tuple[int, int | None]:
    """How many rows a page has, and how many there are; none where it is no such page."""
    try:
        told = read_json(body)
        return len(list(told.each(rows))), told.optional_integer("total")
    except PageRejected:
        return 0, 0
