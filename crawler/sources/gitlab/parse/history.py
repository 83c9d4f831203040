"""What happened to an issue: events of labels, state and the like, and notes that GitLab wrote itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from crawler.json_document import JsonNode
from crawler.markup import markdown
from crawler.records import ChangeRecord, RelationRecord
from crawler.sources.gitlab.parse.keys import joined

_FIRST = datetime(1, 1, 1, tzinfo=UTC)
# Kind of events: the field, what holds its name, and the name there.
_FIELDS: Final = {
    "resource_label_events": ("labels", "label", "name"),
    "resource_milestone_events": ("milestone", "milestone", "title"),
    "resource_iteration_events": ("iteration", "iteration", "title"),
}
_TITLE = re.compile(r"changed title from \*\*(.{0,2000})\*\* to \*\*(.{0,2000})\*\*", re.DOTALL)
_DIFF = re.compile(r"\{[-+]|[-+]\}")  # what marks the words that went and came
_PEOPLE = re.compile(r"@([\w.-]{1,255})", re.ASCII)
_ASSIGNED = re.compile(r"assigned to (.{1,1000}?)(?: and unassigned (.{1,1000}))?", re.DOTALL)
_UNASSIGNED = re.compile(r"unassigned (.{1,1000})", re.DOTALL)
_STATES: Final = {
    "closed": ("opened", "closed"),
    "reopened": ("closed", "opened"),
    "opened": (None, "opened"),
}
_RELATION = re.compile(
    r"(?P<kind>moved to|moved from|cloned to|cloned from|marked (?:this issue )?as related to"
    r"|mentioned in issue|mentioned in|marked (?:this issue )?as (?:a )?duplicate of"
    r"|removed the relation with)"
    r"\s+(?P<path>[\w.-]{1,255}(?:/[\w.-]{1,255}){0,20})?#(?P<number>[0-9]{1,10})",
    re.ASCII,
)
_KINDS: Final = {
    "moved to": "moved",
    "moved from": "moved from",
    "cloned to": "clone",
    "cloned from": "cloned from",
    "mentioned in": "cross-referenced",
    "mentioned in issue": "cross-referenced",
}


def person(node: JsonNode, name: str) -> str | None:
    """The login name of somebody; None for nobody."""
    who = node.find(name)
    return None if who is None else who.optional_text("username")


def in_order(changes: list[ChangeRecord]) -> tuple[ChangeRecord, ...]:
    """The changes as they happened, though they come from several lists."""
    return tuple(sorted(changes, key=lambda change: change.changed_at or _FIRST))


def event_of(entry: JsonNode, kind: str) -> ChangeRecord:
    """Read an event.

    Raises:
        PageRejected: it is not as GitLab promises it.
    """
    field, old, new = _values(entry, kind)
    return ChangeRecord(
        source_id=f"{kind.split('_')[1]}-{entry.at('id').key()}",
        changed_by=person(entry, "user"),
        changed_at=entry.optional_time("created_at"),
        field_name=field,
        old_value=old,
        new_value=new,
        description=_source(entry),
    )


def _values(entry: JsonNode, kind: str) -> tuple[str, str | None, str | None]:
    if kind == "resource_state_events":
        state = entry.at("state").text()
        return ("state", *_STATES.get(state, (None, state)))
    if kind == "resource_weight_events":
        weight = entry.find("weight")
        return "weight", None, None if weight is None else weight.key()
    field, place, name = _FIELDS[kind]
    node = entry.find(place)
    value = None if node is None else node.optional_text(name)  # null: it was deleted
    if entry.at("action").text() == "remove":
        return field, value, None
    return field, None, value


def _source(entry: JsonNode) -> str | None:
    """What closed an issue, besides somebody."""
    commit = entry.optional_text("source_commit")
    return None if commit is None else f"by commit {commit}"


def change_of(note: JsonNode, here: str) -> ChangeRecord:
    """Read a note that GitLab wrote.

    Raises:
        PageRejected: it is not as GitLab promises it.
    """
    body = note.optional_text("body") or ""
    kind, field, old, new = _told(body.strip(), here)
    return ChangeRecord(
        source_id=f"note-{note.at('id').key()}",
        changed_by=person(note, "author"),
        changed_at=note.optional_time("created_at"),
        change_type=kind,
        field_name=field,
        old_value=old,
        new_value=new,
        description=markdown.plain(body),
    )


def _told(words: str, here: str) -> tuple[str, str | None, str | None, str | None]:
    """Kind of change, name of the field, and its value before and after, out of a sentence."""
    if match := _TITLE.fullmatch(words):
        return "field", "title", _DIFF.sub("", match[1]), _DIFF.sub("", match[2])
    if match := _ASSIGNED.fullmatch(words):
        return "field", "assignees", _people(match[2]), _people(match[1])
    if match := _UNASSIGNED.fullmatch(words):
        return "field", "assignees", _people(match[1]), None
    if words in _STATES:
        return ("field", "state", *_STATES[words])
    if words.startswith("changed the description"):
        return "field", "description", None, None
    if match := _RELATION.match(words):
        return "relation", match["kind"], None, _key(match, here)
    return "text", None, None, None


def _people(words: str | None) -> str | None:
    names = _PEOPLE.findall(words or "")
    return ", ".join(names) or None


def relations_in(notes: list[JsonNode], here: str) -> Iterator[RelationRecord]:
    """The relations that notes of GitLab tell, besides those that it lists as links."""
    for note in notes:
        match = _RELATION.match((note.optional_text("body") or "").strip())
        kind = None if match is None else _KINDS.get(match["kind"])
        if match is None or kind is None:
            continue
        yield RelationRecord(related_issue_id=_key(match, here), relation_type=kind)


def _key(match: re.Match[str], here: str) -> str:
    """The key of the issue in a sentence; a project in the same group is named without it."""
    path = match["path"]
    if path and "/" not in path and "/" in here:
        path = f"{here.rpartition('/')[0]}/{path}"
    return joined(path, int(match["number"]), here)
