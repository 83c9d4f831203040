"""One bad cell never costs an issue: what cannot be stored is mended, and what was mended is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar

from msgspec.structs import replace

from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, PackedPageRow, RelationRow
from db.sanitize import BIGINT_MAX, EARLIEST, INTEGER_MAX, LATEST, storable_json, storable_text

STATES = frozenset({"open", "in_progress", "done", "unknown"})
LONGEST_ID = 500  # characters of an issue's number or key
LONGEST_WORD = 600  # characters of what is part of an index, whose entries hold 2,700 bytes
_TOGETHER = 1 << 20  # characters that are looked at together
MOST_NOTES = 10  # a thousand bad cells need no thousand sentences

_texts: attrgetter[tuple[str | None, ...]] = attrgetter(
    *("url", "title", "description", "product", "status", "priority", "severity", "issue_type", "reporter"),
    *("owner", "manager", "project_code", "project_name", "site", "customer", "module", "found_version"),
    *("fixed_version", "target_version"),
)
_comment_texts = attrgetter("source_id", "author", "content")
_change_texts = attrgetter(
    *("source_id", "changed_by", "change_type", "field_name", "old_value", "new_value", "description")
)
_attachment_texts = attrgetter(
    *("source_id", "filename", "file_type", "download_url", "author", "description")
)
_relation_texts = attrgetter("related_issue_id", "relation_type", "title")

Child = TypeVar("Child", CommentRow, ChangeRow, AttachmentRow, RelationRow)


class RowRefused(ValueError):
    """The row cannot be stored, whatever is mended; ``str()`` says why."""


def check_number(issue_id: str) -> None:
    """Look at what the issue is known by: it cannot be mended without becoming another issue's.

    Raises:
        RowRefused: it is empty, too long, or holds what cannot be stored.
    """
    if not issue_id:
        raise RowRefused("The issue has no number.")
    if len(issue_id) > LONGEST_ID or storable_text(issue_id) is not issue_id:
        raise RowRefused("The issue's number is too long or holds characters that cannot be stored.")


def is_plain(row: IssueRow, full_data: str) -> bool:
    """Tell whether nothing of the row needs mending.

    Args:
        row: the issue.
        full_data: the row's, in canonical JSON, where bad characters are escapes.
    """
    return _bounded(row) and _sane(row) and _encodable(row) and not _ESCAPES.search(full_data)


def is_sane(moment: datetime) -> bool:
    """Tell whether the time has a zone and is one that can be stored and read again."""
    return moment.tzinfo is not None and EARLIEST <= moment <= LATEST


_ESCAPES = re.compile(r"\\u(?:0000|d[89a-f])|\d{4000}")  # NUL, half a pair (or a whole one), endless numbers


def _bounded(row: IssueRow) -> bool:
    return (
        row.state in STATES
        and (row.product is None or len(row.product) <= LONGEST_WORD)
        and all(c.number is None or 0 <= c.number <= INTEGER_MAX for c in row.comments)
        and all(a.file_size is None or 0 <= a.file_size <= BIGINT_MAX for a in row.attachments)
        and all(len(r.related_issue_id) <= LONGEST_ID for r in row.relations)
        and all(len(r.relation_type) <= LONGEST_WORD for r in row.relations)
    )


def _sane(row: IssueRow) -> bool:
    moments = [row.registered_date, row.modified_date, row.closed_date]
    moments += [comment.commented_at for comment in row.comments]
    moments += [change.changed_at for change in row.history]
    moments += [attachment.attached_at for attachment in row.attachments]
    return all(moment is None or is_sane(moment) for moment in moments)


def _encodable(row: IssueRow) -> bool:
    texts = list(_texts(row))
    size = 0  # of the comments' texts; what is too long is not put together at once
    for children, texts_of in (
        (row.history, _change_texts),
        (row.attachments, _attachment_texts),
        (row.relations, _relation_texts),
    ):
        for child in children:
            texts += texts_of(child)
    for comment in row.comments:
        texts += _comment_texts(comment)
        size += len(comment.content)
        if size > _TOGETHER:
            if not _are_encodable(texts):
                return False
            texts, size = [], 0
    return _are_encodable(texts)


def _are_encodable(texts: Sequence[str | None]) -> bool:
    text = "".join(filter(None, texts))
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def coerce_row(row: IssueRow) -> tuple[IssueRow, list[str]]:
    """Return the row with every cell storable, and a sentence for each that was not.

    A character that cannot be stored gets a stand-in (``db.sanitize``), a time outside of the years 1 to
    9999 and a number that is too large are left out, an unknown state becomes ``unknown``, a too long
    word of an index is cut.
    """
    notes = _Notes()
    mended: dict[str, Any] = _cells(row, "", notes)
    if row.state not in STATES:
        notes.add("state", "is unknown")
        mended["state"] = "unknown"
    if row.product is not None and len(row.product) > LONGEST_WORD:
        notes.add("product", f"was cut after {LONGEST_WORD} characters")
        mended["product"] = mended.get("product", row.product)[:LONGEST_WORD]
    mended["full_data"] = _full_data(row, notes)
    mended["comments"] = _children(row.comments, "comment", notes)
    mended["history"] = _children(row.history, "history", notes)
    mended["attachments"] = _children(row.attachments, "attachment", notes)
    mended["relations"] = _relations(_children(row.relations, "relation", notes), notes)
    return replace(row, **mended), notes.sentences()


class _Notes:
    """What was mended, a sentence a cell."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def add(self, cell: str, what: str) -> None:
        self._notes.append(f"{cell} {what}")

    def sentences(self) -> list[str]:
        rest = len(self._notes) - MOST_NOTES
        return self._notes[:MOST_NOTES] + ([f"{rest} more cells were mended"] if rest > 0 else [])


