"""A session's frontier: one row a reference, with what became of it and why.

Everything here runs in the caller's transaction, which acts for the session's user. The search cursor and the
references it found are written together, an outcome together with the issue it speaks of.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from db.errors import FenceLost
from db.loader.coerce import is_sane
from db.queries import statements
from db.sanitize import INTEGER_MAX, storable_json, storable_text

LONGEST_ID = 500  # characters; what is longer is no number or key of a tracker, and would not fit an index


class Found(NamedTuple):
    """A reference that the search, or another issue, led to."""

    issue_id: str  # the tracker's number or key
    url: str | None
    listed: Mapping[str, Any]  # the result list's own columns; JSON
    modified_at: datetime | None = None  # when it was last changed, where the result list tells; aware


class Added(NamedTuple):
    """What became of the references of a page."""

    new: int  # references that the session did not know
    unchanged: int  # of these, settled already: their issues are stored as the tracker has them


class Pending(NamedTuple):
    """A reference that is still to be fetched."""

    issue_id: str
    position: int  # the order in which it was found, from 0 on; grows, may have gaps
    reason: str  # search, related, census
    url: str | None
    listed: dict[str, Any]
    attempts: int  # how often it was marked before
    kept: Mapping[str, bytes] = {}  # SHA-256 of each page that the stored issue was read from, by its part


async def add_references(
    connection: psycopg.AsyncConnection,
    *,
    session_id: int,
    user_id: int,
    fence: int,
    references: Sequence[Found],
    cursor: str | None,
    done: bool,
    total: int | None = None,
    reason: str = "search",
    tracker_id: int | None = None,
    settles_after: timedelta | None = None,
) -> Added:
    """Write down a page of the search: its references, and the cursor to go on from.

    Args:
        connection: in a transaction.
        session_id: the session.
        user_id: the session's user.
        fence: the number under which this process holds the session.
        references: in the tracker's order; known ones are left as they are.
        cursor: goes on after this page.
        done: this was the last page.
        total: the tracker's own count of all hits, where it tells one.
        reason: search or census.
        tracker_id: whose issues the references are.
        settles_after: a reference whose issue is stored with the same time of change is settled as
            unchanged, if the issue was last fetched at least so long after that time; None: each is to be
            fetched.

    Raises:
        FenceLost: another process took the session over.
    """
    advanced = await connection.execute(
        statements("frontier")["advance_search"],
        {
            "session_id": session_id,
            "fence": fence,
            "cursor": None if cursor is None else storable_text(cursor),
            "done": done,
            "total": total if total is not None and 0 <= total <= INTEGER_MAX else None,
        },
    )
    if advanced.rowcount != 1:
        raise _fence_lost()
    if settles_after is not None:
        await connection.execute(statements("frontier")["plan_by_key"])
    return await _add(connection, session_id, user_id, references, reason, tracker_id, settles_after)


async def add_related(
    connection: psycopg.AsyncConnection, *, session_id: int, user_id: int, references: Sequence[Found]
) -> int:
    """Add the issues that fetched ones point to; the number of those new to the session comes back."""
    if not references:
        return 0
    await connection.execute(statements("frontier")["lock_session"], {"session_id": session_id})
    return (await _add(connection, session_id, user_id, references, "related")).new


async def take_pending(
    connection: psycopg.AsyncConnection,
    *,
    session_id: int,
    after_position: int,
    limit: int,
    last_position: int = INTEGER_MAX,
    compares: bool = False,
) -> list[Pending]:
    """Read the next references to fetch, in the order they were found; they stay pending until marked.

    Args:
        connection: in a transaction.
        session_id: the session.
        after_position: they come behind it.
        limit: this many at most.
        last_position: and not behind this one.
        compares: tell of what pages each stored issue was read; those of which something was odd are to be
            read again.
    """
    rows = await connection.execute(
        statements("frontier")["take_pending"],
        {
            "session_id": session_id,
            "after_position": after_position,
            "last_position": last_position,
            "limit": limit,
            "compares": compares,
        },
    )
    return [
        Pending._make((*known, dict(zip(parts, hashes, strict=True))))
        for *known, parts, hashes in await rows.fetchall()
    ]


async def still_pending(
    connection: psycopg.AsyncConnection, *, session_id: int, issue_ids: Collection[str]
) -> set[str]:
    """Tell which of these references nobody has marked: after a commit in doubt, what must be done again."""
    by_id = {_issue_id(issue_id): issue_id for issue_id in issue_ids}
    rows = await connection.execute(
        statements("frontier")["still_pending"], {"session_id": session_id, "issue_ids": list(by_id)}
    )
    return {by_id[row[0]] for row in await rows.fetchall()}


async def mark(
    connection: psycopg.AsyncConnection,
    *,
    session_id: int,
    outcomes: Mapping[str, tuple[str, str | None]],
) -> None:
    """Write what became of references.

    Args:
        connection: in a transaction.
        session_id: the session.
        outcomes: for each ``issue_id`` the state (new, changed, unchanged, failed, skipped, removed; or
        pending,
            to be tried again) and a sentence why, or None.
    """
    alike: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for issue_id, outcome in outcomes.items():
        alike[outcome].append(_issue_id(issue_id))
    sql = statements("frontier")
    async with connection.pipeline():
        await connection.execute(sql["plan_by_key"])
        for (state, detail), issue_ids in alike.items():
            why = None if detail is None else storable_text(detail)
            values = {"session_id": session_id, "state": state, "detail": why, "issue_ids": issue_ids}
            await connection.execute(sql["mark"], values)


async def take_fence(connection: psycopg.AsyncConnection, *, session_id: int) -> int:
    """Take the session over: the fence number that comes back is ours, whoever had the former one has
    lost it.

    Raises:
        FenceLost: the session is not there, or not this user's.
    """
    row = await (
        await connection.execute(statements("frontier")["take_fence"], {"session_id": session_id})
    ).fetchone()
    if row is None:
        raise FenceLost("There is no such session.")
    return int(row[0])


async def hold_fence(connection: psycopg.AsyncConnection, *, session_id: int, fence: int) -> None:
    """Make sure, up to the commit, that this process holds the session; a heartbeat too.

    Raises:
        FenceLost: another process took the session over; the transaction must not be committed.
    """
    held = await connection.execute(
        statements("frontier")["hold_fence"], {"session_id": session_id, "fence": fence}
    )
    if held.rowcount != 1:
        raise _fence_lost()


async def beat(connection: psycopg.AsyncConnection, *, session_id: int, fence: int) -> None:
    """Give a sign of life of the session, on a connection that stays open for as long as it is worked on.

    Raises:
        FenceLost: another process took the session over.
    """
    held = await connection.execute(
        statements("frontier")["beat"], {"session_id": session_id, "fence": fence}
    )
    if held.rowcount != 1:
        raise _fence_lost()


async def counts(connection: psycopg.AsyncConnection, *, session_id: int) -> dict[str, int]:
    """Count the session's references by state; a state without any is left out."""
    rows = await connection.execute(statements("frontier")["counts"], {"session_id": session_id})
    return dict(await rows.fetchall())


