"""Reads an issue out of GitLab's answer for it, its notes and its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.markup.source_texts import SourceTexts
from crawler.records import AttachmentRecord, CommentRecord, IssueRecord, Json, RelationRecord
from crawler.source import Connection, RawPage
from crawler.sources.gitlab.address import path_in
from crawler.sources.gitlab.parse.files import files_in
from crawler.sources.gitlab.parse.history import change_of, event_of, in_order, person, relations_in
from crawler.sources.gitlab.parse.keys import key_of, path_of
from crawler.sources.gitlab.parse.parts import EVENTS, PROJECT, entries, warnings_of
from crawler.states import state_of

_READ: Final = frozenset(
    {
        *("iid", "title", "description", "state", "author", "assignee", "assignees", "milestone", "severity"),
        *("created_at", "updated_at", "closed_at", "user_notes_count", "issue_type", "type", "web_url"),
        *("_links", "references", "closed_by", "subscribed", "imported_from", "markup", "display names"),
    }
)


class GitLabParser:
    """Parser of one project's issues."""

    def __init__(self, connection: Connection) -> None:
        self._base = connection.base_url.rstrip("/")
        self._path = path_in(connection.base_url)

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue.

        Raises:
            PageRejected: an answer is not as GitLab promises it.
        """
        page = next((page for page in pages if page.part == "issue"), None)
        if page is None:
            raise PageRejected("The page of the issue is missing.")
        sides = [read_json(page.body) for page in pages if page.part == PROJECT]
        here = sides[0].at("path_with_namespace").text() if sides else self._path
        warnings = [sentence for side in sides for sentence in warnings_of(side)]
        if not any(each.part == "notes/1" for each in pages) and not warnings:
            raise PageRejected("The notes of the issue are missing.")
        issue = read_json(page.body)
        number = str(issue.at("iid").integer())
        asked = urlsplit(page.url).path.rpartition("/")[2]
        if asked != number:
            raise PageRejected(f"The answer is of issue {number}, not of {asked[:20]!r}.")
        return _Reading(issue, here, self._base, tuple(pages), tuple(warnings)).record()


@dataclass(slots=True)
class _Reading:
    """One issue while it is read."""

    issue: JsonNode
    here: str
    base: str
    pages: tuple[RawPage, ...]
    warnings: tuple[str, ...]
    texts: SourceTexts = field(default_factory=lambda: SourceTexts("markdown"))

    def record(self) -> IssueRecord:
        issue = self.issue
        title, status = issue.at("title").text(), issue.at("state").text()
        if not title.strip():
            raise PageRejected("The issue has no title.")
        description = issue.optional_text("description")
        notes = entries(self.pages, "notes")
        said = [note for note in notes if not note.flag("system")]
        told = [note for note in notes if note.flag("system")]
        changes = [event_of(entry, kind) for kind in EVENTS for entry in entries(self.pages, kind)]
        changes += [change_of(note, self.here) for note in told]
        milestone = issue.find("milestone")
        project = path_of(issue) or self.here
        severity = issue.optional_text("severity")
        return IssueRecord(
            issue_id=key_of(issue, self.here),
            url=issue.optional_text("web_url"),
            title=title,
            description=None if description is None else self.texts.description(description),
            product=self.here if project.casefold() == self.here.casefold() else project,
            status=status,
            state=state_of(status),
            severity=None if severity == "UNKNOWN" else severity,
            issue_type=issue.optional_text("issue_type"),
            reporter=person(issue, "author"),
            owner=self._owner(),
            registered_date=issue.optional_time("created_at"),
            modified_date=issue.optional_time("updated_at"),
            closed_date=issue.optional_time("closed_at"),
            target_version=None if milestone is None else milestone.optional_text("title"),
            comments=tuple(map(self._comment, said)),
            history=in_order(changes),
            attachments=tuple(self._attachments(said)),
            relations=tuple(self._relations(told)),
            extra=self._extra(),
            comments_announced=issue.optional_integer("user_notes_count"),
            history_announced=len(changes),
            warnings=self.warnings,
        )

    def _comment(self, note: JsonNode) -> CommentRecord:
        key = note.at("id").key()
        return CommentRecord(
            source_id=key,
            author=person(note, "author"),
            content=self.texts.comment(key, note.optional_text("body") or ""),
            commented_at=note.optional_time("created_at"),
            is_private=note.flag("internal") or note.flag("confidential"),
        )

    def _owner(self) -> str | None:
        names = [name for each in self.issue.each("assignees") if (name := each.optional_text("username"))]
        return ", ".join(names) or person(self.issue, "assignee")

    def _attachments(self, said: Sequence[JsonNode]) -> list[AttachmentRecord]:
        found: dict[str, AttachmentRecord] = {}
        project = path_of(self.issue)
        base = self.base
        if project is not None and project.casefold() != self.here.casefold():
            base = f"{self.base.rpartition('/')[0]}/{quote(project, safe='')}"
        for node, name in ((self.issue, "description"), *((note, "body") for note in said)):
            text, moment = node.optional_text(name) or "", node.optional_time("created_at")
            for file in files_in(text, base, author=person(node, "author"), moment=moment):
                found.setdefault(file.source_id or "", file)
        return list(found.values())

    def _relations(self, told: list[JsonNode]) -> list[RelationRecord]:
        found: dict[tuple[str, str], RelationRecord] = {}
        for link in entries(self.pages, "links"):
            key, kind = key_of(link, self.here), link.optional_text("link_type") or "relates_to"
            title = link.optional_text("title")
            found[key, kind] = RelationRecord(related_issue_id=key, relation_type=kind, title=title)
        for relation in relations_in(told, self.here):
            found.setdefault((relation.related_issue_id, relation.relation_type), relation)
        return list(found.values())

    def _extra(self) -> dict[str, Json]:
        """What has no field of a record; addresses within the API say nothing to anybody."""
        extra: dict[str, Json] = {
            name: value for name, value in self.issue.object().items() if name not in _READ
        }
        if (closer := person(self.issue, "closed_by")) is not None:
            extra["closed_by"] = closer
        if (sources := self.texts.sources()) is not None:
            extra["markup"] = sources
        return extra
