"""Looks up names of ids: each list is asked for once, when the first issue needs it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import Final

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.records import Json
from crawler.sources.redmine.parse.names import (
    FORMATS,
    CustomField,
    Names,
    Wanted,
    issue_in,
    told_by,
    values_of_field,
    wanted_names,
)
from crawler.sources.redmine.parse.values import key_of, listed

# Where a list is, and its name within the answer; those of a project are asked for its number.
_LISTS: Final = {
    "statuses": ("issue_statuses.json", "issue_statuses"),
    "trackers": ("trackers.json", "trackers"),
    "priorities": ("enumerations/issue_priorities.json", "issue_priorities"),
    "projects": ("projects.json", "projects"),
    "fields": ("custom_fields.json", "custom_fields"),
}
_LISTS_OF_A_PROJECT: Final = {
    "versions": ("projects/{}/versions.json", "versions"),
    "categories": ("projects/{}/issue_categories.json", "issue_categories"),
    "users": ("projects/{}/memberships.json", "memberships"),
}
# Where one of them is, for what came from elsewhere: a version of another project, somebody who left.
_SINGLES: Final = {
    "versions": ("versions/{}.json", "version"),
    "categories": ("issue_categories/{}.json", "issue_category"),
    "users": ("users/{}.json", "user"),
}
PAGE: Final = 100  # the most that Redmine gives
_MOST_PAGES: Final = 500

# Gets an answer by its path and parameters; None: the account has no right to it, or there is no such thing.
Ask = Callable[[str, Mapping[str, str]], Awaitable[JsonNode | None]]


class _List:
    """The rows of a list, which every issue looks into: there may be thousands of projects and people."""

    def __init__(self, rows: list[JsonNode]) -> None:
        self.rows = rows

    @cached_property
    def names(self) -> dict[str, str]:
        """Names by their ids."""
        return _names_in(self.rows)

    @cached_property
    def by_id(self) -> dict[str, JsonNode]:
        """Rows by their ids."""
        return {row.at("id").key(): row for row in self.rows}


class Lookup:
    """Knows the names of one tracker, as one account may see them, for the time of a crawl."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lists: dict[str, _List] = {}
        self._singles: dict[Wanted, str | None] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._used = asyncio.Event()  # names were looked up for an issue

    async def learnt(self) -> dict[str, Json]:
        """The lists that were read so far, for the lookup of another process; those of one issue at least."""
        await self._used.wait()
        return {path: [row.value for row in known.rows] for path, known in self._lists.items()}

    def take(self, learnt: JsonNode) -> None:
        """Know the lists that another process has read."""
        self._used.set()
        for path in learnt.object():
            self._lists[path] = _List(list(learnt.at(path).items()))

    async def names_for(self, body: bytes) -> Names:
        """The names that an issue needs and does not tell; none where the answer is no issue."""
        try:
            return await self._names_for(body)
        finally:
            self._used.set()

    async def _names_for(self, body: bytes) -> Names:
        try:
            issue = issue_in(read_json(body))
            told = told_by(issue)
            wanted = wanted_names(issue, told)
            project = key_of(issue, "project")
        except PageRejected:
            return Names()  # the parser says what is wrong with it
        fields = await self._fields(key for kind, key in wanted if kind == "fields")
        for key, about in fields.items():
            if (kind := FORMATS.get(about.format)) is not None:
                wanted |= {(kind, each) for each in values_of_field(issue, key) if each not in told[kind]}
        names: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for kind, key in sorted(wanted):
            if kind != "fields" and (name := await self._name(kind, key, project)) is not None:
                names[kind][key] = name
        return Names(
            names=names,
            fields=fields,
            closed=await self._closed(key for kind, key in wanted if kind == "statuses"),
            identifiers=await self._identifiers(key for kind, key in wanted if kind == "projects"),
        )

    async def projects(self) -> list[JsonNode]:
        """Every project that the account may see."""
        return (await self._list("projects")).rows

    async def _fields(self, keys: Iterable[str]) -> dict[str, CustomField]:
        return {
            key: CustomField(
                name=node.at("name").text(),
                format=node.optional_text("field_format") or "",
                labels=_labels(node),
            )
            for key, node in await self._rows("fields", keys)
        }

    async def _closed(self, keys: Iterable[str]) -> dict[str, bool]:
        return {key: node.flag("is_closed") for key, node in await self._rows("statuses", keys)}

    async def _identifiers(self, keys: Iterable[str]) -> dict[str, str]:
        return {
            key: identifier
            for key, node in await self._rows("projects", keys)
            if (identifier := node.optional_text("identifier")) is not None
        }

    async def _rows(self, kind: str, keys: Iterable[str]) -> list[tuple[str, JsonNode]]:
        """Those rows of a list, with their ids; nobody is asked where none is wanted."""
        wanted = list(keys)
        by_id = (await self._list(kind)).by_id if wanted else {}
        return [(key, by_id[key]) for key in wanted if key in by_id]

    async def _name(self, kind: str, key: str, project: str | None) -> str | None:
        found = None
        if kind in _LISTS:
            found = (await self._list(kind)).names.get(key)
        elif project is not None and project.isascii() and project.isdecimal():
            found = (await self._list(kind, project)).names.get(key)
        if found is None and kind in _SINGLES and key.isascii() and key.isdecimal():
            found = await self._single(kind, key)
        return found

    async def _list(self, kind: str, project: str = "") -> _List:
        path, name = _LISTS[kind] if kind in _LISTS else _LISTS_OF_A_PROJECT[kind]
        path = path.format(project)
        async with self._locks[path]:
            if path not in self._lists:
                self._lists[path] = _List(await self._read(path, name))
            return self._lists[path]

    async def _read(self, path: str, name: str) -> list[JsonNode]:
        found: list[JsonNode] = []
        for _ in range(_MOST_PAGES):
            answer = await self._ask(path, {"limit": str(PAGE), "offset": str(len(found))})
            if answer is None:
                break
            rows = list(listed(answer, name))
            found += rows
            # Lists that come whole tell no total.
            if not rows or len(found) >= (answer.optional_integer("total_count") or 0):
                break
        return found

    async def _single(self, kind: str, key: str) -> str | None:
        path, name = _SINGLES[kind]
        async with self._locks[path]:
            if (kind, key) not in self._singles:
                answer = await self._ask(path.format(key), {})
                # Only the name is kept: one's own entry among the users has the key in it.
                self._singles[kind, key] = None if answer is None else _name_in(answer.at(name))
            return self._singles[kind, key]


def _names_in(rows: Iterable[JsonNode]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        node = row.find("user") or row.find("group") or row  # a membership is of one of them
        key, name = node.find("id"), _name_in(node)
        if key is not None and name is not None:
            found[key.key()] = name
    return found


def _name_in(node: JsonNode) -> str | None:
    name = node.optional_text("name")
    if name is not None:
        return name
    parts = (node.optional_text("firstname"), node.optional_text("lastname"))
    return " ".join(filter(None, parts)) or None


def _labels(node: JsonNode) -> dict[str, str]:
    return {
        value.key(): label
        for each in listed(node, "possible_values")
        if (value := each.find("value")) is not None
        and (label := each.optional_text("label")) is not None
        and label != value.key()
    }
