"""How often each field of a tracker's stored issues says something: what the next issues are held against."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from msgspec import Struct

from db.queries import statements

SAMPLE = 500  # issues


class FillRates(Struct, frozen=True):
    """Figures of a sample."""

    issues: int  # of the sample
    filled: Mapping[str, int]  # in how many of them, under the names of an ``IssueRow``'s fields

    def share(self, field: str) -> float:
        """In what part of the issues a field says something, from 0 to 1."""
        return self.filled[field] / self.issues if self.issues else 0.0


async def fill_rates(
    connection: psycopg.AsyncConnection, *, user_id: int, tracker_id: int | None
) -> FillRates:
    """Count the fields of the issues with the last numbers or keys, of those that are not gone.

    What only a closed issue has is not counted: a crawl of open ones would look like a change.

    Args:
        connection: in a transaction that acts for the user.
        user_id: the owner.
        tracker_id: the owner's tracker.
    """
    cursor = await connection.execute(
        statements("fill_rates")["count"],
        {"user_id": user_id, "tracker_id": tracker_id, "sample": SAMPLE},
    )
    row = await cursor.fetchone()
    assert row is not None and cursor.description is not None  # noqa: PT018, S101 - an aggregate has one row
    names = [column.name for column in cursor.description]
    return FillRates(row[0], dict(zip(names[1:], row[1:], strict=True)))
