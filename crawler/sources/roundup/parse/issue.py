"""Reads an issue out of Roundup's answers: itself, its messages and files, and the page with its history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from crawler.errors import PageRejected
from crawler.http.decode import decode
from crawler.json_document import JsonNode, read_json
from crawler.records import (
    AttachmentRecord,
    ChangeRecord,
    CommentRecord,
    IssueRecord,
    Json,
    RelationRecord,
    State,
)
from crawler.source import Connection, RawPage
from crawler.sources.roundup.parse.history import read_history
from crawler.sources.roundup.parse.values import label_of, linked, moment_of
from crawler.states import state_of

ACCOUNT: Final = "account"  # the part that tells the account's zone
# Words of the classic template.
_STATES: Final = {
    "unread": State.OPEN,
    "need-eg": State.OPEN,
    "chatting": State.IN_PROGRESS,
    "done-cbb": State.DONE,
}
_READ: Final = frozenset(
    {
        *("title", "status", "priority", "severity", "type", "assignedto", "creator", "creation", "activity"),
        *("messages", "files", "superseder"),
    }
)


class RoundupParser:
    """Parser of one tracker's issues."""

    def __init__(self, connection: Connection) -> None:
        self._base = connection.base_url.rstrip("/")
        self._zone = connection.timezone
        self._product = str(connection.options.get("product_property") or "keyword")
        self._wants_history = connection.options.get("history") is not False

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue.

        Raises:
            PageRejected: an answer is not as Roundup promises it.
        """
        by_part = {page.part: page for page in pages}
        if "issue" not in by_part:
            raise PageRejected("The page of the issue is missing.")
        rows = list(collection(by_part["issue"].body).items())
        if len(rows) != 1:
            raise PageRejected("The answer is not of one issue.")
        (issue,) = rows
        number = issue.at("id").key()
        if f"id={number}&" not in by_part["issue"].url + "&":
            raise PageRejected(f"The answer is of issue {number[:20]}, not of the one that was asked for.")
        title = issue.at("title").text()
        if not title.strip():
            raise PageRejected("The issue has no title.")
        messages = self._messages(issue, pages)
        history: tuple[ChangeRecord, ...] = ()
        warning = None
        if self._wants_history:
            if "history" not in by_part:
                raise PageRejected("The page with the history is missing.")
            page = by_part["history"]
            history, warning = read_history(decode(page.body, page.content_type).text, self._zone_of(by_part))
        status = linked(issue, "status")
        state = state_of(status)
        return IssueRecord(
            issue_id=number,
            url=f"{self._base}/issue{number}",
            title=title,
            description=messages[0].content if messages else None,
            product=", ".join(self._names(issue, self._product)) or None,
            status=status,
            state=_STATES.get((status or "").lower(), state) if state is State.UNKNOWN else state,
            priority=linked(issue, "priority"),
            severity=linked(issue, "severity") if isinstance(issue.object().get("severity"), dict) else None,
            issue_type=linked(issue, "type") if isinstance(issue.object().get("type"), dict) else None,
            reporter=linked(issue, "creator"),
            owner=linked(issue, "assignedto"),
            registered_date=moment_of(issue.optional_text("creation") or ""),
            modified_date=moment_of(issue.optional_text("activity") or ""),
            extra=self._extra(issue),
            comments=tuple(messages[1:]),
            history=history,
            attachments=self._files(issue, pages),
            relations=tuple(
                RelationRecord(
                    related_issue_id=node.at("id").key(),
                    relation_type="superseder",
                    title=node.optional_text("title"),
                )
                for node in _links(issue, "superseder")
            ),
            warnings=() if warning is None else (warning,),
        )

    def _zone_of(self, by_part: dict[str, RawPage]) -> ZoneInfo:
        """The zone of the times on the page: that of the account, or as the connection says."""
        told = None
        if ACCOUNT in by_part:
            told = read_json(by_part[ACCOUNT].body).optional_text("timezone")
        for name in (told, self._zone):
            if name and (zone := _zone_called(name)) is not None:
                return zone
        return ZoneInfo("UTC")

    def _messages(self, issue: JsonNode, pages: Sequence[RawPage]) -> list[CommentRecord]:
        wanted = {node.at("id").key() for node in _links(issue, "messages")}
        found = []
        for node in _rows(pages, "messages/"):
            key = node.at("id").key()
            if key in wanted:
                found.append(
                    CommentRecord(
                        source_id=key,
                        author=linked(node, "author"),
                        content=(node.optional_text("content") or "").replace("\r\n", "\n"),
                        commented_at=moment_of(
                            node.optional_text("date") or node.optional_text("creation") or ""
                        ),
                    )
                )
        return sorted(found, key=lambda one: (len(one.source_id or ""), one.source_id))

    def _files(self, issue: JsonNode, pages: Sequence[RawPage]) -> tuple[AttachmentRecord, ...]:
        wanted = {node.at("id").key() for node in _links(issue, "files")}
        files = []
        for node in _rows(pages, "files/"):
            key = node.at("id").key()
            if key in wanted:
                files.append(
                    AttachmentRecord(
                        source_id=key,
                        filename=node.optional_text("name") or f"file{key}",
                        file_type=node.optional_text("type"),
                        download_url=f"{self._base}/rest/data/file/{quote(key, safe='')}/binary_content",
                        author=linked(node, "creator"),
                        attached_at=moment_of(node.optional_text("creation") or ""),
                    )
                )
        return tuple(files)

    def _names(self, issue: JsonNode, name: str) -> list[str]:
        value = issue.object().get(name)
        node = JsonNode(value, f"{issue.path}.{name}")
        if isinstance(value, dict):
            return [label for label in (label_of(node),) if label]
        if isinstance(value, list):
            return [label for each in node.items() if (label := label_of(each))]
        return [value] if isinstance(value, str) and value else []

    def _extra(self, issue: JsonNode) -> dict[str, Json]:
        extra: dict[str, Json] = {}
        for name, value in issue.object().items():
            if name in ("id", "link") or (name in _READ and not isinstance(value, str)):
                continue
            if name in _READ and name not in ("type", "severity"):
                continue
            if isinstance(value, dict | list):
                names = self._names(issue, name) if _is_link(value) else None
                extra[name] = value if names is None else list(names) if isinstance(value, list) else names[0]
            else:
                extra[name] = value
        return extra


def _zone_called(name: str) -> ZoneInfo | None:
    """A zone by its name, or by its hours east of UTC, which accounts may have as well."""
    hours = name.removeprefix("+")
    if hours.removeprefix("-").isdecimal() and hours.isascii() and abs(int(hours[:4])) <= 14:
        name = f"Etc/GMT{-int(hours):+d}"
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _is_link(value: Json) -> bool:
    """Whether a value is a reference to something, or several."""
    values = value if isinstance(value, list) else [value]
    return all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in values)


def _links(issue: JsonNode, name: str) -> list[JsonNode]:
    fields = issue.object()
    return list(JsonNode(fields[name], f"{issue.path}.{name}").items()) if name in fields else []


def _rows(pages: Sequence[RawPage], prefix: str) -> list[JsonNode]:
    return [node for page in pages if page.part.startswith(prefix) for node in collection(page.body).items()]


def collection(body: bytes) -> JsonNode:
    """The rows in an answer to a question for several."""
    return read_json(body).at("data").at("collection")


def account_page(timezone: str | None) -> bytes:
    """What is kept of the account: the zone that its pages have their times in."""
    return json.dumps({"timezone": timezone}).encode()