async def tally(connection: psycopg.AsyncConnection, *, session_id: int) -> dict[tuple[str, str], int]:
    """Count the session's references by why they are there and what became of them."""
    rows = await connection.execute(statements("frontier")["tally"], {"session_id": session_id})
    return {(reason, state): number for reason, state, number in await rows.fetchall()}


async def _add(
    connection: psycopg.AsyncConnection,
    session_id: int,
    user_id: int,
    references: Sequence[Found],
    reason: str,
    tracker_id: int | None = None,
    settles_after: timedelta | None = None,
) -> Added:
    if not references:
        return Added(0, 0)
    added = await connection.execute(
        statements("frontier")["add"],
        {
            "session_id": session_id,
            "user_id": user_id,
            "reason": reason,
            "issue_ids": [_issue_id(found.issue_id) for found in references],
            "urls": [None if found.url is None else storable_text(found.url) for found in references],
            "listed": [json.dumps(storable_json(found.listed), ensure_ascii=False) for found in references],
            "modified": [_sane(found.modified_at) for found in references],
            "tracker_id": tracker_id,
            "settles_after": settles_after,
        },
    )
    (counted,) = await added.fetchall()
    return Added._make(counted)


def _sane(moment: datetime | None) -> datetime | None:
    # A time that the database, or arithmetic with it, cannot hold is no time to compare with.
    return moment if moment is not None and is_sane(moment) else None


def _issue_id(issue_id: str) -> str:
    # A reference that cannot be kept as it is must not vanish: it is kept so that fetching it fails and
    # says so.
    return storable_text(issue_id)[:LONGEST_ID]


def _fence_lost() -> FenceLost:
    return FenceLost("Another process has taken this session over: this one stops.")
