"""Read the change history of a Trac ticket: its comments and every change of a field.

Which changes there are is told by the page, and what exactly changed by its script, where there is one
(:mod:`crawler.sources.trac.parse.script`). Else the words tell. They have what lists such as Cc gained and
lost, not what they were; and say of an owner in the session's language whether it was set or removed. Both
are worked out backwards from what the field is now.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import islice, pairwise
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import replace

from crawler.html import Node
from crawler.html.text import one_line
from crawler.records import ChangeRecord, CommentRecord
from crawler.sources.trac.parse.earlier import (
    changes_of,
    items_in,
    items_of,
    list_before,
    name_of,
    said_by,
    values_of,
    words_of,
)
from crawler.sources.trac.parse.markup import (
    child,
    filename_of,
    has_class,
    identity_of,
    moment_of,
    name_in,
)
from crawler.sources.trac.parse.script import Told, ToldChange, Value
from crawler.sources.trac.parse.values import display_name

_FIELD = re.compile(r"(?:^|\s)trac-field-(\S+)")
_PEOPLE = frozenset({"owner", "reporter"})
_ARROW = " → "
_YES_NO = ("no", "yes")
_MOST_MISSING = 20  # changes that are named
# Where an item of a list is called so, or is more than a word, its words can be taken apart in several ways.
_AMBIGUOUS = re.compile(r"(?:^|\s)(?:added|removed)(?:\s|$)|[;\"<]")


class Changes(Struct, frozen=True, kw_only=True):
    """The history of one ticket."""

    comments: tuple[CommentRecord, ...]
    history: tuple[ChangeRecord, ...]
    replies: Mapping[int, int | str]  # which comment answers which, or the description
    entries: int  # how many changes were read
    unsaid: int  # how many of them have a box for a comment that is none, but a file's description or empty
    edited: int  # how many comments were edited
    names: Mapping[str, str]  # how login names are shown
    flaw: str | None  # what one of them has that none can have, as on a page that lost a piece
    doubts: tuple[str, ...] = ()  # where the page's script says something else than its words


class _Row(Struct, frozen=True, kw_only=True):
    """One change of one field, with its cell for what only later steps can tell."""

    record: ChangeRecord
    cell: Node


def read_changes(
    changelog: Node | None, properties: Mapping[str, str], labels: Mapping[str, str], script: Told
) -> Changes:
    """Read all changes.

    Args:
        changelog: the element `#changelog`; None where the page has none.
        properties: what each field is now, under Trac's own names.
        labels: what each field is called, under the same names; its own name where that is not known.
        script: what the page's script tells.
    """
    comments: list[CommentRecord] = []
    rows: list[_Row | ChangeRecord] = []
    replies: dict[int, int | str] = {}
    unsaid = edited = 0
    flaw = None
    doubts: list[str] = []
    names: dict[str, str] = {}
    untimed: set[int] = set()  # changes of a Trac before 1.0, which does not say how many there are
    seen: Counter[str] = Counter()  # of the files of one name
    changes = [] if changelog is None else changes_of(changelog)
    for change in changes:
        number, exact = identity_of(change)
        heading = child(change, "change", tag="h3")
        author, tells_author = said_by(heading)
        moment = exact or moment_of(heading)
        told = script.changes.get((number, exact)) if number is not None and exact is not None else None
        if told is not None:
            names |= display_name(told.author, author)
            author = told.author
        elif number is not None and script.changes:
            doubts.append(f"The page's script does not tell of change {number}.")
        box = child(change, "comment")
        content = "" if box is None else box.prose()
        # Trac before 1.0, which tells no microseconds, makes a box for every change.
        words = None if exact is None and not content else box
        if exact is None and number is not None:
            untimed.add(number)
            if box is None:
                doubts.append(f"The page has no place for the comment of change {number}.")
        cells = _cells(change, labels)
        fields = (
            _files(cells, author, moment, content, script, seen)
            if number is None
            else _rows(cells, number, author, moment, told, doubts)
        )
        if told is not None and len(fields) < len(told.fields):
            flaw = f"a change, {number}, that shows fewer fields than it changed"
        edits = _edits(change, number, told)
        if number is None and all(isinstance(row, _Row) for row in fields):
            flaw = "a change without a number that is not that of an attachment"
        if words is None and not fields and not edits:
            flaw = f"a change, {number}, in which nothing was changed"
        rows += fields
        if not tells_author:
            flaw = f"a change, {number}, that does not tell who made it"
        if words is not None and number is not None:
            comments.append(_comment(number, author, moment, content))
        unsaid += box is not None and (words is None or number is None)
        rows += edits
        edited += child(change, "trac-lastedit") is not None
        if number is not None and (parent := _parent(heading)) is not None:
            replies[number] = parent
    missing = (number for number in range(1, max(untimed, default=0)) if number not in untimed)
    doubts += [f"The page does not show change {number}." for number in islice(missing, _MOST_MISSING)]
    return Changes(
        comments=tuple(comments),
        history=tuple(_resolved(rows, dict(properties))),
        replies=replies,
        entries=len(changes),
        unsaid=unsaid,
        edited=edited,
        names=names,
        flaw=flaw,
        doubts=tuple(doubts),
    )


def _comment(number: int, author: str | None, moment: datetime | None, content: str) -> CommentRecord:
    return CommentRecord(
        source_id=str(number), number=number, author=author, content=content, commented_at=moment
    )


def _parent(heading: Node | None) -> int | str | None:
    """What a change answers: the number of a comment, or `description`."""
    threading = None if heading is None else child(heading, "threading")
    for link in [] if threading is None else threading.select("a"):
        if has_class(link, "in-reply-to") or link.line().startswith("↑"):  # others lead to its answers
            answered = (link.attribute("href") or "").rpartition(":")[2]
            return int(answered) if answered.isdecimal() else answered or None
    return None


def _edits(change: Node, number: int | None, told: ToldChange | None) -> list[ChangeRecord]:
    """The edits of a comment; without a script the last one, as earlier ones stand on pages of their own."""
    name = f"comment:{number}"  # without Trac's words, which say how long ago it was
    wordings = () if told is None else told.wordings
    if len(wordings) > 1:
        return [
            ChangeRecord(
                source_id=f"{number}.edit.{version}",
                changed_by=after.author,
                changed_at=after.at,
                change_type="comment",
                field_name=name,
                old_value=before.text,
                new_value=after.text,
            )
            for version, (before, after) in enumerate(pairwise(wordings), start=1)
        ]
    mark = child(change, "trac-lastedit")
    if mark is None:
        return []
    edit = ChangeRecord(
        source_id=f"{number}.edit",
        changed_by=said_by(mark)[0],
        changed_at=moment_of(mark),
        change_type="comment",
        field_name=name,
    )
    return [edit]


def _cells(change: Node, labels: Mapping[str, str]) -> list[tuple[str, Node]]:
    """Each changed field with what is said of it, by its name: the page's order is that of its labels."""
    panel = child(change, "trac-change-panel") or change
    table = child(panel, "changes", tag="table")
    cells: list[tuple[str, Node]] = []
    for row in items_of(change) if table is None else table.select("tr"):
        named = _FIELD.search(row.attribute("class") or "")
        cell = row if row.name == "li" else row.select_one("td")
        name = named[1] if named is not None else name_of(row, labels) if row.name == "li" else None
        if name is not None and cell is not None:
            cells.append((name, cell))
    return sorted(cells, key=itemgetter(0))


