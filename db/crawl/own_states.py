"""What a tracker's owner says of its status words."""

from __future__ import annotations

import psycopg

from db.queries import statements


async def own_states(connection: psycopg.AsyncConnection, *, tracker_id: int | None) -> dict[str, str]:
    """The states of the words, which are in small letters and with single spaces.

    Args:
        connection: in a transaction that acts for the tracker's owner.
        tracker_id: the tracker.
    """
    rows = await connection.execute(statements("states")["own"], {"tracker_id": tracker_id})
    return dict(await rows.fetchall())
