"""What a session writes about itself while it works: progress, errors, and pages that nobody could read."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from msgspec import Struct
from msgspec.structs import asdict
from psycopg.types.json import Jsonb

from db.errors import FenceLost
from db.loader import keep_pages
from db.queries import statements
from db.rows import PackedPageRow
from db.sanitize import storable_json, storable_text


class ErrorRow(Struct, frozen=True, kw_only=True):
    """One line of ``session_errors``."""

    error_type: str  # the name of the error's class
    message: str
    severity: str = "error"  # error, warning, info
    issue_id: str | None = None
    detail: dict[str, object] | None = None


class SessionProgress(Struct, frozen=True, kw_only=True):
    """What one batch adds to its session's row. Every field is a column of ``crawl_sessions``."""

    issues_crawled: int = 0
    issues_new: int = 0
    issues_changed: int = 0
    issues_unchanged: int = 0
    failed_issues: int = 0
    skipped_issues: int = 0
    related_issues: int = 0
    comments_announced: int = 0
    comments_stored: int = 0
    history_announced: int = 0
    history_stored: int = 0
    pages_kept: int = 0
    requests: int = 0
    retries: int = 0
    bytes_received: int = 0
    wait_seconds: float = 0.0


async def add_progress(
    connection: psycopg.AsyncConnection, *, session_id: int, fence: int | None, progress: SessionProgress
) -> None:
    """Add to the session's totals, if this process still holds the session; None: it holds a chunk of it.

    Raises:
        FenceLost: another process took the session over; the transaction must not be committed.
    """
    done = await connection.execute(
        statements("ledger")["add_progress"], {**asdict(progress), "session_id": session_id, "fence": fence}
    )
    if done.rowcount != 1:
        raise FenceLost("Another process has taken this session over: this one stops.")


async def tell_movement(
    connection: psycopg.AsyncConnection,
    *,
    session_id: int,
    moved: bool,
    waits_for: str | None,
    quiet: float,
) -> None:
    """Write down that something moves in the session, or that nothing does, whoever works on it.

    Args:
        connection: in a transaction that acts for the session's user.
        session_id: which session.
        moved: something moved since the last call.
        waits_for: where nothing moves here: that, and what is waited for.
        quiet: seconds for which nothing moved anywhere before that is said.
    """
    values = {"session_id": session_id, "moved": moved, "waits_for": waits_for, "quiet": quiet}
    await connection.execute(statements("ledger")["tell_movement"], values)


async def add_errors(
    connection: psycopg.AsyncConnection, *, user_id: int, session_id: int, errors: Sequence[ErrorRow]
) -> None:
    """Write the errors of a batch into ``session_errors``."""
    if not errors:
        return
    rows = [
        {
            **{name: storable_text(text) for name, text in asdict(error).items() if isinstance(text, str)},
            "issue_id": error.issue_id and storable_text(error.issue_id),
            "detail": Jsonb(storable_json(error.detail or {})),
            "user_id": user_id,
            "session_id": session_id,
        }
        for error in errors
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(statements("ledger")["add_error"], rows)


async def quarantine(
    connection: psycopg.AsyncConnection,
    *,
    user_id: int,
    tracker_id: int | None,
    session_id: int,
    issue_id: str,
    pages: Sequence[PackedPageRow],
    reason: str,
) -> int:
    """Keep the pages of an issue that could not be read; the number of different ones comes back."""
    return await keep_pages(
        connection,
        user_id=user_id,
        tracker_id=tracker_id,
        session_id=session_id,
        issue_id=issue_id,
        pages=pages,
        quarantine_reason=reason,
    )
