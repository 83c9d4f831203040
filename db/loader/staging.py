"""The temporary stages: what a batch brings goes there by binary COPY, and from there into the tables.

A table with row security takes no COPY; a temporary one of this connection does, at full speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

import psycopg

from db.fields import column_of
from db.loader.keys import attachment_keys, change_keys, comment_keys
from db.loader.prepared import PreparedIssue
from db.queries import statements

_TEXTS_BEFORE = (
    "url title description product status state priority severity issue_type reporter owner manager"
)
_TIMES = "registered_date modified_date closed_date"
_TEXTS_AFTER = "project_code project_name site customer module found_version fixed_version target_version"
_plain = attrgetter(*_TEXTS_BEFORE.split(), *_TIMES.split(), *_TEXTS_AFTER.split())

_ISSUE_TYPES = (
    *("int8", "text"),
    *("text" for _ in _TEXTS_BEFORE.split()),
    *("timestamptz" for _ in _TIMES.split()),
    *("text" for _ in _TEXTS_AFTER.split()),
    *("text", "bytea", "timestamptz", "text", "text", "text[]"),
)
_COMMENT_TYPES = ("int8", "text", "int4", "text", "text", "timestamptz", "bool")
_CHANGE_TYPES = (
    "int8",
    "text",
    "int4",
    "text",
    "timestamptz",
    "text",
    "text",
    "text",
    "text",
    "text",
    "text",
)
_ATTACHMENT_TYPES = ("int8", "text", "text", "text", "int8", "text", "text", "timestamptz", "text")
_RELATION_TYPES = ("int8", "text", "text", "text")

_SEARCHED = 250_000  # characters, see ims.document_vector

Line = Sequence[object]


class Stages:
    """The stages of one connection, for the length of a transaction."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._used: bool | None = None  # None: not looked at yet

    async def prepare(self) -> None:
        """Make the stages, if this connection has none; outside of any savepoint that may be undone."""
        if self._used is not None:
            return
        cursor = await self._connection.execute(statements("stages")["state"])
        there, self._used = await cursor.fetchone() or (False, False)
        if not there:
            await self._connection.execute(statements("stages")["create"])

    async def clear(self) -> None:
        """Empty the stages, if something of this transaction may be in them."""
        if self._used:
            await self._connection.execute(statements("stages")["clear"])
        self._used = True

    async def fill_issues(self, drafts: Iterable[PreparedIssue]) -> None:
        """Bring the issues' own fields, and their comments' texts and files' names for the search."""
        await self._copy("issues", _ISSUE_TYPES, map(_issue_line, drafts))

    async def fill_children(self, drafts: Sequence[PreparedIssue]) -> None:
        """Bring what hangs on the issues, which must have their ``issue_pk`` by now."""
        for name, types, lines in (
            ("comments", _COMMENT_TYPES, _comment_lines(drafts)),
            ("history", _CHANGE_TYPES, _change_lines(drafts)),
            ("attachments", _ATTACHMENT_TYPES, _attachment_lines(drafts)),
            ("relations", _RELATION_TYPES, _relation_lines(drafts)),
        ):
            if any(getattr(draft.row, name) for draft in drafts):
                await self._copy(name, types, lines)

    async def _copy(self, name: str, types: Sequence[str], lines: Iterable[Line]) -> None:
        async with (
            self._connection.cursor() as cursor,
            cursor.copy(statements("stages")[name]) as copy,
        ):
            copy.set_types(types)
            for line in lines:
                await copy.write_row(line)


def _issue_line(draft: PreparedIssue) -> Line:
    row = draft.row
    return (
        draft.known_pk,
        row.issue_id,
        *_plain(row),
        draft.full_data,
        draft.content_hash,
        draft.observed_at,
        _beginning(comment.content for comment in row.comments),
        "\n".join([word for file in row.attachments for word in (file.filename, file.description) if word]),
        # Only of a known issue can files have been read.
        None if draft.known_pk is None else attachment_keys(row.attachments),
    )


def _beginning(texts: Iterable[str]) -> str:
    """As much of the texts as the search can take; nothing else looks at them together."""
    taken, size = [], 0
    for text in texts:
        taken.append(text[:_SEARCHED])
        size += len(text)
        if size > _SEARCHED:
            break
    return "\n".join(taken)


def _comment_lines(drafts: Iterable[PreparedIssue]) -> Iterator[Line]:
    for draft in drafts:
        pk, comments = draft.issue_pk, draft.row.comments
        for key, c in zip(comment_keys(comments), comments, strict=True):
            yield pk, key, c.number, c.author, c.content, c.commented_at, c.is_private


def _change_lines(drafts: Iterable[PreparedIssue]) -> Iterator[Line]:
    for draft in drafts:
        pk, changes = draft.issue_pk, draft.row.history
        for position, (key, c) in enumerate(zip(change_keys(changes), changes, strict=True)):
            what = (c.change_type, c.field_name, c.old_value, c.new_value, c.description)
            yield pk, key, position, c.changed_by, c.changed_at, *what, column_of(c.field_name)


def _attachment_lines(drafts: Iterable[PreparedIssue]) -> Iterator[Line]:
    for draft in drafts:
        pk, attachments = draft.issue_pk, draft.row.attachments
        for key, a in zip(attachment_keys(attachments), attachments, strict=True):
            file = (a.filename, a.file_type, a.file_size, a.download_url)
            yield pk, key, *file, a.author, a.attached_at, a.description


def _relation_lines(drafts: Iterable[PreparedIssue]) -> Iterator[Line]:
    for draft in drafts:
        # The last of two links of one kind to one issue: they differ in the title only.
        links = {(r.related_issue_id, r.relation_type): r for r in draft.row.relations}
        for r in links.values():
            yield draft.issue_pk, r.related_issue_id, r.relation_type, r.title
