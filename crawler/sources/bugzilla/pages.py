"""The answers that make up a bug: itself, its comments, its history and its list of files.

Each is asked for for many bugs at once, and kept as pages of a single one with their members in one order:
Bugzilla writes them in a new order every time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from crawler.errors import ItemError, NotFound, PageCut, PageRejected
from crawler.json_document import JsonNode
from crawler.records import Json
from crawler.source import RawPage
from crawler.sources.bugzilla.api import BugzillaApi, Parameters
from crawler.together import together

Pages = tuple[RawPage, ...]
_PARTS = ("comments", "history", "attachments")
_PATHS = {"comments": "comment", "history": "history", "attachments": "attachment"}
_NO_BYTES = ("exclude_fields", "data")  # else every file comes along
_KEY_TO_CHANGE = "update_token"  # with it the bug could be changed


class BugPages:
    """Gets the pages of bugs."""

    def __init__(self, api: BugzillaApi, base_url: str) -> None:
        self._api = api
        self._base = base_url.rstrip("/")

    async def many(self, numbers: Sequence[str]) -> list[Pages | ItemError]:
        """The pages of bugs, or why one cannot be had, in the order of the numbers."""
        wanted = [number for number in numbers if _is_number(number)]
        bugs = await self._bugs(wanted)
        shown = [number for number in wanted if number in bugs]
        answers = await together([self._part(part, shown) for part in _PARTS])
        parts = dict(zip(_PARTS, answers, strict=True))
        outcomes: list[Pages | ItemError] = []
        for number in numbers:
            try:
                outcomes.append(await self._whole(number, bugs.get(number), parts))
            except ItemError as error:
                outcomes.append(error)
        return outcomes

    async def _whole(self, number: str, bug: Json, parts: Mapping[str, Mapping[str, Json]]) -> Pages:
        if not _is_number(number):
            raise NotFound(f"Bugzilla has numbers for its bugs, and {number[:80]!r} is none.")
        pages = [self._page(number, "issue", await self._bug(number) if bug is None else bug)]
        for part in _PARTS:
            told = parts[part].get(number)
            if told is None:
                told = await self._part_of_one(part, number)
            pages.append(self._page(number, part, told))
        return tuple(pages)

    async def _bugs(self, numbers: Sequence[str]) -> dict[str, Json]:
        """Bugs by their numbers; Bugzilla leaves those out of a list that it does not show."""
        if not numbers:
            return {}
        params = [("id", ",".join(numbers)), ("include_fields", "_all"), ("limit", str(len(numbers)))]
        try:
            answer = await self._api.get("bug", params)
            return {number: row.value for row in answer.at("bugs").items() if (number := _number(row))}
        except ItemError:
            return {}  # one by one says what is wrong with which

    async def _bug(self, number: str) -> Json:
        answer = await self._api.get(f"bug/{number}", [("include_fields", "_all")])
        rows = list(answer.at("bugs").items())
        if len(rows) != 1 or _number(rows[0]) != number:
            raise PageRejected(f"Bugzilla answers the question for bug {number} with something else.")
        return rows[0].value

    async def _part(self, part: str, numbers: Sequence[str]) -> dict[str, Json]:
        """What several bugs have of a part; nothing where one of them spoils it for all."""
        if len(numbers) < 2:
            return {}
        first, *others = numbers
        params = [("ids", number) for number in others]
        try:
            answer = await self._answer(part, first, params)
            return {number: told for number in numbers if (told := _of(answer, part, number)) is not None}
        except ItemError:
            return {}

    async def _part_of_one(self, part: str, number: str) -> Json:
        told = _of(await self._answer(part, number, []), part, number)
        if told is None:
            raise PageCut(f"Bugzilla's answer lacks the {part} of bug {number}.")
        return told

    async def _answer(self, part: str, number: str, params: Parameters) -> JsonNode:
        further = [_NO_BYTES] if part == "attachments" else []
        return await self._api.get(f"bug/{number}/{_PATHS[part]}", [*params, *further])

    def _page(self, number: str, part: str, told: Json) -> RawPage:
        end = "" if part == "issue" else f"/{_PATHS[part]}"
        if part == "issue" and isinstance(told, dict):
            told = {name: value for name, value in told.items() if name != _KEY_TO_CHANGE}
        return RawPage(
            url=f"{self._base}/rest/bug/{number}{end}",
            body=json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii"),
            content_type="application/json",
            part=part,
            fetched_at=datetime.now(UTC),
        )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12 and str(int(text)) == text


def _number(bug: JsonNode) -> str | None:
    number = bug.object().get("id")
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else None


def _of(answer: JsonNode, part: str, number: str) -> Json:
    """What an answer has of a bug, whose form differs by the part; None where it has nothing of it."""
    bugs = answer.at("bugs")
    if part == "history":
        found = next((row for row in bugs.items() if _number(row) == number), None)
        return None if found is None else [each.value for each in found.each("history")]
    told = bugs.find(number)
    if told is None:
        return None
    return [each.value for each in (told.each("comments") if part == "comments" else told.items())]
