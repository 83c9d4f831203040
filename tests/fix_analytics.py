"""Issues with a life worked out by hand, for the tests of figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from tests.fix_schema import ALICE, Database

Change = tuple[str, str, str, str]  # when, field, old value, new value


@dataclass(frozen=True)
class Desk:
    """A database in which users write issues, and ask for figures. Times are texts; without a zone, UTC."""

    database: Database = field(repr=False)

    @contextmanager
    def acting(self, user_id: int = ALICE, timezone: str = "UTC") -> Iterator[psycopg.Connection]:
        """A transaction of a user's."""
        with self.database.app() as connection:
            connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
            connection.execute("SELECT set_config('TimeZone', %s, true)", (timezone,))
            yield connection

    def ask(
        self, query: str, *values: object, user_id: int = ALICE, timezone: str = "UTC"
    ) -> list[tuple[Any, ...]]:
        """What a query gives to a user."""
        with self.acting(user_id, timezone) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def write(self, query: str, *values: object, user_id: int = ALICE) -> None:
        """Write as a user."""
        with self.acting(user_id) as connection:
            connection.execute(query.encode(), values or None)

    def issue(
        self, issue_id: str, *, changes: Sequence[Change] = (), user_id: int = ALICE, **columns: object
    ) -> int:
        """Store an issue with its history; the key that it got."""
        columns = {"issue_id": issue_id, "title": f"issue {issue_id}", **columns}
        names = ", ".join(columns)
        marks = ", ".join(["%s"] * len(columns))
        with self.acting(user_id) as connection:
            row = connection.execute(
                f"INSERT INTO ims.issues ({names}) VALUES ({marks}) RETURNING issue_pk".encode(),  # noqa: S608
                tuple(columns.values()),
            ).fetchone()
            assert row is not None
            for place, (at, name, old, new) in enumerate(changes):
                connection.execute(
                    "INSERT INTO ims.issue_history"
                    " (issue_pk, position, changed_at, field_name, old_value, new_value)"
                    " VALUES (%s, %s, %s, %s, %s, %s)",
                    (row[0], place, at, name, old, new),
                )
        return int(row[0])

    def session(
        self, started_at: str, *, issues: Sequence[int] = (), user_id: int = ALICE, **columns: object
    ) -> int:
        """Store a session that crawled issues; the key that it got."""
        columns = {"started_at": started_at, "status": "completed", "issues_crawled": len(issues), **columns}
        names = ", ".join(columns)
        marks = ", ".join(["%s"] * len(columns))
        with self.acting(user_id) as connection:
            row = connection.execute(
                f"INSERT INTO ims.crawl_sessions ({names}) VALUES ({marks}) RETURNING session_id".encode(),  # noqa: S608
                tuple(columns.values()),
            ).fetchone()
            assert row is not None
            for issue_pk in issues:
                connection.execute(
                    "INSERT INTO ims.session_issues (session_id, issue_pk) VALUES (%s, %s)",
                    (row[0], issue_pk),
                )
        return int(row[0])


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk on a fresh database."""
    return Desk(database)
