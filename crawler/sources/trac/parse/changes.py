"""Read the change history of a Trac ticket: its comments and every change of a field.

Trac shows what lists such as Cc gained and lost, not what they were; and says of an owner in words of the
session's language whether it was set or removed. Both are worked out backwards from what the field is now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crawler.html import Node
from crawler.records import ChangeRecord, CommentRecord
from crawler.sources.trac.parse.markup import author_of, child, filename_of, has_class, identity_of, moment_of

_FIELD = re.compile(r"(?:^|\s)trac-field-(\S+)")
_PEOPLE = frozenset({"owner", "reporter"})
_ARROW = " → "


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The history of one ticket."""

    comments: tuple[CommentRecord, ...]
    history: tuple[ChangeRecord, ...]
    replies: Mapping[int, int]  # which comment answers which
    entries: int  # how many changes were read
    described: int  # how many of them show the description of an attachment
    flaw: str | None  # what one of them has that none can have, as on a page that lost a piece


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One change of one field, with its cell for what only later steps can tell."""

    record: ChangeRecord
    cell: Node


def read_changes(changelog: Node | None, properties: Mapping[str, str]) -> Changes:
    """Read all changes.

    Args:
        changelog: the element `#changelog`; None where the page has none.
        properties: what each field is now, under Trac's own names.
    """
    comments: list[CommentRecord] = []
    rows: list[_Row | ChangeRecord] = []
    replies: dict[int, int] = {}
    described = 0
    flaw = None
    changes = (
        [] if changelog is None else [node for node in changelog.children() if has_class(node, "change")]
    )
    for change in changes:
        number, exact = identity_of(change)
        heading = child(change, "change", tag="h3")
        author, moment = author_of(heading), exact or moment_of(heading)
        words = child(change, "comment")
        content = "" if words is None else words.text()
        fields = _rows(change, number, author, moment, content if number is None else None)
        edits = _edit(change, number)
        if number is None and all(isinstance(row, _Row) for row in fields):
            flaw = "a change without a number that is not that of an attachment"
        if words is None and not fields and not edits:
            flaw = f"a change, {number}, in which nothing was changed"
        rows += fields
        if words is not None and number is not None:
            comments.append(_comment(number, author, moment, content))
        described += words is not None and number is None
        rows += edits
        if number is not None and (parent := _parent(heading)) is not None:
            replies[number] = parent
    return Changes(
        comments=tuple(comments),
        history=tuple(_resolved(rows, dict(properties))),
        replies=replies,
        entries=len(changes),
        described=described,
        flaw=flaw,
    )


def _comment(number: int, author: str | None, moment: datetime | None, content: str) -> CommentRecord:
    return CommentRecord(
        source_id=str(number), number=number, author=author, content=content, commented_at=moment
    )


def _parent(heading: Node | None) -> int | None:
    link = None if heading is None else heading.select_one("a.in-reply-to")
    digits = "" if link is None else (link.attribute("href") or "").rpartition(":")[2]
    return int(digits) if digits.isdecimal() else None


def _edit(change: Node, number: int | None) -> list[ChangeRecord]:
    """The last edit of a comment; earlier ones stand on pages of their own."""
    mark = child(change, "trac-lastedit")
    if mark is None:
        return []
    edit = ChangeRecord(
        source_id=f"{number}.edit",
        changed_by=author_of(mark),
        changed_at=moment_of(mark),
        change_type="comment",
        field_name=f"comment:{number}",  # without Trac's words, which say how long ago it was
    )
    return [edit]


def _rows(
    change: Node, number: int | None, author: str | None, moment: datetime | None, words: str | None
) -> list[_Row | ChangeRecord]:
    panel = child(change, "trac-change-panel") or change
    table = child(panel, "changes", tag="table")
    rows: list[_Row | ChangeRecord] = []
    for row in [] if table is None else table.select("tr"):
        named, cell = _FIELD.search(row.attribute("class") or ""), row.select_one("td")
        if named is None or cell is None:
            continue
        record = ChangeRecord(
            source_id=None if number is None else f"{number}.{named[1]}",
            changed_by=author,
            changed_at=moment,
            field_name=named[1],
            description=cell.line(),
        )
        link = cell.select_one("a")
        if named[1] == "attachment" and number is None and link is not None:
            name = filename_of(link)
            rows.append(
                replace(
                    record,
                    source_id=f"attachment.{name}",
                    change_type="attachment",
                    new_value=name,
                    description=words or None,
                )
            )
        else:
            rows.append(_Row(record=record, cell=cell))
    return rows


def _resolved(rows: list[_Row | ChangeRecord], now: dict[str, str]) -> list[ChangeRecord]:
    history: list[ChangeRecord] = []
    for row in reversed(rows):
        if isinstance(row, ChangeRecord):
            history.append(row)
            continue
        name = row.record.field_name or ""
        values = _values(row.cell, name, now.get(name))
        if values is None:
            history.append(replace(row.record, change_type="text"))
            now.pop(name, None)  # from here on backwards nobody knows what it was
            continue
        old, new = values
        if old is None:
            now.pop(name, None)
        else:
            now[name] = old
        history.append(replace(row.record, old_value=old, new_value=new))
    history.reverse()
    return history


def _values(cell: Node, name: str, now: str | None) -> tuple[str | None, str | None] | None:
    """What a field was and became; None where the words cannot be taken apart."""
    marked = {
        kind: found.line()
        for kind in ("old", "new", "deleted")
        if (found := cell.select_one(f"span.trac-field-{kind}")) is not None
    }
    if marked:
        return marked.get("old", marked.get("deleted", "")), marked.get("new", "")
    if name in _PEOPLE:
        return _person(cell, now)
    words = cell.line()
    if cell.select_one('a[href*="action=diff"]') is not None:
        return None, None  # a long text: the page only says that it was changed
    gained, lost = _gained_lost(words)
    if gained or lost:
        return _list(gained, lost, now)
    if words in ("set", "unset"):  # a check box
        return ("unset", "set") if words == "set" else ("set", "unset")
    if words.count(_ARROW) == 1:
        old, _, new = words.partition(_ARROW)
        return old, new
    return None


def _gained_lost(words: str) -> tuple[str, str]:
    """What a list gained and lost: `a, b added; c removed`, or one of the two."""
    if words.endswith(" added"):
        return words.removesuffix(" added"), ""
    if not words.endswith(" removed"):
        return "", ""
    gained, _, lost = words.removesuffix(" removed").rpartition(" added; ")
    return gained, lost


def _person(cell: Node, now: str | None) -> tuple[str | None, str | None] | None:
    names = [node.line() for node in cell.select('[class^="trac-author"]')]
    if len(names) == 2:
        return names[0], names[1]
    if len(names) != 1:
        return None
    words = cell.line()
    if now is None:  # only the session's language can tell
        now = names[0] if words.endswith(names[0]) else ""
    return ("", names[0]) if now else (names[0], "")


def _list(gained: str, lost: str, now: str | None) -> tuple[str | None, str | None]:
    if now is None:
        return None, None
    new = _items(now)
    added = _items(gained)
    old = [*(item for item in new if item not in added), *_items(lost)]
    return ", ".join(old), now


def _items(text: str) -> list[str]:
    return [item for item in re.split(r"[;,\s]+", text) if item]
