"""Reads a ticket out of Request Tracker's answers: itself, its history, its attachments and their texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.records import ChangeRecord, CommentRecord, IssueRecord, Json, RelationRecord, State
from crawler.source import Connection, RawPage
from crawler.sources.rt.parse.names import PART, Names, read_names
from crawler.sources.rt.parse.transactions import (
    NOISE,
    WRITTEN,
    Bodies,
    change_of,
    comment_of,
    files_of,
    key_of,
    type_of,
)
from crawler.sources.rt.parse.values import id_of, moment_of, rows_of, text_of, total_of
from crawler.states import state_of

_LINKS: Final = frozenset(
    {"parent", "child", "depends-on", "depended-on-by", "refers-to", "referred-to-by"}  # towards the other
)
_READ: Final = frozenset(
    {
        *("id", "EffectiveId", "Subject", "Status", "Priority", "Queue", "Owner", "Creator", "Created"),
        *("LastUpdated", "Resolved", "CustomFields", "_hyperlinks"),
    }
)
_TIMES: Final = frozenset({"Starts", "Started", "Due", "Told"})
_OURS: Final = frozenset({"Creator", "Lifecycle", "links", "markup", "subjects", "minutes", "display names"})
_NOBODY: Final = "Nobody"
_PATH: Final = re.compile(r".*/REST/2\.0/ticket/([0-9]+)(?:/history)?")
_CLOSED: Final = frozenset({"resolved", "rejected", "deleted"})  # of the lifecycle that every RT has
_NO_SUBJECT: Final = ("No Subject", "(No subject given)")


class RtParser:
    """Parser of one tracker's tickets."""

    def __init__(self, connection: Connection) -> None:
        self._base = connection.base_url.rstrip("/")

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read a ticket; one that was merged into another is that other one.

        Raises:
            PageRejected: an answer is not as RT promises it.
        """
        by_part = {page.part: page for page in pages}
        if "issue" not in by_part or "history/1" not in by_part:
            raise PageRejected("The page of the ticket or of its history is missing.")
        ticket = read_json(by_part["issue"].body)
        number = ticket.at("id").key()
        asked, of_history = (_number_in(by_part[part].url) for part in ("issue", "history/1"))
        effective = id_of(ticket, "EffectiveId")
        if of_history != number or (asked != number and effective != number):
            raise PageRejected(f"The answer is of ticket {number[:12]}, not of the one that was asked for.")
        names = read_names(by_part[PART].body) if PART in by_part else Names()
        transactions = _rows(pages, "history/")
        if not transactions:
            raise PageRejected("The ticket has no history, not even that it was made.")
        told = total_of(read_json(by_part["history/1"].body))
        attachments = _rows(pages, "attachments/")
        bodies = Bodies(attachments, _rows(pages, "bodies/"))
        return _Reading(ticket, number, self._base, names, transactions, told, attachments, bodies).record()


def _number_in(url: str) -> str | None:
    path = _PATH.fullmatch(urlsplit(url).path)
    return None if path is None else path[1]


def _rows(pages: Sequence[RawPage], prefix: str) -> list[JsonNode]:
    """The rows of a list's pages, by their numbers, each once."""
    rows = [row for page in pages if page.part.startswith(prefix) for row in rows_of(read_json(page.body))]
    by_key = {row.at("id").key(): row for row in rows}
    return [by_key[key] for key in sorted(by_key, key=lambda key: (len(key), key))]


