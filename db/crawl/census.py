"""A census: which stored issues the tracker no longer lists, and tombstones for those that are gone.

It is a session like any other whose search sweeps the list. Listed issues that are stored are not fetched;
stored ones that are not listed join the frontier (reason ``census``) and are looked for one by one, which
settles them as ``removed`` or brings them up to date. Only when all of them are settled are tombstones set,
in one transaction: a tracker that answered wrongly takes nothing away piece by piece.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import psycopg
from msgspec import Struct
from msgspec.structs import asdict

from db.crawl.frontier import hold_fence
from db.queries import statements
from db.sanitize import storable_text

KNOWN = "is stored already; a census looks at numbers only"
LARGEST_SHARE = 0.2  # of the expected issues that may be removed at once without a word from the user
REASONS = ("deleted", "moved", "denied")


class Scope(Struct, frozen=True, kw_only=True):
    """What a census asks about."""

    session_id: int
    user_id: int
    tracker_id: int | None
    text: str  # the query, canonical
    product: str | None


class RemovalResult(Struct, frozen=True, kw_only=True):
    """What a census came to."""

    gone: int  # issues that the tracker no longer has, or no longer shows
    expected: int  # stored issues that its list should have had
    removed: dict[str, int] | None  # tombstones by reason; None: too many, none was set


async def settle_known(connection: psycopg.AsyncConnection, scope: Scope, issue_ids: Sequence[str]) -> None:
    """Mark these references as skipped where their issue is stored and has no tombstone."""
    ids = [storable_text(issue_id) for issue_id in issue_ids]
    await _run(connection, "settle_known", scope, issue_ids=ids, detail=KNOWN)


async def add_missing(connection: psycopg.AsyncConnection, scope: Scope, *, fence: int) -> int:
    """Put the stored issues that the list did not have into the frontier; their number comes back.

    A list that was not read whole says nothing of what is missing from it: nothing is added then.

    Raises:
        FenceLost: another process took the session over.
    """
    await hold_fence(connection, session_id=scope.session_id, fence=fence)
    complete = await (await _run(connection, "is_complete", scope)).fetchone()
    if complete is None or not complete[0]:
        return 0
    await _expect(connection, scope)
    return (await _run(connection, "add_missing", scope)).rowcount


async def mark_removed(
    connection: psycopg.AsyncConnection, scope: Scope, *, fence: int, allow_mass_removal: bool
) -> RemovalResult | None:
    """Set the tombstones of what the census found gone. Done again, it does no harm.

    Args:
        connection: in a transaction.
        scope: the census.
        fence: the number under which this process holds the session.
        allow_mass_removal: set them however many they are.

    Returns:
        What became of it; None: some are still to be looked for.

    Raises:
        FenceLost: another process took the session over.
    """
    await hold_fence(connection, session_id=scope.session_id, fence=fence)
    await _expect(connection, scope)
    shares = await (await _run(connection, "shares", scope)).fetchone()
    gone, expected, pending = shares or (0, 0, 0)
    if pending:
        return None
    if not allow_mass_removal and gone > LARGEST_SHARE * expected:
        return RemovalResult(gone=gone, expected=expected, removed=None)
    await _run(connection, "mark_removed", scope)
    found: dict[str, int] = dict(await (await _run(connection, "removed", scope)).fetchall())
    removed = {reason: found.get(reason, 0) for reason in REASONS}
    await _run(connection, "note", scope, removed=json.dumps(removed))
    return RemovalResult(gone=gone, expected=expected, removed=removed)


async def _expect(connection: psycopg.AsyncConnection, scope: Scope) -> None:
    await _run(connection, "make_expected", scope)
    await _run(connection, "expect", scope)


async def _run(
    connection: psycopg.AsyncConnection, name: str, scope: Scope, **values: object
) -> psycopg.AsyncCursor[tuple[Any, ...]]:
    statement = statements("census")[name]
    if b"%(" not in statement:
        return await connection.execute(statement)
    return await connection.execute(statement, {**asdict(scope), **values})
