"""What a ticket's page shows the place of, or tells elsewhere, and does not show: a warning for each.

A page that lost whole changes fails its gate before that. Here is what a field, a text or a file lost, as a
plugin's template or a theme may leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from crawler.html import Node
from crawler.records import AttachmentRecord
from crawler.sources.trac.parse.changes import Changes
from crawler.sources.trac.parse.dates import Dates
from crawler.sources.trac.parse.earlier import Heading
from crawler.sources.trac.parse.script import Told

_SHOWN = frozenset({"priority", "severity", "component", "owner", "version", "milestone", "keywords", "cc"})


def gaps_above(
    heading: Heading, box: Node, description: str | None, changes: Changes, dates: Dates, script: Told
) -> Iterator[str]:
    """Say what is missing of a ticket's heading, times and description.

    Args:
        heading: what stands above the ticket.
        box: the element that tells its times.
        description: as it was read; None: the page has no place for it.
        changes: the ticket's history.
        dates: its times.
        script: what the page's script tells.
    """
    if not heading.title:
        yield "The page does not tell the ticket's summary."
    # A ticket without a type has no element for it.
    if not heading.issue_type and (heading.issue_type == "" or script.values.get("type")):
        yield "The page does not show the ticket's type."
    if description is None:
        yield "The page has no place for the ticket's description."
    elif not description and script.values.get("description", "").strip():
        yield "The page shows nothing of the ticket's description."
    yield from _chain("status", heading.status, changes)
    yield from _chain("resolution", heading.resolution, changes)
    if not script.values and dates.modified is not None and dates.words is None:
        yield from _times(box, heading, changes, dates.opened, dates.modified)


def gaps_of_properties(
    cells: Sequence[Node],
    labels: Mapping[str, str],
    values: Mapping[str, str],
    script: Told,
    *,
    is_numbered: bool,
) -> Iterator[str]:
    """Say what is missing of the table of properties.

    Args:
        cells: of the table.
        labels: what each field is called there, by its name.
        values: what each field is.
        script: what the page's script tells.
        is_numbered: this is a page of Trac 1.0 or later.
    """
    empty = {(cell.attribute("id") or "").removeprefix("h_") for cell in cells if "missing" in _classes(cell)}
    marks = is_numbered or bool(empty)  # Trac 0.11 has no mark for a field without a value
    for name, label in labels.items():
        if name not in values:
            yield f"The page has no value beside the label of {name}."
        elif not label:
            yield f"The page has an empty label for {name}."
        elif marks and name not in empty and not values[name]:
            yield f"The page does not show what {name} is."
    for name in values.keys() - labels.keys():
        yield f"The page has no label for the value of {name}."
    for name in _SHOWN - values.keys():
        if script.values.get(name, "").strip():
            yield f"The page has no place for the ticket's {name}."


def gaps_below(
    files: Sequence[AttachmentRecord], changes: Changes, script: Told, *, is_numbered: bool
) -> Iterator[str]:
    """Say what is missing of the files and of the history.

    Args:
        files: that the page lists.
        changes: the ticket's history.
        script: what the page's script tells.
        is_numbered: this is a page of Trac 1.0 or later, which says how many changes it has.
    """
    yield from _files(files, changes, is_numbered=is_numbered)
    yield from _changes(changes, script)


def _classes(cell: Node) -> str:
    return (cell.attribute("class") or "") if cell.name == "th" else ""


def _files(files: Sequence[AttachmentRecord], changes: Changes, *, is_numbered: bool) -> Iterator[str]:
    for file in files:
        missing = [
            what
            for what, value in (
                ("size", file.file_size),
                ("author", file.author),
                ("time", file.attached_at),
                ("address", file.download_url),
            )
            if value is None
        ]
        if missing:
            yield f"The page does not tell the {' and the '.join(missing)} of the file {file.filename!r}."
    told = {each.new_value: each.description for each in changes.history if each.change_type == "attachment"}
    listed: dict[str | None, str | None] = {file.filename: file.description for file in files}
    for name in told.keys() - listed.keys():
        yield f"The history tells of the file {name!r}, and the page does not list it."
    if not is_numbered:
        for name in listed.keys() - told.keys():
            yield f"The page lists the file {name!r}, and its history does not tell of it."
    for name in told.keys() & listed.keys():
        if bool(told[name]) != bool(listed[name]):
            yield f"The page describes the file {name!r} in one of two places only."


def _changes(changes: Changes, script: Told) -> Iterator[str]:
    shown = {comment.number for comment in changes.comments}
    for (number, _), told in script.changes.items():
        if number not in shown and told.wordings and told.wordings[-1].text.strip():
            yield f"The page does not show comment {number}, of which its script tells."
    for comment in changes.comments:
        if comment.commented_at is None:
            yield f"The page does not tell when comment {comment.number} was written."
    for change in changes.history:
        if change.changed_at is None:
            yield f"The page does not tell when the change {change.source_id} was made."


def _chain(name: str, now: str | None, changes: Changes) -> Iterator[str]:
    """Hold each change of a field against the one before it; only of fields whose values nobody renames."""
    for change in reversed(changes.history):
        if change.field_name != name or change.new_value is None:
            continue
        if change.new_value != (now or ""):
            yield f"The history has a gap: it does not tell how {name} became {now or 'empty'}."
        now = change.old_value


def _times(
    box: Node, heading: Heading, changes: Changes, opened: datetime | None, modified: datetime
) -> Iterator[str]:
    """Hold the times above the ticket against those of its history."""
    times = [each.changed_at for each in changes.history if each.change_type == "field"]
    times += [each.commented_at for each in changes.comments]
    happened = {moment.replace(microsecond=0) for moment in times if moment is not None}
    # In Trac 0.12 an edit of a comment is a change of its ticket.
    edited = {each.changed_at for each in changes.history if each.change_type == "comment"}
    told = modified.replace(microsecond=0)
    if max(happened, default=told) > told:
        yield "The ticket was changed later than the page tells."
    elif not heading.is_numbered and told != opened and told not in happened | edited:
        yield "The page does not show the last change, whose time it tells."
    elif len(box.children()) == 1 and opened is not None and _begins_late(happened, opened, heading):
        yield "The page tells one time only, which is that of a change."


def _begins_late(happened: set[datetime], opened: datetime, heading: Heading) -> bool:
    """Whether a ticket was changed before it was opened: then the time is that of its last change."""
    first = min(happened, default=None)
    # Before 1.0 a change within the second in which a ticket was opened leaves one time on its page.
    return first is not None and (first < opened or (first == opened and heading.is_numbered))
