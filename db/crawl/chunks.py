"""A session's chunks while they are worked on: held by a fence of their own, with a sign of life."""

from __future__ import annotations

import psycopg

from db.errors import FenceLost
from db.queries import statements


async def hold_chunk(
    connection: psycopg.AsyncConnection, *, session_id: int, chunk_number: int, fence: int
) -> None:
    """Make sure, up to the commit, that this process holds the chunk; a sign of life too.

    Raises:
        FenceLost: another process took the chunk, or the session; the transaction must not be committed.
    """
    held = await connection.execute(
        statements("chunks")["hold"],
        {"session_id": session_id, "chunk_number": chunk_number, "fence": fence},
    )
    if held.rowcount != 1:
        raise FenceLost("Another process has taken this part of the session over: this one stops.")
