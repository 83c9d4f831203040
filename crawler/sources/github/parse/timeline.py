"""An issue's timeline: comments, and what happened besides.

Entries differ by their kind: some have no id, some no actor, some no time of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from crawler.json_document import JsonNode
from crawler.records import ChangeRecord, RelationRecord
from crawler.sources.github.parse.keys import key_of

REPOSITORY: Final = "repository"  # the part of the side page that tells the connection's own repository
# What a kind of entry adds to a field, or takes from it, and where its name is.
_ADDED: Final = {
    "labeled": ("labels", "label", "name"),
    "assigned": ("assignees", "assignee", "login"),
    "milestoned": ("milestone", "milestone", "title"),
    "review_requested": ("reviewers", "requested_reviewer", "login"),
    "issue_type_added": ("type", "issue_type", "name"),
    "issue_type_changed": ("type", "issue_type", "name"),
}
_TAKEN: Final = {
    "unlabeled": ("labels", "label", "name"),
    "unassigned": ("assignees", "assignee", "login"),
    "demilestoned": ("milestone", "milestone", "title"),
    "review_request_removed": ("reviewers", "requested_reviewer", "login"),
    "issue_type_removed": ("type", "issue_type", "name"),
}
_STATES: Final = {"closed": ("open", "closed"), "reopened": ("closed", "open"), "merged": ("open", "merged")}
# Which issue an entry is about, where it is about another one.
_OTHERS: Final = (
    "sub_issue",
    "parent_issue",
    "blocking_issue",
    "blocked_issue",
    "dependency_issue",
    "canonical",
    "duplicate",
)
_RELATIONS: Final = {
    "sub_issue": "child",
    "parent_issue": "parent",
    "blocked_by": "blocked by",
    "blocking": "blocks",
}


def person(node: JsonNode, name: str) -> str | None:
    """The login name of somebody; None for nobody, and for a ghost whose account is gone."""
    who = node.find(name)
    return None if who is None else who.optional_text("login")


def key_of_entry(entry: JsonNode) -> tuple[str, str] | None:
    """What tells an entry from all others; None: nothing does."""
    number = entry.find("id")
    return None if number is None else (entry.optional_text("event") or "", number.key())


def change_of(entry: JsonNode, here: str) -> ChangeRecord:
    """Read an entry that is no comment.

    Raises:
        PageRejected: it is not as GitHub promises it.
    """
    event = entry.at("event").text()
    number = entry.find("id")
    kind, field, old, new = _values(entry, event, here)
    return ChangeRecord(
        # Reviews are counted apart from the other entries.
        source_id=None if number is None else f"{'review-' if event == 'reviewed' else ''}{number.key()}",
        changed_by=_actor(entry),
        changed_at=_moment(entry),
        change_type=kind,
        field_name=field,
        old_value=old,
        new_value=new,
        description=_description(entry, event),
    )


def _values(entry: JsonNode, event: str, here: str) -> tuple[str, str, str | None, str | None]:
    """Kind of change, name of the field, and its value before and after."""
    if event in _STATES:
        return ("field", "state", *_STATES[event])
    if event in _ADDED:
        field, *place = _ADDED[event]
        old = _named(entry, "prev_issue_type", "name") if event == "issue_type_changed" else None
        return "field", field, old, _named(entry, *place)
    if event in _TAKEN:
        field, *place = _TAKEN[event]
        return "field", field, _named(entry, *place), None
    if event == "renamed":
        return "field", "title", _named(entry, "rename", "from"), _named(entry, "rename", "to")
    if event in ("locked", "unlocked"):
        reason = entry.optional_text("lock_reason") or "locked"
        return ("field", "locked", None, reason) if event == "locked" else ("field", "locked", "locked", None)
    other = _other(entry)
    if other is not None:
        key = key_of(other, here)
        return (
            ("relation", event, key, None) if event.endswith("_removed") else ("relation", event, None, key)
        )
    return "field", event, None, entry.optional_text("commit_id") or entry.optional_text("sha")


def _named(entry: JsonNode, place: str, name: str) -> str | None:
    node = entry.find(place)
    return None if node is None else node.optional_text(name)


def _other(entry: JsonNode) -> JsonNode | None:
    """The other issue that an entry is about."""
    source = entry.find("source")
    if source is not None and (issue := source.find("issue")) is not None:
        return issue
    found = (entry.find(name) for name in _OTHERS)
    return next((node for node in found if node is not None and node.find("number") is not None), None)


def _actor(entry: JsonNode) -> str | None:
    for name in ("actor", "user"):
        if (who := person(entry, name)) is not None:
            return who
    return _named(entry, "author", "name") or _named(entry, "committer", "name")


def _moment(entry: JsonNode) -> datetime | None:
    for name in ("created_at", "submitted_at"):
        if (moment := entry.optional_time(name)) is not None:
            return moment
    for name in ("author", "committer"):
        if (who := entry.find(name)) is not None and (moment := who.optional_time("date")) is not None:
            return moment
    return None


def _description(entry: JsonNode, event: str) -> str:
    words = [event.replace("_", " ").replace("-", " ")]
    told = ("state_reason", "state", "message", "body", "commit_id")
    words += [text for name in told if (text := entry.optional_text(name))]
    other = _other(entry)
    if other is not None and (title := other.optional_text("title")):
        words.append(title)
    return ": ".join((words[0], " ".join(words[1:]))) if words[1:] else words[0]


def relations_of(entries: list[JsonNode], here: str) -> Iterator[RelationRecord]:
    """The relations that hold at the end of a timeline."""
    found: dict[tuple[str, str], RelationRecord] = {}
    for entry in entries:
        event, other = entry.optional_text("event") or "", _other(entry)
        if other is None:
            continue
        stem, _, happened = event.rpartition("_")
        kind = _RELATIONS.get(stem, "cross-referenced" if event == "cross-referenced" else event)
        key = key_of(other, here)
        if happened == "removed":
            found.pop((kind, key), None)
        else:
            title = other.optional_text("title")
            found[kind, key] = RelationRecord(related_issue_id=key, relation_type=kind, title=title)
    return iter(found.values())