class _Reading(Struct):
    """One ticket while it is read."""

    ticket: JsonNode
    number: str
    base: str
    names: Names
    transactions: list[JsonNode]
    told: int | None  # how many transactions there are, where RT tells
    attachments: list[JsonNode]
    bodies: Bodies

    def record(self) -> IssueRecord:
        status = self.ticket.at("Status").text()
        if not status.strip():
            raise PageRejected("The ticket has no status.")
        title = text_of(self.ticket, "Subject") or ""
        description, comments = self._texts()
        history = self._history()
        asker = self._people("Requestor")
        owner = id_of(self.ticket, "Owner")
        queue = self.ticket.find("Queue")
        return IssueRecord(
            issue_id=self.number,
            url=f"{self.base}/Ticket/Display.html?id={self.number}",
            title=title if title.strip() else _NO_SUBJECT[1],  # as RT's own pages say it
            description=description,
            product=None if queue is None else self._queue(queue),
            status=status,
            state=self._state(status),
            priority=text_of(self.ticket, "Priority"),
            reporter=asker[0] if asker else id_of(self.ticket, "Creator"),
            owner=None if owner == _NOBODY else owner,
            registered_date=self._moment("Created"),
            modified_date=self._moment("LastUpdated"),
            closed_date=self._moment("Resolved"),
            extra=self._extra(),
            comments=comments,
            history=history,
            attachments=files_of(self.attachments, self.base),
            relations=tuple(self._relations()),
            history_announced=self._announced(len(comments)),
        )

    def _own_creation(self) -> JsonNode | None:
        """The transaction that made this ticket; others are of tickets that were merged into it."""
        made = [each for each in self.transactions if type_of(each) == "Create"]
        own = [each for each in made if text_of(each, "ObjectId") == self.number]
        return next(iter(own or made), None)

    def _texts(self) -> tuple[str | None, tuple[CommentRecord, ...]]:
        creation = self._own_creation()
        description = None if creation is None else self.bodies.text(key_of(creation))
        comments = [
            comment_of(each, self.bodies.text(key_of(each)))
            for each in self.transactions
            if each is not creation and type_of(each) in WRITTEN
        ]
        return description, tuple(comments)

    def _history(self) -> tuple[ChangeRecord, ...]:
        fields = {node.at("id").key(): text_of(node, "name") or "" for node in self._custom_fields()}
        creation = self._own_creation()
        return tuple(
            change_of(each, self.names, fields)
            for each in self.transactions
            if each is creation or type_of(each) not in WRITTEN | NOISE
        )

    def _announced(self, comments: int) -> int | None:
        if self.told is None:
            return None
        noise = sum(type_of(each) in NOISE for each in self.transactions)
        return self.told - noise - comments

    def _moment(self, name: str) -> datetime | None:
        return moment_of(text_of(self.ticket, name) or "")

    def _queue(self, queue: JsonNode) -> str | None:
        key = text_of(queue, "id")
        return text_of(queue, "Name") or (None if key is None else self.names.value("Queue", key))

    def _people(self, role: str) -> list[str]:
        value = self.ticket.object().get(role)
        if not isinstance(value, list):
            return []
        return [name for each in self.ticket.each(role) if (name := text_of(each, "id")) is not None]

    def _custom_fields(self) -> list[JsonNode]:
        """In the order of their numbers: RT gives them in any."""
        return sorted(self.ticket.each("CustomFields"), key=lambda node: node.at("id").key().zfill(10))

    def _state(self, status: str) -> State:
        word, is_closed = state_of(status), self.names.is_closed
        if is_closed is None:
            return State.DONE if status.lower() in _CLOSED else word
        if is_closed:
            return State.DONE
        return {State.DONE: State.IN_PROGRESS, State.UNKNOWN: State.OPEN}.get(word, word)

    def _relations(self) -> Iterator[RelationRecord]:
        found = set()
        for link in self.ticket.each("_hyperlinks"):
            ref, kind = text_of(link, "ref"), text_of(link, "type")
            if ref in _LINKS and kind == "ticket" and (key := text_of(link, "id")) is not None:
                found.add((ref, key))
        for transaction in self.transactions:
            other = text_of(transaction, "ObjectId")
            if other not in (None, self.number):
                found.add(("merged", other))
        for ref, key in sorted(found, key=lambda one: (one[0], one[1].zfill(10))):
            yield RelationRecord(related_issue_id=key, relation_type=ref)

    def _links(self) -> list[Json]:
        """Links to what is no ticket."""
        found = set()
        for link in self.ticket.each("_hyperlinks"):
            ref, kind, url = (text_of(link, name) for name in ("ref", "type", "_url"))
            if ref in _LINKS and kind != "ticket" and url is not None:
                found.add((ref, url))
        return [{"ref": ref, "url": url} for ref, url in sorted(found)]

    def _extra(self) -> dict[str, Json]:
        extra: dict[str, Json] = {}
        for name, value in self.ticket.object().items():
            if name in _READ or (name in _TIMES and self._moment(name) is None):
                continue
            extra[name] = _reference(value)
        extra["Creator"] = id_of(self.ticket, "Creator")
        queue = self.ticket.find("Queue")
        if queue is not None and (lifecycle := text_of(queue, "Lifecycle")) is not None:
            extra["Lifecycle"] = lifecycle
        if links := self._links():
            extra["links"] = links
        extra |= self._of_transactions()
        for node in self._custom_fields():
            key, name = node.at("id").key(), text_of(node, "name") or "custom field"
            if (
                name == "custom field" or name in extra or name in _OURS | _READ
            ):  # two fields may bear one name
                name = f"{name} ({key})"
            values = [each.value for each in node.each("values")]
            extra[name] = values if len(values) > 1 else values[0] if values else None
        return extra

    def _of_transactions(self) -> dict[str, Json]:
        """What transactions say besides: the subject of a mail, the minutes that were worked."""
        extra: dict[str, Json] = {}
        title = text_of(self.ticket, "Subject")
        subjects: dict[str, Json] = {}
        minutes: dict[str, Json] = {}
        for each in self.transactions:
            subject, worked = text_of(each, "Data"), text_of(each, "TimeTaken")
            if type_of(each) in WRITTEN and subject not in (None, title, *_NO_SUBJECT):
                subjects[key_of(each)] = subject
            if worked not in (None, "0"):
                minutes[key_of(each)] = worked
        if subjects:
            extra["subjects"] = subjects
        if minutes:
            extra["minutes"] = minutes
        sources = dict(self.bodies.sources)
        if sources:
            creation = self._own_creation()
            html = None if creation is None else sources.pop(key_of(creation), None)
            extra["markup"] = {"format": "html", "description": html, "comments": sources}
        return extra


def _reference(value: Json) -> Json:
    """A value with the names of people in the place of references to them."""
    if isinstance(value, list):
        return [_reference(each) for each in value]
    if isinstance(value, dict) and value.keys() >= {"id", "_url"}:
        return value["id"]
    return value