def _files(
    cells: list[tuple[str, Node]],
    author: str | None,
    moment: datetime | None,
    words: str,
    script: Told,
    seen: Counter[str],
) -> list[_Row | ChangeRecord]:
    """The change that brought an attachment; anything else that has no number is left as it is."""
    rows: list[_Row | ChangeRecord] = []
    for field_name, cell in cells:
        link = cell.select_one("a")
        if field_name != "attachment" or link is None:
            rows.append(_Row(record=_record(field_name, cell, author, moment), cell=cell))
            continue
        name = filename_of(link)
        told = script.file(name, seen[name], moment)
        seen[name] += 1
        rows.append(
            ChangeRecord(
                source_id=f"attachment.{name}",
                changed_by=author if told is None else told.author,
                changed_at=moment if told is None else told.at,
                change_type="attachment",
                field_name=field_name,
                new_value=name,
                description=words or None,
            )
        )
    return rows


def _record(name: str, cell: Node, author: str | None, moment: datetime | None) -> ChangeRecord:
    return ChangeRecord(changed_by=author, changed_at=moment, field_name=name, description=words_of(cell))


def _rows(
    cells: list[tuple[str, Node]],
    number: int,
    author: str | None,
    moment: datetime | None,
    told: ToldChange | None,
    doubts: list[str],
) -> list[_Row | ChangeRecord]:
    rows: list[_Row | ChangeRecord] = []
    for name, cell in cells:
        record = replace(_record(name, cell, author, moment), source_id=f"{number}.{name}")
        values = None if told is None else told.fields.get(name)
        if values is not None and not _agrees(cell, values):
            doubts.append(f"The page's script and its words tell change {number} of {name} differently.")
            values = None
        if values is None:
            rows.append(_Row(record=record, cell=cell))
            continue
        old, new = _switch(cell, values) or tuple(map(_text, values))
        # The words are the session's: of its language, zone and rights.
        rows.append(replace(record, old_value=old, new_value=new, description=None))
    return rows


