"""Read a bug from Bugzilla's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.errors import PageRejected
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
from crawler.sources.bugzilla.parse.page import parse_pages
from crawler.states import state_of

_NONE = "---"  # Bugzilla's word for no choice
_OWN = frozenset({
    "id", "summary", "product", "component", "status", "is_open", "priority", "severity", "type", "creator",
    "assigned_to", "creation_time", "last_change_time", "version", "target_milestone", "depends_on", "blocks",
    "dupe_of", "duplicates", "update_token", "history", "comments", "attachments", "description",
})  # fmt: skip
_RELATIONS = {
    "depends_on": "depends on",
    "blocks": "blocks",
    "dupe_of": "duplicate of",
    "duplicates": "has duplicate",
}
_STATUS = ("status", "bug_status")
_PEOPLE = ("creator_detail", "assigned_to_detail", "qa_contact_detail", "cc_detail")


class BugzillaParser:
    """Parser of bugs, of the API's answers and of pages."""

    def __init__(self, connection: Connection) -> None:
        self._zone = ZoneInfo(connection.timezone or "UTC")

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read a bug from its pages.

        Raises:
            PageRejected: they are not what Bugzilla promises, or one of them is missing.
        """
        told = {page.part: page for page in pages}
        if "xml" in told:
            return parse_pages(told, self._zone)
        for part in ("issue", "comments", "history", "attachments"):
            if part not in told:
                raise PageRejected(f"The page with the bug's {part} is missing.")
        nodes = {part: read_json(page.body, what=f"${part}") for part, page in told.items()}
        return _read(nodes, told["issue"].url)


def _read(told: Mapping[str, JsonNode], url: str) -> IssueRecord:
    bug = told["issue"]
    number = bug.at("id").integer()
    base, found, asked = url.partition("/rest/bug/")
    if number < 1 or (found and asked != str(number)):
        raise PageRejected(f"The answer is of bug {number}, not of the one that was asked for.")
    status = bug.at("status").text()
    if not status:
        raise PageRejected("The answer has an empty status.")
    state = _state(bug, status)
    comments = [_comment(each) for each in told["comments"].items()]
    history = tuple(change for each in told["history"].items() for change in _changes(each))
    first = next((each for each in comments if each.number == 0), None)
    return IssueRecord(
        issue_id=str(number),
        url=f"{base}/show_bug.cgi?id={number}",
        title=bug.at("summary").text().strip(),
        description=None if first is None else first.content,
        product=_chosen(bug, "product"),
        status=status,
        state=state,
        priority=_chosen(bug, "priority"),
        severity=_chosen(bug, "severity"),
        issue_type=_chosen(bug, "type"),
        reporter=_chosen(bug, "creator"),
        owner=_chosen(bug, "assigned_to"),
        registered_date=bug.optional_time("creation_time"),
        modified_date=bug.optional_time("last_change_time"),
        closed_date=_closed(history) if state is State.DONE else None,
        module=_chosen(bug, "component"),
        found_version=_chosen(bug, "version"),
        target_version=_chosen(bug, "target_milestone"),
        extra=_extra(bug) | _people(bug),
        comments=tuple(each for each in comments if each.number != 0),
        history=history,
        attachments=tuple(_file(each, base) for each in told["attachments"].items()),
        relations=tuple(_relations(bug)),
    )


def _chosen(bug: JsonNode, field: str) -> str | None:
    words = bug.optional_text(field)
    return None if words in ("", _NONE) else words


def _state(bug: JsonNode, status: str) -> State:
    known = state_of(status)
    if bug.find("is_open") is None:
        return known
    if not bug.flag("is_open"):
        return State.DONE
    return known if known in (State.OPEN, State.IN_PROGRESS) else State.OPEN


def _comment(node: JsonNode) -> CommentRecord:
    return CommentRecord(
        source_id=node.at("id").key(),
        number=node.optional_integer("count"),
        author=node.optional_text("creator") or node.optional_text("author") or None,
        content=(node.optional_text("text") or "").strip(),
        commented_at=node.optional_time("creation_time") or node.optional_time("time"),
        is_private=_is_set(node, "is_private"),
    )


def _is_set(node: JsonNode, field: str) -> bool:
    """Whether a flag is set, which is true or 1 by the resource."""
    told = node.find(field)
    if told is None or isinstance(told.value, bool):
        return told is not None and told.boolean()
    return told.integer() != 0


def _changes(entry: JsonNode) -> Iterator[ChangeRecord]:
    author, moment = entry.optional_text("who"), entry.optional_time("when")
    for change in entry.each("changes"):
        field = change.at("field_name").text()
        file = change.find("attachment_id")
        yield ChangeRecord(
            changed_by=author,
            changed_at=moment,
            change_type="attachment" if file is not None else "field",
            field_name=field,
            old_value=change.optional_text("removed") or None,
            new_value=change.optional_text("added") or None,
            description=None if file is None else f"attachment {file.key()}",
        )


def _closed(history: Sequence[ChangeRecord]) -> datetime | None:
    """When the bug got its resolution; where the history does not tell, its status."""
    for fields in (("resolution",), _STATUS):
        times = [each.changed_at for each in history if each.field_name in fields and each.new_value]
        if times:
            return times[-1]
    return None


def _file(node: JsonNode, base: str) -> AttachmentRecord:
    number = node.at("id").integer()
    kind = "patch" if _is_set(node, "is_patch") else node.optional_text("content_type")
    marks = [word for word in ("obsolete", "private") if _is_set(node, f"is_{word}")]
    summary = node.optional_text("summary") or node.optional_text("description") or ""
    return AttachmentRecord(
        source_id=str(number),
        filename=node.optional_text("file_name") or "",
        file_type=kind,
        file_size=node.optional_integer("size"),
        download_url=f"{base}/attachment.cgi?id={number}",
        author=node.optional_text("creator") or node.optional_text("attacher") or None,
        attached_at=node.optional_time("creation_time"),
        description=f"{summary} ({', '.join(marks)})".strip() if marks else summary or None,
    )


def _relations(bug: JsonNode) -> Iterator[RelationRecord]:
    for field, kind in _RELATIONS.items():
        node = bug.find(field)
        if node is None:
            continue
        for other in node.items() if isinstance(node.value, list) else (node,):
            yield RelationRecord(related_issue_id=str(other.integer()), relation_type=kind)


def _extra(bug: JsonNode) -> dict[str, Json]:
    """What has no field of its own, under the API's names."""
    extra: dict[str, Json] = {}
    for name, value in sorted(bug.object().items()):
        if name in _OWN or name.endswith("_detail") or value in (None, "", _NONE, [], {}):
            continue
        extra[name] = [_flag(each) for each in bug.each("flags")] if name == "flags" else value
    return extra


def _flag(node: JsonNode) -> str:
    """A flag as people write it, such as ``review?(kim)``."""
    asked = node.optional_text("requestee")
    sign = node.optional_text("status") or ""
    return f"{node.optional_text('name') or ''}{sign}" + (f"({asked})" if asked else "")


def _people(bug: JsonNode) -> dict[str, Json]:
    """How the people are shown whose login names stand in the bug."""
    names: dict[str, Json] = {}
    for field in _PEOPLE:
        node = bug.find(field)
        for each in () if node is None else node.items() if isinstance(node.value, list) else (node,):
            login, shown = each.optional_text("name"), each.optional_text("real_name")
            if login and shown and login != shown:
                names[login] = shown
    return {"display names": dict(sorted(names.items()))} if names else {}