# Mended in their own way; what is told of the crawl is bounded where it is written.
_SEPARATE = frozenset(
    {"full_data", "comments", "history", "attachments", "relations"}
    | {"pages", "observed_at", "position", "crawl_duration_ms", "had_errors", "error_message"}
)


def _cells(row: Any, prefix: str, notes: _Notes) -> dict[str, Any]:  # any of the row types
    """Mend the plain cells of a row; only those that changed come back."""
    mended: dict[str, Any] = {}
    for name in row.__struct_fields__:
        if name in _SEPARATE:
            continue
        value = getattr(row, name)
        better = _cell(value, prefix + name, notes)
        if better is not value:
            mended[name] = better
    return mended


def _cell(value: object, name: str, notes: _Notes) -> object:
    if isinstance(value, str):
        text = storable_text(value)
        if text is not value:
            notes.add(name, "held characters that cannot be stored")
        return text
    if isinstance(value, datetime):
        return _moment(value, name, notes)
    limit = BIGINT_MAX if name.endswith("file_size") else INTEGER_MAX
    if isinstance(value, int) and not 0 <= value <= limit:
        notes.add(name, "is a number out of range and was left out")
        return None
    return value


def _moment(value: datetime, name: str, notes: _Notes) -> datetime | None:
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if not EARLIEST <= moment <= LATEST:
        notes.add(name, f"is a time out of range and was left out: {value}")
        return None
    if moment is not value:
        notes.add(name, "is a time without a zone and was taken as UTC")
    return moment


def _full_data(row: IssueRow, notes: _Notes) -> dict[str, Any]:
    mended: dict[str, Any] = {}
    for key, value in row.full_data.items():
        name = storable_text(str(key))
        try:
            mended[name] = storable_json(value)
        except TypeError as error:
            notes.add(f"full_data {name[:50]!r}", f"was left out: {error}")
            continue
        if name != key or mended[name] != value:
            notes.add(f"full_data {name[:50]!r}", "held what JSON cannot store")
    return mended


def _children(children: Sequence[Child], kind: str, notes: _Notes) -> tuple[Child, ...]:
    return tuple(
        replace(child, **_cells(child, f"{kind} {number} ", notes))
        for number, child in enumerate(children, start=1)
    )


def _relations(relations: tuple[RelationRow, ...], notes: _Notes) -> tuple[RelationRow, ...]:
    kept = []
    for relation in relations:
        if len(relation.related_issue_id) > LONGEST_ID:
            notes.add("a relation", "names no issue and was left out")
            continue
        kept.append(replace(relation, relation_type=relation.relation_type[:LONGEST_WORD]))
    return tuple(kept)


def coerced_page(page: PackedPageRow) -> PackedPageRow:
    """Return the page with storable words and numbers about it; its bytes are what they are."""
    return replace(
        page,
        url=storable_text(page.url),
        part=storable_text(page.part)[:LONGEST_WORD],
        content_type=None if page.content_type is None else storable_text(page.content_type),
        status=page.status if 0 <= page.status <= 30_000 else 0,
    )
