"""The peer's writing: batches by executemany with ON CONFLICT, one transaction each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SCHEMA = Path(__file__).with_name("schema.sql")

ISSUE = (
    *("issue_id", "title", "product", "status", "priority", "category", "version", "module", "customer"),
    *("project", "site", "reporter", "handler", "owner", "manager", "error_code", "registered_at"),
    *("description", "page_hash"),
)
COMMENT = ("issue_id", "number", "author", "commented_at", "content")
CHANGE = (
    *("issue_id", "position", "changed_at", "changed_by", "field", "old_value", "new_value", "details"),
)
FILE = ("issue_id", "file_id", "filename", "kind", "size")


@dataclass(slots=True)
class Item:
    """The rows of one issue, in the order of the columns above; the issue's ends with the searched text."""

    issue: tuple[Any, ...]
    comments: list[tuple[Any, ...]]
    changes: list[tuple[Any, ...]]
    files: list[tuple[Any, ...]]


def _upsert(table: str, columns: Sequence[str], keys: int, searched: bool = False) -> sql.Composed:
    names = [*columns, "search"] if searched else list(columns)
    marks: list[sql.Composable] = [sql.Placeholder()] * len(columns)
    if searched:
        marks.append(sql.SQL("to_tsvector('simple', %s)"))
    return sql.SQL(
        "INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({keys}) DO UPDATE SET {sets}"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        marks=sql.SQL(", ").join(marks),
        keys=sql.SQL(", ").join(map(sql.Identifier, names[:keys])),
        sets=sql.SQL(", ").join(
            sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in names[keys:]
        ),
    )


_ISSUES = _upsert("issues", ISSUE, 1, searched=True)
_COMMENTS = _upsert("comments", COMMENT, 2)
_CHANGES = _upsert("history", CHANGE, 2)
_FILES = _upsert("attachments", FILE, 2)


class Store:
    """A connection to the peer's database."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(SCHEMA.read_bytes())

    def hashes(self) -> dict[str, bytes]:
        """The hash of each stored issue's page, by its number."""
        rows = self._connection.execute("SELECT issue_id::text, page_hash FROM issues", binary=True)
        return dict(rows.fetchall())

    def save(self, items: Sequence[Item]) -> None:
        """Write a batch."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(_ISSUES, [item.issue for item in items])
            cursor.executemany(_COMMENTS, [row for item in items for row in item.comments])
            cursor.executemany(_CHANGES, [row for item in items for row in item.changes])
            cursor.executemany(_FILES, [row for item in items for row in item.files])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
