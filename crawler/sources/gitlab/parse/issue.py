"""Reads an issue out of GitLab's answer for it, its notes, events and links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.markup.source_texts import SourceTexts
from crawler.records import (
    AttachmentRecord,
    ChangeRecord,
    CommentRecord,
    IssueRecord,
    Json,
    RelationRecord,
)
from crawler.source import Connection, RawPage
from crawler.sources.gitlab.address import place_in
from crawler.sources.gitlab.parse import system_notes
from crawler.sources.gitlab.parse.events import EVENTS, change_of
from crawler.sources.gitlab.parse.files import Uploads
from crawler.sources.gitlab.parse.keys import key_of, key_of_link, path_of
from crawler.sources.gitlab.parse.people import People
from crawler.sources.gitlab.parse.side import PART, Side, read_side
from crawler.states import state_of

_READ: Final = frozenset({
    "iid", "title", "description", "state", "created_at", "updated_at", "closed_at", "closed_by", "author",
    "assignee", "assignees", "milestone", "labels", "issue_type", "type", "severity", "web_url", "references",
    "_links", "user_notes_count", "project_id", "markup", "display names",
})  # fmt: skip
_NEEDED: Final = ("notes", "resource_label_events", "resource_state_events", "resource_milestone_events")
_TITLES: Final = {
    "notes": "comments",
    "links": "links",
    "resource_label_events": "changes of labels",
    "resource_state_events": "changes of state",
    "resource_milestone_events": "changes of milestones",
}
_LINKS: Final = {"relates_to": "related", "blocks": "blocks", "is_blocked_by": "blocked by"}
_EARLY: Final = datetime(1, 1, 1, tzinfo=UTC)


class GitLabParser:
    """Parser of one project's issues."""

    def __init__(self, connection: Connection) -> None:
        place = place_in(connection.base_url)
        parts = urlsplit(connection.base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}{'' if place is None else place.root}"

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue.

        Raises:
            PageRejected: an answer is not as GitLab promises it.
        """
        page = next((each for each in pages if each.part == "issue"), None)
        if page is None:
            raise PageRejected("The page of the issue is missing.")
        issue = read_json(page.body)
        number, asked = issue.at("iid").integer(), urlsplit(page.url).path.rpartition("/")[2]
        if asked != str(number):
            raise PageRejected(f"The answer is of issue {number}, not of {asked[:20]!r}.")
        side = next((each for each in pages if each.part == PART), None)
        if side is None:
            raise PageRejected("The page of the issue's project is missing.")
        about = read_side(side.body)
        parts = {part: _rows(pages, part) for part in ("notes", "links", *EVENTS)}
        for name in _NEEDED:
            if parts[name] is None and name not in about.refused:
                raise PageRejected(f"The issue's {_TITLES[name]} are missing.")
        rows = {name: found or [] for name, found in parts.items()}
        return _Reading(issue, about, rows, self._origin).record()


def _rows(pages: Sequence[RawPage], part: str) -> list[JsonNode] | None:
    """The rows of a list of several pages, each once, though it shifted while it was read; None: no page."""
    found: list[JsonNode] = []
    seen: set[str] = set()
    chosen = [page for page in pages if page.part.partition("/")[0] == part]
    for page in chosen:
        for row in read_json(page.body, what=f"${page.part}").items():
            key = row.at("id").key()
            if part == "links" or key not in seen:
                found.append(row)
            seen.add(key)
    return found if chosen else None


class _Reading(Struct):
    """One issue while it is read."""

    issue: JsonNode
    side: Side
    rows: dict[str, list[JsonNode]]
    origin: str
    texts: SourceTexts = field(default_factory=lambda: SourceTexts("markdown"))
    people: People = field(default_factory=People)

    def record(self) -> IssueRecord:
        issue = self.issue
        title, status = issue.at("title").text(), issue.at("state").text()
        if not title.strip():
            raise PageRejected("The issue has no title.")
        description = issue.optional_text("description")
        posts = [note for note in self.rows["notes"] if not note.flag("system")]
        shown = None if description is None else self.texts.description(description)
        comments = tuple(map(self._comment, posts))
        milestone = issue.find("milestone")
        path = self._path()
        announced, history = issue.optional_integer("user_notes_count"), self._history()
        return IssueRecord(
            issue_id=key_of(issue, home=self.side.number, here=self.side.path),
            url=issue.optional_text("web_url"),
            title=title,
            description=shown,
            product=path,
            status=status,
            state=state_of(status),
            severity=self._severity(),
            issue_type=issue.optional_text("issue_type") or issue.optional_text("type"),
            reporter=self.people.named(issue, "author"),
            owner=self._owner(),
            registered_date=issue.optional_time("created_at"),
            modified_date=issue.optional_time("updated_at"),
            closed_date=issue.optional_time("closed_at"),
            project_code=path.rpartition("/")[2],
            project_name=self.side.name if path == self.side.path else None,
            target_version=None if milestone is None else milestone.optional_text("title"),
            extra=self._extra(),
            comments=comments,
            history=history,
            attachments=tuple(self._attachments(description, posts)),
            relations=tuple(self._relations()),
            comments_announced=None if announced is None else max(announced, len(comments)),
            history_announced=self._history_announced(len(comments), len(history)),
            warnings=tuple(self._warnings(announced, len(comments))),
        )

    def _path(self) -> str:
        """The full path of the project that the issue is in."""
        told = path_of(self.issue)
        is_own = self.issue.optional_integer("project_id") in (None, self.side.number)
        # An answer may have been given before the project got another name.
        return self.side.path if is_own or told is None else told

    def _comment(self, note: JsonNode) -> CommentRecord:
        key = note.at("id").key()
        return CommentRecord(
            source_id=key,
            author=self.people.named(note, "author"),
            content=self.texts.comment(key, note.optional_text("body") or ""),
            commented_at=note.optional_time("created_at"),
            is_private=note.flag("internal") or note.flag("confidential"),
        )

    def _history(self) -> tuple[ChangeRecord, ...]:
        changes = [self._noted(note) for note in self.rows["notes"] if note.flag("system")]
        for part in EVENTS:
            changes += [change_of(event, part, self.people) for event in self.rows[part]]
        changes.sort(key=lambda change: change.changed_at or _EARLY)
        return tuple(_with_weights(changes))

    def _noted(self, note: JsonNode) -> ChangeRecord:
        body = note.optional_text("body") or ""
        change = system_notes.change_in(body)
        return ChangeRecord(
            source_id=f"note-{note.at('id').key()}",
            changed_by=self.people.named(note, "author"),
            changed_at=note.optional_time("created_at"),
            change_type=change.kind,
            field_name=change.field,
            old_value=change.old,
            new_value=change.new,
            description=system_notes.plain(body),
        )

    def _history_announced(self, comments: int, stored: int) -> int | None:
        """How many entries GitLab counts; None: it does not count them all."""
        totals = self.side.totals
        if any(name not in totals and name not in self.side.refused for name in _NEEDED):
            return None
        counted = sum(totals.get(name, len(self.rows[name])) for name in ("notes", *EVENTS))
        return max(counted - comments, stored)

    def _warnings(self, announced: int | None, stored: int) -> Iterator[str]:
        for part, status in self.side.refused.items():
            if status:  # without one, this GitLab is older than the list
                yield f"GitLab does not give the {_TITLES.get(part, part)} of this issue (status {status})."
        if announced is not None and announced > stored and not self.side.refused.get("notes"):
            yield (
                f"GitLab counts {announced} comments and shows {stored}: the others may be internal ones,"
                " which the account has no right to see."
            )

    def _severity(self) -> str | None:
        severity = self.issue.optional_text("severity")
        return None if severity in (None, "", "UNKNOWN") else severity

    def _owner(self) -> str | None:
        names = [self.people.name_of(each) for each in self.issue.each("assignees")]
        return ", ".join(filter(None, names)) or self.people.named(self.issue, "assignee")

    def _extra(self) -> dict[str, Json]:
        """What has no field of a record; null says nothing."""
        issue = self.issue
        extra: dict[str, Json] = {
            name: value for name, value in issue.object().items() if name not in _READ and value is not None
        }
        # With with_labels_details labels are objects.
        extra["labels"] = [
            each.text() if isinstance(each.value, str) else each.at("name").text()
            for each in issue.each("labels")
        ]
        if (closer := self.people.named(issue, "closed_by")) is not None:
            extra["closed_by"] = closer
        if (sources := self.texts.sources()) is not None:
            extra["markup"] = sources
        if self.people.shown:
            extra["display names"] = dict(self.people.shown)
        return extra

    def _attachments(self, description: str | None, posts: Sequence[JsonNode]) -> list[AttachmentRecord]:
        project = self.issue.optional_integer("project_id")
        uploads = Uploads(
            origin=self.origin,
            api=f"{self.origin}/api/v4",
            project=self.side.number if project is None else project,
        )
        found: dict[str, AttachmentRecord] = {}
        texts = [(self.issue, description), *((note, note.optional_text("body")) for note in posts)]
        for node, text in texts:
            author, moment = self.people.named(node, "author"), node.optional_time("created_at")
            for file in uploads.named_in(text or "", author=author, moment=moment):
                found.setdefault(file.source_id or "", file)
        return list(found.values())

    def _relations(self) -> Iterator[RelationRecord]:
        home, here = self.side.number, self._path()
        for link in self.rows["links"]:
            kind = link.optional_text("link_type") or "relates_to"
            yield RelationRecord(
                related_issue_id=key_of(link, home=home, here=self.side.path),
                relation_type=_LINKS.get(kind, kind),
                title=link.optional_text("title"),
            )
        found: dict[tuple[str, str], RelationRecord] = {}
        for note in self.rows["notes"]:
            body = note.optional_text("body") if note.flag("system") else None
            told = None if body is None else system_notes.relation_in(body, here)
            if told is None:
                continue
            relation, holds = told
            key = (relation.relation_type, relation.related_issue_id)
            found.pop(key, None)
            if holds:
                found[key] = self._from_home(relation, here)
        links = self.issue.find("_links")
        duplicate = None if links is None else links.optional_text("closed_as_duplicate_of")
        key_of_it = key_of_link(duplicate, home)
        if key_of_it is not None and not any(kind == "duplicate of" for kind, _ in found):
            yield RelationRecord(related_issue_id=key_of_it, relation_type="duplicate of")
        yield from found.values()

    def _from_home(self, relation: RelationRecord, here: str) -> RelationRecord:
        """A relation of an issue elsewhere, whose bare numbers are of its own project."""
        key = relation.related_issue_id
        if here.casefold() == self.side.path.casefold():
            return relation
        if "#" not in key:
            return replace(relation, related_issue_id=f"{here}#{key}")
        project, _, number = key.partition("#")
        is_home = project.casefold() == self.side.path.casefold()
        return replace(relation, related_issue_id=number) if is_home else relation


def _with_weights(changes: Sequence[ChangeRecord]) -> Iterator[ChangeRecord]:
    """Weights with what they were before, which older versions do not tell."""
    weight: str | None = None
    for change in changes:
        if change.field_name == "weight":
            if change.old_value is None and weight is not None and weight != change.new_value:
                change = replace(change, old_value=weight)
            weight = change.new_value
        yield change
