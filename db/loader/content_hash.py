"""The content hash of an issue: equal when nothing about it changed, cheap enough to ask at every crawl.

It covers every field of the issue and of its children, but not what belongs to others: the titles of related
issues, and how people's names are shown (`NAMES`). It is taken of the issue as it was read, before
anything is mended, so that what did not change needs no second look. The encoding is marshal's oldest,
which tells types and lengths apart and has not changed since; should it, every issue is written once
more, and nothing else happens.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from db.rows import IssueRow

SIZE = 16  # bytes
NAMES = "display names"  # in an issue's `full_data`: what people are called where their login names stand
_VERSION = 1  # raise it when stored rows must be written again although the tracker changed nothing
_ENCODING = 0  # marshal's first: later ones depend on which texts the interpreter happens to share

_TIMES = ("registered_date", "modified_date", "closed_date")
_OF_THE_CRAWL = ("pages", "observed_at", "position", "crawl_duration_ms", "had_errors", "error_message")
_APART = frozenset(("full_data", "comments", "history", "attachments", "relations", *_TIMES, *_OF_THE_CRAWL))
_plain = attrgetter(*(name for name in IssueRow.__struct_fields__ if name not in _APART))
_change = attrgetter(
    *("source_id", "changed_by", "change_type", "field_name", "old_value", "new_value", "description")
)
_attachment = attrgetter(
    *("source_id", "filename", "file_type", "file_size", "download_url", "author", "description")
)


def canonical_json(value: Mapping[str, Any]) -> str:
    """Write JSON in one way only: keys sorted, ASCII.

    Raises:
        ValueError, TypeError, RecursionError: it is no JSON, holds what JSON has no word for, or has no end.
    """
    if not value:
        return "{}"
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_as_dict)


def digest(row: IssueRow, full_data: str) -> bytes:
    """Hash an issue with its children.

    Args:
        row: the issue.
        full_data: the row's, in canonical JSON.
    """
    before = (
        _VERSION,
        _plain(row),
        _moment(row.registered_date),
        _moment(row.modified_date),
        _moment(row.closed_date),
        _own(row, full_data),
    )
    after = (
        [(*_change(c), _moment(c.changed_at)) for c in row.history],
        [(*_attachment(a), _moment(a.attached_at)) for a in row.attachments],
        [(r.related_issue_id, r.relation_type) for r in row.relations],
    )
    # The bytes of one tuple with all of this and the comments as a list, of which there may be many.
    known = blake2b(_head(b"(", len(before) + 1 + len(after)), digest_size=SIZE)
    for item in before:
        known.update(_encoded(item))
    known.update(_head(b"[", len(row.comments)))
    for c in row.comments:
        comment = (c.source_id, c.number, c.author, c.content, _moment(c.commented_at), c.is_private)
        known.update(_encoded(comment))
    for items in after:
        known.update(_encoded(items))
    return known.digest()


def _head(kind: bytes, length: int) -> bytes:
    """How marshal begins a tuple or a list."""
    return kind + length.to_bytes(4, "little")


def _encoded(value: object) -> bytes:
    try:
        return marshal.dumps(value, _ENCODING)  # type: ignore[arg-type] # it is marshallable, or else ValueError
    except ValueError:  # a text or number of a class of its own
        return marshal.dumps(_of_plain_types(value), _ENCODING)  # type: ignore[arg-type] # what it returns is marshallable


def _own(row: IssueRow, full_data: str) -> str:
    if NAMES not in row.full_data:
        return full_data
    return canonical_json({name: value for name, value in row.full_data.items() if name != NAMES})


def _moment(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _as_dict(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _of_plain_types(value: object) -> object:
    if isinstance(value, tuple | list):
        return type(value)(map(_of_plain_types, value))
    if value is None or isinstance(value, bool):
        return value
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    return repr(value)
