"""Reads an issue out of Redmine's answer and the side page of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.records import AttachmentRecord, IssueRecord, Json, RelationRecord, State
from crawler.source import Connection, RawPage
from crawler.sources.redmine.parse.journals import Journals
from crawler.sources.redmine.parse.names import ATTRIBUTES, PART, Names, issue_in, read_names, told_by
from crawler.sources.redmine.parse.texts import Texts
from crawler.sources.redmine.parse.values import key_of, listed, moment_of, name_of, texts_of
from crawler.states import state_of

# What a relation is called from its other end; the others are the same from both.
_OTHER_END: Final = {
    "blocks": "blocked",
    "duplicates": "duplicated",
    "precedes": "follows",
    "copied_to": "copied_from",
}
_OURS: Final = frozenset({"ids", "watchers", "delays", "journals", "markup", "display names"})
_READ: Final = frozenset(
    {
        *(
            "id",
            "project",
            "tracker",
            "status",
            "priority",
            "author",
            "assigned_to",
            "category",
            "fixed_version",
        ),
        *(
            "subject",
            "description",
            "created_on",
            "updated_on",
            "closed_on",
            "parent",
            "children",
            "relations",
        ),
        *("attachments", "journals", "custom_fields", "watchers"),
    }
)


class RedmineParser:
    """Parser of one tracker's issues."""

    def __init__(self, connection: Connection) -> None:
        self._base = connection.base_url.rstrip("/")
        self._markup = str(connection.options.get("markup") or "auto")
        Texts(self._markup)  # whether there is such a markup

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue.

        Raises:
            PageRejected: an answer is not as Redmine promises it.
        """
        page = next((each for each in pages if each.part == "issue"), None)
        if page is None:
            raise PageRejected("The page of the issue is missing.")
        side = next((each for each in pages if each.part == PART), None)
        issue = issue_in(read_json(page.body))
        number = str(issue.at("id").integer())
        asked = urlsplit(page.url).path.rpartition("/")[2].removesuffix(".json")
        if asked != number:
            raise PageRejected(f"The answer is of issue {number}, not of {asked[:20]!r}.")
        names = Names() if side is None else read_names(side.body)
        return _Reading(
            issue, number, self._base, _merged(names, told_by(issue)), Texts(self._markup)
        ).record()


def _merged(names: Names, told: Mapping[str, Mapping[str, str]]) -> Names:
    kinds = {*names.names, *told}
    return replace(names, names={kind: {**names.names.get(kind, {}), **told.get(kind, {})} for kind in kinds})


class _Reading(Struct):
    """One issue while it is read."""

    issue: JsonNode
    number: str
    base: str
    names: Names
    texts: Texts
    unread: list[str] = field(default_factory=list)  # times that are none

    def record(self) -> IssueRecord:
        issue = self.issue
        title = issue.at("subject").text()
        if not title.strip():
            raise PageRejected("The issue has no subject.")
        status = issue.at("status").at("name").text()
        if "journals" not in issue.object():
            raise PageRejected("The answer has no history of the issue, though it was asked for.")
        description = issue.optional_text("description")
        journals = Journals(self.names, self._field_names(), self.texts)
        for journal in listed(issue, "journals"):
            journals.add(journal)
        shown = None if description is None else self.texts.description(description)
        project = name_of(issue, "project")
        registered, modified, closed = map(self._moment, ("created_on", "updated_on", "closed_on"))
        attachments = tuple(map(self._attachment, listed(issue, "attachments")))
        self.unread += journals.unread
        return IssueRecord(
            issue_id=self.number,
            url=f"{self.base}/issues/{self.number}",
            title=title,
            description=shown,
            product=project,
            status=status,
            state=self._state(status),
            priority=name_of(issue, "priority"),
            issue_type=name_of(issue, "tracker"),
            reporter=name_of(issue, "author"),
            owner=name_of(issue, "assigned_to"),
            registered_date=registered,
            modified_date=modified,
            closed_date=closed,
            project_code=self.names.identifiers.get(key_of(issue, "project") or ""),
            project_name=project,
            module=name_of(issue, "category"),
            target_version=name_of(issue, "fixed_version"),  # "Target version" on Redmine's pages
            extra=self._extra(journals),
            comments=tuple(journals.comments),
            history=tuple(journals.changes),
            attachments=attachments,
            relations=tuple(self._relations()),
            warnings=tuple(f"The time {each[:40]!r} cannot be read." for each in dict.fromkeys(self.unread)),
        )

    def _moment(self, name: str, node: JsonNode | None = None) -> datetime | None:
        text = (node or self.issue).optional_text(name)
        moment = moment_of(text) if text else None
        if text and moment is None:
            self.unread.append(text)
        return moment

    def _state(self, status: str) -> State:
        node = self.issue.at("status")
        key = node.find("id")
        is_closed = self.names.closed.get(key.key()) if key is not None else None
        if node.find("is_closed") is not None:
            is_closed = node.flag("is_closed")
        word = state_of(status)
        if is_closed is None:
            return word
        if is_closed:
            return State.DONE
        # "Resolved" is not closed in Redmine: somebody is still to look at it.
        return {State.DONE: State.IN_PROGRESS, State.UNKNOWN: State.OPEN}.get(word, word)

    def _field_names(self) -> dict[str, str]:
        return {
            node.at("id").key(): node.optional_text("name") or ""
            for node in listed(self.issue, "custom_fields")
        }

    def _extra(self, journals: Journals) -> dict[str, Json]:
        extra = {name: value for name, value in self.issue.object().items() if name not in _READ | _OURS}
        extra |= {
            "ids": {
                name: key for name, _ in ATTRIBUTES.values() if (key := key_of(self.issue, name)) is not None
            }
        }
        watchers = [name for each in listed(self.issue, "watchers") if (name := each.optional_text("name"))]
        if watchers:
            extra["watchers"] = list(watchers)
        if delays := self._delays():
            extra["delays"] = delays
        if journals.others:
            extra["journals"] = journals.others
        if (sources := self.texts.sources()) is not None:
            extra["markup"] = sources
        for node in listed(self.issue, "custom_fields"):
            key, name = node.at("id").key(), node.optional_text("name")
            if not name or name in extra or name in _OURS:  # two fields may bear one name
                name = f"{name or 'custom field'} ({key})"
            extra[name] = self._custom(key, node)
        for name in ("created_on", "updated_on", "closed_on"):
            if (text := self.issue.optional_text(name)) and moment_of(text) is None:
                extra.setdefault(name, text)
        return extra

    def _custom(self, key: str, node: JsonNode) -> Json:
        value = node.object().get("value")
        if isinstance(value, str):
            return self.names.of_field(key, value)
        if isinstance(value, list) and len(texts := texts_of(JsonNode(value))) == len(value):
            return [self.names.of_field(key, each) for each in texts]
        return value

    def _attachment(self, node: JsonNode) -> AttachmentRecord:
        key = str(node.at("id").integer())
        filename = node.at("filename").text()
        # Its own address is made of the host name that administrators once set.
        path = quote(filename.encode("utf-8", "replace"), safe="")
        return AttachmentRecord(
            source_id=key,
            filename=filename,
            file_type=node.optional_text("content_type"),
            file_size=node.optional_integer("filesize"),
            download_url=f"{self.base}/attachments/download/{key}/{path}",
            author=name_of(node, "author"),
            attached_at=self._moment("created_on", node),
            description=node.optional_text("description"),
        )

    def _relations(self) -> Iterator[RelationRecord]:
        parent = self.issue.find("parent")
        if parent is not None:
            yield RelationRecord(related_issue_id=parent.at("id").key(), relation_type="parent")
        for child in listed(self.issue, "children"):
            yield RelationRecord(
                related_issue_id=child.at("id").key(),
                relation_type="child",
                title=child.optional_text("subject"),
            )
        for node in listed(self.issue, "relations"):
            other, is_from_here = self._end(node)
            kind = node.optional_text("relation_type") or "relates"
            yield RelationRecord(
                related_issue_id=other, relation_type=kind if is_from_here else _OTHER_END.get(kind, kind)
            )

    def _end(self, node: JsonNode) -> tuple[str, bool]:
        """The other end of a relation, and whether it goes from here to there."""
        source, target = node.at("issue_id").key(), node.at("issue_to_id").key()
        return (target, True) if source == self.number else (source, False)

    def _delays(self) -> dict[str, Json]:
        return {
            self._end(node)[0]: delay.integer()
            for node in listed(self.issue, "relations")
            if (delay := node.find("delay")) is not None
        }
