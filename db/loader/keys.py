"""By what an issue's children are known again at the next crawl.

The tracker's own id, where it has one; else what an entry says that does not change. Identical entries get an
occurrence number, in the tracker's order, so that each is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar

from db.rows import AttachmentRow, ChangeRow, CommentRow

LONGEST_KEY = 200  # characters; what is longer is hashed, since an index takes no more than 2,700 bytes

T = TypeVar("T")


def comment_keys(comments: Sequence[CommentRow]) -> list[str]:
    """Return the source key of each comment; its text is no part of it, since an edit must not change it."""
    return _unique(comments, _comment)


def change_keys(changes: Sequence[ChangeRow]) -> list[str]:
    """Return the source key of each history entry: without an id, all that it says."""
    return _unique(changes, _change)


def attachment_keys(attachments: Sequence[AttachmentRow]) -> list[str]:
    """Return the source key of each attachment: without an id, name, author and time."""
    return _unique(attachments, _attachment)


def _unique(children: Sequence[T], key_of: Callable[[T], str]) -> list[str]:
    keys = [key_of(child) for child in children]
    if len(set(keys)) == len(keys):
        return keys
    seen: Counter[str] = Counter()
    numbered = []
    for key in keys:
        seen[key] += 1
        numbered.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    # A tracker's own id may look like a numbered one.
    return numbered if len(set(numbered)) == len(numbered) else [f"{i}:{key}" for i, key in enumerate(keys)]


def _comment(comment: CommentRow) -> str:
    if comment.source_id is not None:
        return _id(comment.source_id)
    if comment.number is not None:
        return f"no:{comment.number}"
    if comment.author is None and comment.commented_at is None:
        return _fingerprint((comment.content,))
    return _fingerprint((comment.author, _moment(comment.commented_at)))


def _change(change: ChangeRow) -> str:
    if change.source_id is not None:
        return _id(change.source_id)
    # Where an entry was taken apart its words are a rendering of the parts, and may speak of "a minute ago".
    parted = change.field_name is not None or change.old_value is not None or change.new_value is not None
    return _fingerprint(
        (
            change.changed_by,
            _moment(change.changed_at),
            change.change_type,
            change.field_name,
            change.old_value,
            change.new_value,
            None if parted else change.description,
        )
    )


def _attachment(attachment: AttachmentRow) -> str:
    if attachment.source_id is not None:
        return _id(attachment.source_id)
    return _fingerprint((attachment.filename, attachment.author, _moment(attachment.attached_at)))


def _id(source_id: str) -> str:
    return f"id:{source_id}" if len(source_id) <= LONGEST_KEY else _fingerprint((source_id,))


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else repr(moment.timestamp())


def _fingerprint(parts: Iterable[str | None]) -> str:
    # Lengths before the texts: ("ab", "c") must not look like ("a", "bc").
    framed = "".join(["-" if part is None else f"{len(part)}:{part}" for part in parts])
    return "fp:" + blake2b(framed.encode(errors="surrogatepass"), digest_size=16).hexdigest()
