"""An issue with its timeline and its files' text, as an assistant is told it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from db.acting import Acting
from pipeline.assistant.answers import Event, File, FilePart, Relation
from pipeline.assistant.budget import Budget

_Happened = tuple[Any, str, str | None, str]  # when, what, who, in which words

_FIELDS = (
    *("product", "module", "status", "state", "priority", "severity", "issue_type", "reporter", "owner"),
    *("manager", "customer", "project_name", "site", "found_version", "fixed_version", "target_version"),
    *("registered_date", "modified_date", "closed_date", "removed_at", "removed_reason", "last_crawled_at"),
)
_BEGINNING = 1000  # characters of each file's text where no file was asked for


class Page(NamedTuple):
    """Which of many are shown."""

    offset: int
    limit: int


def shown(
    acting: Acting, issue: Mapping[str, Any], file: int | None, page: Page, budget: Budget
) -> tuple[str, dict[str, Any]] | None:
    """Tell an issue: with its timeline and how its files begin, or with the text of one of them.

    Args:
        acting: for who asks.
        issue: as :func:`pipeline.search.stored_issue.read_issue` reads it.
        file: the file's number, from 1; None: the timeline.
        page: of the timeline's events, or of the parts of the file's text.
        budget: for all texts. What was asked for comes before what goes with it.

    Returns:
        what is shown of how much, and the parts of the answer; None: there is no such file.
    """
    attachments = issue["attachments"]
    if file is not None:
        if file > len(attachments):
            return None
        one, total = _with_text(acting, file, attachments[file - 1], page, budget)
        what = f"{len(one.parts)} of {total} parts of the file's text"
        return what, {**_head(issue, budget), "timeline": [], "files": [one]}
    head = _head(issue, budget)
    events = _in_order(issue)
    timeline = [
        Event(at=at, kind=kind, author=budget.take_or_none(author), text=budget.take(text))
        for at, kind, author, text in events[page.offset : page.offset + page.limit]
    ]
    files = [_file(number, row, budget) for number, row in enumerate(attachments, 1)]
    return f"{len(timeline)} of {len(events)} events", {**head, "timeline": timeline, "files": files}


def _head(issue: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """The description, what the issue has, the tracker's own fields, and relations that there are now."""
    description = budget.take_or_none(issue["description"])
    told = {name: str(issue[name]) for name in _FIELDS if issue[name] is not None}
    own = {str(name): value for name, value in issue["full_data"].items() if value is not None}
    relations = [
        Relation(
            relation=budget.take_or_none(row["relation_type"]),
            issue_id=budget.take(row["related_issue_id"]),
            title=budget.take_or_none(row["title"]),
        )
        for row in issue["relations"]
        if row["removed_at"] is None
    ]
    fields = {
        **{budget.take(name): budget.take(_text(value)) for name, value in own.items()},
        **{name: budget.take(value) for name, value in told.items()},
    }
    return {"description": description, "fields": fields, "relations": relations}


def _with_text(
    acting: Acting, number: int, row: Mapping[str, Any], page: Page, budget: Budget
) -> tuple[File, int]:
    """A file with parts of its text, and how many parts there are."""
    this = {"user_id": row["user_id"], "sha256": row["sha256"], **page._asdict()}
    told = acting.rows("assistant", "file_parts", this) if row["downloaded"] else []
    parts = [
        FilePart(
            member=budget.take(part["member"]),
            first_line=part["first_line"],
            text=budget.take(part["content"]),
        )
        for part in told
    ]
    file = _file(number, {**row, "extracted_text": None}, budget)
    return file.model_copy(update={"parts": parts}), told[0]["total"] if told else 0


def _in_order(issue: Mapping[str, Any]) -> list[_Happened]:
    """What happened, in the order of time; what has no time comes last."""
    found = [*_events(issue)]
    dated = sorted((event for event in found if event[0] is not None), key=lambda event: event[0])
    return [*dated, *(event for event in found if event[0] is None)]


def _file(number: int, row: Mapping[str, Any], budget: Budget) -> File:
    text = row["extracted_text"]
    return File(
        number=number,
        name=budget.take_or_none(row["filename"]),
        size=row["file_size"],
        kind=row["kind"] or row["file_type"],
        text=None if text is None else budget.take(text[:_BEGINNING]),
        why_no_text=row["text_error"] or (None if row["downloaded"] else "not fetched"),
    )


def _events(issue: Mapping[str, Any]) -> Iterator[_Happened]:
    for row in issue["history"]:
        yield row["changed_at"], "change", row["changed_by"], _change(row)
    for row in issue["comments"]:
        gone = " (removed at the tracker)" if row["removed_at"] else ""
        yield row["commented_at"], "comment" + gone, row["author"], row["content"] or ""
    for row in issue["attachments"]:
        yield row["attached_at"], "file", row["author"], row["filename"] or ""


def _change(row: Mapping[str, Any]) -> str:
    if not row["field_name"]:
        return str(row["description"] or row["change_type"] or "")
    if row["old_value"] is None and row["new_value"] is None:
        return f"{row['field_name']}: {row['description'] or 'changed'}"
    return f"{row['field_name']}: {row['old_value'] or ''} → {row['new_value'] or ''}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
