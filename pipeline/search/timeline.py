"""What happened to an issue in the order of time, and how it was at a moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from db.acting import Acting
from db.fields import column_of

_STATUS = (
    "status",
    "state",
    "상태",
    "ステータス",
    "状態",
)  # what histories call it, as ims.status_spans has it


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened: a comment, a file, or what one person changed at one moment."""

    kind: Literal["comment", "change", "file", "gone"]
    at: datetime | None  # None: not known
    who: str | None
    rows: list[
        dict[str, Any]
    ]  # as stored; several only of a change; what is gone says what it is in ``part``


def timeline(issue: Mapping[str, Any]) -> list[Event]:
    """Everything that is known to have happened; what has no time comes last, each kind in its own order.

    Args:
        issue: as :func:`pipeline.search.stored_issue.read_issue` gives it.
    """
    events: list[Event] = []
    for row in issue["history"]:
        former = events[-1] if events else None
        if former is not None and (former.at, former.who) == (row["changed_at"], row["changed_by"]):
            former.rows.append(row)
        else:
            events.append(Event(kind="change", at=row["changed_at"], who=row["changed_by"], rows=[row]))
    events += [
        Event(kind="comment", at=row["commented_at"], who=row["author"], rows=[row])
        for row in issue["comments"]
    ]
    events += [
        Event(kind="file", at=row["attached_at"], who=row["author"], rows=[row])
        for row in issue["attachments"]
    ]
    parts = {
        "issue": [dict(issue)],
        **{name: issue[name] for name in ("comments", "attachments", "relations")},
    }
    events += [
        Event(kind="gone", at=row["removed_at"], who=None, rows=[{**row, "part": part}])
        for part, rows in parts.items()
        for row in rows
        if row["removed_at"] is not None
    ]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(events, key=lambda event: event.at or never)


def as_of(acting: Acting, issue: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The issue as it was at a moment, as ``ims.issues_as_of`` has it, and what had happened until then.

    Each field is what its first later change replaced, else what it is now.

    Args:
        acting: for who asks.
        issue: as :func:`pipeline.search.stored_issue.read_issue` gives it.
        at: the moment.
    """
    former: dict[str, str | None] = {}  # what the first change after the moment replaced
    for row in issue["history"]:
        if row["changed_at"] is not None and row["changed_at"] > at:
            former.setdefault(column_of(row["field_name"]) or "", row["old_value"] or None)
    was = {**issue, **{name: value for name, value in former.items() if name in issue}}
    if "title" in former:
        was["title"] = former["title"] or ""
    was |= _standing(acting, issue, at)
    for name in ("closed_date", "modified_date", "removed_at"):
        if was[name] is not None and was[name] > at:
            was[name] = None
    if was["removed_at"] is None:
        was["removed_reason"] = None
    for part, time in (
        ("history", "changed_at"),
        ("comments", "commented_at"),
        ("attachments", "attached_at"),
    ):
        was[part] = [row for row in issue[part] if row[time] is None or row[time] <= at]
    for part in ("comments", "attachments", "relations"):
        was[part] = [
            row if row["removed_at"] is None or row["removed_at"] <= at else {**row, "removed_at": None}
            for row in was[part]
        ]
    return was


def _standing(acting: Acting, issue: Mapping[str, Any], at: datetime) -> dict[str, str | None]:
    """Status and state at a moment, as ``ims.status_spans`` has them; a status of None is not known."""
    now = {"status": (issue["status"] or "").strip() or None, "state": issue["state"]}
    changes = [
        row
        for row in issue["history"]
        if row["changed_at"] is not None and (row["field_name"] or "").lower() in _STATUS
    ]
    settled: datetime = (
        (issue["closed_date"] if issue["state"] == "done" else None)
        or issue["modified_date"]
        or issue["last_crawled_at"]
    )
    if not changes:
        return {"status": None, "state": "open"} if issue["state"] == "done" and at < settled else now
    former = [row for row in changes if row["changed_at"] <= at]
    word = ((former[-1]["new_value"] if former else changes[0]["old_value"]) or "").strip() or None
    state = "open"
    if word is not None:
        state = acting.value("issue", "state_of_word", {"issue_pk": issue["issue_pk"], "word": word})
    # Where the history stops short of how it is now, it got there when it was closed, or last changed.
    is_last = len(former) == len(changes)
    stops_short = is_last and issue["state"] not in ("unknown", state)
    if stops_short and at >= max(settled, former[-1]["changed_at"]):
        return now
    return {"status": word, "state": state}


def plain(value: object) -> object:
    """Lists and objects as one writes them, without the marks of a programming language."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_nested(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_nested, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def plain_json(text: str | None) -> object:
    """A value of the history; what we saw of a tracker's own field was stored as JSON."""
    if text is not None and text.startswith(("{", "[")):
        try:
            return plain(json.loads(text))
        except (ValueError, RecursionError):
            pass  # it only begins so
    return text


def _nested(value: object) -> str:
    flat = plain(value)
    if isinstance(value, dict | list):
        return f"({flat})"
    return "" if flat is None else str(flat)
