"""``show``: one stored issue as a readable page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import Everybody, trackers
from cli.attachments import file_lines, how_to_open
from cli.output import one_line, print_json, safe

_REASONS = {
    "deleted": "the issue was deleted",
    "moved": "the issue was moved to another number",
    "denied": "the issue is no longer visible to you",
}
_FIELDS = (
    "product",
    "module",
    "status",
    "state",
    "priority",
    "severity",
    "issue_type",
    "reporter",
    "owner",
    "manager",
    "customer",
    "project_name",
    "site",
    "found_version",
    "fixed_version",
    "target_version",
    "registered_date",
    "modified_date",
    "closed_date",
    "removed_at",
    "removed_reason",
)


def show(
    issue: Annotated[str, typer.Argument(help="the issue's number or key")],
    tracker: Annotated[
        str | None,
        typer.Option(help="the tracker, if several have this issue", autocompletion=trackers),
    ] = None,
    timeline: Annotated[
        bool,
        typer.Option("--timeline", help="comments, history and attachments in one list, by time"),
    ] = False,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Show a stored issue: fields, description, comments, history, attachments, relations."""
    from cli.pager import show_lines
    from pipeline.bootstrap import start
    from pipeline.completion import note_files
    from pipeline.search.stored_issue import read_issue

    program = start(asks_only=True)
    found = read_issue(program.user_id, issue, tracker, everybody=everybody)
    if as_json:
        print_json(found)
        return
    note_files(found["issue_id"], [each["filename"] for each in found["attachments"]])
    show_lines(_page(found, program.home, timeline=timeline))


def _page(issue: dict[str, Any], home: Path, *, timeline: bool) -> Iterator[str]:
    from pipeline.search.timeline import plain

    yield one_line(f"{issue['tracker'] or 'by hand'} {issue['issue_id']}  {issue['title']}")
    if issue["url"]:
        yield one_line(issue["url"])
    if "owner_user" in issue:
        yield one_line(f"of user {issue['owner_user']}")
    yield ""
    for name in _FIELDS:
        if issue[name] is not None:
            yield f"{name.replace('_', ' '):<16} {_shown(issue[name])}"
    for name, value in issue["full_data"].items():
        yield f"{one_line(name):<16} {_shown(plain(value))}"
    if issue["description"]:
        yield from ("", "Description", *_indented(issue["description"]))
    if timeline:
        yield from _timeline(issue)
    else:
        yield from _section("Comments", issue["comments"], _comment)
        yield from _section("History", issue["history"], _change)
        yield from _section("Attachments", issue["attachments"], partial(file_lines, home, issue["issue_id"]))
    if any(each["downloaded"] for each in issue["attachments"]):
        yield f"  {how_to_open(issue['issue_id'])}"
    yield from _section("Relations", issue["relations"], _relation)


def _timeline(issue: dict[str, Any]) -> Iterator[str]:
    """Tell what happened in the order of time; what has no time comes last, each kind in its own order."""
    events = [
        *((row["changed_at"], _change(row)) for row in issue["history"]),
        *((row["commented_at"], _comment(row)) for row in issue["comments"]),
        *((row["attached_at"], _attached(row)) for row in issue["attachments"]),
        *_vanished(issue),
    ]
    dated = sorted((event for event in events if event[0] is not None), key=lambda event: event[0])
    undated = [event for event in events if event[0] is None]
    if events:
        yield from ("", f"Timeline ({len(events)})")
        for _, lines in (*dated, *undated):
            yield from lines


def _vanished(issue: dict[str, Any]) -> Iterator[tuple[datetime, Iterator[str]]]:
    """What is no longer at the tracker, as of the crawl that saw it."""
    gone: list[tuple[datetime | None, str]] = [
        (issue["removed_at"], _REASONS.get(issue["removed_reason"], "gone"))
    ]
    for row in issue["comments"]:
        number = f" {row['comment_number']}" if row["comment_number"] is not None else ""
        gone.append(
            (row["removed_at"], f"comment{number} of {_shown(row['author']) or 'somebody'} was deleted")
        )
    gone += [(row["removed_at"], f"{one_line(row['filename'])} was removed") for row in issue["attachments"]]
    gone += [
        (row["removed_at"], f"no longer {one_line(row['relation_type'])} {one_line(row['related_issue_id'])}")
        for row in issue["relations"]
    ]
    return ((at, iter([f"  {_shown(at)}  − {what}"])) for at, what in gone if at is not None)


def _section(title: str, rows: list[dict[str, Any]], lines: Any) -> Iterator[str]:
    if rows:
        yield from ("", f"{title} ({len(rows)})")
        for row in rows:
            yield from lines(row)


def _comment(row: dict[str, Any]) -> Iterator[str]:
    gone = " (removed)" if row["removed_at"] else ""
    number = f"{row['comment_number']}. " if row["comment_number"] is not None else ""
    yield f"  {number}{_shown(row['commented_at'])}  {_shown(row['author'])}{gone}"
    yield from _indented(row["content"] or "", by=6)


def _change(row: dict[str, Any]) -> Iterator[str]:
    unknown = row["old_value"] is None and row["new_value"] is None
    if row["field_name"] and unknown:
        # The tracker's words, where it did not say what the field was and became.
        what = f"{row['field_name']}: {row['description'] or 'changed'}"
    elif row["field_name"]:
        what = f"{row['field_name']}: {_value(row['old_value'])} → {_value(row['new_value'])}"
    else:
        what = row["description"] or row["change_type"]
    yield f"  {_shown(row['changed_at'])}  {_shown(row['changed_by'])}  {one_line(what)}"


def _attached(row: dict[str, Any]) -> Iterator[str]:
    size = f", {row['file_size']:,} bytes" if row["file_size"] is not None else ""
    what = f"{one_line(row['filename'])}{size}"
    yield f"  {_shown(row['attached_at'])}  {_shown(row['author'])}  + {what}"


def _relation(row: dict[str, Any]) -> Iterator[str]:
    yield f"  {one_line(row['relation_type'])} {one_line(row['related_issue_id'])}  {_shown(row['title'])}"


def _shown(value: object) -> str:
    from cli.output import cell

    return cell(value).plain


def _value(text: str | None) -> str:
    from pipeline.search.timeline import plain_json

    return _shown(plain_json(text))


def _indented(text: str, *, by: int = 2) -> Iterator[str]:
    for line in safe(text).splitlines():
        yield " " * by + line