def _marked(cell: Node) -> dict[str, str]:
    """What stands in the marks of an old and a new value."""
    return {
        kind: found.line()
        for kind in ("old", "new", "deleted")
        if (found := cell.select_one(f"span.trac-field-{kind}")) is not None
    }


def _agrees(cell: Node, values: tuple[Value, Value]) -> bool:
    """Whether the marked words of a change are the values that the script tells; times look different."""
    marked = _marked(cell)
    if not marked or any(isinstance(value, datetime) for value in values):
        return True
    told = [one_line(str(value)) for value in values]
    return told == [marked.get("old", marked.get("deleted", "")), marked.get("new", "")]


def _switch(cell: Node, values: tuple[Value, Value]) -> tuple[str, str] | None:
    """What a check box was and became, as its property says it; None: the field is no check box."""
    old, new = values
    # Any other field shows its values, within marks.
    is_box = {old, new} <= {"", "0", "1"} and not cell.children()
    return (_YES_NO[old == "1"], _YES_NO[new == "1"]) if is_box else None


def _text(value: Value) -> str:
    return value.isoformat() if isinstance(value, datetime) else value


def _resolved(rows: list[_Row | ChangeRecord], now: dict[str, str]) -> list[ChangeRecord]:
    history: list[ChangeRecord] = []
    for row in reversed(rows):
        if isinstance(row, ChangeRecord):
            history.append(row)
            if row.change_type == "field" and row.field_name is not None and row.old_value is not None:
                now[row.field_name] = row.old_value
            continue
        name = row.record.field_name or ""
        values = _values(row.cell, row.record.description or "", name, now.get(name))
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


def _values(cell: Node, words: str, name: str, now: str | None) -> tuple[str | None, str | None] | None:
    """What a field was and became; None where the words cannot be taken apart."""
    marked = _marked(cell)
    if marked:
        return marked.get("old", marked.get("deleted", "")), marked.get("new", "")
    if (values := values_of(cell, words)) is not None:
        return values
    if name in _PEOPLE:
        return _person(cell, now)
    if cell.select_one('a[href*="action=diff"]') is not None:
        return None, None  # a long text: the page only says that it was changed
    if (items := items_in(cell, words)) is not None:
        return (None if now is None else list_before(name, now, *items)), now
    gained, lost = _gained_lost(words)
    if gained or lost:
        return None if _AMBIGUOUS.search(f"{gained} {lost}") else _list(gained, lost, now)
    if words in ("set", "unset"):  # a check box
        return _YES_NO if words == "set" else _YES_NO[::-1]
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
    names = [name_in(node) for node in cell.select('[class^="trac-author"]')]
    names = names or [node.line() for node in cell.select("em")]
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
